//! What came of testing policies: for people, for programs, and for what shows the tests of a build.

mod human;
mod junit;

use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use super::Style;
use super::text::SafeJson;
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

/// A format and where it goes, as `--output FORMAT[=PATH]` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The format.
    pub format: Format,
    /// The file; `None` is standard output.
    pub path: Option<PathBuf>,
}

/// An `--output` that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// No such format.
    #[error("`{}` is no output format; there are `human`, `json` and `junit`", crate::oci::Untrusted(.0))]
    Format(String),
    /// Nothing after the `=`.
    #[error("`{}=` names no file", crate::oci::Untrusted(.0))]
    NoPath(String),
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

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl<'t> Shape<'t> {
    fn of(tested: &'t Tested) -> Self {
        Self {
            schema: SCHEMA,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            exit: tested.exit_status().code(),
            passed: tested.count(CaseStatus::Passed),
            failed: tested.count(CaseStatus::Failed),
            mistaken: tested.count(CaseStatus::Mistaken),
            files: &tested.files,
        }
    }
}

impl FromStr for Format {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            "junit" => Ok(Self::Junit),
            _ => Err(DestinationError::Format(text.to_owned())),
        }
    }
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((name, path)) = text.split_once('=') else {
            return Ok(Self { format: text.parse()?, path: None });
        };
        let format = name.parse()?;
        match path {
            "" => Err(DestinationError::NoPath(name.to_owned())),
            "-" => Ok(Self { format, path: None }),
            path => Ok(Self { format, path: Some(PathBuf::from(path)) }),
        }
    }
}

#[cfg(test)]
mod tests;
