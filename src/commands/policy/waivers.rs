//! `ocilint policy waivers`: who owes what, and until when.

use std::io::{self, Write};

use jiff::Timestamp;
use ocilint::output::waivers;
use ocilint::policy::{self, Due, Policy};
use ocilint::report::ExitStatus;

use super::overlong;
use crate::cli::{self, ListFormat};
use crate::commands::{mistaken, say, setup, written};

pub(super) fn run(command: &cli::Waivers) -> ExitStatus {
    let now = command.at.unwrap_or_else(Timestamp::now);
    let policies = match load(command) {
        Ok(policies) => policies,
        Err(status) => return status,
    };
    let today = policy::day(now);
    let overlong = overlong(&policies, today);
    if !overlong.is_empty() {
        return mistaken(&overlong, &command.display);
    }
    let mut dues = policy::ledger(&policies, today);
    if let Some(days) = command.expiring {
        dues.retain(|due| due.ends_within(days));
    }
    match written(write(command, &dues, now)) {
        ExitStatus::Clean if command.expiring.is_some() && !dues.is_empty() => ExitStatus::Violation,
        status => status,
    }
}

/// The policies that are named, each for itself; without any the one that `check` would find.
fn load(command: &cli::Waivers) -> Result<Vec<Policy>, ExitStatus> {
    if command.files.is_empty() {
        let policy = setup::policy_as_of(&[], command.at, &command.display)?;
        if policy.fallback {
            say("no policy was named and no `ocilint.toml` was found", "name one: `ocilint policy waivers FILE`");
        }
        return Ok(vec![policy]);
    }
    policy::load_files(&command.files).map_err(|errors| mistaken(&errors.0, &command.display))
}

fn write(command: &cli::Waivers, dues: &[Due<'_>], now: Timestamp) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match command.format {
        ListFormat::Json => waivers::write_json(dues, now, &mut out)?,
        ListFormat::Human if command.display.quiet => {}
        ListFormat::Human => waivers::write_human(dues, setup::style(&command.display), &mut out)?,
    }
    out.flush()
}
