//! `ocilint policy check`: every mistake in policy files.

use std::io::{self, Write};
use std::path::PathBuf;

use ocilint::output;
use ocilint::policy;
use ocilint::report::ExitStatus;

use crate::cli;
use crate::commands::{setup, written};

pub(super) fn run(files: &[PathBuf], display: &cli::Display) -> ExitStatus {
    let mistakes = policy::check_files(files);
    if mistakes.is_empty() {
        return if display.quiet { ExitStatus::Clean } else { written(writeln!(io::stdout(), "no mistakes")) };
    }
    let _ = output::write_mistakes(&mistakes, setup::style_of_errors(display), &mut io::stderr().lock());
    ExitStatus::Usage
}
