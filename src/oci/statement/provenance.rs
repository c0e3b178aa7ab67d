//! What SLSA provenance says of a build.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::value::RawValue;

use super::{StatementError, Text, bounded, parse};

/// The part of SLSA provenance that policies ask about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Which version of SLSA provenance.
    pub version: ProvenanceVersion,
    /// The kind of build, a URI.
    pub build_type: Option<String>,
    /// Who built; `None` when absent or empty, as `BuildKit` writes it by default.
    pub builder_id: Option<String>,
    /// Whether the whole build is described: what `BuildKit` calls `mode=max`.
    pub mode_max: bool,
    /// The repository that the source was taken from, as written: a URL, or `git@host:path`.
    pub source: Option<String>,
    /// The commit that was built.
    pub revision: Option<String>,
    /// The arguments of the build as `BuildKit` names them (`build-arg:VERSION`, `label:…`, `target`).
    pub arguments: BTreeMap<String, String>,
    /// What went into the build: base images, sources.
    pub materials: Vec<Material>,
    /// When the build ended, as written.
    pub finished_on: Option<String>,
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
    #[serde(default, rename = "digest", deserialize_with = "bounded::map")]
    pub digests: BTreeMap<String, String>,
}

pub(super) fn read(predicate_type: &str, predicate: &RawValue) -> Result<Provenance, StatementError> {
    let predicate = predicate.get().as_bytes();
    match predicate_type {
        "https://slsa.dev/provenance/v1" => parse::<V1>(predicate, "provenance")?.read(),
        "https://slsa.dev/provenance/v0.2" => parse::<V0>(predicate, "provenance")?.read(),
        _ => Ok(Provenance { version: ProvenanceVersion::Other, ..parse::<V0>(predicate, "provenance")?.read()? }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V0 {
    build_type: Option<String>,
    builder: Option<Builder>,
    build_config: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "lenient")]
    invocation: Option<Invocation>,
    #[serde(default, deserialize_with = "bounded::list")]
    materials: Vec<Material>,
    #[serde(default, deserialize_with = "lenient")]
    metadata: Option<Metadata>,
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
    #[serde(default, deserialize_with = "lenient")]
    external_parameters: Option<ExternalParameters>,
    internal_parameters: Option<InternalParameters>,
    #[serde(default, deserialize_with = "bounded::list")]
    resolved_dependencies: Vec<Material>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InternalParameters {
    build_config: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct RunDetails {
    builder: Option<Builder>,
    #[serde(default, deserialize_with = "lenient")]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Builder {
    id: Option<String>,
}

// What follows has no fixed form: each kind of build fills it as it likes, and only the forms of BuildKit and of GitHub's
// workflows are known here.

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    #[serde(default, deserialize_with = "lenient")]
    config_source: Option<Material>,
    #[serde(default, deserialize_with = "lenient")]
    parameters: Option<Parameters>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ExternalParameters {
    #[serde(default, deserialize_with = "lenient")]
    config_source: Option<Material>,
    #[serde(default, deserialize_with = "lenient")]
    request: Option<Parameters>,
    #[serde(default, deserialize_with = "lenient")]
    workflow: Option<Workflow>,
}

#[derive(Deserialize)]
struct Parameters {
    args: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Arguments {
    #[serde(deserialize_with = "bounded::map")]
    args: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct Workflow {
    repository: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default, alias = "https://mobyproject.org/buildkit@v1#metadata", deserialize_with = "lenient")]
    buildkit_metadata: Option<BuildKitMetadata>,
    #[serde(default, alias = "finishedOn", alias = "buildFinishedOn", deserialize_with = "lenient")]
    finished_on: Option<String>,
}

#[derive(Deserialize)]
struct BuildKitMetadata {
    vcs: Option<Vcs>,
}

#[derive(Deserialize)]
struct Vcs {
    source: Option<String>,
    revision: Option<String>,
}

/// The value if it has the form that is asked for, else nothing.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

impl V0 {
    fn read(self) -> Result<Provenance, StatementError> {
        let invocation = self.invocation.unwrap_or_default();
        let materials = self.materials;
        let (vcs, finished_on) = told(self.metadata);
        let origin = Origin { vcs, configured: invocation.config_source, repository: None };
        let (source, revision) = origin.settle(&materials);
        Ok(Provenance {
            version: ProvenanceVersion::V0_2,
            build_type: self.build_type,
            builder_id: id(self.builder),
            mode_max: self.build_config.is_some(),
            source,
            revision,
            arguments: arguments(invocation.parameters)?,
            materials,
            finished_on,
        })
    }
}

impl V1 {
    fn read(self) -> Result<Provenance, StatementError> {
        let definition = self.build_definition.unwrap_or_default();
        let run = self.run_details.unwrap_or_default();
        let external = definition.external_parameters.unwrap_or_default();
        let internal = definition.internal_parameters;
        let materials = definition.resolved_dependencies;
        let (vcs, finished_on) = told(run.metadata);
        let origin = Origin {
            vcs,
            configured: external.config_source,
            repository: external.workflow.and_then(|workflow| workflow.repository),
        };
        let (source, revision) = origin.settle(&materials);
        Ok(Provenance {
            version: ProvenanceVersion::V1,
            build_type: definition.build_type,
            builder_id: id(run.builder),
            mode_max: internal.is_some_and(|internal| internal.build_config.is_some()),
            source,
            revision,
            arguments: arguments(external.request)?,
            materials,
            finished_on,
        })
    }
}

fn id(builder: Option<Builder>) -> Option<String> {
    builder?.id.filter(|id| !id.is_empty())
}

/// The source and the end of the build.
fn told(metadata: Option<Metadata>) -> (Option<Vcs>, Option<String>) {
    let Some(metadata) = metadata else { return (None, None) };
    (metadata.buildkit_metadata.and_then(|metadata| metadata.vcs), metadata.finished_on)
}

/// The arguments as text; one that is no string is kept as JSON, so that none is overlooked.
fn arguments(parameters: Option<Parameters>) -> Result<BTreeMap<String, String>, StatementError> {
    let args = parameters.and_then(|parameters| parameters.args);
    let Some(args) = args.filter(|args| args.get().starts_with('{')) else {
        return Ok(BTreeMap::new());
    };
    let text = |raw: &RawValue| match serde_json::from_str::<Text<'_>>(raw.get()) {
        Ok(text) => text.0.into_owned(),
        Err(_) => raw.get().to_owned(),
    };
    let Arguments { args } = parse(args.get().as_bytes(), "build arguments")?;
    Ok(args.into_iter().map(|(name, raw)| (name, text(&raw))).collect())
}

/// The places where a provenance names what was built, the most telling first.
struct Origin {
    vcs: Option<Vcs>,
    configured: Option<Material>,
    repository: Option<String>,
}

impl Origin {
    /// The repository and the commit.
    fn settle(self, materials: &[Material]) -> (Option<String>, Option<String>) {
        let vcs = self.vcs.unwrap_or(Vcs { source: None, revision: None });
        let configured = self.configured.as_ref();
        let uri = || configured.and_then(|material| material.uri.clone());
        let source = vcs.source.or_else(uri).or(self.repository);
        let revision = vcs.revision.or_else(|| configured.and_then(Material::commit)).or_else(|| {
            let source = source.as_deref()?;
            let built = materials.iter().find(|material| material.is_of(source));
            built.and_then(Material::commit)
        });
        (source, revision)
    }
}

impl Material {
    fn commit(&self) -> Option<String> {
        let named = self.digests.get("gitCommit");
        named.or_else(|| self.digests.get("sha1")).cloned()
    }

    /// Whether this is the repository of that URL, at any reference.
    fn is_of(&self, repository: &str) -> bool {
        let uri = self.uri.as_deref().unwrap_or_default();
        let rest = uri.strip_prefix("git+").unwrap_or(uri).strip_prefix(repository);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '#']))
    }
}
