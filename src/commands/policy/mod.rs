//! `ocilint policy`: work on policy files, offline; one file a subcommand.

mod check;
mod schema;
mod show;
mod test;
mod waivers;

use jiff::civil::Date;
use ocilint::policy::{Policy, PolicyError};
use ocilint::report::ExitStatus;

use crate::cli;

pub(super) fn run(command: &cli::Policy) -> ExitStatus {
    match command {
        cli::Policy::Check { files, display } => check::run(files, display),
        cli::Policy::Test(test) => test::run(test),
        cli::Policy::Waivers(command) => waivers::run(command),
        cli::Policy::Show(command) => show::run(command),
        cli::Policy::Schema => schema::run(),
    }
}

/// The waivers that run longer than their policy admits, counted from a day.
fn overlong(policies: &[Policy], today: Date) -> Vec<PolicyError> {
    each_once(policies.iter().flat_map(|policy| policy.overlong_waivers(today)))
}

/// What several policies have from one file is said once.
fn each_once<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}
