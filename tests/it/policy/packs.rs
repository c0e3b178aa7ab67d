//! The policies that come with the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ocilint::Policy;
use ocilint::policy::Level;
use ocilint::rules::{RULES, find};

use super::{load_in, told};

/// The built-in policies, without `ocilint:`.
const PACKS: &[&str] =
    &["baseline", "strict", "supply-chain", "kubernetes", "reproducible", "oci-conformance", "docker-official"];

fn shipped(name: &str) -> Policy {
    load_in(Path::new(env!("CARGO_MANIFEST_DIR")), &[name]).unwrap_or_else(|errors| panic!("{name}: {}", told(&errors)))
}

#[test]
fn the_reference_has_every_rule_with_every_parameter() {
    let reference = shipped("policies/reference.toml");
    for rule in RULES {
        let instance = reference.instances.iter().find(|instance| instance.name == rule.name);
        let instance = instance.unwrap_or_else(|| panic!("no [rules.{}]", rule.name));
        assert!(
            instance.is_explicit() && instance.origin.as_ref().unwrap().source.name.contains("reference"),
            "{}",
            rule.name
        );
        // What excludes one another stands in several instances.
        let instances = || reference.instances.iter().filter(|instance| instance.rule.name == rule.name);
        for parameter in (rule.parameters)() {
            let given = instances().any(|instance| instance.origins.contains_key(*parameter));
            assert!(given, "no `{parameter}` in [rules.{}]", rule.name);
        }
    }
}

#[test]
fn the_reference_has_every_key_of_a_policy_a_rule_and_a_waiver() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/reference.toml")).unwrap();
    let keys: BTreeSet<&str> = text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect();
    let schema = ocilint::policy::schema();
    for table in ["/properties/policy", "/properties/waivers/items", "/definitions/own-name"] {
        for key in schema.pointer(table).unwrap()["properties"].as_object().unwrap().keys() {
            assert!(keys.contains(key.as_str()), "{key}");
        }
    }
    for table in ["[policy]", "[defaults]", "[data]", "[[waivers]]"] {
        assert!(text.lines().any(|line| line == table), "{table}");
    }
}

/// The comment above each key of a rule says what holds without it.
#[test]
fn the_reference_says_what_the_default_of_every_key_is() {
    let reference = shipped("policies/reference.toml");
    let ours = |origin: &&ocilint::policy::Origin| origin.source.name.ends_with("reference.toml");
    // Of several instances of a rule one says it.
    let mut said = BTreeMap::<(&str, &str), bool>::new();
    for instance in &reference.instances {
        for (key, origin) in instance.origins.iter().filter(|(_, origin)| ours(origin)) {
            let before: Vec<&str> = origin.source.text[..origin.span.start].lines().collect();
            let comment = before.iter().rev().take_while(|line| line.starts_with('#')).take(3);
            *said.entry((instance.rule.name, key)).or_default() |= comment.copied().any(|line| line.contains("efault"));
        }
    }
    let silent: Vec<_> = said.iter().filter(|(_, said)| !**said).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn strict_builds_on_baseline_and_baseline_says_nothing_of_taste() {
    let names = |name: &str| -> BTreeSet<String> {
        let policy = shipped(name);
        policy
            .instances
            .iter()
            .filter(|instance| instance.is_explicit())
            .map(|instance| instance.name.clone())
            .collect()
    };
    let (baseline, strict) = (names("ocilint:baseline"), names("ocilint:strict"));
    assert_eq!(baseline, ["artifact-type", "document", "platform-agreement", "schema1"].map(String::from).into());
    assert!(baseline.is_subset(&strict));
    for rule in ["media-types", "sbom", "provenance", "layer-compression", "user"] {
        assert!(strict.contains(rule), "{rule}");
    }
    assert!(shipped("ocilint:baseline").instances.iter().all(|instance| instance.level == Level::Error));
}

/// Each has tests of its own: an image that passes, and one that violates each rule that it adds.
#[test]
fn every_built_in_policy_is_known_and_tested() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(directory.join("policies")).unwrap();
    let names =
        files.filter_map(|file| file.unwrap().file_name().to_str()?.strip_suffix(".toml").map(ToOwned::to_owned));
    let names: BTreeSet<String> = names.filter(|name| !name.contains('.') && name != "reference").collect();
    assert_eq!(names, PACKS.iter().map(ToString::to_string).collect());
    let readme = include_str!("../../../README.md");
    for name in PACKS {
        assert!(readme.contains(&format!("| `ocilint:{name}` |")), "{name} is not in the README");
        let policy = shipped(&format!("ocilint:{name}"));
        let tests = std::fs::read_to_string(directory.join(format!("policies/{name}.test.toml"))).unwrap();
        let tests: toml::Table = tests.parse().unwrap();
        let cases = tests["case"].as_array().unwrap();
        let expected: Vec<&toml::Table> = cases.iter().filter_map(|case| case.get("expect")?.as_table()).collect();
        let passes = cases.iter().any(|case| case["name"].as_str().unwrap().ends_with("passes"));
        assert!(passes, "{name}: no case of an image that passes");
        let added = |instance: &&ocilint::policy::Instance| {
            *name == "baseline"
                || instance.origin.as_ref().is_none_or(|origin| origin.source.name != "ocilint:baseline")
        };
        for instance in policy.instances.iter().filter(|instance| instance.is_explicit()).filter(added) {
            let of_it = |key: &str| key.split('@').next() == Some(instance.name.as_str());
            let violated = |value: &toml::Value| value.get("verdict").unwrap_or(value).as_str() == Some("violation");
            let is_violated =
                expected.iter().any(|cells| cells.iter().any(|(key, value)| of_it(key) && violated(value)));
            assert!(is_violated, "{name}: no case violates {}", instance.name);
        }
    }
}

/// Both may be named at once, since what they share is written in one file only.
#[test]
fn the_built_in_policies_go_together() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let both = load_in(directory, &["ocilint:baseline", "ocilint:strict"]).unwrap();
    assert_eq!(both.instances.len(), shipped("ocilint:strict").instances.len());
}

#[test]
fn every_policy_that_is_shipped_loads() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let errors = ocilint::policy::load_files(&[directory]).err().map_or_else(Vec::new, |errors| errors.0);
    assert_eq!(told(&errors), "");
}

/// Names in comments are names of rules.
#[test]
fn comments_name_rules_that_exist() {
    for name in PACKS.iter().chain(&["reference"]) {
        let text = std::fs::read_to_string(format!("{}/policies/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("#     [rules.")) {
            let rule = line.split(']').next().unwrap();
            assert!(find(rule).is_some(), "{rule} in {name}.toml");
        }
    }
}

#[test]
fn policies_in_the_readme_load() {
    let readme = include_str!("../../../README.md");
    let policies: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    // Tests of policies are run with the examples.
    let policies: Vec<&str> = policies.into_iter().filter(|text| !text.starts_with("[[case]]")).collect();
    assert!(!policies.is_empty());
    for policy in policies {
        super::load(policy.as_bytes()).unwrap_or_else(|errors| panic!("{}", told(&errors)));
    }
}
