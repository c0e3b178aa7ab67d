//! `ocilint policy`: work on policy files, offline; one file a subcommand.

mod check;

use ocilint::report::ExitStatus;

use crate::cli;

pub(super) fn run(command: &cli::Policy) -> ExitStatus {
    match command {
        cli::Policy::Check { files, display } => check::run(files, display),
    }
}
