use super::carriers::{Content, Coverage, Home, Sought};
use super::prelude::*;
use crate::oci::predicate::{self, PredicateClass};

declare_rule! {
    /// The image has a software bill of materials.
    ///
    /// # What it checks
    ///
    /// That a bill of materials (SBOM) is about each platform or about the image as a whole, in one of these homes, asked in
    /// this order and only as far as needed: the image's own index (where `BuildKit` puts it), what refers to the image (the
    /// referrers API, or the fallback tag of registries without it) including Sigstore bundles, and cosign's tags
    /// `sha256-….att` and `sha256-….sbom`. A carrier counts when it is bound to the digest: by its own `subject`, by the
    /// annotation `vnd.docker.reference.digest` of its entry in the index, or by its tag. A failure names every place looked in
    /// and what was found there and does not count.
    ///
    /// # Why
    ///
    /// When the next vulnerability is made public, the question is which images hold the package. A bill of materials that
    /// travels with the image answers it without pulling a layer.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.sbom]
    /// coverage = "each-platform"
    /// formats = ["spdx", "cyclonedx"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `coverage` (`"either"` by default, `"each-platform"` or `"image"`): what the SBOM must be about. `each-platform` wants
    ///   one for each platform; one about what the reference points to counts if that has a single platform. `image` wants one
    ///   about what the reference points to, so that those in the index do not count. `either` takes one or the other.
    /// - `formats` (list of `"spdx"`, `"cyclonedx"`, `"syft"` and `"scout"`, all of them by default): the formats that count.
    /// - `homes` (list of `"in-index"`, `"referrers"`, `"bundles"` and `"tags"`, all of them by default): the homes that count;
    ///   `bundles` are the Sigstore bundles among the referrers.
    ///
    /// # How to fix
    ///
    /// With buildx 0.10 and BuildKit 0.11 or later: `docker buildx build --sbom=true --output type=registry -t IMAGE .` writes
    /// one for each platform into the index. For an image that is already pushed, for each platform's digest:
    /// `cosign attest --type spdxjson --predicate sbom.spdx.json IMAGE@DIGEST` (cosign 3 writes a bundle as a referrer, cosign
    /// 2 the tag `.att`), or `oras attach --artifact-type application/spdx+json IMAGE@DIGEST sbom.spdx.json`.
    ///
    /// # What it cannot see
    ///
    /// Whether the bill of materials is complete, true, or about this image by its own words: the binding is judged, not the
    /// content, and no signature is verified. On a registry without the referrers API, referrers that were pushed without the
    /// fallback tag. A bill of materials in another registry, or inside a layer (buildpacks).
    Sbom: "sbom"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Sbom {
    coverage: Coverage,
    formats: Option<BTreeSet<Format>>,
    homes: Option<Vec<Home>>,
}

/// A format of bills of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Spdx,
    CycloneDx,
    Syft,
    Scout,
}

impl Format {
    /// The format of what a carrier holds, if that is a bill of materials.
    fn of(content: &Content<'_>) -> Option<Self> {
        match content {
            Content::Statement { predicate_type, .. } => match predicate::class(predicate_type) {
                PredicateClass::Spdx => Some(Self::Spdx),
                PredicateClass::CycloneDx => Some(Self::CycloneDx),
                PredicateClass::OtherSbom if predicate_type.starts_with("https://scout.docker.com/") => {
                    Some(Self::Scout)
                }
                PredicateClass::OtherSbom => Some(Self::Syft),
                _ => None,
            },
            Content::Sbom(media_type) if media_type.as_str().contains("spdx") => Some(Self::Spdx),
            Content::Sbom(media_type) if media_type.as_str().contains("cyclonedx") => Some(Self::CycloneDx),
            Content::Sbom(_) => Some(Self::Syft),
            _ => None,
        }
    }
}

impl Check for Sbom {
    fn judges(&self) -> Judges {
        self.coverage.judges()
    }

    fn judges_artifacts(&self) -> bool {
        self.coverage == Coverage::Image
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.formats.as_ref().is_some_and(BTreeSet::is_empty) {
            problems.push(Problem::with("formats", "name a format, or leave `formats` out for all of them"));
        }
        match self.homes.as_deref() {
            Some([]) => problems.push(Problem::with("homes", "name a home, or leave `homes` out for all of them")),
            Some([Home::InIndex]) if self.coverage == Coverage::Image => {
                let message = "what stands in the index is about its platforms, never about the image: name another home, or another `coverage`";
                problems.push(Problem::with("homes", message));
            }
            _ => {}
        }
        problems
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        self.coverage.require(self, subject, view, || fix(subject, view))
    }
}

impl Sought for Sbom {
    fn noun(&self) -> String {
        "SBOM".to_owned()
    }

    fn homes(&self) -> &[Home] {
        self.homes.as_deref().unwrap_or(&Home::ALL)
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att", "sbom"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        Format::of(content).is_some_and(|format| self.formats.as_ref().is_none_or(|formats| formats.contains(&format)))
    }
}

fn fix(subject: Subject<'_>, view: &View<'_>) -> Fix {
    let attest = "cosign attest --type spdxjson --predicate sbom.spdx.json {}";
    let attach = "oras attach --artifact-type application/spdx+json {} sbom.spdx.json";
    words::build("docker buildx build --platform {} --sbom=true --output type=registry -t {} .", view)
        .or(&words::about(attest, subject, view))
        .or(&words::about(attach, subject, view))
}
