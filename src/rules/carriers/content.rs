//! What a carrier holds, told by its manifest where that is possible, else by its blobs.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use super::super::prelude::*;
use crate::oci::Algorithm::{Sha256, Sha512};
use crate::oci::{PredicateClass, Role, known, predicate};

/// Layer annotations that tell the predicate type of a statement: BuildKit's, cosign's.
const LAYER_PREDICATES: [&str; 2] = ["in-toto.io/predicate-type", "predicateType"];
/// The annotation of a Sigstore bundle that tells its predicate type.
pub(super) const BUNDLE_PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// The annotation of a Sigstore bundle that tells whether it holds a statement or signs a digest.
pub(super) const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
/// The annotation of cosign's simple signing payload that holds the signature over it.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// One thing that a carrier holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Content<'g> {
    /// An in-toto statement, signed or not.
    Statement {
        /// The type of its predicate.
        predicate_type: Cow<'g, str>,
        /// The blob that holds it.
        layer: &'g Descriptor,
    },
    /// A bill of materials as it is, not in a statement.
    Sbom {
        /// What it is said to be.
        media_type: &'g MediaType,
        /// The blob that holds it.
        layer: &'g Descriptor,
    },
    /// A signature over the subject, not verified.
    Signature(SignatureKind),
    /// cosign's payload without a signature over it.
    Unsigned,
    /// A Sigstore bundle that holds no statement: most likely a signature over a digest.
    OpaqueBundle(&'g Descriptor),
    /// Anything else.
    Other(&'g MediaType),
}

impl Content<'_> {
    /// What its predicate is about, if it is a statement.
    pub(in super::super) fn class(&self) -> Option<PredicateClass> {
        match self {
            Self::Statement { predicate_type, .. } => Some(predicate::class(predicate_type)),
            _ => None,
        }
    }
}

/// Whose form a signature has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in super::super) enum SignatureKind {
    /// cosign's, in simple signing form or in a Sigstore bundle.
    Cosign,
    /// The Notary Project's.
    Notation,
}

impl fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cosign => "cosign signature",
            Self::Notation => "Notary Project signature",
        })
    }
}

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement { predicate_type, .. } => write!(f, "a statement of type '{}'", ImageText(predicate_type)),
            Self::Signature(kind) => write!(f, "a {kind}"),
            Self::Unsigned => f.write_str("what cosign signs, without a signature"),
            Self::OpaqueBundle(_) => f.write_str("a Sigstore bundle without a statement"),
            Self::Sbom { media_type, .. } | Self::Other(media_type) => match media_type.description() {
                Some(description) => f.write_str(description),
                None => write!(f, "content of type '{}'", ImageText(media_type.as_str())),
            },
        }
    }
}

/// What a manifest tells of one thing that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told<'g> {
    /// What it is.
    Content(Content<'g>),
    /// A blob that has to be read to know: a statement of an unnamed type.
    Closed(&'g Descriptor),
}

/// What a manifest holds; of statements, what it says that they are.
pub(super) fn contents(manifest: &ImageManifest) -> Vec<Told<'_>> {
    told(manifest, &manifest.annotations, |layer| LAYER_PREDICATES.iter().find_map(|name| layer.annotations.get(*name)))
}

/// What a manifest holds, where it is not to be believed what it says of statements.
pub(super) fn unopened(manifest: &ImageManifest) -> Vec<Told<'_>> {
    static NONE: Annotations = Annotations::new();
    told(manifest, &NONE, |_| None)
}

fn told<'g>(
    manifest: &'g ImageManifest,
    annotations: &'g Annotations,
    named: impl Fn(&'g Descriptor) -> Option<&'g String>,
) -> Vec<Told<'g>> {
    let own = manifest.artifact_type.as_ref().filter(|own| !own.as_str().is_empty());
    let own = own.or(manifest.config.as_ref().map(|config| &config.media_type));
    // The Notary Project's signature manifests have exactly one layer, the envelope.
    if let Some(own) = own.filter(|own| own.role() == Role::NotationSignature) {
        let sound = matches!(&manifest.layers[..], [layer] if layer.media_type.role() == Role::SignatureEnvelope);
        let content = if sound { Content::Signature(SignatureKind::Notation) } else { Content::Other(own) };
        return vec![Told::Content(content)];
    }
    let filled = manifest.layers.iter().filter(|layer| !is_blank(layer));
    filled.map(|layer| content_of(layer, own, annotations, named(layer))).collect()
}

/// The digests of nothing, and of an empty object.
static BLANKS: LazyLock<[Digest; 4]> = LazyLock::new(|| {
    let [nothing, object]: [&[u8]; 2] = [b"", b"{}"];
    [(Sha256, nothing), (Sha256, object), (Sha512, nothing), (Sha512, object)]
        .map(|(algorithm, bytes)| Digest::of(algorithm, bytes))
});

