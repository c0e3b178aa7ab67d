//! Which parameters take a list, as serde sees them.

use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};

/// Whether the field of that name in a parameter struct takes a list.
pub(super) fn of<T: DeserializeOwned>(field: &str) -> bool {
    let mut list = false;
    let _ = T::deserialize(Fields { field: Some(field), list: &mut list });
    list
}

/// Offers a struct one field, the value of which says what is asked of it.
struct Fields<'f> {
    field: Option<&'f str>,
    list: &'f mut bool,
}

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let name = self.field.take().map(|name| -> StrDeserializer<'_, Error> { name.into_deserializer() });
        name.map(|name| seed.deserialize(name)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Value { list: self.list })
    }
}

/// A value that is none, and remembers whether a list was asked for.
struct Value<'f> {
    list: &'f mut bool,
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only the kind is wanted"))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.list = true;
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn lists_are_told_from_everything_else() {
        let takes_list = |rule: &str, parameter| (crate::rules::find(rule).unwrap().takes_list)(parameter);
        for (rule, parameter) in [
            ("registries", "allow"),
            ("platforms", "require"),
            ("sbom", "formats"),
            ("annotations", "on"),
            ("labels", "require"),
            ("provenance", "builders"),
            ("layer-compression", "deny"),
        ] {
            assert!(takes_list(rule, parameter), "{rule}: {parameter}");
        }
        for (rule, parameter) in [
            ("labels", "match"),
            ("labels", "types"),
            ("user", "min-uid"),
            ("sbom", "coverage"),
            ("layer-count", "max"),
            ("labels", "none"),
        ] {
            assert!(!takes_list(rule, parameter), "{rule}: {parameter}");
        }
    }
}
