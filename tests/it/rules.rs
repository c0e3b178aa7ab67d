//! The cases of `tests/rules/`: what every rule says of violating, passing and unreadable images.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use ocilint::cases::{Outcome, Suite};

#[test]
fn every_case_holds() {
    let mut failed = String::new();
    for (file, outcomes) in outcomes() {
        for outcome in outcomes.iter().filter(|outcome| !outcome.problems.is_empty()) {
            let _ = writeln!(failed, "\n{file}:{}: {}", outcome.line, outcome.name);
            outcome.problems.iter().for_each(|problem| {
                let _ = writeln!(failed, "    {problem}");
            });
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// The outcomes of every file, by its name.
fn outcomes() -> BTreeMap<String, Vec<Outcome>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |path: &PathBuf| {
        let suite = Suite::read(path).unwrap_or_else(|error| panic!("{error}"));
        (path.file_stem().unwrap().to_string_lossy().into_owned(), runtime.block_on(suite.run()))
    };
    files().iter().map(run).collect()
}

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir("tests/rules").unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}
