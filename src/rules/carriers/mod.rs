//! Carriers: manifests that hold statements, bills of materials or signatures about another manifest, and the homes in which
//! they are kept.
//!
//! A carrier proves itself: its manifest is fetched, and binds itself to the subject (image-spec, `subject`), or is bound by
//! the descriptor in the index (BuildKit), or by its tag (cosign). What a list says of it is a hint and never the proof.

mod bill;
mod content;
mod coverage;
mod found;
mod index;
mod provenance;
mod search;
mod subjects;
#[cfg(test)]
mod tests;

pub(super) use bill::sbom;
pub(super) use content::{Content, SignatureKind};
pub(super) use coverage::{Coverage, location};
pub(super) use found::{Found, Missing};
pub(super) use provenance::{SoughtProvenance, provenance};
pub(super) use search::Search;
pub(super) use subjects::{are_others, is_called_otherwise, own, statement};

use super::prelude::*;

/// Where carriers are kept, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Home {
    /// Entries of the image's own index, as BuildKit writes them.
    InIndex,
    /// What refers to the subject, by the referrers API or the fallback tag, but for Sigstore bundles.
    Referrers,
    /// What refers to the subject and is a Sigstore bundle.
    Bundles,
    /// cosign's tags `sha256-….att`, `.sbom` and `.sig`.
    Tags,
}

impl Home {
    pub(super) const ALL: [Home; 4] = [Self::InIndex, Self::Referrers, Self::Bundles, Self::Tags];
}

/// What a rule looks for in carriers.
pub(super) trait Sought {
    /// What it is, in a sentence without an article: `SBOM`.
    fn noun(&self) -> String;

    /// The homes that count.
    fn homes(&self) -> &[Home] {
        &Home::ALL
    }

    /// The suffixes of cosign's tags that may hold it.
    fn tags(&self) -> &'static [&'static str];

    /// Whether it may be in a statement whose predicate type is not told yet.
    fn may_be_statement(&self) -> bool {
        true
    }

    /// Whether a statement's type is what the statement says, rather than what the manifest says of it: whoever looks for what
    /// must not be there cannot trust a copy.
    fn opens_statements(&self) -> bool {
        false
    }

    /// Whether this is what is looked for, as far as its kind tells.
    fn wants(&self, content: &Content<'_>) -> bool;

    /// How much a find is worth, to be said beside it.
    fn proven(&self) -> &'static str {
        "presence only, no signature was verified"
    }

    /// Looks closer at a content that is of the kind wanted, in a carrier that is bound to that manifest: what it is, or why it
    /// does not count. Every statement is read, whatever it is called: it may be about another image.
    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        Ok(own(content, about, view)?.map(|()| content.to_string()))
    }
}
