//! Strict reading of JSON texts that others than this program will read as well.
//!
//! A registry's bytes are read by runtimes written in Go, whose `encoding/json` lets the last of two equal names win and
//! ignores case. A text in which that could matter is *ambiguous*: two readers may see two different images behind one
//! digest. The pass here finds every such place while it parses.

mod pointer;
mod shape;
mod strict;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt::{self, Display};

use serde::Serialize;

use super::Untrusted;

pub(crate) use pointer::Path;
pub use pointer::{Span, locate, pointer, pointer_escape, pointer_unescape};
pub use shape::Shape;
pub(crate) use shape::misspelt;
pub(crate) use tree::Text;
pub use tree::{Members, Tree};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;

/// How many values (elements, members and containers) one document may hold.
///
/// A valid document needs far more than fourteen bytes a value; without the limit 4 MiB of `[{"":0},…` would take a
/// hundred times their size in memory.
pub const MAX_VALUES: usize = 300_000;

/// A strictly parsed JSON text and the places where other readers may see something else.
#[derive(Debug, Clone)]
pub struct Json<'t> {
    value: Tree<'t>,
    problems: Vec<Ambiguity>,
}

impl<'t> Json<'t> {
    /// Parses the bytes in one pass; `shape` says which names are known at which place.
    ///
    /// White space may surround the value; a byte order mark, other encodings, nesting beyond [`MAX_DEPTH`] and anything
    /// after the value are errors.
    pub fn parse(bytes: &'t [u8], shape: Shape) -> Result<Json<'t>, JsonError> {
        let (value, problems) = strict::parse(bytes, shape)?;
        Ok(Json { value, problems })
    }

    /// The value; of equal names the last one counts.
    pub fn value(&self) -> &Tree<'t> {
        &self.value
    }

    /// The places where readers may differ, in the order of the text (only the first of a flood of them).
    pub fn problems(&self) -> &[Ambiguity] {
        &self.problems
    }

    /// Gives up the parts: the value and the ambiguities.
    pub fn into_parts(self) -> (Tree<'t>, Vec<Ambiguity>) {
        (self.value, self.problems)
    }
}

/// A place of a document that two readers may understand differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ambiguity {
    /// RFC 6901 pointer to the member concerned.
    pub pointer: String,
    /// What is ambiguous about it.
    pub kind: AmbiguityKind,
}

/// What makes a document ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AmbiguityKind {
    /// One name occurs twice in an object.
    Duplicate {
        /// The name, unescaped.
        name: String,
    },
    /// A name that Go takes for a known one because it ignores case.
    Fold {
        /// The name as written, unescaped.
        name: String,
        /// The name it is taken for.
        known: &'static str,
    },
    /// The document holds what marks two kinds of manifests (CVE-2021-41190).
    TwoKinds {
        /// The members that contradict each other, `manifests` and `layers` for example.
        names: Vec<&'static str>,
    },
}

impl Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            AmbiguityKind::Duplicate { name } => {
                write!(f, "the name {} occurs more than once", quoted(name))
            }
            AmbiguityKind::Fold { name, known } => {
                write!(f, "the name {} is read as `{known}` by clients that ignore case", quoted(name))
            }
            AmbiguityKind::TwoKinds { names } => {
                write!(f, "the document is of two kinds at once: it has `{}`", names.join("` and `"))
            }
        }
    }
}

/// The bytes are no JSON text that every reader accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct JsonError {
    /// What is wrong.
    pub problem: JsonProblem,
    /// Byte offset into the text.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// The problem in words, without the place.
    pub message: String,
}

/// Why bytes are no acceptable JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum JsonProblem {
    /// Nothing but white space.
    Empty,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text starts with a byte order mark.
    Bom,
    /// The grammar is violated, or a number is too large.
    Syntax,
    /// Nesting beyond [`MAX_DEPTH`].
    TooDeep,
    /// More values than [`MAX_VALUES`].
    TooMany,
    /// Something follows the value.
    Trailing,
}

/// What the parser says, without the place that it tells.
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    message.truncate(message.rfind(" at line ").unwrap_or(message.len()));
    message
}

/// A text out of a document as a message shows it: in quotes, escaped, at most 80 characters.
pub(crate) fn quoted(text: &str) -> String {
    let end = text.char_indices().nth(80).map_or(text.len(), |(at, _)| at);
    let (shown, rest) = text.split_at(end);
    format!("\"{}{}\"", Untrusted(shown), if rest.is_empty() { "" } else { "…" })
}

/// A list that stops growing, so that a hostile document cannot make its own report large.
#[derive(Debug)]
pub(crate) struct Bounded<T> {
    items: Vec<T>,
    most: usize,
}

impl<T> Bounded<T> {
    pub(crate) fn new(most: usize) -> Bounded<T> {
        Bounded { items: Vec::new(), most }
    }

    /// Adds what `make` returns, unless the list is full.
    pub(crate) fn push(&mut self, make: impl FnOnce() -> T) {
        if self.items.len() < self.most {
            self.items.push(make());
        }
    }

    pub(crate) fn into_vec(self) -> Vec<T> {
        self.items
    }
}
