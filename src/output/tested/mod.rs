//! What came of testing policies: for people, for programs, and for what shows the tests of a build.

mod human;
mod junit;

use std::io::{self, Write};

use serde::Serialize;

use super::json::{TOOL, Tool};
use super::text::SafeJson;
use super::{Formats, Style};
use crate::report::{CaseStatus, Tested, TestedFile};

/// The JSON Schema of the JSON.
pub const JSON_SCHEMA: &str = include_str!("../tests-v1.schema.json");
/// The `schema` of the JSON.
const SCHEMA: &str = "ocilint/tests/v1";

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Differences for people.
    Human,
    /// The stable face for programs ([`JSON_SCHEMA`]).
    Json,
    /// `JUnit` XML, which build servers show.
    Junit,
}

/// Writes what came of the tests. The caller flushes.
pub fn write(format: Format, tested: &Tested, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(tested, style, out),
        Format::Json => SafeJson::write(&Shape::of(tested), out),
        Format::Junit => junit::write(tested, out),
    }
}

#[derive(Serialize)]
struct Shape<'t> {
    schema: &'static str,
    tool: Tool,
    exit: u8,
    passed: usize,
    failed: usize,
    mistaken: usize,
    files: &'t [TestedFile],
}

impl<'t> Shape<'t> {
    fn of(tested: &'t Tested) -> Self {
        Self {
            schema: SCHEMA,
            tool: TOOL,
            exit: tested.exit_status().code(),
            passed: tested.count(CaseStatus::Passed),
            failed: tested.count(CaseStatus::Failed),
            mistaken: tested.count(CaseStatus::Mistaken),
            files: &tested.files,
        }
    }
}

impl Formats for Format {
    const ALL: &'static [Self] = &[Self::Human, Self::Json, Self::Junit];

    fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Junit => "junit",
        }
    }
}

#[cfg(test)]
mod tests;
