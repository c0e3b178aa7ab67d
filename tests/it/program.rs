//! The built program, with nothing of the user's own around it.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

/// No run takes longer.
const LONGEST: Duration = Duration::from_mins(1);

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program in this directory, in an environment that is the same everywhere.
pub(crate) fn command(directory: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_ocilint"));
    command.current_dir(directory).env_clear().timeout(LONGEST);
    command.env("HOME", directory).env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").env("COLUMNS", "100");
    command
}

/// Runs the program with these arguments.
pub(crate) fn run(directory: &Path, args: &[impl AsRef<OsStr>]) -> Run {
    ended(command(directory).args(args))
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut assert_cmd::Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(!stderr.contains("please report it"), "{stderr}");
    Run { exit: output.status.code().unwrap_or_else(|| panic!("ended by {}: {stderr}", output.status)), stdout, stderr }
}
