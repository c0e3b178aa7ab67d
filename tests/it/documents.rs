//! The JSON documents beside the report: each meets its published schema, and the schema names all that is written.

use std::fs;

use ocilint::output::{policy, tested, waivers};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::run;

const ORG: &str = "[policy]
name = \"org\"
max-waiver-days = 90
forbid-waivers = [\"schema1\", \"sbom\"]
[defaults]
images = [\"ghcr.io/acme/**\", \"!ghcr.io/acme/play\"]
[data]
ours = [\"ghcr.io/acme/**\"]
[rules.registries]
allow = { data = \"ours\" }
[rules.schema1]
locked = true
[rules.sbom]
effective-from = 2027-01-01
[rules.user]
level = \"off\"
[[waivers]]
rule = \"user\"
images = [\"ghcr.io/acme/app\"]
reason = \"a rule that is off\"
expires = 2026-07-01
[[waivers]]
rule = \"registries\"
images = [\"ghcr.io/acme/app\"]
platforms = [\"linux/*\"]
fingerprint = \"v1:0123456789abcdef\"
reason = \"one finding\"
expires = 2026-06-01
owner = \"a team\"
link = \"https://example.com/1\"
";
/// One case that passes, two that fail, one that cannot be judged.
const TESTS: &str = "[[case]]
name = \"passes\"
others = \"any\"
exit = 1
[[case]]
name = \"fails\"
others = \"any\"
exit = 1
expect.sbom = { verdict = \"pass\", level = \"error\", count = 2, in = \"index\", at = \"/x\", message = \"a\", fix = \"b\" }
expect.schema1 = \"violation\"
[[case]]
name = \"does not mention everything\"
expect.sbom = \"violation\"
expect.\"sbom@linux/arm64\" = \"pass\"
[[case]]
name = \"cannot be judged\"
image = \"oci:absent\"
exit = 0
";

fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("org.toml"), ORG).unwrap();
    fs::write(directory.path().join("p.toml"), "[rules.sbom]\n[rules.schema1]\n").unwrap();
    fs::write(directory.path().join("p.test.toml"), TESTS).unwrap();
    directory
}

/// Whoever reads must accept fields that they do not know; whoever writes must have declared every one.
fn closed(schema: Value) -> Value {
    match schema {
        Value::Object(mut object) => {
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.into_iter().map(|(name, value)| (name, closed(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(closed).collect(),
        other => other,
    }
}

/// What a run writes, held against the schema as it is and closed; and that the schema refuses what is altered.
#[track_caller]
fn meets(schema: &str, args: &[&str], altered: &[(&str, Value)]) -> Value {
    let run = run(directory().path(), args);
    let written: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(schema["$id"], written["schema"]);
    for schema in [schema.clone(), closed(schema.clone())] {
        let validator = jsonschema::validator_for(&schema).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(&written).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(problems, [""; 0], "{written:#}");
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (pointer, value) in altered {
        let mut wrong = written.clone();
        *wrong.pointer_mut(pointer).unwrap() = value.clone();
        assert!(!validator.is_valid(&wrong), "{pointer}");
    }
    written
}

#[test]
fn the_list_of_waivers() {
    let altered = [("/waivers/0/policy/line", json!(0)), ("/waivers/1/rule", json!(null)), ("/schema", json!("v2"))];
    let args = ["policy", "waivers", "org.toml", "--format=json", "--at=2026-05-31"];
    let written = meets(waivers::JSON_SCHEMA, &args, &altered);
    assert_eq!((&written["waivers"][0]["days_left"], &written["waivers"][1]["dead"]), (&json!(1), &json!(true)));
}

#[test]
fn what_came_of_tests() {
    let altered = [("/files/0/cases/0/status", json!("good")), ("/exit", json!(2)), ("/passed", json!("1"))];
    let args = ["policy", "test", "p.test.toml", "--output=json"];
    let written = meets(tested::JSON_SCHEMA, &args, &altered);
    let count = |name: &str| written[name].as_u64().unwrap();
    assert_eq!((count("passed"), count("failed"), count("mistaken")), (1, 2, 1), "{written:#}");
}

#[test]
fn a_merged_policy() {
    let altered = [("/rules/0/level", json!("fatal")), ("/sources/0/sha256", json!("x"))];
    let written = meets(policy::JSON_SCHEMA, &["policy", "show", "org.toml", "--format=json"], &altered);
    assert_eq!(written["policy"]["name"]["value"], "org");
}
