//! `ocilint init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ocilint::oci::PlatformPattern;
use ocilint::policy::AllowedNames;

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The file to write, or the directory for it; `-` for standard output
    #[arg(default_value = "ocilint.toml", value_name = "PATH")]
    pub(crate) path: PathBuf,

    /// The built-in policy that it builds on
    #[arg(long, value_enum, default_value_t = Pack::Baseline)]
    pub(crate) pack: Pack,

    /// A platform that every image must have (`linux/amd64`); may be repeated
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Vec<PlatformPattern>,

    /// Where images may come from: a registry, the beginning of names in it (`ghcr.io/acme`), or a glob; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) registry: Vec<AllowedNames>,

    /// Write the JSON Schema of policies beside it, and name it in the policy for editors
    #[arg(long)]
    pub(crate) schema: bool,

    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pack {
    /// What is wrong with an image whatever it is for
    Baseline,
    /// What a carefully built image has
    Strict,
    /// Where an image comes from, what is in it, and that it is what was built
    SupplyChain,
    /// What runs on Kubernetes without root
    Kubernetes,
    /// What it takes to build an image again
    Reproducible,
    /// What the OCI image specification asks of an image
    OciConformance,
    /// What Docker's official images keep to
    DockerOfficial,
}

impl From<Pack> for ocilint::policy::Pack {
    fn from(pack: Pack) -> Self {
        match pack {
            Pack::Baseline => Self::Baseline,
            Pack::Strict => Self::Strict,
            Pack::SupplyChain => Self::SupplyChain,
            Pack::Kubernetes => Self::Kubernetes,
            Pack::Reproducible => Self::Reproducible,
            Pack::OciConformance => Self::OciConformance,
            Pack::DockerOfficial => Self::DockerOfficial,
        }
    }
}
