//! Text that somebody else wrote, made safe to show.

use std::fmt::{self, Display, Formatter, Write};

/// How many characters of a foreign text are shown before it is cut.
const SHOWN: usize = 200;

/// Shows text from an image, a registry or a file without letting it act on a terminal, a log or a line-oriented reader.
///
/// Control characters (C0, C1, DEL), bidirectional controls, line and paragraph separators, zero-width and other invisible
/// format characters, and noncharacters are written as `\u{…}`; text beyond 200 characters is cut with `…`.
#[derive(Debug, Clone, Copy)]
pub struct Untrusted<'a>(pub &'a str);

impl Display for Untrusted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.len() <= SHOWN && is_plain(self.0) {
            return f.write_str(self.0);
        }
        for (shown, c) in self.0.chars().enumerate() {
            if shown == SHOWN {
                return f.write_char('…');
            }
            if is_unsafe(c) { write!(f, "\\u{{{:x}}}", u32::from(c))? } else { f.write_char(c)? }
        }
        Ok(())
    }
}

/// The whole text with every unsafe character escaped, never cut.
pub fn escape(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a text is printable ASCII, of which nothing is unsafe: seen at a glance, and true of nearly every text.
pub fn is_plain(text: &str) -> bool {
    // Without an early end, so that the compiler looks at many bytes at once.
    text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte))
}

/// Like [`escape`], of a text of several lines that this program wrote: its own line ends stay.
pub fn escape_lines(text: &str) -> String {
    if text.split('\n').all(is_plain) {
        return text.to_owned();
    }
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

/// Whether a character could move a cursor, reorder a line, hide itself or end a line.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_bidi_are_shown_as_code_points() {
        assert_eq!(Untrusted("a\u{1b}[31m\nb\u{202e}c").to_string(), "a\\u{1b}[31m\\u{a}b\\u{202e}c");
        assert_eq!(escape("ok\r\n"), "ok\\u{d}\\u{a}");
    }

    #[test]
    fn long_text_is_cut_for_display_only() {
        let long = "x".repeat(300);
        assert_eq!(Untrusted(&long).to_string().chars().count(), 201);
        assert_eq!(escape(&long), long);
    }
}
