//! `ocilint policy show`: the merged policy, and where each value comes from.

use std::io::{self, Write};

use ocilint::Policy;
use ocilint::output::policy;
use ocilint::report::ExitStatus;

use crate::cli::{Show, ShowFormat};
use crate::commands::{setup, written};

pub(super) fn run(command: &Show) -> ExitStatus {
    match setup::policy(&command.files, &command.display) {
        Ok(policy) => written(write(&policy, command.format)),
        Err(status) => status,
    }
}

fn write(policy: &Policy, format: ShowFormat) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        ShowFormat::Human => policy::write_toml(policy, true, &mut out)?,
        ShowFormat::Toml => policy::write_toml(policy, false, &mut out)?,
        ShowFormat::Json => policy::write_json(policy, &mut out)?,
    }
    out.flush()
}
