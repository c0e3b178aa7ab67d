mod demands;
mod materials;

use super::Duration;
use super::carriers::{Content, Coverage, Sought, provenance};
use super::prelude::*;
use crate::oci::Provenance;
use crate::oci::predicate::{self, PredicateClass};
use demands::Claim;
use materials::Materials;

declare_rule! {
    /// The image has provenance: a record of how and from what it was built.
    ///
    /// # What it checks
    ///
    /// That a SLSA provenance statement is about each platform or about the image as a whole, in the homes of the rule `sbom`:
    /// the image's own index, what refers to the image, Sigstore bundles, and cosign's tag `sha256-….att`. One statement must
    /// meet all parameters; parts of several do not add up. SLSA provenance 0.2 and 1 are read, of BuildKit, GitHub's builders, Tekton
    /// and others, and of other versions only that they are there; a verification summary is no provenance. What a parameter asks
    /// about and has another type than it must is unknown, never absent. The statement itself is read, whatever it is called; one
    /// whose subjects are other digests is none of this image.
    ///
    /// # Why
    ///
    /// Provenance tells which source, at which commit, by which builder, became this image. Without it nobody can tell an image
    /// that the pipeline made from one that somebody pushed by hand.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.provenance]
    /// mode = "max"
    /// builders = ['https://github\.com/acme/.+/actions/runs/\d+/attempts/\d+']
    /// match = { source = '(git\+)?https://github\.com/acme/.+' }
    /// materials = { pinned = true, allow = ["docker.io/library/*", "ghcr.io/acme/**", "https://github.com/acme/**"] }
    /// claims = ["complete-parameters"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `coverage` (`"either"` by default, `"each-platform"` or `"image"`): what the provenance must be about; as for `sbom`.
    /// - `types` (list of globs over predicate types, all of provenance by default): for example
    ///   `["https://slsa.dev/provenance/v1"]`.
    /// - `mode` (`"any"` by default, or `"max"`): `max` wants the whole build described, as BuildKit does in that mode. Mind
    ///   that it records build arguments, secrets among them if any were given that way.
    /// - `builders` (list of regular expressions, empty by default): one of them must match the builder's id; an empty id is
    ///   none.
    /// - `build-types` (list of globs, empty by default): one of them must match the kind of build, such as
    ///   `"https://mobyproject.org/buildkit@v1"` (SLSA 0.2) and
    ///   `"https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"` (SLSA 1).
    /// - `match` (table of name and regular expression, empty by default): what the statement must say, as it writes it: `source`
    ///   (the repository) and `revision` (the commit); of GitHub's workflows also `workflow` (its file, `\.github/workflows/x\.yml`),
    ///   `ref` (`refs/tags/v.+`), `event` (`push`) and `runner` (`github-hosted`).
    /// - `materials` (table, empty by default): what the build was made from, base images and sources. `pinned = true` wants a digest
    ///   of each; `allow` and `deny` are globs over their addresses: `docker.io/library/alpine` of an image, `pkg:oci/NAME` of one in a layout,
    ///   `https://github.com/acme/app` of a repository, without user and password. Where `pinned` or `allow` is given there must be materials.
    /// - `claims` (list, empty by default): what the build must claim of itself: `"hermetic"` (it had no network), `"reproducible"`,
    ///   `"complete-parameters"`, `"complete-environment"` (SLSA 0.2 only) and `"complete-materials"`: nothing of the kind was left out.
    /// - `allow-args` (list of globs over names, default all): the only arguments that the build may have had, as BuildKit names them:
    ///   `"build-arg:VERSION"`, `"label:*"`, `"target"`; of other builders the names of their parameters, of those in an object with
    ///   its name: `"inputs.VERSION"` of a workflow.
    /// - `deny-args` (list of globs over names, empty by default): arguments that the build must not have had. Where one of the two is
    ///   given the statement must tell the arguments, and must not say that it left some out, as BuildKit does in mode min.
    /// - `max-age` (a time span such as `"90d"`, default none): how long ago the build may have ended.
    ///
    /// # How to fix
    ///
    /// With buildx 0.10 and BuildKit 0.11 or later:
    /// `docker buildx build --provenance=mode=max --output type=registry -t IMAGE .`; the builder's id is set with
    /// `--attest type=provenance,mode=max,builder-id=URL`. In GitHub Actions `actions/attest-build-provenance` with
    /// `push-to-registry: true`. Provenance that was made elsewhere:
    /// `cosign attest --type slsaprovenance1 --predicate FILE IMAGE@DIGEST`.
    ///
    /// # What it cannot see
    ///
    /// Whether the statement is true: no signature is verified, and BuildKit's own are not signed. Of a build from a directory BuildKit
    /// takes the client's word for source and revision; of one from a repository what was fetched counts. On a registry without the
    /// referrers API, referrers that were pushed without the fallback tag. Attestations that GitHub keeps in its own store. The values
    /// of build arguments are looked at by the rule `secrets`.
    ProvenanceRule: "provenance"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ProvenanceRule {
    coverage: Coverage,
    types: Vec<Glob>,
    mode: Mode,
    builders: Vec<Pattern>,
    build_types: Vec<Glob>,
    r#match: Matched,
    materials: Materials,
    claims: BTreeSet<Claim>,
    allow_args: Vec<Glob>,
    deny_args: Vec<Glob>,
    max_age: Option<Duration>,
}

/// How much of the build is described.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    Any,
    Max,
}

