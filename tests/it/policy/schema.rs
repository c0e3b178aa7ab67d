//! The JSON Schema of policies: what loads is valid by it, and what it can see of a mistake is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use ocilint::Policy;
use ocilint::policy::{schema, schema_text};
use ocilint::rules::RULES;
use serde_json::{Value, json};

use super::malformed;
use crate::program::run;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const COMMITTED: &str = "policies/ocilint.schema.json";

/// Parts of what is told of mistakes that a schema sees too: what a key is called, of which type its value is, and of which
/// form, and whether it is there.
const SEEN: &[&str] = &[
    "unknown key `",
    "unknown parameter `",
    "there is no rule `",
    "is reserved for",
    "is no level",
    "is not known, expected",
    "is no class of layers",
    "is no platform: write OS",
    "is no name for a rule",
    "is no address of a page",
    "is blank, expected",
    "is empty, expected",
    "an empty glob",
    "a size is a number",
    "names are in lower case",
    "the waiver has no `rule`",
    "the waiver has no `images`",
    "the waiver has no `reason`",
    "a waiver is a table",
    "expected a string, found",
    "expected a list, found",
    "expected a list of",
    "expected a table",
    "expected the table",
    "expected a whole number",
    "expected `true` or",
    "expected a glob, found",
    "found a time",
];

pub(crate) fn validator() -> Validator {
    jsonschema::options().should_validate_formats(true).build(&schema()).unwrap()
}

/// A policy as language servers hand it to the schema: dates are texts.
pub(crate) fn as_json(text: &str) -> Option<Value> {
    fn of(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => date.to_string().into(),
            toml::Value::Array(array) => array.into_iter().map(of).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, of(value))).collect(),
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(flag) => flag.into(),
        }
    }
    toml::from_str::<toml::Table>(text).ok().map(|table| of(toml::Value::Table(table)))
}

fn texts_below(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).unwrap();
            if let Ok(table) = toml::from_str(&text) {
                policies_in(&path, None, &toml::Value::Table(table), found);
            }
            found.push((path, text));
        }
    }
}

/// The texts in a file of cases that may be policies: `policy`, and what stands for it in each of several runs.
fn policies_in(path: &Path, key: Option<&str>, value: &toml::Value, found: &mut Vec<(PathBuf, String)>) {
    match value {
        toml::Value::String(text) if key.is_some_and(|key| key.eq_ignore_ascii_case("policy")) => {
            found.push((path.to_owned(), text.clone()));
        }
        toml::Value::Array(array) => array.iter().for_each(|value| policies_in(path, key, value, found)),
        toml::Value::Table(table) => {
            let is_vary = key == Some("POLICY");
            for (name, value) in table {
                policies_in(path, if is_vary { key } else { Some(name) }, value, found);
            }
        }
        _ => {}
    }
}

fn shipped() -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(ROOT).join("policies")).unwrap().map(|entry| entry.unwrap().path());
    let is_policy =
        |path: &PathBuf| path.extension().is_some_and(|end| end == "toml") && !ocilint::policy::is_test_file(path);
    entries.filter(is_policy).collect()
}

#[test]
fn the_committed_schema_is_the_one_that_the_program_writes() {
    let path = Path::new(ROOT).join(COMMITTED);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, schema_text()).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), schema_text(), "UPDATE=1 writes it anew");
    let run = run(Path::new(ROOT), &["policy", "schema"]);
    assert_eq!((run.exit, run.stdout, run.stderr.as_str()), (0, schema_text(), ""));
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn shipped_policies_name_the_schema_and_are_valid_by_it() {
    let validator = validator();
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().next(), Some("#:schema ./ocilint.schema.json"), "{}", path.display());
        let json = as_json(&text).unwrap();
        let errors: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

/// Every policy in the tests and examples, with or without mistakes, and its file.
pub(crate) fn every_policy() -> Vec<(PathBuf, String)> {
    let mut policies = Vec::new();
    for folder in ["tests", "examples", "policies"] {
        texts_below(&Path::new(ROOT).join(folder), &mut policies);
    }
    policies.extend(malformed::alone().map(|(name, text)| (PathBuf::from(name), text)));
    policies
}

