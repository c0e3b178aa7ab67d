//! What a report looks like: for people, for programs, for code scanning.
//!
//! Whatever the format, text from images, registries and files is escaped, no line can be taken for a command by the
//! runner that reads the log, and the same report gives the same bytes.

mod destination;
pub mod file;
pub mod graph;
mod human;
mod json;
mod paint;
pub mod policy;
mod sarif;
pub mod tested;
mod text;
pub mod waivers;

use std::io::{self, Write};
use std::sync::Arc;

use crate::policy::PolicyError;
use crate::report::{Diagnostic, ImageReport, Report, Run, Tally};
pub use destination::{Destination, DestinationError, Formats};
pub use json::SCHEMA as JSON_SCHEMA;
pub use sarif::{Place, SarifOptions, repository_root};
pub use text::{line, lines};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Diagnostics for people.
    Human,
    /// The stable face for programs ([`JSON_SCHEMA`]).
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// How a report for people looks. Decided once, by whoever knows the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the user, each with a flag of its own")]
pub struct Style {
    /// Colours.
    pub color: bool,
    /// Box drawing and other characters beyond ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
    /// Only what fails the run.
    pub quiet: bool,
    /// Sentences instead of drawings, for screen readers.
    pub narrated: bool,
    /// Links that a terminal can open.
    pub hyperlinks: bool,
}

impl Default for Style {
    /// What suits a log file that holds UTF-8.
    fn default() -> Self {
        Self { color: false, unicode: true, width: 100, quiet: false, narrated: false, hyperlinks: false }
    }
}

/// Everything that formats want to know besides the report.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For people.
    pub style: Style,
    /// For code scanning.
    pub sarif: SarifOptions,
}

/// Writes a report as its parts come, so that none of it needs to be kept. The caller flushes.
pub trait Writer: Send {
    /// What comes before the first image.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()>;
    /// The next image.
    fn image(&mut self, image: &ImageReport, out: &mut dyn Write) -> io::Result<()>;
    /// What the run comes to. Without it a report is not finished, and does not look so.
    fn end(&mut self, tally: &Tally, out: &mut dyn Write) -> io::Result<()>;
}

/// The writer of a format.
pub fn writer(format: Format, run: Arc<Run>, options: &Options) -> Box<dyn Writer> {
    match format {
        Format::Human => Box::new(human::Human::new(run, options.style)),
        Format::Json => Box::new(json::Json::new(run)),
        Format::Sarif => Box::new(sarif::Sarif::new(run, &options.sarif)),
    }
}

/// Writes a whole report. The caller flushes.
pub fn write(format: Format, report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = writer(format, report.run.clone(), options);
    writer.begin(out)?;
    for image in &report.images {
        writer.image(image, out)?;
    }
    writer.end(&report.tally(), out)
}

/// Writes the mistakes of a policy, for people.
pub fn write_mistakes(mistakes: &[PolicyError], style: Style, out: &mut dyn Write) -> io::Result<()> {
    human::write_mistakes(mistakes, ("in the policy", "nothing was judged"), style, out)
}

/// Writes the mistakes in the tests of policies, and in the policies tested, for people; `undone` says what has not been
/// done because of them.
pub fn write_test_mistakes(
    mistakes: &[PolicyError],
    undone: &str,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    human::write_mistakes(mistakes, ("in the tests", undone), style, out)
}

/// Writes remarks on a policy that is right, for people.
pub fn write_remarks(remarks: &[Diagnostic], style: Style, out: &mut dyn Write) -> io::Result<()> {
    human::write_remarks(remarks, style, out)
}

impl Formats for Format {
    const ALL: &'static [Self] = &[Self::Human, Self::Json, Self::Sarif];

    fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
        }
    }
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
