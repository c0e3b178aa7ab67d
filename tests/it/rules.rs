//! The cases of `tests/rules/`: what every rule says of violating, passing and unreadable images.

mod parameters;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use ocilint::cases::Suite;
use ocilint::report::{CellVerdict, TestedCase};
use ocilint::rules::RULES;

/// Rules that look at nothing but the name that the user typed: they are never unknown, but not applicable to a local image.
const OF_THE_NAME: [&str; 2] = ["reference", "registries"];

#[test]
fn every_case_holds() {
    let mut failed = String::new();
    for (file, outcomes) in OUTCOMES.iter() {
        for outcome in outcomes.iter().filter(|outcome| !outcome.problems().is_empty()) {
            let _ = writeln!(failed, "\n{file}:{}: {}", outcome.line, outcome.name);
            outcome.problems().iter().for_each(|problem| {
                let _ = writeln!(failed, "    {problem}");
            });
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn every_rule_is_shown_to_pass_to_be_violated_and_to_be_unknown() {
    let mut missing = Vec::new();
    for rule in RULES {
        let shown: BTreeSet<CellVerdict> = OUTCOMES
            .get(rule.name)
            .into_iter()
            .flatten()
            .flat_map(|outcome| &outcome.shown)
            .filter(|(name, _)| *name == rule.name)
            .map(|(_, verdict)| *verdict)
            .collect();
        let third = if OF_THE_NAME.contains(&rule.name) { CellVerdict::NotApplicable } else { CellVerdict::Unknown };
        for verdict in [CellVerdict::Pass, CellVerdict::Violation, third] {
            if !shown.contains(&verdict) {
                missing.push(format!("tests/rules/{}.toml has no case of {verdict:?}", rule.name));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_file_of_cases_is_named_after_its_rule() {
    for name in OUTCOMES.keys() {
        assert!(RULES.iter().any(|rule| rule.name == name), "there is no rule `{name}`");
    }
}

/// The outcomes of every file, by its name.
static OUTCOMES: LazyLock<BTreeMap<String, Vec<TestedCase>>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |path: &PathBuf| {
        let suite = Suite::read(path).unwrap_or_else(|error| panic!("{error}"));
        (path.file_stem().unwrap().to_string_lossy().into_owned(), runtime.block_on(suite.run()))
    };
    files().iter().map(run).collect()
});

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir("tests/rules").unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}
