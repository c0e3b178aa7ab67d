//! Policy files: every mistake is told, at its place, and what is not mistaken loads.

mod files;
mod hostile;
mod loading;
mod packs;
pub(crate) mod schema;

use std::fmt::Write as _;
use std::path::Path;

use ocilint::policy::{Policy, PolicyError};

const MALFORMED: &str = include_str!("policy/malformed.txt");

/// Loads a policy from a file in a directory of its own.
fn load(text: &[u8]) -> Result<Policy, Vec<PolicyError>> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.toml"), text).unwrap();
    load_in(directory.path(), &["policy.toml"])
}

fn load_in(directory: &Path, arguments: &[&str]) -> Result<Policy, Vec<PolicyError>> {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    Policy::load(&arguments, directory).map_err(|errors| errors.0)
}

/// `the text pointed at | message | help`, a line for each mistake.
fn told(errors: &[PolicyError]) -> String {
    let mut told = String::new();
    for error in errors {
        let pointed = match (&error.source, &error.span) {
            (Some(source), Some(span)) => source.text[span.clone()].replace('\n', "\\n"),
            (Some(_), None) => "(the file)".to_owned(),
            (None, _) => "(nothing)".to_owned(),
        };
        let help = error.help.as_deref().unwrap_or("(no help)");
        writeln!(told, "{pointed} | {} | {help}", error.message).unwrap();
    }
    told
}

/// Each case is `=== name`, the policy, `---`, and what is told of it.
#[test]
fn malformed_policies_are_told_what_is_wrong_and_where() {
    let cases: Vec<&str> = MALFORMED.split("=== ").skip(1).collect();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut now = String::new();
    for case in cases {
        let (name, rest) = case.split_once('\n').unwrap();
        let policy = rest.split_once("---\n").map_or(rest, |(policy, _)| policy);
        let errors = load(policy.as_bytes()).expect_err(name);
        write!(now, "=== {name}\n{policy}---\n{}", told(&errors)).unwrap();
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write("tests/it/policy/malformed.txt", &now).unwrap();
        return;
    }
    assert_eq!(now, MALFORMED);
}
