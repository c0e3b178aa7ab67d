//! The keys that are the policy's own, whatever the rule.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::definition_name;
use crate::oci::PlatformPattern;
use crate::policy::keys::INSTANCE;
use crate::rules::RULES;

/// A pattern of images: every name has a `/`, and none has a letter in upper case.
const IMAGE: &str = r"^!?(\*\*|[^A-Z@]+/[^A-Z@]+)(@sha(256:[0-9a-f]{64}|512:[0-9a-f]{128}))?$";

/// A schema with an explanation.
pub(super) fn described(text: &str, schema: Value) -> Value {
    let mut schema = schema;
    schema["description"] = text.into();
    schema
}

/// A table that has these keys and no others.
pub(super) fn closed(text: &str, properties: &Value) -> Value {
    json!({ "description": text, "type": "object", "additionalProperties": false, "properties": properties })
}

/// What is one of several things.
fn any_of(alternatives: &[Value]) -> Value {
    json!({ "anyOf": alternatives })
}

/// What is defined once for several places. Editors see nothing that stands beside it.
pub(super) fn definition(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// The name of an instance or of a list.
pub(super) fn name() -> Value {
    json!({ "pattern": "^[A-Za-z0-9_-]{1,100}$" })
}

fn text(explained: &str) -> Value {
    json!({ "description": explained, "type": "string", "pattern": r"\S" })
}

fn texts(explained: &str) -> Value {
    list(explained, &json!({ "type": "string", "pattern": r"\S" }))
}

fn list(explained: &str, items: &Value) -> Value {
    json!({ "description": explained, "type": "array", "minItems": 1, "items": items })
}

fn images() -> Value {
    let explained = "The images that it is for: globs over registry/repository (`*` within a segment, `**` across), optionally \
        with `@sha256:…`; `!` excludes. Docker Hub's are `docker.io/library/alpine` and `docker.io/acme/app`.";
    list(explained, &json!({ "type": "string", "pattern": IMAGE }))
}

fn platforms() -> Value {
    let pattern = PlatformPattern::json_schema(&mut SchemaGenerator::default());
    list("The platforms that it is for: `linux/amd64`, `linux/arm/v7`, `linux/*`. Default: all.", pattern.as_value())
}

/// A list, or the name of one of `[data]`.
pub(super) fn or_data(list: Value) -> Value {
    let explained = list["description"].clone();
    let mut schema = any_of(&[list, definition("data")]);
    if explained.is_string() {
        schema["description"] = explained;
    }
    schema
}

fn flag(explained: &str) -> Value {
    json!({ "description": explained, "type": "boolean" })
}

/// A date of TOML, which language servers check as the text of it.
fn date(explained: &str) -> Value {
    json!({ "description": explained, "type": "string", "format": "date", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
}

/// `[policy]`.
pub(super) fn header() -> Value {
    let forbidden = any_of(&[json!({ "type": "boolean" }), texts("The rules, by the names of their tables.")]);
    closed(
        "The policy as a whole.",
        &json!({
            "name": text("A name for people."),
            "description": text("What the policy is for."),
            "extends": texts(
                "What it builds on: built-in policies (`ocilint:strict` and others) and files, as paths beside this one. \
                 Rules of the same name are merged key by key, what is later wins; waivers are added.",
            ),
            "require-waiver-expiry": flag("Whether every waiver must say when it expires. Default: false."),
            "max-waiver-days": {
                "description": "The most days that a waiver may still be valid for. Default: no limit.",
                "type": "integer",
                "minimum": 1,
            },
            "forbid-waivers": described(
                "`true` if there may be no waivers; or the rules that there may be none for, by the names of their tables.",
                forbidden,
            ),
            "waiver-scope": {
                "description": "How closely a waiver names its images: `any` pattern, each pattern one `repository`, or each \
                    an image by its `digest`. Default: `any`.",
                "type": "string",
                "enum": ["any", "repository", "digest"],
            },
        }),
    )
}

/// `[defaults]`.
pub(super) fn defaults() -> Value {
    closed(
        "What holds for the rules of this file that do not say it themselves.",
        &json!({
            "level": definition("level"),
            "images": definition("images"),
            "platforms": definition("platforms"),
        }),
    )
}

/// `[data]`.
pub(super) fn data() -> Value {
    json!({
        "description": "Lists of strings by name; `{ data = \"NAME\" }` stands for one where a rule takes a list of strings.",
        "type": "object",
        "additionalProperties": texts("A list of strings."),
    })
}

/// `[[waivers]]`.
pub(super) fn waivers() -> Value {
    let fingerprints = any_of(&[text("The fingerprint."), texts("The fingerprints.")]);
    let mut waiver = closed(
        "An exception: what it covers is shown as waived, with the reason, and does not count.",
        &json!({
            "rule": text("The rule that it is for, by the name of its table."),
            "images": images(),
            "platforms": platforms(),
            "fingerprint": described("The findings that it is for, by fingerprint. Default: all.", fingerprints),
            "reason": text("Why, for whoever reads the report."),
            "expires": date("The last day on which it counts, in UTC. Default: it does not expire."),
            "owner": text("Who answers for it."),
            "link": text("Where it is discussed."),
        }),
    );
    waiver["required"] = json!(["rule", "images", "reason"]);
    json!({ "description": "Exceptions, each in a table of its own: `[[waivers]]`.", "type": "array", "items": waiver })
}

/// The keys of every instance, without `rule`.
pub(super) fn of_instances() -> Map<String, Value> {
    let own = INSTANCE.iter().filter(|key| **key != "rule");
    own.map(|&key| (key.to_owned(), definition(key))).collect()
}

/// What is defined once.
pub(super) fn definitions() -> impl Iterator<Item = (String, Value)> {
    let level = json!({
        "description": "How much a violation matters: `error` fails the run, `warning` and `note` are shown, `off` is not \
            judged. Default: `error`.",
        "type": "string",
        "enum": ["error", "warning", "note", "off"],
    });
    let all = [
        ("level", level),
        ("images", or_data(images())),
        ("platforms", or_data(platforms())),
        ("effective-from", date("The first day on which the rule counts as it says; before it, it only warns.")),
        (
            "locked",
            flag(
                "Whether files that extend this one may only raise the level, and waive nothing of it. Default: false.",
            ),
        ),
        ("help", text("Your own words, shown with what the rule finds.")),
        ("url", described("A page about it.", json!({ "type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://." }))),
        ("data", closed("A list of `[data]`.", &json!({ "data": text("The name of the list.") }))),
        ("own-name", own_name()),
    ];
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema))
}

/// An instance under a name of its own.
fn own_name() -> Value {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let mut properties = of_instances();
    let rule = json!({
        "description": "The rule that the table is an instance of. Default: the rule of the table's own name.",
        "type": "string",
        "enum": names,
    });
    properties.insert("rule".to_owned(), rule);
    let each = RULES.iter().map(|rule| {
        json!({
            "if": { "required": ["rule"], "properties": { "rule": { "const": rule.name } } },
            "then": definition(&definition_name(rule)),
        })
    });
    json!({
        "description": "A rule under a name of its own: `rule` says which.",
        "type": "object",
        "properties": properties,
        "allOf": each.collect::<Vec<_>>(),
    })
}
