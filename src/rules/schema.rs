//! The parameters of rules as JSON Schema, for editors: made from the structs that read them.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::field::{Bound, LENGTH, Pointer, Query, Scalar};
use super::hosts::Host;
use super::parameters::PATTERN_LENGTH;
use super::{Duration, Glob, NameGlob, Pattern, Rule, Size};
use crate::oci::{LayerClass, PlatformPattern};

/// The JSON Schema of a parameter struct, complete in itself: of draft 7, the one that TOML editors know.
pub(super) fn of<C: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(as_toml));
    settings.into_generator().into_root_schema_for::<C>()
}

/// Takes out what means nothing to whoever writes TOML: `null`, the names of Rust's types, and defaults, which the documentation
/// of a parameter says in words.
fn as_toml(schema: &mut Schema) {
    as_words(schema);
    if schema.get("format").is_some_and(|format| format == "uint32") {
        schema.insert("maximum".to_owned(), u32::MAX.into());
    }
    // A set takes what is written twice as written once.
    for key in ["$schema", "title", "format", "default", "uniqueItems"] {
        schema.remove(key);
    }
    for key in ["type", "enum", "anyOf"] {
        let Some(Value::Array(alternatives)) = schema.get_mut(key) else { continue };
        alternatives.retain(|alternative| !is_null(alternative));
        if key == "enum" || alternatives.len() != 1 {
            continue;
        }
        match (key, alternatives.remove(0)) {
            ("anyOf", Value::Object(only)) => {
                schema.remove(key);
                schema.ensure_object().extend(only);
            }
            (_, only) => {
                schema.insert(key.to_owned(), only);
            }
        }
    }
}

/// A choice of words as `enum`, for the sake of the messages of editors; what each word means is kept where taplo looks for it.
fn as_words(schema: &mut Schema) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else { return };
    let words: Option<Vec<Value>> = choices.iter().map(|choice| choice.get("const").cloned()).collect();
    let Some(words) = words else { return };
    let meanings: Vec<Value> = choices.iter().map(|choice| choice["description"].clone()).collect();
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    schema.insert("x-taplo".to_owned(), json!({ "docs": { "enumValues": meanings } }));
}

fn is_null(alternative: &Value) -> bool {
    alternative.is_null() || alternative == "null" || alternative.get("type").is_some_and(|word| word == "null")
}

/// What the documentation of a rule says of a parameter: its kind and default, then what it does.
///
/// In the documentation that is an item of a list: `` - `max` (size, required): the most …``.
pub(crate) fn explained(rule: &Rule, parameter: &str) -> Option<String> {
    let (_, item) = rule.docs.split_once(&format!("\n - `{parameter}` ("))?;
    let lines = item.lines().enumerate();
    let lines = lines.take_while(|(number, line)| *number == 0 || line.starts_with("   ")).map(|(_, line)| line.trim());
    let text = lines.collect::<Vec<_>>().join(" ");
    let (kind, meaning) = text.split_once("): ")?;
    Some(format!("{}: {meaning}", capitalised(kind)))
}

/// The same with a letter in upper case at its beginning.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

macro_rules! described {
    ($type:ty as $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}
described!(Pattern as { "type": "string", "maxLength": PATTERN_LENGTH });
described!(Glob as { "type": "string", "minLength": 1, "maxLength": PATTERN_LENGTH });
// Every name has a `/`, and none has a letter in upper case.
described!(NameGlob as { "type": "string", "maxLength": PATTERN_LENGTH, "pattern": r"^(\*\*|[^A-Z]+/[^A-Z]+)$" });
described!(Size as { "type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9]{1,18})?\s*([kKMG]?B|[KMGT]iB)$" });
described!(Duration as { "type": "string", "pattern": "^[0-9]{1,9}[hdw]$" });
described!(Pointer as { "type": "string", "maxLength": LENGTH, "pattern": "^/" });
described!(Query as { "type": "string", "maxLength": LENGTH, "pattern": r"^\$" });
described!(Scalar as { "type": ["string", "number", "boolean"] });
described!(Bound as { "type": ["string", "number"] });
described!(PlatformPattern as {
    "type": "string",
    "pattern": r"^(\*|(\*|[A-Za-z0-9_.-]+)(/(\*|[A-Za-z0-9_.-]+)){1,2})$"
});
described!(Host as { "type": "string", "minLength": 1, "pattern": "^[^/@?#* ]+$" });
described!(LayerClass as { "type": "string", "enum": LayerClass::ALL });

#[cfg(test)]
mod tests {
    use super::super::{RULES, find};
    use super::explained;

    #[test]
    fn every_parameter_is_in_the_schema_and_explained() {
        for rule in RULES {
            let schema = (rule.schema)();
            let properties = schema.get("properties").and_then(|properties| properties.as_object());
            let named: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let mut parameters = (rule.parameters)().to_vec();
            parameters.sort_unstable();
            assert_eq!(named, parameters, "{}", rule.name);
            assert_eq!(schema.get("additionalProperties"), Some(&false.into()), "{}", rule.name);
            for parameter in parameters {
                assert!(explained(rule, parameter).is_some(), "{}: {parameter}", rule.name);
            }
        }
    }

    #[test]
    fn an_explanation_begins_with_the_kind() {
        let rule = find("image-size").unwrap();
        let text = explained(rule, "max").unwrap();
        assert!(text.starts_with("Size, required: the most that the layers of a platform may take"), "{text}");
        assert_eq!(explained(rule, "min"), None);
    }
}
