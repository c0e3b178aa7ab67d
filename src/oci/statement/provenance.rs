//! What SLSA provenance says of a build.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{StatementError, parse};

/// The part of SLSA provenance that policies ask about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Which version of SLSA provenance.
    pub version: ProvenanceVersion,
    /// The kind of build, a URI.
    pub build_type: Option<String>,
    /// Who built; `None` when absent or empty, as BuildKit writes it by default.
    pub builder_id: Option<String>,
    /// Whether the whole build is described: BuildKit's `mode=max`.
    pub mode_max: bool,
    /// What went into the build: base images, sources.
    pub materials: Vec<Material>,
    /// Where the source is kept, as BuildKit found it.
    pub vcs: Option<Vcs>,
}

/// The versions of SLSA provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ProvenanceVersion {
    /// `https://slsa.dev/provenance/v0.2`
    #[serde(rename = "v0.2")]
    V0_2,
    /// `https://slsa.dev/provenance/v1`
    #[serde(rename = "v1")]
    V1,
    /// Any other.
    #[serde(rename = "other")]
    Other,
}

/// Something that went into a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its URI, a package URL for an image.
    #[serde(default)]
    pub uri: Option<String>,
    /// Hexadecimal digests by algorithm.
    #[serde(default, rename = "digest")]
    pub digests: BTreeMap<String, String>,
}

/// A place in a version control system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vcs {
    /// The repository.
    #[serde(default)]
    pub source: Option<String>,
    /// The revision.
    #[serde(default)]
    pub revision: Option<String>,
}

pub(super) fn read(
    predicate_type: &str,
    predicate: &RawValue,
) -> Result<Provenance, StatementError> {
    let predicate = predicate.get().as_bytes();
    match predicate_type {
        "https://slsa.dev/provenance/v1" => Ok(parse::<V1>(predicate, "provenance")?.into()),
        "https://slsa.dev/provenance/v0.2" => Ok(parse::<V0>(predicate, "provenance")?.into()),
        _ => Ok(Provenance {
            version: ProvenanceVersion::Other,
            ..parse::<V0>(predicate, "provenance")?.into()
        }),
    }
}

#[derive(Deserialize)]
struct Builder {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V0 {
    build_type: Option<String>,
    builder: Option<Builder>,
    build_config: Option<IgnoredAny>,
    materials: Option<Vec<Material>>,
    metadata: Option<V0Metadata>,
}

#[derive(Deserialize)]
struct V0Metadata {
    #[serde(rename = "https://mobyproject.org/buildkit@v1#metadata")]
    buildkit: Option<BuildKitMetadata>,
}

#[derive(Deserialize)]
struct BuildKitMetadata {
    vcs: Option<Vcs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V1 {
    build_definition: Option<BuildDefinition>,
    run_details: Option<RunDetails>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    build_type: Option<String>,
    internal_parameters: Option<InternalParameters>,
    resolved_dependencies: Option<Vec<Material>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InternalParameters {
    build_config: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct RunDetails {
    builder: Option<Builder>,
    metadata: Option<V1Metadata>,
}

#[derive(Deserialize)]
struct V1Metadata {
    buildkit_metadata: Option<BuildKitMetadata>,
}

fn id(builder: Option<Builder>) -> Option<String> {
    builder?.id.filter(|id| !id.is_empty())
}

impl From<V0> for Provenance {
    fn from(predicate: V0) -> Provenance {
        Provenance {
            version: ProvenanceVersion::V0_2,
            build_type: predicate.build_type,
            builder_id: id(predicate.builder),
            mode_max: predicate.build_config.is_some(),
            materials: predicate.materials.unwrap_or_default(),
            vcs: predicate
                .metadata
                .and_then(|metadata| metadata.buildkit?.vcs),
        }
    }
}

impl From<V1> for Provenance {
    fn from(predicate: V1) -> Provenance {
        let definition = predicate.build_definition.unwrap_or_default();
        let run = predicate.run_details.unwrap_or_default();
        Provenance {
            version: ProvenanceVersion::V1,
            build_type: definition.build_type,
            builder_id: id(run.builder),
            mode_max: definition
                .internal_parameters
                .is_some_and(|parameters| parameters.build_config.is_some()),
            materials: definition.resolved_dependencies.unwrap_or_default(),
            vcs: run
                .metadata
                .and_then(|metadata| metadata.buildkit_metadata?.vcs),
        }
    }
}
