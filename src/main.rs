//! The command line program `ocilint`.

mod cli;
mod commands;

use std::io::{IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;
use ocilint::report::ExitStatus;

use cli::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // A panic is an internal error of its own status, whatever it interrupted.
    std::panic::set_hook(Box::new(|panic| {
        let text = ocilint::output::line(&panic.to_string());
        let _ = writeln!(std::io::stderr(), "ocilint: internal error, please report it: {text}");
    }));
    match catch_unwind(AssertUnwindSafe(|| commands::run(cli.command))) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(ExitStatus::Internal.code()),
    }
}

/// clap's own statuses differ from ours: help and version are 0, everything else is a usage error.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = if error.use_stderr() && !std::io::stderr().is_terminal() {
        // It repeats what was typed, which a script may have from anywhere, and a build server may read it.
        write!(std::io::stderr(), "{}", ocilint::output::lines(&error.render().to_string()))
    } else {
        error.print().and_then(|()| std::io::stdout().flush())
    };
    let status = match shown {
        Err(_) => ExitStatus::Internal,
        Ok(()) if error.use_stderr() => ExitStatus::Usage,
        Ok(()) => ExitStatus::Clean,
    };
    ExitCode::from(status.code())
}
