//! `ocilint policy test`: the policies' own tests.

use std::io::{self, Write};
use std::path::PathBuf;

use ocilint::cases::{self, Case, Suite};
use ocilint::output::tested::Format;
use ocilint::output::{self, Destination, Style};
use ocilint::policy::PolicyError;
use ocilint::report::{ExitStatus, Tested};

use super::each_once;
use crate::cli;
use crate::commands::{say, setup, unwritten, usage, written};

pub(super) fn run(command: &cli::PolicyTest) -> ExitStatus {
    try_run(command).unwrap_or_else(|status| status)
}

fn try_run(command: &cli::PolicyTest) -> Result<ExitStatus, ExitStatus> {
    let destinations = setup::destinations(&command.output)?;
    let suites = suites(&command.paths).map_err(|mistakes| {
        show(command, &mistakes, "nothing was tested");
        ExitStatus::Usage
    })?;
    let suites = chosen(command, suites)?;
    if command.list {
        return Ok(list(&suites));
    }
    let tested = cases::run(&suites).map_err(|error| {
        say(&format!("the program could not start its runtime: {error}"), "");
        ExitStatus::Internal
    })?;
    Ok(finish(command, &destinations, &tested))
}

/// The test files of these paths, or all mistakes in them and in their policies.
pub(super) fn suites(paths: &[PathBuf]) -> Result<Vec<Suite>, Vec<PolicyError>> {
    let (mut files, mut suites, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        match cases::find(path) {
            Ok(found) => files.extend(found),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    for file in files {
        match Suite::read(&file) {
            Ok(suite) => {
                mistakes.extend(suite.mistakes());
                suites.push(suite);
            }
            Err(errors) => mistakes.extend(errors.0),
        }
    }
    if mistakes.is_empty() { Ok(suites) } else { Err(each_once(mistakes.into_iter())) }
}

/// The cases that the filter leaves.
fn chosen(command: &cli::PolicyTest, mut suites: Vec<Suite>) -> Result<Vec<Suite>, ExitStatus> {
    let Some(text) = &command.filter else { return Ok(suites) };
    for suite in &mut suites {
        suite.cases.retain(|case| case.name.contains(text));
    }
    suites.retain(|suite| !suite.cases.is_empty());
    if suites.is_empty() {
        return Err(usage(&format!("no case has a name that holds `{text}`"), "`--list` lists the cases"));
    }
    Ok(suites)
}

fn list(suites: &[Suite]) -> ExitStatus {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut cases = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (&suite.file, case)));
    let mut line = |(file, case): (&String, &Case)| {
        writeln!(out, "{}", output::line(&format!("{file}:{}: {}", case.line, case.name)))
    };
    let done = cases.try_for_each(&mut line).and_then(|()| out.flush());
    drop(out);
    written(done)
}

/// Writes the reports; the status of the run.
fn finish(command: &cli::PolicyTest, destinations: &[Destination<Format>], tested: &Tested) -> ExitStatus {
    let mut status = tested.exit_status();
    let cases = tested.files.iter().flat_map(|file| &file.cases);
    let mistakes: Vec<PolicyError> = cases.filter_map(|case| case.mistake.as_deref()).cloned().collect();
    if !mistakes.is_empty() {
        show(command, &mistakes, "these cases were not judged");
    }
    for destination in destinations {
        if let Err(error) = write(command, destination, tested) {
            status = unwritten("report", destination.path.as_deref(), &error);
        }
    }
    status
}

fn show(command: &cli::PolicyTest, mistakes: &[PolicyError], undone: &str) {
    let style = setup::style_of_errors(&command.display);
    let _ = output::write_test_mistakes(mistakes, undone, style, &mut io::stderr().lock());
}

fn write(command: &cli::PolicyTest, destination: &Destination<Format>, tested: &Tested) -> io::Result<()> {
    let style = setup::style(&command.display);
    let Some(path) = &destination.path else {
        let mut out = io::BufWriter::new(io::stdout().lock());
        output::tested::write(destination.format, tested, style, &mut out)?;
        return out.flush();
    };
    let style = Style { color: false, hyperlinks: false, ..style };
    output::file::write(path, |out| output::tested::write(destination.format, tested, style, out))
}
