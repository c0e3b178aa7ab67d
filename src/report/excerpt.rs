//! The lines around a place in a JSON document, fit to be shown.
//!
//! Configs and manifests are usually one line of JSON, and hostile ones may be one string of megabytes. An excerpt is a
//! window of the document as it would stand if it were indented: one scan finds where the lines begin, and only the lines
//! of the window are ever written out.

mod lines;

use std::borrow::Cow;
use std::ops::Range;

use crate::finding::Concealed;
use crate::oci::{Span, is_plain, is_unsafe, locate};
use crate::rules::sensitive::{HIDDEN, holds_values, shown, veiled, veiled_entry, veiled_text, veiled_words};
use lines::{LineStart, Lines, Within, string_end};

/// How many lines before the marked one, and after it, of a value that fits on a line.
const CONTEXT: usize = 2;
/// How many lines of an object or array are shown below its own.
const CONTENT: usize = 4;
/// How deep a line is indented at most, in levels of two spaces.
const INDENT: usize = 20;
/// How many columns a name takes at most.
const NAME: usize = 48;
/// How many columns a line takes at most.
const LINE: usize = 120;

/// A window of a document, re-indented, escaped and cut; its size does not depend on the document's.
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
    pub fn of(document: &[u8], pointer: &str) -> Option<Self> {
        let text = std::str::from_utf8(document).ok()?;
        Some(Self::at(text, locate(text, pointer)?))
    }

    /// The same around a value that was located already.
    pub fn at(text: &str, span: Span) -> Self {
        let container = text[span.value.clone()].starts_with(['{', '[']);
        let line_at = span.key.as_ref().map_or(span.value.start, |key| key.start);
        let marked = match (container, span.key) {
            (true, Some(key)) => key,
            (true, None) => span.value.start..span.value.start + 1,
            (false, _) => span.value,
        };
        let after = if container { CONTENT } else { CONTEXT };
        let starts = window(text, line_at, after);
        let line = |pair: &[LineStart]| Written::line(text, pair[0], pair[1].offset, &marked);
        Self { lines: starts.windows(2).map(line).collect() }
    }

    /// The same without certain values; of a line that held one all is marked if something was.
    #[must_use]
    pub fn without(mut self, values: &Concealed) -> Self {
        for line in &mut self.lines {
            if let Cow::Owned(hidden) = values.hide_in_image(&line.text) {
                let indent = hidden.len() - hidden.trim_start().len();
                line.mark = line.mark.map(|_| [indent, hidden.len()]);
                line.text = hidden;
            }
        }
        self
    }
}

/// The starts of the lines from two before the one that begins at `line_at` to `after` behind it, and of the next one (or the
/// end of the document), which ends the last.
fn window(text: &str, line_at: usize, after: usize) -> Vec<LineStart> {
    let mut starts = Vec::new();
    let mut left = after + 1;
    for start in Lines::new(text) {
        if start.offset <= line_at {
            if starts.len() > CONTEXT {
                starts.remove(0);
            }
        } else if left == 0 {
            break;
        } else {
            left -= 1;
        }
        starts.push(start);
    }
    if left > 0 {
        starts.push(LineStart { offset: text.len(), depth: 0, number: 0, within: Within::default() });
    }
    starts
}

/// Bytes of a string that are looked through for what must not be shown.
const LOOKED_THROUGH: usize = 4096;

/// A line of the view while it is written.
struct Written<'m> {
    text: String,
    /// What the line stands in.
    within: Within,
    /// The name of the member that is being written.
    name: Option<Cow<'m, str>>,
    columns: usize,
    marked: &'m Range<usize>,
    mark: Option<[usize; 2]>,
}

