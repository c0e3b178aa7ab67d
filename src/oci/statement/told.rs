//! What a document that everybody fills as they like says of something.

use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

/// What a statement says of one thing. What cannot be read is not the same as nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told<T> {
    /// Nothing: it is absent, or null.
    #[default]
    Nothing,
    /// This.
    Said(T),
    /// Something of another type than it must have.
    Garbled,
}

impl<T> Told<T> {
    /// What was said, if it was and can be read.
    pub fn said(&self) -> Option<&T> {
        match self {
            Self::Said(said) => Some(said),
            Self::Nothing | Self::Garbled => None,
        }
    }

    /// The same, borrowed.
    pub fn as_ref(&self) -> Told<&T> {
        match self {
            Self::Nothing => Told::Nothing,
            Self::Said(said) => Told::Said(said),
            Self::Garbled => Told::Garbled,
        }
    }

    /// What is said in what was said.
    pub fn and_then<U>(self, inner: impl FnOnce(T) -> Told<U>) -> Told<U> {
        match self {
            Self::Nothing => Told::Nothing,
            Self::Said(said) => inner(said),
            Self::Garbled => Told::Garbled,
        }
    }

    /// The same in another form.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Told<U> {
        self.and_then(|said| Told::Said(form(said)))
    }

    /// What another place says, if this one says nothing.
    #[must_use]
    pub fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if matches!(self, Self::Nothing) { other() } else { self }
    }
}

impl Told<String> {
    /// A text that is empty is none.
    #[must_use]
    pub fn filled(self) -> Self {
        self.and_then(|text| if text.is_empty() { Told::Nothing } else { Told::Said(text) })
    }
}

impl fmt::Display for Told<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("not named"),
            Self::Said(text) => write!(f, "'{}'", crate::oci::Untrusted(text)),
            Self::Garbled => f.write_str("of another type"),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Told<T> {
    /// Never fails on JSON. A list is never taken for an object, as derived code would.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(raw) = Option::<&RawValue>::deserialize(deserializer)? else { return Ok(Self::Nothing) };
        if raw.get().starts_with('[') {
            return Ok(Self::Garbled);
        }
        Ok(serde_json::from_str(raw.get()).map_or(Self::Garbled, Self::Said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Inner {
        #[serde(default)]
        a: Told<bool>,
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        let read = |json: &str| serde_json::from_str::<Told<Inner>>(json).unwrap().and_then(|inner| inner.a);
        for (json, told) in [
            ("null", Told::Nothing),
            ("{}", Told::Nothing),
            (r#"{"a":null}"#, Told::Nothing),
            (r#"{"a":true}"#, Told::Said(true)),
            (r#"{"a":"true"}"#, Told::Garbled),
            (r#"{"a":[true]}"#, Told::Garbled),
            ("[true]", Told::Garbled),
            ("7", Told::Garbled),
            (r#"{"a":true,"a":false}"#, Told::Garbled),
        ] {
            assert_eq!(read(json), told, "{json}");
        }
    }

    #[test]
    fn only_what_says_nothing_is_passed_over() {
        let other = || Told::Said(2);
        assert_eq!(Told::Nothing.or_else(other), Told::Said(2));
        assert_eq!(Told::Said(1).or_else(other), Told::Said(1));
        assert_eq!(Told::Garbled.or_else(other), Told::Garbled);
        assert_eq!(Told::Said(String::new()).filled(), Told::Nothing);
    }
}
