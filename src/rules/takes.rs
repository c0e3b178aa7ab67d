//! Which kinds of values parameters take, as serde sees them.

use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};

/// The kind of value that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A list.
    List,
    /// A table.
    Table,
    /// A single value.
    Value,
}

/// What the field of that name in a parameter struct takes.
pub(super) fn of<T: DeserializeOwned>(field: &str) -> Takes {
    let mut takes = Takes::Value;
    let _ = T::deserialize(Fields { field: Some(field), takes: &mut takes });
    takes
}

/// Offers a struct one field, the value of which says what is asked of it.
struct Fields<'f> {
    field: Option<&'f str>,
    takes: &'f mut Takes,
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
        seed.deserialize(Value { takes: self.takes })
    }
}

/// A value that is none, and remembers what was asked for.
struct Value<'f> {
    takes: &'f mut Takes,
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only the kind is wanted"))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.takes = Takes::List;
        self.deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.takes = Takes::Table;
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::Takes;

    #[test]
    fn lists_and_tables_are_told_from_values() {
        let takes = |rule: &str, parameter| (crate::rules::find(rule).unwrap().takes)(parameter);
        for (rule, parameter, wanted) in [
            ("registries", "allow", Takes::List),
            ("platforms", "require", Takes::List),
            ("sbom", "formats", Takes::List),
            ("annotations", "on", Takes::List),
            ("provenance", "builders", Takes::List),
            ("layer-compression", "deny", Takes::List),
            ("labels", "match", Takes::Table),
            ("labels", "types", Takes::Table),
            ("reference", "match", Takes::Table),
            ("user", "min-uid", Takes::Value),
            ("user", "must-be", Takes::Value),
            ("sbom", "coverage", Takes::Value),
            ("image-size", "max", Takes::Value),
        ] {
            assert_eq!(takes(rule, parameter), wanted, "{rule}: {parameter}");
        }
    }
}
