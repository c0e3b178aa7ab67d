//! `ocilint policy test`: the policies' own tests.

use std::io::{self, Write};
use std::path::PathBuf;

use ocilint::cases::{self, Case, Suite};
use ocilint::output::tested::{Destination, Format};
use ocilint::output::{self, Style};
use ocilint::policy::PolicyError;
use ocilint::report::{ExitStatus, Tested};

use super::each_once;
use crate::cli;
use crate::commands::{say, setup, usage, written};

/// Where the report goes if the user says nothing.
const HUMAN: Destination = Destination { format: Format::Human, path: None };

pub(super) fn run(command: &cli::PolicyTest) -> ExitStatus {
    try_run(command).unwrap_or_else(|status| status)
}

fn try_run(command: &cli::PolicyTest) -> Result<ExitStatus, ExitStatus> {
    let destinations = destinations(command)?;
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

fn destinations(command: &cli::PolicyTest) -> Result<Vec<Destination>, ExitStatus> {
    if command.output.is_empty() {
        return Ok(vec![HUMAN]);
    }
    if command.output.iter().filter(|destination| destination.path.is_none()).count() > 1 {
        return Err(usage(
            "two reports cannot both go to standard output",
            "write one to a file: `--output junit=FILE`",
        ));
    }
    Ok(command.output.clone())
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
    let escape = ocilint::oci::escape;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut cases = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (&suite.file, case)));
    let mut line =
        |(file, case): (&String, &Case)| writeln!(out, "{}:{}: {}", escape(file), case.line, escape(&case.name));
    let done = cases.try_for_each(&mut line).and_then(|()| out.flush());
    drop(out);
    written(done)
}

/// Writes the reports; the status of the run.
fn finish(command: &cli::PolicyTest, destinations: &[Destination], tested: &Tested) -> ExitStatus {
    let mut status = tested.exit_status();
    let cases = tested.files.iter().flat_map(|file| &file.cases);
    let mistakes: Vec<PolicyError> = cases.filter_map(|case| case.mistake.as_deref()).cloned().collect();
    if !mistakes.is_empty() {
        show(command, &mistakes, "these cases were not judged");
    }
    for destination in destinations {
        let place = destination.path.as_ref().map(|path| path.display().to_string());
        if let Err(error) = write(command, destination, tested) {
            status = ExitStatus::Internal;
            if error.kind() != io::ErrorKind::BrokenPipe {
                let place = place.as_deref().unwrap_or("standard output");
                let message = format!("the report could not be written to {place}: {error}");
                say(&message, "check the path, its permissions and the space left");
            }
        }
    }
    status
}

fn show(command: &cli::PolicyTest, mistakes: &[PolicyError], undone: &str) {
    let style = setup::style_of_errors(&command.display);
    let _ = output::write_test_mistakes(mistakes, undone, style, &mut io::stderr().lock());
}

fn write(command: &cli::PolicyTest, destination: &Destination, tested: &Tested) -> io::Result<()> {
    let style = setup::style(&command.display);
    let Some(path) = &destination.path else {
        let mut out = io::BufWriter::new(io::stdout().lock());
        output::tested::write(destination.format, tested, style, &mut out)?;
        return out.flush();
    };
    let style = Style { color: false, hyperlinks: false, ..style };
    output::file::write(path, |out| output::tested::write(destination.format, tested, style, out))
}
