//! Types that are read from a string in JSON or TOML.

use std::{fmt, fmt::Display, marker::PhantomData, str::FromStr};

use serde::de::{Deserializer, Error, Visitor};

/// Reads a type from a string. What is wrong with the text is said where the format still knows the place of it, so that one
/// bad element of a list is told from the others.
pub(crate) fn from_text<'de, T, D>(deserializer: D, expecting: &'static str) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    struct Text<T>(&'static str, PhantomData<T>);

    impl<T: FromStr<Err: Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(expecting, PhantomData))
}
