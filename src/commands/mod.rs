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

use ocilint::report::ExitStatus;

use crate::cli::Command;

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
    let _ = writeln!(stderr, "ocilint: {}", ocilint::oci::escape_lines(message));
    if !help.is_empty() {
        let _ = writeln!(stderr, "  help: {}", ocilint::oci::escape_lines(help));
    }
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
