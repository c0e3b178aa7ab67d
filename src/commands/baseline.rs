//! The baseline of a run: read before it, compared with it, and written after it if the user says so.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocilint::Policy;
use ocilint::judge::Frozen;
use ocilint::output::file;
use ocilint::report::{Baseline, ExitStatus, Ratchet, Tally};

use super::usage;
use crate::cli;

/// How large a baseline may be, in bytes: some hundred thousand findings.
const LARGEST: u64 = 64 << 20;

/// A baseline and what becomes of it.
pub(super) struct Ratcheting {
    pub(super) ratchet: Ratchet,
    /// What the judging has to know of it.
    pub(super) frozen: Frozen,
    path: PathBuf,
    updates: bool,
}

/// A baseline that is to be written.
pub(super) struct Next {
    pub(super) path: PathBuf,
    baseline: Baseline,
}

impl Ratcheting {
    pub(super) fn load(path: &Path, command: &cli::Check, policy: &Policy) -> Result<Self, ExitStatus> {
        let grows = command.grow_baseline;
        let baseline = match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && grows => Baseline::new(policy),
            Err(error) => return Err(unread(path, &error)),
            Ok(text) => understood(path, &text, policy)?,
        };
        let baseline = Arc::new(baseline);
        let frozen = if grows { Frozen::All } else { Frozen::Known(baseline.clone()) };
        let ratchet = Ratchet::new(baseline, !command.platform.is_empty(), grows);
        Ok(Self { ratchet, frozen, path: path.to_owned(), updates: command.update_baseline || grows })
    }

    /// Says in the tally how the run compares; the baseline that is to be written.
    pub(super) fn end(self, tally: &mut Tally) -> Option<Next> {
        let (comparison, baseline) = self.ratchet.end();
        tally.baseline = Some(comparison);
        self.updates.then_some(Next { path: self.path, baseline })
    }
}

impl Next {
    pub(super) fn write(&self) -> io::Result<()> {
        file::write(&self.path, |out| self.baseline.write(out))
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 64 MiB"));
    }
    Ok(text)
}

fn understood(path: &Path, text: &str, policy: &Policy) -> Result<Baseline, ExitStatus> {
    let shown = path.display();
    let baseline = Baseline::read(text).map_err(|error| {
        let help = "restore it from version control, or make it anew: remove it and run with `--grow-baseline`";
        usage(&format!("the baseline {shown} cannot be used: {error}"), help)
    })?;
    match baseline.differs_from(policy) {
        None => Ok(baseline),
        Some(difference) => Err(usage(
            &format!("the baseline {shown} is of another policy: {difference}"),
            "name the policy it was made with, or make another baseline with `--baseline FILE --grow-baseline`",
        )),
    }
}

fn unread(path: &Path, error: &io::Error) -> ExitStatus {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "make it with `--grow-baseline`, which freezes what is found today",
        _ => "check the path and its permissions",
    };
    usage(&format!("the baseline {} could not be read: {error}", path.display()), help)
}
