//! What SLSA provenance says of a build.

mod forms;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{StatementError, Told, bounded, parse};
use forms::{V0, V1};

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
    pub source: Told<String>,
    /// The repository that the client names, who is only believed where nothing was fetched.
    pub client_source: Told<String>,
    /// The commit that was built.
    pub revision: Told<String>,
    /// The workflow that built.
    pub workflow: Workflow,
    /// The arguments of the build: of `BuildKit` as it names them (`build-arg:VERSION`, `label:…`, `target`), else the external
    /// parameters, of which those in an object have its name before theirs (`inputs.VERSION`). [`Told::Nothing`] where the
    /// statement has no place for them.
    pub arguments: Told<BTreeMap<String, String>>,
    /// What else `BuildKit` was asked for, as JSON, by name (`inputs.base`): requests within the request have arguments of their
    /// own.
    pub requests: Told<BTreeMap<String, String>>,
    /// What the build claims of itself.
    pub claims: Claims,
    /// When the build ended, as written.
    pub finished: Told<String>,
    /// What went into the build: base images, sources.
    pub materials: Vec<Material>,
}

/// What a build claims of itself. Claims are no proof.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Claims {
    /// It had no network.
    pub hermetic: Told<bool>,
    /// Another build of the same gives the same.
    pub reproducible: Told<bool>,
    /// All parameters are told (`parameters`; `request` in `BuildKit`'s form of version 1).
    pub complete_parameters: Told<bool>,
    /// All of the environment is told; version 1 has no such claim.
    pub complete_environment: Told<bool>,
    /// All materials are told (`materials`; `resolvedDependencies` in `BuildKit`'s form of version 1).
    pub complete_materials: Told<bool>,
}

/// The workflow that built, as GitHub's builders tell it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Workflow {
    /// Its file in the repository: `.github/workflows/release.yml`.
    pub path: Told<String>,
    /// The branch or tag that it ran for: `refs/tags/v1.2`.
    pub git_ref: Told<String>,
    /// What started it: `push`, `workflow_dispatch`.
    pub event: Told<String>,
    /// Where it ran: `github-hosted`, `self-hosted`.
    pub runner: Told<String>,
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

impl Provenance {
    /// Whether it is of a version that is read, and says nothing of any build.
    pub fn is_empty(&self) -> bool {
        self.version != ProvenanceVersion::Other
            && self.build_type.is_none()
            && self.builder_id.is_none()
            && self.arguments == Told::Nothing
            && self.finished == Told::Nothing
            && self.materials.is_empty()
    }

    /// What every builder must tell in the same form, if it is of another type.
    pub fn garbled(&self) -> Option<&'static str> {
        if self.arguments == Told::Garbled {
            return Some("what the build was asked for");
        }
        (self.finished == Told::Garbled).then_some("when the build ended")
    }
}

pub(super) fn read(predicate_type: &str, predicate: &RawValue) -> Result<Provenance, StatementError> {
    let predicate = predicate.get().as_bytes();
    Ok(match predicate_type {
        "https://slsa.dev/provenance/v1" => parse::<V1>(predicate, "provenance")?.read(),
        "https://slsa.dev/provenance/v0.2" => parse::<V0>(predicate, "provenance")?.read(),
        _ => Provenance { version: ProvenanceVersion::Other, ..parse::<V0>(predicate, "provenance")?.read() },
    })
}

impl Material {
    /// The commit that it is, of a repository.
    pub fn commit(&self) -> Option<&str> {
        let named = self.digests.get("gitCommit");
        named.or_else(|| self.digests.get("sha1")).map(String::as_str)
    }

    /// Whether a digest of a known algorithm says which content it is.
    pub fn is_pinned(&self) -> bool {
        let known = |(algorithm, hex): (&String, &String)| {
            let lengths: &[usize] = match algorithm.to_ascii_lowercase().as_str() {
                "sha256" => &[64],
                "sha384" => &[96],
                "sha512" => &[128],
                "sha1" => &[40],
                "gitcommit" | "gittree" | "gitblob" | "gittag" => &[40, 64],
                _ => &[],
            };
            lengths.contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        self.digests.iter().any(known)
    }

    /// Whether this is the repository of that URL, at any reference.
    fn is_of(&self, repository: &str) -> bool {
        let uri = self.uri.as_deref().unwrap_or_default();
        let rest = uri.strip_prefix("git+").unwrap_or(uri).strip_prefix(repository);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '#']))
    }
}
