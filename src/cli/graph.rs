//! `ocilint graph`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::shared::{Display, Registry, TARGETS, Watch};
use super::values::duration;

#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub(crate) struct Graph {
    /// What to draw
    pub(crate) target: String,

    /// How to draw it
    #[arg(long, value_enum, default_value_t = GraphFormat::Tree)]
    pub(crate) format: GraphFormat,

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A tree for people
    Tree,
    /// JSON for programs
    Json,
}
