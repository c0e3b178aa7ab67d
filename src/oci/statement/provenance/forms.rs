//! How the versions of SLSA provenance are written: by `BuildKit`, by GitHub's workflows, by Tekton.
//!
//! What the specification fixes must have its type. What each builder fills as it likes may be anything, and what cannot be read
//! of it is [`Told::Garbled`].

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::super::bounded::{self, Members};
use super::super::{Text, Told};
use super::{Claims, Material, Provenance, ProvenanceVersion, Workflow};

/// The longest name, in bytes, of an object of parameters.
const LONGEST_OUTER: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V0 {
    build_type: Option<String>,
    builder: Option<Members<Builder>>,
    build_config: Option<Members<Anything>>,
    #[serde(default)]
    invocation: Told<Invocation>,
    #[serde(default, deserialize_with = "bounded::list")]
    materials: Vec<Material>,
    #[serde(default)]
    metadata: Told<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V1 {
    build_definition: Option<Members<BuildDefinition>>,
    run_details: Option<Members<RunDetails>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    build_type: Option<String>,
    #[serde(default)]
    external_parameters: Told<Box<RawValue>>,
    internal_parameters: Option<Members<InternalParameters>>,
    #[serde(default, deserialize_with = "bounded::list")]
    resolved_dependencies: Vec<Material>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct InternalParameters {
    build_config: Option<Members<Anything>>,
    #[serde(default)]
    github: Told<GitHub>,
}

#[derive(Deserialize, Default)]
struct RunDetails {
    builder: Option<Members<Builder>>,
    #[serde(default)]
    metadata: Told<Metadata>,
}

#[derive(Deserialize)]
struct Builder {
    id: Option<String>,
}

/// An object, whatever is in it.
#[derive(Deserialize)]
struct Anything {}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Invocation {
    config_source: Told<Source>,
    parameters: Told<Box<RawValue>>,
    environment: Told<Environment>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ExternalParameters {
    config_source: Told<Source>,
    source: Told<Source>,
    workflow: Told<ExternalWorkflow>,
    request: Told<Box<RawValue>>,
}

/// What `BuildKit` was asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Request {
    frontend: Told<IgnoredAny>,
    args: Told<Arguments>,
}

#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Arguments {
    #[serde(deserialize_with = "bounded::map")]
    args: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    uri: Told<String>,
    entry_point: Told<String>,
    digest: Told<Digests>,
}

#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Digests {
    #[serde(deserialize_with = "bounded::map")]
    digests: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ExternalWorkflow {
    repository: Told<String>,
    path: Told<String>,
    r#ref: Told<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GitHub {
    event_name: Told<String>,
    runner_environment: Told<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Environment {
    github_ref: Told<String>,
    github_event_name: Told<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "buildkit_metadata", alias = "https://mobyproject.org/buildkit@v1#metadata")]
    buildkit: Told<BuildKitMetadata>,
    #[serde(alias = "https://mobyproject.org/buildkit@v1#hermetic")]
    buildkit_hermetic: Told<bool>,
    #[serde(alias = "reproducible")]
    buildkit_reproducible: Told<bool>,
    #[serde(alias = "completeness")]
    buildkit_completeness: Told<Completeness>,
    #[serde(rename = "finishedOn", alias = "buildFinishedOn")]
    finished: Told<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Completeness {
    #[serde(alias = "request")]
    parameters: Told<bool>,
    environment: Told<bool>,
    #[serde(alias = "resolvedDependencies")]
    materials: Told<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BuildKitMetadata {
    vcs: Told<Vcs>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Vcs {
    source: Told<String>,
    revision: Told<String>,
}

impl V0 {
    pub(super) fn read(self) -> Provenance {
        let invocation = self.invocation.as_ref();
        let metadata = self.metadata.as_ref();
        let configured = invocation.and_then(|invocation| invocation.config_source.as_ref());
        let environment = invocation.and_then(|invocation| invocation.environment.as_ref());
        let origin = Origin { vcs: vcs(metadata), configured, repository: Told::Nothing };
        let entry_point = configured.and_then(|source| source.entry_point.clone());
        Provenance {
            version: ProvenanceVersion::V0_2,
            build_type: self.build_type,
            builder_id: id(self.builder),
            mode_max: self.build_config.is_some(),
            source: origin.source(),
            client_source: origin.client_source(),
            revision: origin.revision(&self.materials),
            workflow: Workflow {
                // Of other builders it is a Dockerfile, or the name of a task.
                path: entry_point
                    .and_then(|path| if path.starts_with(".github/") { Told::Said(path) } else { Told::Nothing }),
                git_ref: environment
                    .and_then(|environment| environment.github_ref.clone())
                    .or_else(|| origin.git_ref()),
                event: environment.and_then(|environment| environment.github_event_name.clone()),
                runner: Told::Nothing,
            },
            arguments: invocation.and_then(|invocation| invocation.parameters.as_ref()).and_then(|raw| parameters(raw)),
            requests: invocation.and_then(|invocation| invocation.parameters.as_ref()).and_then(|raw| requests(raw)),
            claims: claims(metadata),
            finished: finished(metadata),
            materials: self.materials,
        }
    }
}

impl V1 {
    pub(super) fn read(self) -> Provenance {
        let definition = self.build_definition.map_or_else(BuildDefinition::default, |Members(read)| read);
        let run = self.run_details.map_or_else(RunDetails::default, |Members(read)| read);
        let metadata = run.metadata.as_ref();
        let external = definition.external_parameters.as_ref().and_then(|raw| object::<ExternalParameters>(raw));
        let external = external.as_ref();
        let internal = definition.internal_parameters.map_or_else(InternalParameters::default, |Members(read)| read);
        let github = internal.github.as_ref();
        let workflow = external.and_then(|external| external.workflow.as_ref());
        let source = external.and_then(|external| external.config_source.as_ref());
        let origin = Origin {
            vcs: vcs(metadata),
            configured: source.or_else(|| external.and_then(|external| external.source.as_ref())),
            repository: workflow.and_then(|workflow| workflow.repository.clone()),
        };
        let request = external.and_then(|external| external.request.as_ref());
        Provenance {
            version: ProvenanceVersion::V1,
            build_type: definition.build_type,
            builder_id: id(run.builder),
            mode_max: internal.build_config.is_some(),
            source: origin.source(),
            client_source: origin.client_source(),
            revision: origin.revision(&definition.resolved_dependencies),
            workflow: Workflow {
                path: workflow.and_then(|workflow| workflow.path.clone()),
                git_ref: workflow.and_then(|workflow| workflow.r#ref.clone()).or_else(|| origin.git_ref()),
                event: github.and_then(|github| github.event_name.clone()),
                runner: github.and_then(|github| github.runner_environment.clone()),
            },
            arguments: match request {
                Told::Nothing => definition.external_parameters.as_ref().and_then(|raw| external_parameters(raw)),
                request => request.and_then(|raw| parameters(raw)),
            },
            requests: request.and_then(|raw| requests(raw)),
            claims: claims(metadata),
            finished: finished(metadata),
            materials: definition.resolved_dependencies,
        }
    }
}

fn id(builder: Option<Members<Builder>>) -> Option<String> {
    builder?.0.id.filter(|id| !id.is_empty())
}

fn claims(metadata: Told<&Metadata>) -> Claims {
    let complete = metadata.and_then(|metadata| metadata.buildkit_completeness.as_ref());
    Claims {
        hermetic: metadata.and_then(|metadata| metadata.buildkit_hermetic),
        reproducible: metadata.and_then(|metadata| metadata.buildkit_reproducible),
        complete_parameters: complete.and_then(|complete| complete.parameters),
        complete_environment: complete.and_then(|complete| complete.environment),
        complete_materials: complete.and_then(|complete| complete.materials),
    }
}

fn finished(metadata: Told<&Metadata>) -> Told<String> {
    metadata.and_then(|metadata| metadata.finished.clone()).filled()
}

fn vcs(metadata: Told<&Metadata>) -> Told<&Vcs> {
    metadata.and_then(|metadata| metadata.buildkit.as_ref()).and_then(|buildkit| buildkit.vcs.as_ref())
}

fn object<T: for<'de> Deserialize<'de>>(raw: &RawValue) -> Told<T> {
    serde_json::from_str::<Members<T>>(raw.get()).map_or(Told::Garbled, |Members(read)| Told::Said(read))
}

/// The arguments in what a builder was asked for: `BuildKit` keeps them together, others write them side by side.
fn parameters(raw: &RawValue) -> Told<BTreeMap<String, String>> {
    object::<Request>(raw).and_then(|request| match (&request.frontend, request.args) {
        (Told::Nothing, Told::Nothing) => others(raw, |_| true),
        (_, Told::Nothing) => Told::Said(BTreeMap::new()),
        (_, args) => args.map(Arguments::texts),
    })
}

/// What `BuildKit` was asked for besides the arguments and what is told without values.
fn requests(raw: &RawValue) -> Told<BTreeMap<String, String>> {
    object::<Request>(raw).and_then(|request| match (&request.frontend, &request.args) {
        // Of another builder all of it are arguments.
        (Told::Nothing, Told::Nothing) => Told::Nothing,
        _ => others(raw, |name| !["frontend", "args", "secrets", "ssh", "locals"].contains(&name)),
    })
}

/// The external parameters of a builder that is not `BuildKit`, besides those that are read apart.
fn external_parameters(raw: &RawValue) -> Told<BTreeMap<String, String>> {
    others(raw, |name| !["configSource", "source", "workflow"].contains(&name))
}

/// Parameters by their names. Those in an object have its name before theirs: `inputs.VERSION`.
fn others(raw: &RawValue, wanted: impl Fn(&str) -> bool) -> Told<BTreeMap<String, String>> {
    object::<Arguments>(raw).and_then(|arguments| {
        let mut texts = BTreeMap::new();
        for (name, value) in arguments.args.into_iter().filter(|(name, _)| wanted(name)) {
            if !value.get().starts_with('{') {
                texts.insert(name, text(&value));
                continue;
            }
            let Told::Said(inner) = object::<Arguments>(&value) else { return Told::Garbled };
            // A long name before many would take far more memory than the statement.
            if name.len() > LONGEST_OUTER || texts.len() + inner.args.len() > bounded::MOST {
                return Told::Garbled;
            }
            texts.extend(inner.args.iter().map(|(inner, value)| (format!("{name}.{inner}"), text(value))));
        }
        Told::Said(texts)
    })
}

/// An argument as text; one that is no string is kept as JSON, so that none is overlooked.
fn text(raw: &RawValue) -> String {
    match serde_json::from_str::<Text<'_>>(raw.get()) {
        Ok(text) => text.0.into_owned(),
        Err(_) => raw.get().to_owned(),
    }
}

impl Arguments {
    fn texts(self) -> BTreeMap<String, String> {
        self.args.into_iter().map(|(name, raw)| (name, text(&raw))).collect()
    }
}

/// The places where a provenance names what was built.
struct Origin<'p> {
    /// What the builder fetched.
    configured: Told<&'p Source>,
    repository: Told<String>,
    /// What the client says of the directory that it sent; `BuildKit` takes its word for it.
    vcs: Told<&'p Vcs>,
}

impl Origin<'_> {
    fn source(&self) -> Told<String> {
        self.fetched().or_else(|| self.client_source())
    }

    fn client_source(&self) -> Told<String> {
        self.vcs.and_then(|vcs| vcs.source.clone()).filled()
    }

    /// The commit of what the builder fetched. The client's word counts only where nothing was.
    fn revision(&self, materials: &[Material]) -> Told<String> {
        let fetched = self.fetched();
        if matches!(fetched, Told::Nothing) {
            return self.vcs.and_then(|vcs| vcs.revision.clone()).filled();
        }
        self.configured.and_then(Source::commit).or_else(|| {
            fetched.and_then(|source| {
                let built = materials.iter().find(|material| material.is_of(&source));
                built.and_then(Material::commit).map_or(Told::Nothing, |commit| Told::Said(commit.to_owned()))
            })
        })
    }

    fn fetched(&self) -> Told<String> {
        self.uri().or_else(|| self.repository.clone().filled())
    }

    fn uri(&self) -> Told<String> {
        self.configured.and_then(|source| source.uri.clone()).filled()
    }

    /// The reference behind an address: `https://host/repository.git#refs/heads/main`, `git+https://…@refs/tags/v1`.
    fn git_ref(&self) -> Told<String> {
        self.uri().and_then(|uri| {
            let git_ref = uri.rfind(['@', '#']).map(|at| &uri[at + 1..]).filter(|rest| rest.starts_with("refs/"));
            git_ref.map_or(Told::Nothing, |git_ref| Told::Said(git_ref.to_owned()))
        })
    }
}

impl Source {
    fn commit(&self) -> Told<String> {
        self.digest.as_ref().and_then(|Digests { digests }| {
            let commit = digests.get("gitCommit").or_else(|| digests.get("sha1"));
            commit.map_or(Told::Nothing, |commit| Told::Said(commit.clone()))
        })
    }
}
