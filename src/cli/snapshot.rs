//! `ocilint snapshot`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ocilint::Target;
use ocilint::oci::Reference;

use super::shared::{Display, Registry, TARGETS, Watch};
use super::values::{duration, target};

#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub(crate) struct Snapshot {
    /// What to record
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,

    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// A policy to judge the images by, and to record what it asks and what came of it; may be repeated.
    ///
    /// Found as `check` finds it if none is named. Whatever the policy, the whole graph is recorded, so that others can be
    /// judged on it later. A violation does not fail the run.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) policy: Vec<String>,

    /// The name under which a layout or archive is recorded
    #[arg(long = "as", value_name = "REFERENCE", value_parser = Reference::parse)]
    pub(crate) name: Option<Reference>,

    /// The image that the rule `compare` compares with, recorded as well; name it again when the snapshot is judged
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub(crate) against: Option<Target>,

    /// Time for the whole run (`90s`, `10m`)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,

    #[command(flatten)]
    pub(crate) registry: Registry,

    #[command(flatten)]
    pub(crate) display: Display,

    #[command(flatten)]
    pub(crate) watch: Watch,
}
