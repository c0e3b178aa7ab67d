//! The built program, run with little memory and little time.

use std::ffi::OsStr;
use std::path::Path;

/// The most memory that a run may take for itself, in KiB: 256 MiB. A run that wants more is refused it, and aborts.
pub(crate) const MEMORY: u32 = 256 * 1024;
/// The most time that a run may compute, in seconds, in a build that is not optimised.
const SECONDS: u32 = 10;

/// A run of the program.
#[derive(Debug)]
pub(crate) struct Program(assert_cmd::Command);

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
        Self::limited(directory, MEMORY)
    }

    /// The same with another limit.
    pub(crate) fn limited(directory: &Path, kibibytes: u32) -> Self {
        let mut command = assert_cmd::Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -d {kibibytes} && ulimit -t {SECONDS} && exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_ocilint"));
        command
            .current_dir(directory)
            .env_clear()
            .env("HOME", directory)
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8");
        command.timeout(super::stage::LONGEST);
        Self(command)
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.0.write_stdin(text);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Result<Run, String> {
        let output = self.0.output().map_err(|error| format!("it could not be run: {error}"))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let Some(exit) = output.status.code() else {
            return Err(format!("it ended by {}: {stderr}", output.status));
        };
        Ok(Run { exit, stdout, stderr })
    }
}
