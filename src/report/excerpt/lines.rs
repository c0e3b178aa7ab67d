//! Where the lines of a JSON document would begin if it were indented, and what they stand in.

use std::borrow::Cow;

use memchr::memchr2;

use super::decoded;
use crate::rules::sensitive::holds_values;

/// Where a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineStart {
    /// The byte of the document.
    pub(super) offset: usize,
    /// How many objects and arrays it stands in.
    pub(super) depth: usize,
    /// Its number, from 1.
    pub(super) number: usize,
    /// What it stands in.
    pub(super) within: Within,
}

/// The object or list that a line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Within {
    /// The bytes of the nearest name on the way there, without its quotes.
    pub(super) name: Option<(usize, usize)>,
    /// Where a list begins, and which of its elements the line is.
    pub(super) list: Option<(usize, usize)>,
    /// Whether variables or build arguments stand there.
    pub(super) values: bool,
}

impl Within {
    /// The nearest name on the way there.
    pub(super) fn name(self, text: &str) -> Option<Cow<'_, str>> {
        let (start, end) = self.name?;
        decoded(text.get(start..end)?)
    }
}

/// The line starts of a document, in one pass over its bytes; every member, element and closing bracket has a line, empty
/// objects and arrays have none of their own.
///
/// The document is valid JSON; of anything else the lines mean nothing, and the pass still ends.
pub(super) struct Lines<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// What encloses the place, from the outside in.
    outer: Vec<Within>,
    /// The name of the member that is being passed, as in [`Within`].
    name: Option<(usize, usize)>,
    at: usize,
    depth: usize,
    number: usize,
    starts_next: bool,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            outer: Vec::new(),
            name: None,
            at: 0,
            depth: 0,
            number: 0,
            starts_next: true,
        }
    }

    fn start(&mut self) -> LineStart {
        self.starts_next = false;
        self.number += 1;
        LineStart { offset: self.at, depth: self.depth, number: self.number, within: self.within() }
    }

    fn within(&self) -> Within {
        self.outer.last().copied().unwrap_or_default()
    }

    /// Goes into the object or list at this place.
    fn enter(&mut self, is_list: bool) {
        let outer = self.within();
        let own = Within { name: self.name, ..Within::default() }.name(self.text);
        let values = outer.values || own.is_some_and(|own| holds_values(outer.name(self.text).as_deref(), &own));
        let list = is_list.then_some((self.at, 0));
        self.outer.push(Within { name: self.name.take().or(outer.name), list, values });
    }

    /// Goes on to the next member or element.
    fn advance(&mut self) {
        self.name = None;
        if let Some(Within { list: Some((_, element)), .. }) = self.outer.last_mut() {
            *element += 1;
        }
    }

    /// Passes over a string, which may be a name.
    fn string(&mut self) {
        let start = self.at;
        self.at = string_end(self.bytes, start);
        if self.bytes.get(self.skip_space(self.at)) == Some(&b':') {
            self.name = Some((start + 1, self.at - 1));
        }
    }

    fn skip_space(&self, from: usize) -> usize {
        from + self.bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }
}

impl Iterator for Lines<'_> {
    type Item = LineStart;

    fn next(&mut self) -> Option<LineStart> {
        loop {
            self.at = self.skip_space(self.at);
            let byte = *self.bytes.get(self.at)?;
            let closes = byte == b'}' || byte == b']';
            if closes {
                self.depth = self.depth.saturating_sub(1);
                self.outer.pop();
            }
            // An empty pair is passed over whole below, so a closing bracket always ends lines of content.
            let started = (self.starts_next || closes).then(|| self.start());
            match byte {
                b'{' | b'[' => {
                    let inner = self.skip_space(self.at + 1);
                    if matches!(self.bytes.get(inner), Some(b'}' | b']')) {
                        self.at = inner + 1;
                    } else {
                        self.enter(byte == b'[');
                        self.at += 1;
                        self.depth += 1;
                        self.starts_next = true;
                    }
                }
                b',' => {
                    self.advance();
                    self.at += 1;
                    self.starts_next = true;
                }
                b'"' => self.string(),
                _ => self.at += 1,
            }
            if started.is_some() {
                return started;
            }
        }
    }
}

/// The end of the string that begins at `start`.
pub(super) fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(skip) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += skip;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}
