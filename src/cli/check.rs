//! `ocilint check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use ocilint::Target;
use ocilint::oci::{Platform, Reference};
use ocilint::output::{Destination, Format};

use super::shared::{Display, Registry, TARGETS, Watch};
use super::values::{duration, moment, target};

#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub(crate) struct Check {
    /// What to check
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,

    /// A policy file, or a built-in policy such as `ocilint:strict`; may be repeated.
    ///
    /// Without it the nearest `ocilint.toml` from the working directory up to the repository's root is used, else the
    /// built-in `baseline`.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) policy: Vec<String>,

    /// A policy to compare with: of snapshots, say how many images would newly fail that pass under this one; may be repeated.
    ///
    /// Without it snapshots are compared with what came of them when they were taken.
    #[arg(long, value_name = "FILE")]
    pub(crate) compare_to: Vec<String>,

    /// `human`, `json` or `sarif`, to standard output or to a file; may be repeated
    #[arg(long, short, value_name = "FORMAT[=PATH]")]
    pub(crate) output: Vec<Destination<Format>>,

    /// Judge only this platform of each image (`linux/arm64`); may be repeated
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Vec<Platform>,

    /// The name under which a layout or archive is judged
    #[arg(long = "as", value_name = "REFERENCE", value_parser = Reference::parse)]
    pub(crate) name: Option<Reference>,

    /// The image that the rule `compare` compares with: a release before this one, a layout, a snapshot
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub(crate) against: Option<Target>,

    /// Treat warnings as errors
    #[arg(long)]
    pub(crate) deny_warnings: bool,

    /// Judge as of this day or time instead of the present: expiry, rules that take effect later, ages
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) at: Option<Timestamp>,

    /// Count only findings that are not in this file; the fixed ones are named
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Take what is fixed out of the baseline; nothing is ever added
    #[arg(long, requires = "baseline")]
    pub(crate) update_baseline: bool,

    /// Add all that is found today to the baseline, and make it if it is not there
    #[arg(long, requires = "baseline")]
    pub(crate) grow_baseline: bool,

    /// Write what was judged to a file, a line for each image: `name@digest`, or the digest of one without a name
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,

    /// Time for the whole run (`90s`, `10m`)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,

    #[command(flatten)]
    pub(crate) registry: Registry,

    #[command(flatten)]
    pub(crate) display: Display,

    #[command(flatten)]
    pub(crate) watch: Watch,

    #[command(flatten)]
    pub(crate) sarif: Sarif,
}

/// Where findings are shown by code scanning.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "SARIF")]
pub(crate) struct Sarif {
    /// Show the findings at this place instead of the policy's
    #[arg(long, value_name = "FILE[:LINE]")]
    pub(crate) location: Option<String>,

    /// The root of the repository, to which paths are relative
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}