/// Whether a blob is empty, or an empty object: it says nothing, and its digest tells that.
pub(super) fn is_blank(layer: &Descriptor) -> bool {
    layer.digest.as_ref().is_ok_and(|digest| BLANKS.contains(digest))
}

fn content_of<'g>(
    layer: &'g Descriptor,
    own: Option<&'g MediaType>,
    annotations: &'g Annotations,
    named: Option<&'g String>,
) -> Told<'g> {
    // Tools that attach any file (oras, regctl) tell its kind by the artifact's type and give the layer a common one.
    let says_nothing = matches!(layer.media_type.role(), Role::Generic | Role::Layer | Role::Unknown);
    let media_type = if says_nothing { own.unwrap_or(&layer.media_type) } else { &layer.media_type };
    let statement = |named: Option<&'g String>| match named {
        Some(named) => Told::Content(Content::Statement { predicate_type: Cow::Borrowed(named), layer }),
        None => Told::Closed(layer),
    };
    match media_type.role() {
        Role::Statement | Role::Envelope => statement(named),
        Role::Bundle if signs_a_digest(annotations) => Told::Content(Content::Signature(SignatureKind::Cosign)),
        Role::Bundle => statement(annotations.get(BUNDLE_PREDICATE).or(named)),
        Role::SimpleSigning if layer.annotations.get(SIGNATURE).is_some_and(|signature| !signature.is_empty()) => {
            Told::Content(Content::Signature(SignatureKind::Cosign))
        }
        Role::SimpleSigning => Told::Content(Content::Unsigned),
        Role::Sbom => Told::Content(Content::Sbom { media_type, layer }),
        _ => Told::Content(Content::Other(media_type)),
    }
}

/// Whether a Sigstore bundle says that it signs the subject's digest itself.
pub(super) fn signs_a_digest(annotations: &Annotations) -> bool {
    annotations.get(BUNDLE_CONTENT).is_some_and(|content| content == "message-signature")
}

/// Reads a blob to know what it is.
pub(super) fn open<'g>(layer: &'g Descriptor, view: &View<'g>) -> Fact<Content<'g>> {
    match view.statement(layer) {
        Ok(statement) => Ok(Content::Statement { predicate_type: Cow::Borrowed(&statement.predicate_type), layer }),
        // The bytes can be read and are no statement: that is known.
        Err(Stop::Unknown(Why { cause: Cause::OtherDocument { .. }, .. })) => {
            let is_bundle = layer.media_type.as_str().starts_with(known::SIGSTORE_BUNDLE_PREFIX);
            Ok(if is_bundle { Content::OpaqueBundle(layer) } else { Content::Other(&layer.media_type) })
        }
        Err(stop) => Err(stop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(media_type: &str) -> Descriptor {
        Descriptor::new(media_type.into(), Digest::sha256(media_type.as_bytes()), 1)
    }

    fn manifest(artifact_type: &str, layers: Vec<Descriptor>) -> ImageManifest {
        ImageManifest {
            media_type: None,
            artifact_type: Some(artifact_type.into()),
            config: None,
            layers,
            subject: None,
            annotations: Annotations::new(),
        }
    }

    fn only(manifest: &ImageManifest) -> Told<'_> {
        let [told] = &contents(manifest)[..] else { panic!("{manifest:?}") };
        told.clone()
    }

    #[test]
    fn an_attached_file_is_what_the_artifact_is() {
        let attached = manifest("application/spdx+json", vec![descriptor(known::OCI_LAYER)]);
        assert!(matches!(only(&attached), Told::Content(Content::Sbom { .. })));
    }

    #[test]
    fn a_bundle_is_what_its_predicate_is() {
        let mut bundle = manifest(
            "application/vnd.dev.sigstore.bundle.v0.3+json",
            vec![descriptor("application/vnd.dev.sigstore.bundle.v0.3+json")],
        );
        assert!(matches!(only(&bundle), Told::Closed(_)));
        bundle.annotations.insert(BUNDLE_PREDICATE.into(), "https://spdx.dev/Document".into());
        assert!(matches!(only(&bundle), Told::Content(Content::Statement { .. })));
        bundle.annotations.insert(BUNDLE_CONTENT.into(), "message-signature".into());
        assert_eq!(only(&bundle), Told::Content(Content::Signature(SignatureKind::Cosign)));
    }

    #[test]
    fn a_notary_project_signature_has_one_envelope() {
        let envelope = descriptor("application/jose+json");
        let signature = manifest(known::NOTATION_SIGNATURE, vec![envelope.clone()]);
        assert_eq!(only(&signature), Told::Content(Content::Signature(SignatureKind::Notation)));
        for layers in [vec![], vec![envelope.clone(), envelope], vec![descriptor("application/x")]] {
            assert!(matches!(only(&manifest(known::NOTATION_SIGNATURE, layers)), Told::Content(Content::Other(_))));
        }
    }
}
