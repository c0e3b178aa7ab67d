//! The line that names an image, what was judged of it and what came of it.

use textwrap::core::display_width;

use crate::oci::escape;
use crate::policy::Level;
use crate::report::{Cell, CellVerdict, ImageReport, TargetFailure};

use super::Human;
use crate::output::paint::Word;
use crate::output::text::count;

/// What came of an image.
pub(super) fn fate(image: &ImageReport) -> Word {
    let failed =
        |verdict: CellVerdict| image.cells.iter().any(|cell| cell.level == Level::Error && cell.verdict == verdict);
    match &image.error {
        Some(TargetFailure::Usage { .. }) => Word::Error,
        _ if failed(CellVerdict::Violation) => Word::Error,
        Some(TargetFailure::Unread(_)) => Word::Unknown,
        None if failed(CellVerdict::Unknown) || image.cells.is_empty() => Word::Unknown,
        None => Word::Passed,
    }
}

/// How many cells came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) checks: usize,
    pub(super) passed: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) notes: usize,
    pub(super) unknown: usize,
    pub(super) waived: usize,
}

impl Counts {
    pub(super) fn of<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> Self {
        let mut counts = Self::default();
        for cell in cells.into_iter().filter(|cell| cell.verdict != CellVerdict::NotApplicable) {
            counts.checks += 1;
            let counter = match (cell.verdict, cell.level) {
                (CellVerdict::Pass | CellVerdict::NotApplicable, _) => &mut counts.passed,
                (CellVerdict::Unknown, _) => &mut counts.unknown,
                (CellVerdict::Waived, _) => &mut counts.waived,
                (CellVerdict::Violation, Level::Error) => &mut counts.errors,
                (CellVerdict::Violation, Level::Warning) => &mut counts.warnings,
                (CellVerdict::Violation, Level::Note | Level::Off) => &mut counts.notes,
            };
            *counter += 1;
        }
        counts
    }

    /// `2 errors, 1 warning`: what did not pass.
    pub(super) fn problems(&self) -> Vec<String> {
        let nouns = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let mut parts: Vec<String> = nouns.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(*n, noun)).collect();
        let states = [(self.unknown, "unknown"), (self.waived, "waived")];
        parts.extend(states.iter().filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")));
        parts
    }
}

/// The name an image is shown under: the name it was judged under, or the target when that is a file or a directory.
pub(super) fn name(image: &ImageReport) -> String {
    let local = ["oci:", "oci-archive:", "docker-archive:"].iter().any(|scheme| image.target.starts_with(scheme));
    match &image.name {
        Some(name) if local => format!("{} as {}", escape(&image.target), escape(name)),
        Some(name) => escape(name),
        None => escape(&image.target),
    }
}

/// What the digest is added to a name with: `@sha256:…`; of a name that ends in it already, nothing.
fn digest_suffix(image: &ImageReport, name: &str) -> Option<String> {
    let digest = image.digest.as_ref().filter(|digest| !name.ends_with(digest.as_str()))?;
    let joint = if image.kind == Some("config") || image.name.is_none() { " " } else { "@" };
    Some(if image.kind == Some("config") { format!("{joint}config {digest}") } else { format!("{joint}{digest}") })
}

/// Name and digest, as they are deployed.
pub(super) fn pinned(image: &ImageReport) -> String {
    let name = image.repository.as_deref().map_or_else(|| name(image), escape);
    let suffix = digest_suffix(image, &name).unwrap_or_default();
    name + &suffix
}

impl Human<'_> {
    /// `✓ ghcr.io/acme/app:1.2@sha256:…  12 checks, 8 platforms`; the digest on a line of its own where it does not fit.
    pub(super) fn headline(&self, image: &ImageReport) -> String {
        let word = fate(image);
        let name = name(image);
        let suffix = digest_suffix(image, &name).unwrap_or_default();
        let result = result(image);
        if self.style.narrated {
            let result = if image.cells.is_empty() { String::new() } else { format!(" {result}.") };
            return format!("Image {name}{suffix}: {}.{result}\n", spoken(word));
        }
        let sign = self.paint.sign(word);
        let fits =
            |parts: &[&str]| parts.iter().map(|part| display_width(part)).sum::<usize>() + 4 <= self.paint.style.width;
        let bold = self.paint.bold(&name);
        let faint = self.paint.faint(&result);
        if suffix.is_empty() || fits(&[&name, &suffix, &result]) {
            return format!("{sign} {bold}{}  {faint}\n", self.paint.faint(&suffix));
        }
        let digest = self.paint.faint(suffix.trim_start_matches([' ', '@']));
        if fits(&[&name, &result]) {
            format!("{sign} {bold}  {faint}\n  {digest}\n")
        } else {
            format!("{sign} {bold}\n  {digest}\n  {faint}\n")
        }
    }
}

fn spoken(word: Word) -> &'static str {
    match word {
        Word::Error => "failed",
        Word::Unknown => "could not be checked",
        _ => "passed",
    }
}

/// `2 errors, 1 unknown in 12 checks, 8 platforms`.
fn result(image: &ImageReport) -> String {
    if image.cells.is_empty() {
        return "not checked".to_owned();
    }
    let counts = Counts::of(&image.cells);
    let problems = counts.problems().join(", ");
    let joint = if problems.is_empty() { "" } else { " in " };
    let platforms = match image.platforms.len() {
        0 => String::new(),
        number => format!(", {}", count(number, "platform")),
    };
    format!("{problems}{joint}{}{platforms}", count(counts.checks, "check"))
}
