//! `ocilint policy check`: every mistake in policy files.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use ocilint::output;
use ocilint::policy::{self, Policy, PolicyError};
use ocilint::report::{Diagnostic, ExitStatus, dead_waivers};

use super::{each_once, overlong};
use crate::cli;
use crate::commands::{setup, written};

pub(super) fn run(files: &[PathBuf], display: &cli::Display) -> ExitStatus {
    let style = setup::style_of_errors(display);
    match policy::load_files(files).map_err(|errors| errors.0).and_then(|policies| remarks(&policies)) {
        Err(mistakes) => {
            let _ = output::write_mistakes(&mistakes, style, &mut io::stderr().lock());
            ExitStatus::Usage
        }
        Ok(_) if display.quiet => ExitStatus::Clean,
        Ok(remarks) => {
            let _ = output::write_remarks(&remarks, style, &mut io::stderr().lock());
            written(writeln!(io::stdout(), "no mistakes"))
        }
    }
}

/// What is to be said about policies that load; their mistakes if they do not hold today.
fn remarks(policies: &[Policy]) -> Result<Vec<Diagnostic>, Vec<PolicyError>> {
    let today = policy::day(Timestamp::now());
    let overlong = overlong(policies, today);
    if !overlong.is_empty() {
        return Err(overlong);
    }
    Ok(each_once(policies.iter().flat_map(dead_waivers)))
}
