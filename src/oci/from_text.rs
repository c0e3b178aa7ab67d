//! Types that are read from a string in JSON or TOML.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

/// Reads a type from a string. What is wrong with the text is said where the format still knows the place of it, so that one
/// bad element of a list is told from the others.
pub(crate) fn from_text<'de, T, E: Display, D: Deserializer<'de>>(
    deserializer: D,
    expecting: &'static str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Text<T, E, F>(&'static str, F, PhantomData<(T, E)>);

    impl<T, E: Display, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<T, E, F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<O: Error>(self, text: &str) -> Result<T, O> {
            (self.1)(text).map_err(O::custom)
        }
    }

    deserializer.deserialize_str(Text(expecting, read, PhantomData))
}
