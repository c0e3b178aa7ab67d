//! What comes from the image in the sentences of a rule.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};

use super::{Untrusted, escape};

/// What stands before and after text from an image until a finding is sealed: noncharacters, which Unicode keeps for use within a
/// program, and which [`Untrusted`] escapes.
const FENCES: [char; 2] = ['\u{fdd0}', '\u{fdd1}'];

/// Text from an image in a finding or in evidence, shown as [`Untrusted`] shows it.
///
/// Sealing knows it from the program's own words: a secret that is a common word is hidden in the one and stays in the other,
/// where a gap would tell it.
#[derive(Debug, Clone, Copy)]
pub struct ImageText<'a>(pub &'a str);

impl Display for ImageText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char(FENCES[0])?;
        Untrusted(self.0).fmt(f)?;
        f.write_char(FENCES[1])
    }
}

impl ImageText<'_> {
    /// Whether some of a sentence is text from an image.
    pub(crate) fn is_in(sentence: &str) -> bool {
        sentence.contains(FENCES[0])
    }

    /// A sentence with all that comes from the image replaced, and no longer told from the rest.
    pub(crate) fn replaced<'t>(sentence: &'t str, replace: impl Fn(&'t str) -> Cow<'t, str>) -> Cow<'t, str> {
        if !Self::is_in(sentence) {
            return Cow::Borrowed(sentence);
        }
        let mut depth = 0_usize;
        let mut out = String::with_capacity(sentence.len());
        for piece in sentence.split_inclusive(FENCES) {
            let text = piece.trim_end_matches(FENCES);
            out.push_str(&if depth > 0 { replace(text) } else { Cow::Borrowed(text) });
            match piece.strip_prefix(text).and_then(|fence| fence.chars().next()) {
                Some(fence) if fence == FENCES[0] => depth += 1,
                Some(_) => depth = depth.saturating_sub(1),
                None => {}
            }
        }
        Cow::Owned(out)
    }

    /// A sentence in which text from the image is no longer told from the rest.
    pub(crate) fn plain(sentence: &str) -> Cow<'_, str> {
        if !Self::is_in(sentence) {
            return Cow::Borrowed(sentence);
        }
        let [opening, closing] = FENCES;
        let mut plain = String::with_capacity(sentence.len());
        sentence.split(opening).flat_map(|piece| piece.split(closing)).for_each(|piece| plain.push_str(piece));
        Cow::Owned(plain)
    }
}

/// How many characters of a sentence are shown that tells what of it comes from the image, of which each piece is cut already.
const SENTENCE: usize = 2_000;

/// A sentence as [`Untrusted`] shows it, but for that it still tells what of it comes from the image.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !ImageText::is_in(self.0) {
            return Untrusted(self.0).fmt(f);
        }
        let end = self.0.char_indices().nth(SENTENCE).map_or(self.0.len(), |(end, _)| end);
        for piece in self.0[..end].split_inclusive(FENCES) {
            let text = piece.trim_end_matches(FENCES);
            f.write_str(&escape(text))?;
            f.write_str(&piece[text.len()..])?;
        }
        if end < self.0.len() { f.write_char('…') } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_the_image_is_told_from_the_sentence_around_it() {
        let sentence = format!("root is '{}', wanted '{}', not root", ImageText("root"), ImageText("a\u{fdd0}b\n"));
        let upper = |text: &str| Cow::Owned(text.to_uppercase());
        assert_eq!(ImageText::replaced(&sentence, upper), "root is 'ROOT', wanted 'A\\U{FDD0}B\\U{A}', not root");
        assert_eq!(ImageText::plain(&sentence), "root is 'root', wanted 'a\\u{fdd0}b\\u{a}', not root");
        assert!(matches!(ImageText::plain("root"), Cow::Borrowed("root")));
    }

    #[test]
    fn a_sentence_is_escaped_and_cut_whatever_it_tells() {
        let said = format!("it is '{}'", ImageText("a\n"));
        assert_eq!(Escaped(&said).to_string(), said, "what is escaped stays as it is");
        assert_eq!(Escaped("\u{fdd0}a\u{1b}[31m\u{fdd1}\n").to_string(), "\u{fdd0}a\\u{1b}[31m\u{fdd1}\\u{a}");
        assert_eq!(Escaped(&format!("\u{fdd0}{}", "x".repeat(5_000))).to_string().chars().count(), SENTENCE + 1);
        assert_eq!(Escaped("a\n").to_string(), "a\\u{a}");
    }

    #[test]
    fn fences_that_do_not_match_lose_nothing() {
        for broken in ["a\u{fdd0}b", "\u{fdd1}a\u{fdd0}b", "\u{fdd0}\u{fdd0}a\u{fdd1}b", "ab\u{fdd0}"] {
            assert_eq!(ImageText::plain(broken), "ab");
        }
    }
}