/// Every policy in the tests and examples that loads is valid by the schema, and every one with a mistake that it can see is
/// not.
#[test]
fn the_schema_and_the_program_agree_on_every_policy_of_the_tests() {
    let validator = validator();
    let (mut good, mut bad, mut unseen) = (0, 0, String::new());
    for (path, text) in every_policy() {
        let Some(json) = as_json(&text) else { continue };
        match Policy::from_text("policy.toml", &text, path.parent().unwrap_or(Path::new(""))) {
            Ok(_) => {
                good += 1;
                let errors: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{}\n{text}\n{errors:#?}", path.display());
            }
            Err(errors) => {
                // What a file that is extended or a list of `[data]` holds, and what stands behind a wrong key, is not to be
                // seen here.
                let told = errors.0.iter().find(|error| SEEN.iter().any(|seen| error.message.contains(seen)));
                let Some(told) =
                    told.filter(|_| !["extends = [\"", "{ data ="].iter().any(|other| text.contains(other)))
                else {
                    continue;
                };
                bad += 1;
                if validator.is_valid(&json) {
                    unseen.extend([path.display().to_string(), format!("\n{text}\n{told}\n\n")]);
                }
            }
        }
    }
    assert!(unseen.is_empty(), "{unseen}");
    assert!(good >= 100 && bad >= 60, "{good} policies that load, {bad} with mistakes");
}

#[test]
fn instances_under_their_own_names_are_judged_by_the_rule_that_they_name() {
    let validator = validator();
    let valid = |text: &str| validator.is_valid(&as_json(text).unwrap());
    assert!(valid("[rules.team]\nrule = \"labels\"\nrequire = [\"team\"]"));
    assert!(!valid("[rules.team]\nrule = \"labels\"\ncoverage = \"image\""));
    assert!(!valid("[rules.team]\nrequire = [\"team\"]"));
    // The rule may be named by the file that is extended.
    assert!(valid("[policy]\nextends = [\"org.toml\"]\n[rules.team]\nrequire = [\"team\"]"));
    assert!(!valid("[policy]\nextends = [\"org.toml\"]\n[rules.team]\nlevel = \"high\""));
}

#[test]
fn a_named_list_stands_wherever_a_rule_takes_a_list_of_strings() {
    let validator = validator();
    let valid = |text: &str| validator.is_valid(&as_json(text).unwrap());
    assert!(valid("[data]\nours = [\"ghcr.io/acme/**\"]\n[rules.registries]\nallow = { data = \"ours\" }"));
    assert!(valid("[rules.sbom]\nformats = { data = \"formats\" }"));
    assert!(valid("[defaults]\nimages = { data = \"ours\" }\n[rules.user]\nplatforms = { data = \"all\" }"));
    assert!(!valid("[rules.registries]\nallow = { date = \"ours\" }"));
    assert!(!valid("[rules.image-size]\nmax = { data = \"sizes\" }"));
    assert!(!valid("[data]\nours = [1]\n[rules.registries]\nallow = [\"ghcr.io/**\"]"));
}

#[test]
fn every_key_has_an_explanation() {
    let schema = schema();
    let mut count = 0;
    explained(&schema, &schema, "", &mut count);
    assert!(count > 150, "{count} keys");
    for rule in RULES {
        let properties = &schema["definitions"][format!("rule-{}", rule.name)]["properties"];
        for parameter in (rule.parameters)() {
            assert!(properties[parameter]["description"].is_string(), "{}: {parameter}", rule.name);
        }
    }
}

fn explained(schema: &Value, root: &Value, at: &str, count: &mut usize) {
    let Value::Object(members) = schema else { return };
    // A condition asks after keys, and explains none.
    for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "if" | "else")) {
        let at = format!("{at}/{name}");
        match value {
            Value::Object(properties) if name == "properties" => {
                for (key, value) in properties {
                    let target = value["$ref"].as_str().and_then(|to| root.pointer(&to[1..])).unwrap_or(value);
                    let text = target["description"].as_str().unwrap_or_default();
                    assert!(text.len() > 10, "{at}/{key}: {text:?}");
                    *count += 1;
                    explained(value, root, &format!("{at}/{key}"), count);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| explained(item, root, &at, count)),
            other => explained(other, root, &at, count),
        }
    }
}

/// The keys that are the policy's own are those that the program says it expects.
#[test]
fn the_policys_own_keys_are_those_that_the_program_knows() {
    let expected = |text: &str| -> BTreeSet<String> {
        let errors = Policy::from_text("policy.toml", text, Path::new("")).unwrap_err();
        let error = errors.0.iter().find(|error| error.message.contains("unknown key `zzz`")).unwrap();
        let (_, names) = error.message.split_once("expected ").unwrap();
        names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let schema = schema();
    let described = |pointer: &str| -> BTreeSet<String> {
        schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    for (text, pointer) in [
        ("zzz = 1", "/properties"),
        ("[policy]\nzzz = 1", "/properties/policy/properties"),
        ("[defaults]\nzzz = 1", "/properties/defaults/properties"),
        ("[[waivers]]\nzzz = 1", "/properties/waivers/items/properties"),
    ] {
        assert_eq!(described(pointer), expected(text), "{text}");
    }
}

#[test]
fn dates_are_days() {
    let validator = validator();
    let waiver = |expires: &str| {
        let waiver = json!({ "rule": "x", "images": ["ghcr.io/acme/app"], "reason": "y", "expires": expires });
        validator.is_valid(&json!({ "waivers": [waiver] }))
    };
    assert!(waiver("2027-01-31"));
    assert!(!waiver("2027-01-32") && !waiver("2027-01-31T00:00:00Z") && !waiver("soon"));
}
