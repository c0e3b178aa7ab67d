//! Real data with labels, where it is at hand: `OCILINT_CORPUS` names its folder, `OCILINT_BINARY` the program.
//!
//! Every label that we do not agree with is listed with its reason in `differences.toml`; one that is not
//! listed fails, and so does one that is listed and no longer differs.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it compared")]

mod carried;
mod differences;
mod documents;
mod images;
mod labels;
mod mutations;
mod names;
mod packs;
mod pairs;
mod probes;
mod raw;
mod rules;
mod sboms;
mod tagged;
mod tally;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the real data.
fn corpus() -> PathBuf {
    std::env::var_os("OCILINT_CORPUS").map(PathBuf::from).expect("OCILINT_CORPUS names the folder of the real data")
}

/// The rows of a file of labels.
fn rows(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(corpus().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.lines().map(|line| serde_json::from_str(line).expect("a row of JSON")).collect()
}

fn text<'v>(row: &'v Value, name: &str) -> &'v str {
    row[name].as_str().unwrap_or_default()
}

/// Every regular file below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}
