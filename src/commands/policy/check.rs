//! `ocilint policy check`: every mistake in policy files, and in the tests beside them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ocilint::cases;
use ocilint::output;
use ocilint::policy::{self, Policy, PolicyError};
use ocilint::report::{Diagnostic, ExitStatus, dead_waivers};

use super::{each_once, overlong, test};
use crate::cli;
use crate::commands::{mistaken, setup, usage, written};

pub(super) fn run(files: &[PathBuf], display: &cli::Display) -> ExitStatus {
    let found = policy::discover(Path::new(".")).filter(|_| files.is_empty()).map(PathBuf::from);
    let files = if files.is_empty() { found.as_slice() } else { files };
    if files.is_empty() {
        return usage("no policy was named and no `ocilint.toml` was found", "name one: `ocilint policy check FILE`");
    }
    match checked(files).and_then(|policies| remarks(&policies)) {
        Err(mistakes) => mistaken(&mistakes, display),
        Ok(_) if display.quiet => ExitStatus::Clean,
        Ok(remarks) => {
            let style = setup::style_of_errors(display);
            let _ = output::write_remarks(&remarks, style, &mut io::stderr().lock());
            let place = found.map(|path| format!(" in {}", path.display())).unwrap_or_default();
            written(writeln!(io::stdout(), "no mistakes{place}"))
        }
    }
}

/// The policies, or their mistakes and those of the tests among and beside them.
fn checked(files: &[PathBuf]) -> Result<Vec<Policy>, Vec<PolicyError>> {
    let (mut tests, policies): (Vec<PathBuf>, Vec<PathBuf>) =
        files.iter().cloned().partition(|file| policy::is_test_file(file));
    tests.extend(policies.iter().filter(|path| path.is_dir()).flat_map(|path| cases::beside_policies(path)));
    let loaded = if policies.is_empty() { Ok(Vec::new()) } else { policy::load_files(&policies) };
    let (loaded, mut mistakes) = loaded.map_or_else(|errors| (Vec::new(), errors.0), |loaded| (loaded, Vec::new()));
    mistakes.extend(test::suites(&tests).err().into_iter().flatten());
    if mistakes.is_empty() { Ok(loaded) } else { Err(each_once(mistakes.into_iter())) }
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
