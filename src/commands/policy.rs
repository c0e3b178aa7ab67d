//! `ocilint policy check`: every mistake in policy files, offline.

use std::io::{self, Write};

use ocilint::output;
use ocilint::policy;
use ocilint::report::ExitStatus;

use super::{setup, written};
use crate::cli;

pub(super) fn run(command: &cli::Policy) -> ExitStatus {
    let cli::Policy::Check { files, display } = command;
    let mistakes = policy::check_files(files);
    if mistakes.is_empty() {
        return if display.quiet { ExitStatus::Clean } else { written(writeln!(io::stdout(), "no mistakes")) };
    }
    let _ = output::write_mistakes(&mistakes, setup::style_of_errors(display), &mut io::stderr().lock());
    ExitStatus::Usage
}
