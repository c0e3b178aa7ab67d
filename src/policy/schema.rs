//! The JSON Schema of a policy file, for completion, explanations and mistakes in editors.
//!
//! The parameters of the rules come from the structs that read them ([`Rule::schema`]), their explanations from the rules'
//! documentation. It is of draft 7 and simple in form, because that is what TOML language servers know: a `$ref` stands alone,
//! and what is not the same for every file stands in `if`, which they use to find mistakes and not to complete.

mod keys;

use serde_json::{Map, Value, json};

use crate::rules::{self, RULES, Rule};

use keys::{closed, definition, or_data};

/// The schema.
pub fn schema() -> Value {
    let mut root = closed(
        "A policy of ocilint: what is asked of container images.",
        &json!({
            "policy": keys::header(),
            "defaults": keys::defaults(),
            "data": keys::data(),
            "rules": rules_table(),
            "waivers": keys::waivers(),
        }),
    );
    let definitions = RULES.iter().map(|rule| (definition_name(rule), of_rule(rule)));
    let definitions: Map<String, Value> = definitions.chain(keys::definitions()).collect();
    let whole = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Policy of ocilint",
        "if": { "required": ["policy"], "properties": { "policy": { "required": ["extends"] } } },
        "else": { "properties": { "rules": names_its_rule() } },
        "definitions": definitions,
    });
    merge(&mut root, whole);
    root
}

/// The schema as the text of a file.
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

/// The tables of rules. One that has the name of a rule is an instance of that rule; any other says in `rule` whose it is.
fn rules_table() -> Value {
    let named: Map<String, Value> =
        RULES.iter().map(|rule| (rule.name.to_owned(), definition(&definition_name(rule)))).collect();
    json!({
        "description": "The rules to judge by: each in a table of its own, `[rules.NAME]`. `ocilint rules` lists them.",
        "type": "object",
        "propertyNames": keys::name(),
        "properties": named,
        "additionalProperties": definition("own-name"),
    })
}

/// That a table whose name is no rule's has the key `rule`, as it must where no file that is extended can have it.
fn names_its_rule() -> Value {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    json!({
        "patternProperties": { format!("^({})$", names.join("|")): {} },
        "additionalProperties": { "required": ["rule"] },
    })
}

fn definition_name(rule: &Rule) -> String {
    format!("rule-{}", rule.name)
}

/// The table of an instance of a rule.
fn of_rule(rule: &Rule) -> Value {
    let mut properties = keys::of_instances();
    let own = keys::described(
        &format!("The rule that the table is an instance of: `{}`.", rule.name),
        json!({ "const": rule.name }),
    );
    properties.insert("rule".to_owned(), own);
    let schema = (rule.schema)();
    let parameters = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (name, parameter) in parameters {
        let text = rules::explained(rule, name).unwrap_or_default();
        let is_list = parameter.pointer("/items/type").is_some_and(|word| word == "string");
        let parameter = if is_list { or_data(parameter.clone()) } else { parameter.clone() };
        properties.insert(name.clone(), keys::described(&text, parameter));
    }
    closed(&format!("{} `ocilint rules {}` explains it.", rule.summary, rule.name), &Value::Object(properties))
}

/// Adds the members of one object to another.
fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

#[cfg(test)]
mod tests {
    use super::schema;
    use crate::policy::keys::{DEFAULTS, HEADER, INSTANCE, WAIVER};

    #[test]
    fn it_has_the_keys_that_are_read() {
        let schema = schema();
        for (place, keys) in [
            ("/properties/policy/properties", HEADER),
            ("/properties/defaults/properties", DEFAULTS),
            ("/properties/waivers/items/properties", WAIVER),
            ("/definitions/own-name/properties", INSTANCE),
        ] {
            let described = schema.pointer(place).unwrap().as_object().unwrap().keys();
            let mut keys = keys.to_vec();
            keys.sort_unstable();
            assert_eq!(described.collect::<Vec<_>>(), keys, "{place}");
        }
    }
}