impl<'m> Written<'m> {
    fn line(document: &'m str, start: LineStart, end: usize, marked: &'m Range<usize>) -> ExcerptLine {
        let indent = 2 * start.depth.min(INDENT);
        let mut text = String::with_capacity(indent + LINE);
        text.extend(std::iter::repeat_n(' ', indent));
        let mut line = Self { text, within: start.within, name: None, columns: indent, marked, mark: None };
        let mut at = start.offset;
        while at < end {
            at = line.token(document, at);
        }
        ExcerptLine { number: start.number, text: line.text, mark: line.mark }
    }

    /// Writes the token at `at`, and says where the next one begins.
    fn token(&mut self, document: &'m str, at: usize) -> usize {
        let bytes = document.as_bytes();
        let end = match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => return at + 1,
            b'"' => string_end(bytes, at),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at + 1,
            _ => at + bytes[at..].iter().take_while(|byte| !b" \t\n\r{}[],:\"".contains(byte)).count().max(1),
        };
        let start = self.text.len();
        let token = &document[at..end];
        match token {
            ":" => self.push(": "),
            _ if token.starts_with('"') => {
                let is_name = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                self.string(document, &token[1..token.len() - 1], is_name);
            }
            "{" | "}" | "[" | "]" | "," | "true" | "false" | "null" => self.push(token),
            number => self.cut(&self.veiled(document, number), LINE.saturating_sub(self.columns)),
        }
        if self.marked.contains(&at) && self.mark.is_none() {
            self.mark = Some([start, self.text.len()]);
        }
        end
    }

    fn string(&mut self, document: &'m str, inner: &'m str, is_name: bool) {
        // Room for the closing quote and a comma.
        let room = LINE.saturating_sub(self.columns + 3);
        self.push("\"");
        let text = beginning(inner);
        if is_name {
            let veiled = veiled(&text);
            self.cut(if veiled == text { inner } else { &veiled }, room.min(NAME));
            self.name = Some(decoded(inner).unwrap_or_default());
        } else {
            let veiled = self.veiled(document, &text);
            self.cut(if veiled == text { inner } else { &veiled }, room);
        }
        self.push("\"");
    }

    /// A value without what must not be shown: the values of variables whatever they are, all else where it looks like a secret.
    fn veiled(&self, document: &str, text: &str) -> String {
        let outer = self.within.name(document);
        let outer = outer.as_deref();
        if self.within.values || self.name.as_deref().is_some_and(|name| holds_values(outer, name)) {
            let is_entry = self.name.is_none() && self.within.list.is_some();
            return if is_entry { veiled_entry(text) } else { HIDDEN.to_owned() };
        }
        if let Some(name) = self.name.as_deref() {
            return veiled_text(Some(name), text).into_owned();
        }
        let of_list = outer.map_or(Cow::Borrowed(text), |name| shown(name, text));
        if of_list != text {
            return of_list.into_owned();
        }
        let word = self.within.list.and_then(|(start, element)| {
            let words =
                serde_json::Deserializer::from_str(&document[start..]).into_iter::<Vec<String>>().next()?.ok()?;
            veiled_words(&words).into_iter().nth(element)
        });
        word.unwrap_or_else(|| veiled_text(None, text).into_owned())
    }

    /// Writes text escaped, up to a width.
    fn cut(&mut self, text: &str, mut room: usize) {
        if text.len() <= room && is_plain(text) {
            return self.push(text);
        }
        for c in text.chars() {
            let shown = if is_unsafe(c) { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() };
            let width = shown.chars().count();
            if width > room {
                return self.push("…");
            }
            room -= width;
            self.push(&shown);
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.columns += text.chars().count();
    }
}

/// The beginning of a string that is looked through, decoded.
fn beginning(inner: &str) -> Cow<'_, str> {
    if inner.len() <= LOOKED_THROUGH && !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let decoded = (0..=LOOKED_THROUGH.min(inner.len())).rev().find_map(|end| decoded(inner.get(..end)?));
    decoded.unwrap_or_default()
}

/// The text that stands between the quotes of a JSON string.
fn decoded(inner: &str) -> Option<Cow<'_, str>> {
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(&format!("\"{inner}\"")).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests;
