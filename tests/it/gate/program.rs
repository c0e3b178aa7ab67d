//! The built program, run with little memory and little time.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::stage::LONGEST;

/// The most memory that a run may take for itself, in KiB: 256 MiB. A run that wants more is refused it, and aborts.
pub(crate) const MEMORY: u32 = 256 * 1024;
/// The most time that a run may compute, in seconds, in a build that is not optimised.
const SECONDS: u32 = 10;

/// A run of the program.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// A run in this directory, with nothing of the user's own around it.
    pub(crate) fn new(directory: &Path) -> Self {
        Self::limited(directory, MEMORY, "")
    }

    /// The same with another limit, and with a redirection such as `>/dev/full`.
    pub(crate) fn limited(directory: &Path, kibibytes: u32, redirection: &str) -> Self {
        let script = format!("ulimit -d {kibibytes} && ulimit -t {SECONDS} && exec \"$0\" \"$@\" {redirection}");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_ocilint")]).current_dir(directory);
        command.env_clear().env("HOME", directory).env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
        Self { command }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Result<Run, String> {
        let mut command = assert_cmd::Command::from_std(self.command);
        command.timeout(LONGEST);
        let output = command.output().map_err(|error| format!("it could not be run: {error}"))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let Some(exit) = output.status.code() else {
            return Err(format!("it ended by {}: {stderr}", output.status));
        };
        Ok(Run { exit, stdout, stderr })
    }

    /// Starts it, with nobody reading what it says.
    pub(crate) fn start(mut self) -> Child {
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process")
    }
}
