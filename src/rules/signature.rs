use super::carriers::{Content, Coverage, Home, SignatureKind, Sought, statement};
use super::prelude::*;
use crate::oci::Wrapping;
use crate::oci::predicate::{self, PredicateClass};

declare_rule! {
    /// A signature is attached to the image; whether it is valid is not checked.
    ///
    /// # What it checks
    ///
    /// That a signature of cosign or of the Notary Project is about the image: among what refers to it (the referrers API, or
    /// the fallback tag of registries without it), or under cosign's tag `sha256-….sig`. Only its presence is checked, bound to
    /// the digest by its own `subject` or by its tag, and by the statement that a bundle holds; no signature is verified, and the
    /// evidence says so. A signed attestation, such as an SBOM from `cosign attest`, is no signature of the image.
    ///
    /// # Why
    ///
    /// An image without any signature cannot be verified where it is deployed. This rule finds out early; the verification
    /// itself belongs to the cluster's admission controller, with its keys and identities.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.signature]
    /// coverage = "image"
    /// kinds = ["cosign"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `coverage` (`"image"` by default, `"each-platform"` or `"either"`): what must be signed. `image` is what the reference
    ///   points to, charts and other artifacts included; `each-platform` wants a signature for each platform, where one of what
    ///   the reference points to counts if that has a single platform; `either` takes one or the other.
    /// - `kinds` (list of `"cosign"` and `"notation"`, both by default): the kinds that count; one of them suffices.
    ///
    /// # How to fix
    ///
    /// `cosign sign IMAGE@DIGEST` signs what the reference points to, `cosign sign --recursive IMAGE@DIGEST` its platforms as
    /// well; or `notation sign IMAGE@DIGEST`. Sign last: whatever changes the image orphans its signatures.
    ///
    /// # What it cannot see
    ///
    /// Whether the signature is valid, whose it is, and whether it is still trusted. Signatures in another repository
    /// (`COSIGN_REPOSITORY`), and the GPG signatures of Podman and Red Hat, which are kept outside repositories. On a registry
    /// without the referrers API, referrers that were pushed without the fallback tag.
    Signature: "signature"
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Signature {
    coverage: Coverage,
    kinds: BTreeSet<SignatureKind>,
}

impl Default for Signature {
    fn default() -> Self {
        Self { coverage: Coverage::Image, kinds: BTreeSet::from([SignatureKind::Cosign, SignatureKind::Notation]) }
    }
}

impl Check for Signature {
    fn judges(&self) -> Judges {
        self.coverage.judges()
    }

    fn judges_artifacts(&self) -> bool {
        self.coverage == Coverage::Image
    }

    fn problems(&self) -> Vec<Problem> {
        let none = || Problem::with("kinds", "name a kind, or leave `kinds` out for both");
        self.kinds.is_empty().then(none).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        self.coverage.require(self, subject, view, || self.fix(subject, view))
    }
}

impl Signature {
    fn takes(&self, kind: SignatureKind) -> bool {
        self.kinds.contains(&kind)
    }

    fn fix(&self, subject: Subject<'_>, view: &View<'_>) -> Fix {
        let cosign = words::about("cosign sign {}", subject, view);
        let notation = words::about("notation sign {}", subject, view);
        match (self.takes(SignatureKind::Cosign), self.takes(SignatureKind::Notation)) {
            (true, true) => cosign.or(&notation),
            (true, false) => cosign,
            _ => notation,
        }
    }
}

impl Sought for Signature {
    fn noun(&self) -> String {
        words::either(self.kinds.iter())
    }

    fn homes(&self) -> &[Home] {
        &[Home::Referrers, Home::Bundles, Home::Tags]
    }

    fn tags(&self) -> &'static [&'static str] {
        if self.takes(SignatureKind::Cosign) { &["sig"] } else { &[] }
    }

    fn may_be_statement(&self) -> bool {
        false
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        match content {
            Content::Signature(kind) => self.takes(*kind),
            // cosign 3 signs with a statement of its own type, in a bundle.
            Content::Statement { predicate_type, .. } => {
                predicate::class(predicate_type) == PredicateClass::Signature && self.takes(SignatureKind::Cosign)
            }
            Content::OpaqueBundle(_) => self.takes(SignatureKind::Cosign),
            Content::Sbom { .. } | Content::Unsigned | Content::Other(_) => false,
        }
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        match content {
            Content::Statement { .. } => Ok(statement(content, about, view)?.and_then(|statement| {
                let signed = statement.wrapping != Wrapping::None;
                let signature = || Content::Signature(SignatureKind::Cosign).to_string();
                signed.then(signature).ok_or_else(|| "its statement is not signed".to_owned())
            })),
            Content::OpaqueBundle(_) => {
                let detail = "it holds no statement, and no annotation says that it signs a digest";
                Err(Why::undecidable("reading a Sigstore bundle", detail).into())
            }
            _ => Ok(Ok(content.to_string())),
        }
    }
}
