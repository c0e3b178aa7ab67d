//! Ambiguous documents under every rule there is.

use std::collections::{BTreeMap, BTreeSet};

use ocilint::rules::RULES;
use serde_json::Value;

use super::each;
use super::scenario::{self, Place, Scenario};
use super::stage::{Stage, differences};

/// Parameters for every rule.
fn parameters() -> BTreeMap<String, String> {
    let text = include_str!("../../gate/rules.toml");
    let mut table: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).expect("tests/gate/rules.toml");
    table.remove("parameters").expect("parameters")
}

#[test]
fn every_rule_meets_ambiguous_documents() {
    let known: BTreeSet<String> = parameters().into_keys().collect();
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(known, rules, "tests/gate/rules.toml and the list of rules");
}

/// Every ambiguous shape under every rule, in an index and as the root itself.
fn cases() -> Vec<Scenario> {
    let mut cases = Vec::new();
    for shape in scenario::family("ambiguous") {
        for (rule, parameters) in parameters() {
            for root in ["index", "manifest"] {
                let mut case = shape.clone();
                case.name = format!("{} / {rule} / {root}", shape.name);
                case.policy = shape.policy.replace("${RULE}", &rule).replace("${PARAMETERS}", &parameters);
                case.root = root.to_owned();
                cases.push(case);
            }
        }
    }
    cases
}

/// Whether the run asked for the document that is ambiguous.
fn was_read(stage: &mut Stage, case: &Scenario) -> bool {
    let ambiguous = if case.name.starts_with("config") { "config" } else { "manifest" };
    let digest = stage.shelf.build(ambiguous).digest;
    case.root == ambiguous
        || ["manifests", "blobs"]
            .iter()
            .any(|of| stage.registry.log().count(|entry| entry.path.ends_with(&format!("/{of}/{digest}"))) > 0)
}

#[test]
fn an_ambiguous_document_passes_under_no_rule_that_reads_it() {
    let reads = std::sync::Mutex::new(0);
    let problems = each(&cases(), |case| {
        let mut stage = Stage::set(case, Place::Registry);
        let outcome = match stage.engine(None) {
            Ok(outcome) => outcome,
            Err(problem) => return vec![format!("{}: {problem}", case.name)],
        };
        if case.exit != 0 && !was_read(&mut stage, case) {
            // The rule decides without this document, so that what is in it does not matter.
            let untouched = outcome.json["images"][0]["cells"]
                .as_array()
                .into_iter()
                .flatten()
                .all(|cell| cell["verdict"] == Value::from("pass"));
            return if untouched { Vec::new() } else { vec![format!("{}: not read, and not passed", case.name)] };
        }
        *reads.lock().expect("no holder of the lock panics") += 1;
        differences(case, &outcome).into_iter().map(|problem| format!("{}: {problem}", case.name)).collect()
    });
    assert!(problems.is_empty(), "{}:\n  {}", problems.len(), problems.join("\n  "));
    let reads = reads.into_inner().expect("no holder of the lock panics");
    assert!(reads >= 400, "only {reads} runs read the document in question");
}
