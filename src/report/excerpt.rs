//! The lines around a place in a JSON document, fit to be shown.

/// A window of a document, re-indented, escaped and cut; independent of the document's size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// At most 12 lines.
    pub lines: Vec<ExcerptLine>,
}

/// One line of an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptLine {
    /// Its number in the re-indented document, from 1.
    pub number: usize,
    /// Its text, escaped.
    pub text: String,
    /// The bytes of `text` to mark.
    pub mark: Option<[usize; 2]>,
}

impl Excerpt {
    /// The window of `document` around the value (or, of an object or array, its key) at `pointer`.
    ///
    /// `None` when the document is no JSON or has nothing there.
    pub fn of(_document: &[u8], _pointer: &str) -> Option<Self> {
        None
    }
}
