//! What several commands take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::pair;

/// What to read and how to name it, for everything that takes targets.
pub(super) const TARGETS: &str = "\
Targets:
  ghcr.io/acme/app:1.2, alpine, docker://…   an image in a registry
  oci:DIR[:TAG or @DIGEST]                   an OCI image layout directory
  oci-archive:FILE[:TAG]                     an OCI layout in a tar file (also .tar.gz, .tar.zst)
  docker-archive:FILE[:TAG]                  what `docker save` writes
  snapshot:FILE, snapshot:DIR                every image in a snapshot, or in all of a directory
  snapshot:'DIR/web-*.snapshot'              every image in the snapshots of these names";

/// How registries are spoken to.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Registries")]
#[expect(clippy::struct_field_names, reason = "the field is the flag's name")]
pub(crate) struct Registry {
    /// Allow plain http: for hosts on the loopback, or for the one named; may be repeated
    #[arg(long, value_name = "HOST[:PORT]", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) plain_http: Vec<String>,

    /// Trust the certificates in this file, besides the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// The file that holds the credentials, instead of podman's and docker's
    #[arg(long, value_name = "FILE", env = "OCILINT_REGISTRY_CONFIG")]
    pub(crate) registry_config: Option<PathBuf>,

    /// Send the credentials of a registry to this token server too; may be repeated
    #[arg(long, value_name = "REGISTRY=HOST", value_parser = pair)]
    pub(crate) trust_realm: Vec<(String, String)>,

    /// Requests to one host at once (8 with HTTP/1.1, 32 with HTTP/2 if not given)
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}

/// How people read it.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Display")]
pub(crate) struct Display {
    /// Show only what fails the run
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Words instead of drawings, for screen readers
    #[arg(long, env = "OCILINT_ACCESSIBLE", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) accessible: bool,
}

/// What is said of the reading while it goes on.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Display")]
pub(crate) struct Watch {
    /// Show the requests on standard error
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// No progress on standard error
    #[arg(long)]
    pub(crate) no_progress: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}
