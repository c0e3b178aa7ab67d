//! Policy files: every mistake is told, at its place, and what is not mistaken loads.

mod composition;
mod files;
mod hostile;
mod loading;
mod malformed;
mod packs;
pub(crate) mod schema;
mod show;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ocilint::policy::{Policy, PolicyError};
use tempfile::TempDir;

/// A directory with files.
pub(crate) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

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
pub(crate) fn told(errors: &[PolicyError]) -> String {
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
