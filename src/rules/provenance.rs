use super::carriers::{Content, Coverage, Sought};
use super::prelude::*;
use crate::oci::predicate::{self, PredicateClass};
use crate::oci::{Provenance, Statement};

declare_rule! {
    /// The image has provenance: a record of how and from what it was built.
    ///
    /// # What it checks
    ///
    /// That a SLSA provenance statement is about each platform or about the image as a whole, in the homes of the rule `sbom`:
    /// the image's own index, what refers to the image, Sigstore bundles, and cosign's tag `sha256-….att`. One statement must
    /// meet all parameters; parts of several do not add up. SLSA provenance 0.2 and 1 are read; a verification summary is no
    /// provenance.
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
    /// - `match` (table with the names `source` and `revision`, empty by default): regular expressions that the repository of
    ///   the source and the commit must match, as the statement writes them.
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
    /// Whether the statement is true: no signature is verified, and BuildKit's own are not signed. On a registry without the
    /// referrers API, referrers that were pushed without the fallback tag. Attestations that GitHub keeps in its own store.
    ProvenanceRule: "provenance"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ProvenanceRule {
    coverage: Coverage,
    types: Vec<Glob>,
    mode: Mode,
    builders: Vec<Pattern>,
    r#match: Matched,
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
}

impl Check for ProvenanceRule {
    fn judges(&self) -> Judges {
        self.coverage.judges()
    }

    fn judges_artifacts(&self) -> bool {
        self.coverage == Coverage::Image
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

    fn examine(&self, content: &Content<'_>, _: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let Content::Statement { layer, predicate_type } = content else { return Ok(Err(content.to_string())) };
        if !self.looks_inside() {
            return Ok(Ok(content.to_string()));
        }
        Ok(match view.statement(layer)? {
            // The type that the manifest tells is only a copy.
            statement if statement.predicate_type != *predicate_type => Err(format!(
                "it says '{}' of a statement of type '{}'",
                Untrusted(predicate_type),
                Untrusted(&statement.predicate_type)
            )),
            Statement { provenance: Some(provenance), .. } => {
                self.fault(provenance).map_or_else(|| Ok(self.evidence(content, provenance)), Err)
            }
            _ => Err("its provenance is empty".to_owned()),
        })
    }
}

impl ProvenanceRule {
    /// Whether the statement itself has to be read.
    fn looks_inside(&self) -> bool {
        self.mode == Mode::Max
            || !self.builders.is_empty()
            || self.r#match.source.is_some()
            || self.r#match.revision.is_some()
    }

    /// The first parameter that the statement does not meet.
    fn fault(&self, provenance: &Provenance) -> Option<String> {
        if self.mode == Mode::Max && !provenance.mode_max {
            return Some("its mode is not max".to_owned());
        }
        let builder = provenance.builder_id.as_deref();
        if !self.builders.is_empty()
            && !self.builders.iter().any(|pattern| builder.is_some_and(|id| pattern.matches(id)))
        {
            return Some(format!("its builder is {}", quoted(builder)));
        }
        let parts = [
            ("source", &self.r#match.source, &provenance.source),
            ("revision", &self.r#match.revision, &provenance.revision),
        ];
        parts.into_iter().find_map(|(name, pattern, found)| {
            let found = found.as_deref();
            let pattern = pattern.as_ref().filter(|pattern| !found.is_some_and(|found| pattern.matches(found)))?;
            Some(format!("its {name} is {}, wanted a match of '{}'", quoted(found), pattern.as_str()))
        })
    }

    fn evidence(&self, content: &Content<'_>, provenance: &Provenance) -> String {
        let mode = if provenance.mode_max { " (mode max)" } else { "" };
        let builder = if self.builders.is_empty() {
            String::new()
        } else {
            format!(" by {}", quoted(provenance.builder_id.as_deref()))
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

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "not named".to_owned(), |text| format!("'{}'", Untrusted(text)))
}
