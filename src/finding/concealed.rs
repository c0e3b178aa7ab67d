//! Values that no report shows.

use std::fmt;

use crate::oci::escape;

/// What stands for a hidden value, whatever its length.
const HIDDEN: &str = "…";
/// Bytes of a concealed value by whose beginning it is known again where it was cut.
const BEGINNING: usize = 8;
/// Values that are remembered.
const MOST: usize = 256;

/// Values that no report shows. They are not shown by `Debug` either.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Concealed(Vec<String>);

impl fmt::Debug for Concealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Concealed")
    }
}

impl Concealed {
    /// These values.
    pub(crate) fn of<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let mut concealed = Self::default();
        values.into_iter().for_each(|value| concealed.push(value));
        concealed
    }

    /// Adds others, as far as there is room.
    pub(crate) fn add(&mut self, others: &Self) {
        others.0.iter().for_each(|value| self.push(value));
    }

    fn push(&mut self, value: &str) {
        if self.0.len() < MOST && !self.0.iter().any(|known| known == value) {
            self.0.push(value.to_owned());
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without them, nor their beginnings where they are cut.
    ///
    /// Words stay: a report says `root` and `password` of its own accord, and a gap in a sentence that everybody knows would tell
    /// what the secret is.
    pub(crate) fn hide(&self, text: String) -> String {
        self.0.iter().filter(|value| !is_word(value)).fold(text, |text, value| {
            let escaped = escape(value);
            let text = without(text, value);
            if escaped == *value { text } else { without(text, &escaped) }
        })
    }
}

/// Characters that words and numbers of reports have at most.
const WORD: usize = 16;

/// Whether a value is what any sentence may hold: a word or a few, or a number.
fn is_word(value: &str) -> bool {
    let short = value.chars().nth(WORD).is_none();
    let letters = value.chars().all(|c| c.is_ascii_alphabetic() || " -_./:".contains(c));
    short && (letters || value.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The text without a value, or as much of it as is there before the text is cut.
fn without(text: String, value: &str) -> String {
    // A value of one or two letters would be found in every word.
    let known = value.char_indices().nth(BEGINNING).map_or(value, |(end, _)| &value[..end]);
    if known.chars().nth(2).is_none() || !text.contains(known) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(known) {
        let same = rest[at..].chars().zip(value.chars()).take_while(|(a, b)| a == b);
        let end = at + same.map(|(c, _)| c.len_utf8()).sum::<usize>();
        let whole = end - at == value.len();
        if whole || rest[end..].starts_with(HIDDEN) {
            out.push_str(&rest[..at]);
            out.push_str(HIDDEN);
        } else {
            // Another text that begins alike.
            out.push_str(&rest[..end]);
        }
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concealed_values_are_hidden_in_any_text() {
        let concealed = Concealed::of(["correct horse battery"]);
        assert_eq!(concealed.hide("is 'correct horse battery', ok".to_owned()), "is '…', ok");
        assert_eq!(concealed.hide("is 'correct horse ba…".to_owned()), "is '……");
        assert_eq!(concealed.hide("correct".to_owned()), "correct");
        assert_eq!(Concealed::of(["a\u{7}bcd"]).hide("a\\u{7}bcd a\u{7}bcd".to_owned()), "… …");
        assert_eq!(Concealed::of(["ab"]).hide("absent".to_owned()), "absent");
        assert_eq!(format!("{concealed:?}"), "Concealed");
    }

    #[test]
    fn a_gap_in_a_known_sentence_would_tell_the_value() {
        let sentence = "1000 wanted: the image runs as root on linux/amd64 and holds an address with a password";
        for value in ["root", "wanted", "password", "password123!", "1000", "the image"] {
            assert_eq!(Concealed::of([value]).hide(sentence.to_owned()), sentence, "{value}");
        }
    }
}
