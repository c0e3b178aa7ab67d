//! `ocilint policy schema`: the JSON Schema of policy files.

use std::io::{self, Write};

use ocilint::policy;
use ocilint::report::ExitStatus;

use crate::commands::written;

pub(super) fn run() -> ExitStatus {
    written(io::stdout().write_all(policy::schema_text().as_bytes()))
}
