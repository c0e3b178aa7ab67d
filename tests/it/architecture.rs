//! Who may import whom: the arrows of the design, read off the `use` lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each part may import besides itself. Left imports right, never the other way round.
const ARROWS: &[(&str, &[&str])] = &[
    ("oci", &[]),
    ("target", &["oci"]),
    ("graph", &["target", "oci"]),
    ("finding", &["graph", "target", "oci"]),
    ("rules", &["finding", "graph", "target", "oci"]),
    ("policy", &["rules", "finding", "graph", "target", "oci"]),
    ("report", &["policy", "rules", "finding", "graph", "target", "oci"]),
    ("judge", &["report", "policy", "rules", "finding", "graph", "target", "oci"]),
    ("source", &["graph", "target", "oci"]),
    ("output", &["report", "policy", "rules", "finding", "graph", "target", "oci"]),
    ("engine", &["source", "judge", "report", "policy", "rules", "finding", "graph", "target", "oci"]),
    ("cases", &["engine", "source", "judge", "report", "policy", "rules", "finding", "graph", "target", "oci"]),
];

#[test]
fn every_import_follows_an_arrow() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in rust_files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let part = part_of(&file);
        let Some(may) = allowed.get(part.as_str()) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        for import in imports(&text) {
            if import != part && !may.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_part_has_its_arrows_written_down() {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let known: Vec<&str> = ARROWS.iter().map(|(part, _)| *part).chain(["main", "lib", "cli", "commands"]).collect();
    for file in rust_files(source) {
        assert!(known.contains(&part_of(&file).as_str()), "{} belongs to no part", file.display());
    }
}

/// Only `source/` does I/O, and rules know no clock: the graph's is the only one.
#[test]
fn rules_are_pure() {
    let rules = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules"));
    for file in rust_files(rules) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for impure in ["std::fs", "std::env", "std::net", "std::time", "tokio", "reqwest", "Timestamp::now", "async fn"]
        {
            assert!(!code.contains(impure), "{} uses {impure}", file.display());
        }
    }
}

/// `src/a/b.rs` and `src/a.rs` belong to part `a`.
fn part_of(file: &Path) -> String {
    let mut parts = file.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap().iter();
    parts.next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The parts that a file names after `crate::`, in `use` lines and in paths alike.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let after = code.flat_map(|line| {
        line.match_indices("crate::").map(|(at, found)| &line[at + found.len()..]).collect::<Vec<_>>()
    });
    let names = after.flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list.split(',').map(first_word).collect::<Vec<_>>(),
        None => vec![first_word(rest)],
    });
    names.filter(|name| ARROWS.iter().any(|(part, _)| part == name)).collect()
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
