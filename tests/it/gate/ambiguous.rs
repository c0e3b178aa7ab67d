//! Ambiguous documents under every rule there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use ocilint::report::{CellVerdict, Report};
use ocilint::rules::RULES;

use super::each;
use super::scenario::{self, Place, Scenario};
use super::stage::{Stage, summary, written};

/// A table of the file about rules.
fn table(name: &str) -> BTreeMap<String, String> {
    let text = include_str!("../../gate/rules.toml");
    let mut tables: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).expect("tests/gate/rules.toml");
    tables.remove(name).expect("the table")
}

/// Parameters for every rule.
fn parameters() -> BTreeMap<String, String> {
    table("parameters")
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
    let targets = table("targets");
    for shape in scenario::family("ambiguous") {
        for (rule, parameters) in parameters() {
            for root in ["index", "manifest"] {
                let mut case = shape.clone();
                case.name = format!("{} / {rule} / {root}", shape.name);
                case.policy = shape.policy.replace("${RULE}", &rule).replace("${PARAMETERS}", &parameters);
                if let Some(target) = targets.get(&rule) {
                    case.targets = vec![target.replace("${ROOT}", root)];
                }
                root.clone_into(&mut case.root);
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

/// Whether the run ended as the case says; cheaper than to compare whole reports.
fn is_as_expected(case: &Scenario, report: &Report) -> bool {
    let cells = report.images.iter().flat_map(|image| &image.cells);
    let violated = cells.clone().any(|cell| cell.rule == "document" && cell.verdict == CellVerdict::Violation);
    i32::from(report.exit_status().code()) == case.exit && violated == (case.exit == 1)
}

#[test]
fn an_ambiguous_document_passes_under_no_rule_that_reads_it() {
    let reads = AtomicUsize::new(0);
    let problems = each(&cases(), |case| {
        let mut stage = Stage::set(case, Place::Registry);
        let report = match stage.judged(Timestamp::now()) {
            Ok(report) => report,
            Err(problem) => return vec![format!("{}: {problem}", case.name)],
        };
        if case.exit == 1 && !was_read(&mut stage, case) {
            // The rule decides without this document, so that what is in it does not matter.
            let passed =
                report.images.iter().flat_map(|image| &image.cells).all(|cell| cell.verdict == CellVerdict::Pass);
            return if passed { Vec::new() } else { vec![format!("{}: not read, and not passed", case.name)] };
        }
        reads.fetch_add(1, Ordering::Relaxed);
        if is_as_expected(case, &report) {
            Vec::new()
        } else {
            vec![format!("{}: {}", case.name, summary(&written(&report)))]
        }
    });
    assert!(problems.is_empty(), "{}:\n  {}", problems.len(), problems.join("\n  "));
    let reads = reads.into_inner();
    assert!(reads >= 400, "only {reads} runs read the document in question");
}
