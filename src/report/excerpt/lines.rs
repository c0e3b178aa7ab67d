//! Where the lines of a JSON document would begin if it were indented.

/// Where a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineStart {
    /// The byte of the document.
    pub(super) offset: usize,
    /// How many objects and arrays it stands in.
    pub(super) depth: usize,
    /// Its number, from 1.
    pub(super) number: usize,
}

/// The line starts of a document, in one pass over its bytes; every member, element and closing bracket has a line, empty
/// objects and arrays have none of their own.
///
/// The document is valid JSON; of anything else the lines mean nothing, and the pass still ends.
pub(super) struct Lines<'t> {
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    number: usize,
    starts_next: bool,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, depth: 0, number: 0, starts_next: true }
    }

    fn start(&mut self) -> LineStart {
        self.starts_next = false;
        self.number += 1;
        LineStart { offset: self.at, depth: self.depth, number: self.number }
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
            }
            // An empty pair is passed over whole below, so a closing bracket always ends lines of content.
            let started = (self.starts_next || closes).then(|| self.start());
            match byte {
                b'{' | b'[' => {
                    let inner = self.skip_space(self.at + 1);
                    if matches!(self.bytes.get(inner), Some(b'}' | b']')) {
                        self.at = inner + 1;
                    } else {
                        self.at += 1;
                        self.depth += 1;
                        self.starts_next = true;
                    }
                }
                b',' => {
                    self.at += 1;
                    self.starts_next = true;
                }
                b'"' => self.at = string_end(self.bytes, self.at),
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
    while let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == b'"' || byte == b'\\'))
    {
        at += skip;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}
