//! Values that no report shows.

use std::borrow::Cow;
use std::{fmt, iter};

use crate::oci::{ImageText, escape};

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

    /// A sentence of a rule without them, nor their beginnings where they are cut; what comes from the image is no longer told
    /// from the rest.
    ///
    /// The program's own words stay: a report says `root` and `password` of its own accord, and a gap in a sentence that everybody
    /// knows would tell what the secret is.
    ///
    /// `veil` hides what is a secret by its form, which has to be looked for while that is whole.
    pub(crate) fn hide<'t>(&self, sentence: &'t str, veil: impl Fn(&str) -> Cow<'_, str>) -> Cow<'t, str> {
        let piece = |text: &'t str| self.words().fold(veil(text), without_word);
        let sentence = ImageText::replaced(sentence, piece);
        let sentence = match veil(&sentence) {
            Cow::Owned(veiled) => Cow::Owned(veiled),
            Cow::Borrowed(_) => sentence,
        };
        self.others().fold(sentence, |text, value| without(text, &value))
    }

    /// Text that comes from the image without them.
    pub(crate) fn hide_in_image<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = self.words().fold(Cow::Borrowed(text), without_word);
        self.others().fold(text, |text, value| without(text, &value))
    }

    /// Those that any sentence may hold.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str).filter(|value| is_word(value))
    }

    /// All others, as they are and as they are shown.
    fn others(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let both = |value| {
            let escaped = escape(value);
            let escaped = (escaped != value).then_some(Cow::Owned(escaped));
            iter::once(Cow::Borrowed(value)).chain(escaped)
        };
        self.0.iter().map(String::as_str).filter(|value| !is_word(value)).flat_map(both)
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
fn without<'t>(text: Cow<'t, str>, value: &str) -> Cow<'t, str> {
    replaced(text, value, |_, _| true)
}

/// The text without a word, where that is no part of another.
fn without_word<'t>(text: Cow<'t, str>, word: &str) -> Cow<'t, str> {
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    replaced(text, word, |before, after| ends(before.chars().next_back()) && ends(after.chars().next()))
}

/// The text with a gap for a value, where what stands before and after it is as wanted.
fn replaced<'t>(text: Cow<'t, str>, value: &str, fits: impl Fn(&str, &str) -> bool) -> Cow<'t, str> {
    // A value of one or two letters would be found in every word.
    let known = value.char_indices().nth(BEGINNING).map_or(value, |(end, _)| &value[..end]);
    if known.chars().nth(2).is_none() || !text.contains(known) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find(known) {
        let same = rest[at..].chars().zip(value.chars()).take_while(|(a, b)| a == b);
        let end = at + same.map(|(c, _)| c.len_utf8()).sum::<usize>();
        let whole = end - at == value.len();
        out.push_str(&rest[..at]);
        let is_value = if whole { fits(&out, &rest[end..]) } else { rest[end..].starts_with(HIDDEN) };
        // Otherwise it is another text that begins alike.
        out.push_str(if is_value { HIDDEN } else { &rest[at..end] });
        rest = &rest[end..];
    }
    Cow::Owned(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(concealed: &Concealed, sentence: &str) -> String {
        concealed.hide(sentence, |text| Cow::Borrowed(text)).into_owned()
    }

    #[test]
    fn concealed_values_are_hidden_in_any_text() {
        let concealed = Concealed::of(["correct horse battery"]);
        assert_eq!(hidden(&concealed, "is 'correct horse battery', ok"), "is '…', ok");
        assert_eq!(hidden(&concealed, "is 'correct horse ba…"), "is '……");
        assert_eq!(hidden(&concealed, "correct"), "correct");
        assert_eq!(hidden(&Concealed::of(["a\u{7}bcd"]), "a\\u{7}bcd a\u{7}bcd"), "… …");
        assert_eq!(hidden(&Concealed::of(["ab"]), "absent"), "absent");
        assert_eq!(format!("{concealed:?}"), "Concealed");
    }

    #[test]
    fn a_gap_in_a_known_sentence_would_tell_the_value() {
        let sentence = "1000 wanted: the image runs as root on linux/amd64 and holds an address with a password";
        for value in ["root", "wanted", "password", "password123!", "1000", "the image"] {
            assert_eq!(hidden(&Concealed::of([value]), sentence), sentence, "{value}");
        }
    }

    #[test]
    fn what_is_a_secret_by_its_form_is_hidden_as_a_whole() {
        // A form that is known by its beginning, which is a value of its own.
        fn veil(text: &str) -> Cow<'_, str> {
            let at = text.find("tok_");
            at.map_or(Cow::Borrowed(text), |at| Cow::Owned(format!("{}…{}", &text[..at], &text[at + 8..])))
        }
        for value in ["tok_1", "tok"] {
            let sentence = format!("is '{}'", ImageText("tok_1234"));
            assert_eq!(Concealed::of([value]).hide(&sentence, veil), "is '…'", "{value}");
        }
    }

    #[test]
    fn a_word_is_hidden_where_the_image_says_it() {
        let sentence = format!("the image runs as root: User is '{}', wanted 'root'", ImageText("root of rootless"));
        let wanted = "the image runs as root: User is '… of rootless', wanted 'root'";
        assert_eq!(hidden(&Concealed::of(["root"]), &sentence), wanted);
        let numbers = Concealed::of(["1000"]);
        assert_eq!(
            hidden(&numbers, &format!("1000 wanted, not {}", ImageText("1000:10001000"))),
            "1000 wanted, not …:10001000"
        );
        assert_eq!(numbers.hide_in_image(r#"{ "User": "1000" }"#), r#"{ "User": "…" }"#);
        assert_eq!(Concealed::of(["db"]).hide_in_image(r#""db": "db""#), r#""db": "db""#, "too short to be told");
        assert_eq!(Concealed::of(["/pass"]).hide_in_image(r#"{ "/pass": {} }"#), r#"{ "…": {} }"#);
    }
}
