//! The lines that a diagnostic shows: windows of documents with their true line numbers.

use std::ops::Range;
use std::sync::Arc;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use textwrap::core::display_width;

use crate::oci::{escape, is_unsafe};
use crate::policy::{Origin, PolicySource};
use crate::report::{Excerpt, PolicyPlace};

/// A window of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snippet {
    /// What the document is.
    name: String,
    /// The number of the first line, from 1.
    first: usize,
    /// The lines, and in each the bytes to mark.
    lines: Vec<(String, Option<[usize; 2]>)>,
}

impl Snippet {
    /// A window of a document of the image.
    pub(super) fn excerpt(name: String, excerpt: &Excerpt) -> Option<Self> {
        let first = excerpt.lines.first()?.number;
        let lines = excerpt.lines.iter().map(|line| (line.text.clone(), line.mark)).collect();
        Some(Self { name, first, lines })
    }

    /// The line of a policy that asks for something.
    pub(super) fn policy(place: &PolicyPlace) -> Option<Self> {
        let text = place.text.trim_end().replace('\t', " ");
        if text.trim().is_empty() {
            return None;
        }
        let mut line = String::new();
        let mut start = 0;
        for (column, c) in text.chars().enumerate() {
            if column + 1 == place.column {
                start = line.len();
            }
            if is_unsafe(c) {
                line.push_str(&escape(c.encode_utf8(&mut [0; 4])));
            } else {
                line.push(c);
            }
        }
        let end = line.len();
        let name = format!("{}:{}:{}", escape(&place.file), place.line, place.column);
        Some(Self { name, first: place.line, lines: vec![(line, Some([start, end]))] })
    }

    /// The line of a policy that is wrong, with the wrong part of it marked.
    pub(super) fn mistake(source: &Arc<PolicySource>, span: &Range<usize>) -> Option<Self> {
        let origin = Origin { source: Arc::clone(source), span: span.clone() };
        let mut snippet = Self::policy(&PolicyPlace::from(&origin))?;
        let marked = source.text.get(span.clone()).and_then(|text| text.lines().next()).unwrap_or_default();
        if let Some((line, Some([start, end]))) = snippet.lines.first_mut()
            && let stop = *start + escape(marked).len()
            && line.is_char_boundary(stop)
        {
            *end = stop.clamp(*start, line.len());
        }
        Some(snippet)
    }

    /// The same with every line cut to the room there is, the mark with it.
    fn cut(&self, width: usize) -> Self {
        let numbers = (self.first + self.lines.len()).to_string().len();
        // The number, a space on each side, the bar and another space.
        let room = width.saturating_sub(numbers + 5).max(20);
        let lines = self.lines.iter().map(|(text, mark)| cut(text, *mark, room)).collect();
        Self { name: self.name.clone(), first: self.first, lines }
    }

    fn text(&self) -> String {
        self.lines.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The marks as bytes of the whole text.
    fn marks(&self) -> Vec<[usize; 2]> {
        let mut at = 0;
        let mut marks = Vec::new();
        for (text, mark) in &self.lines {
            marks.extend(mark.map(|[start, end]| [at + start, at + end]));
            at += text.len() + 1;
        }
        marks
    }
}

fn cut(text: &str, mark: Option<[usize; 2]>, room: usize) -> (String, Option<[usize; 2]>) {
    if display_width(text) <= room {
        return (text.to_owned(), mark);
    }
    let mut kept = String::new();
    let mut columns = 0;
    for c in text.chars() {
        columns += display_width(c.encode_utf8(&mut [0; 4]));
        if columns >= room {
            break;
        }
        kept.push(c);
    }
    let end = kept.len();
    kept.push('…');
    // A mark beyond the cut is shown on the sign for it.
    let mark = mark.map(|[from, to]| if to <= end { [from, to] } else { [from.min(end), kept.len()] });
    (kept, mark)
}

/// Several windows as one source of a diagnostic; each has a range of offsets of its own.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    windows: Vec<Window>,
}

#[derive(Debug, Clone)]
struct Window {
    name: String,
    first: usize,
    count: usize,
    start: usize,
    text: String,
    marks: Vec<[usize; 2]>,
}

impl Windows {
    pub(super) fn new(snippets: &[Snippet], width: usize) -> Self {
        let mut start = 0;
        let mut windows = Vec::new();
        for snippet in snippets.iter().map(|snippet| snippet.cut(width)) {
            let text = snippet.text();
            let next = start + text.len() + 1;
            let marks = snippet.marks();
            windows.push(Window {
                name: snippet.name,
                first: snippet.first,
                count: snippet.lines.len(),
                start,
                text,
                marks,
            });
            start = next;
        }
        Self { windows }
    }

    /// What is marked, in the offsets of the whole.
    pub(super) fn labels(&self) -> Vec<LabeledSpan> {
        let span =
            |window: &Window, [start, end]: [usize; 2]| LabeledSpan::new(None, window.start + start, end - start);
        self.windows.iter().flat_map(|window| window.marks.iter().map(move |mark| span(window, *mark))).collect()
    }
}

impl SourceCode for Windows {
    /// Always the whole window: it was cut to what is worth showing before.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let holds = |window: &&Window| window.start <= span.offset() && end <= window.start + window.text.len();
        let window = self.windows.iter().find(holds).ok_or(MietteError::OutOfBounds)?;
        let whole = SourceSpan::new(window.start.into(), window.text.len());
        let data = window.text.as_bytes();
        Ok(Box::new(MietteSpanContents::new_named(window.name.clone(), data, whole, window.first - 1, 0, window.count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_cut_with_their_lines() {
        assert_eq!(cut("abcdef", Some([1, 3]), 6), ("abcdef".to_owned(), Some([1, 3])));
        assert_eq!(cut("abcdefg", Some([1, 3]), 6), ("abcde…".to_owned(), Some([1, 3])));
        assert_eq!(cut("abcdefg", Some([3, 7]), 6), ("abcde…".to_owned(), Some([3, 8])));
        assert_eq!(cut("abcdefghij", Some([8, 9]), 6), ("abcde…".to_owned(), Some([5, 8])));
        assert_eq!(cut("日本語日本", None, 6), ("日本…".to_owned(), None));
    }

    #[test]
    fn the_policy_line_is_escaped_and_its_mark_with_it() {
        let place =
            PolicyPlace { file: "a\u{1b}b.toml".to_owned(), line: 7, column: 3, text: "\u{202e}\té = 1 ".to_owned() };
        let snippet = Snippet::policy(&place).unwrap();
        assert_eq!(snippet.name, "a\\u{1b}b.toml:7:3");
        assert_eq!(snippet.lines, [("\\u{202e} é = 1".to_owned(), Some([9, 15]))]);
    }
}