/// Regular expressions for what the statement says of the source.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Matched {
    /// What the address of the source must match.
    source: Option<Pattern>,
    /// What the revision that was built must match.
    revision: Option<Pattern>,
    /// What the file of the workflow must match.
    workflow: Option<Pattern>,
    /// What the branch or tag that was built must match.
    r#ref: Option<Pattern>,
    /// What started the build.
    event: Option<Pattern>,
    /// Where it ran.
    runner: Option<Pattern>,
}

impl Check for ProvenanceRule {
    fn judges(&self) -> Judges {
        self.coverage.judges()
    }

    fn judges_artifacts(&self) -> bool {
        self.coverage == Coverage::Image
    }

    fn problems(&self) -> Vec<Problem> {
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<Vec<_>>();
        let args = allowed_and_denied(texts(&self.allow_args), texts(&self.deny_args));
        let args = args.map(|problem| Problem::with("deny-args", problem.message.replace("`allow`", "`allow-args`")));
        self.materials.problem().into_iter().chain(args).collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        self.coverage.require(self, subject, view, || self.fix(subject, view))
    }
}

impl Sought for ProvenanceRule {
    fn noun(&self) -> String {
        if self.looks_inside() || !self.types.is_empty() {
            "provenance that meets the rule".to_owned()
        } else {
            "provenance".to_owned()
        }
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        let Content::Statement { predicate_type, .. } = content else { return false };
        let typed = self.types.is_empty() || self.types.iter().any(|glob| glob.matches(predicate_type));
        typed && predicate::class(predicate_type) == PredicateClass::Provenance
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let provenance = match provenance(content, about, view)? {
            Ok(provenance) => provenance,
            Err(reason) => return Ok(Err(reason)),
        };
        if !self.looks_inside() {
            let why = |part| {
                let detail = format!("{part} is of another type than it must be");
                Why::undecidable("reading the provenance", detail).into()
            };
            return provenance.garbled().map_or_else(|| Ok(Ok(content.to_string())), |part| Err(why(part)));
        }
        let fault = self.fault(provenance, view.now())?;
        Ok(fault.map_or_else(|| Ok(self.evidence(content, provenance)), Err))
    }
}

impl ProvenanceRule {
    fn evidence(&self, content: &Content<'_>, provenance: &Provenance) -> String {
        let mode = if provenance.mode_max { " (mode max)" } else { "" };
        let builder = if self.builders.is_empty() {
            String::new()
        } else {
            format!(" by {}", demands::quoted(provenance.builder_id.as_deref()))
        };
        format!("{content}{mode}{builder}")
    }

    fn fix(&self, subject: Subject<'_>, view: &View<'_>) -> Fix {
        let build = if self.builders.is_empty() {
            words::build("docker buildx build --platform {} --provenance=mode=max --output type=registry -t {} .", view)
        } else {
            let command = "docker buildx build --platform {} --attest type=provenance,mode=max,builder-id=URL --output type=registry -t {} .";
            words::build(command, view)
        };
        build.or(&words::about("cosign attest --type slsaprovenance1 --predicate FILE {}", subject, view))
    }
}
