//! What the commands do, wired from the library's parts.

mod baseline;
mod check;
mod compared;
mod graph;
mod init;
mod interrupt;
mod policy;
mod progress;
mod reports;
mod rules;
mod setup;
mod snapshot;
mod targets;

use std::io::{self, Write};
use std::path::Path;

use ocilint::output;
use ocilint::policy::PolicyError;
use ocilint::report::{ExitStatus, ImageReport, TargetFailure};

use crate::cli::{Command, Display};

/// Runs a command; the process's exit status.
pub(crate) fn run(command: Command) -> u8 {
    match command {
        Command::Check(check) => check::run(&check),
        Command::Graph(graph) => graph::run(&graph),
        Command::Snapshot(snapshot) => snapshot::run(&snapshot),
        Command::Policy(policy) => policy::run(&policy).code(),
        Command::Rules(rules) => rules::run(&rules).code(),
        Command::Init(init) => init::run(&init).code(),
        Command::Completions { shell } => completions(shell).code(),
    }
}

fn completions(shell: clap_complete::Shell) -> ExitStatus {
    let mut script = Vec::new();
    let mut command = <crate::cli::Cli as clap::CommandFactory>::command();
    clap_complete::generate(shell, &mut command, "ocilint", &mut script);
    written(io::stdout().write_all(&script))
}

/// A usage error: said on standard error, with what to do.
fn usage(message: &str, help: &str) -> ExitStatus {
    say(message, help);
    ExitStatus::Usage
}

/// Says something on standard error; there is nowhere to report a failure of that to.
fn say(message: &str, help: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "ocilint: {}", output::line(message));
    if !help.is_empty() {
        let _ = writeln!(stderr, "  help: {}", output::lines(help));
    }
}

/// The mistakes of policies, all of them, on standard error.
fn mistaken(mistakes: &[PolicyError], display: &Display) -> ExitStatus {
    let _ = output::write_mistakes(mistakes, setup::style_of_errors(display), &mut io::stderr().lock());
    ExitStatus::Usage
}

/// Says that the policy is the built-in one because there is no other.
fn say_fallback(help: &str) {
    say("no policy was named and no `ocilint.toml` was found: the built-in `baseline` is used", help);
}

/// Says why a target cannot be used, behind the target's name if there are several.
fn refused(report: &ImageReport, shows_target: bool) -> ExitStatus {
    let (message, help) = match &report.error {
        Some(TargetFailure::Unread(why)) => (why.to_string(), why.help()),
        Some(TargetFailure::Usage { message, help }) => (message.clone(), help.as_str()),
        None => return report.exit_status(),
    };
    let message = if shows_target { format!("{}: {message}", report.target) } else { message };
    say(&message, help);
    report.exit_status()
}

/// Says that a file or standard output could not be written. A reader that went away needs no message.
fn unwritten(what: &str, path: Option<&Path>, error: &io::Error) -> ExitStatus {
    if error.kind() != io::ErrorKind::BrokenPipe {
        let place = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
        let message = format!("the {what} could not be written to {place}: {error}");
        say(&message, "check the path, its permissions and the space left");
    }
    ExitStatus::Internal
}

/// What cannot be written is not clean.
fn written(result: io::Result<()>) -> ExitStatus {
    match result.and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitStatus::Clean,
        Err(error) => {
            // A reader that went away needs no message.
            if error.kind() != io::ErrorKind::BrokenPipe {
                say(&format!("writing to standard output: {error}"), "");
            }
            ExitStatus::Internal
        }
    }
}
