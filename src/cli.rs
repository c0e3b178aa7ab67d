//! The command line, as structs; no logic. One file a command.

mod check;
mod graph;
mod init;
mod policy;
mod shared;
mod snapshot;
mod values;

use clap::{Args, Parser, Subcommand};

pub(crate) use check::{Check, Sarif};
pub(crate) use graph::{Graph, GraphFormat};
pub(crate) use init::Init;
pub(crate) use policy::{ListFormat, Policy, PolicyTest, Show, ShowFormat, Waivers};
pub(crate) use shared::{Color, Display, Registry};
pub(crate) use snapshot::Snapshot;

/// Checks container images against policies, read straight from where they are stored.
#[derive(Debug, Parser)]
#[command(name = "ocilint", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "\
Exit status:
  0         every check of level `error` was made on every image named, and passed, was
            waived or is in the baseline
  1         a violation at level `error`
  2         no such violation, but something of level `error` could not be known
  3         a usage or policy error, or a target that no rule covers
  4         an internal error, or a report that could not be written
  130, 143  interrupted";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge images
    Check(Box<Check>),
    /// Draw the manifest graph of an image
    Graph(Graph),
    /// Record everything that is read of images, to judge them again offline
    Snapshot(Box<Snapshot>),
    /// Work on policy files, offline
    #[command(subcommand)]
    Policy(Policy),
    /// List the rules; with a name, explain that one
    Rules(Rules),
    /// Write a commented policy to begin with
    Init(Init),
    /// Write a completion script for a shell to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// The rule to explain
    pub(crate) rule: Option<String>,
}
