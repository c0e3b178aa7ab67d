//! Where reports go: `--output FORMAT[=PATH]`.

use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use crate::oci::Untrusted;

/// The formats that there are of something.
pub trait Formats: Copy + 'static {
    /// All of them, the one for people first.
    const ALL: &'static [Self];

    /// The name of one.
    fn as_str(self) -> &'static str;
}

/// A format and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination<F> {
    /// The format.
    pub format: F,
    /// The file; `None` is standard output.
    pub path: Option<PathBuf>,
}

/// An `--output` that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// No such format.
    #[error("`{}` is no output format; there are {known}", Untrusted(.name))]
    Format {
        /// What was written.
        name: String,
        /// The formats that there are, as a sentence names them.
        known: String,
    },
    /// Nothing after the `=`.
    #[error("`{0}=` names no file")]
    NoPath(&'static str),
}

impl<F: Formats> FromStr for Destination<F> {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = text.split_once('=').unwrap_or((text, "-"));
        let format = F::ALL.iter().copied().find(|format| format.as_str() == name);
        let format = format.ok_or_else(|| DestinationError::Format { name: name.to_owned(), known: known::<F>() })?;
        match path {
            "" => Err(DestinationError::NoPath(format.as_str())),
            "-" => Ok(Self { format, path: None }),
            path => Ok(Self { format, path: Some(PathBuf::from(path)) }),
        }
    }
}

/// `` `human`, `json` and `sarif` ``
fn known<F: Formats>() -> String {
    let names: Vec<String> = F::ALL.iter().map(|format| format!("`{}`", format.as_str())).collect();
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}
