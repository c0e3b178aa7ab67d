//! Media types of manifests, configurations, layers and artifacts.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Serialize, Serializer};

pub mod known;
mod table;

use super::LayerClass;

/// The `Accept` header of a manifest request.
///
/// It always names every type: a registry that finds an index type missing answers a tag with one platform's manifest, under another digest.
pub const MANIFEST_ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws, \
    application/vnd.docker.distribution.manifest.v1+json";

/// A media type as a document or a registry writes it.
///
/// Types are compared byte for byte, as clients do: one that differs in case is unknown. The text may be anything; escape it before showing it.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct MediaType {
    text: Arc<str>,
    /// Looked up once, when a type is read: rules ask for it many times.
    row: Option<&'static table::Row>,
}

impl MediaType {
    /// Takes the text as it is.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let row = row(&text);
        Self { text, row }
    }

    /// Reads a `Content-Type` header: without its parameters, in lower case.
    pub fn from_content_type(header: &str) -> Self {
        let essence = header.split(';').next().unwrap_or_default();
        Self::new(essence.trim().to_ascii_lowercase())
    }

    /// The raw text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Who defines the type.
    pub fn family(&self) -> Family {
        self.row.map_or(Family::Other, |row| row.family)
    }

    /// What content of this type is for.
    pub fn role(&self) -> Role {
        self.row.map_or(Role::Unknown, |row| row.role)
    }

    /// How the type says that the content is compressed; `None` where it does not say, or what is compressed is hidden by encryption.
    pub fn compression(&self) -> Option<Compression> {
        self.row.and_then(|row| row.compression)
    }

    /// What the type is called in a sentence, with its article ("an OCI image index"); `None` for an unknown type.
    pub fn description(&self) -> Option<&'static str> {
        self.row.map(|row| row.description)
    }

    /// The class of a layer of this type, as far as the type alone tells it; annotations can add to it.
    pub fn layer_class(&self) -> Option<LayerClass> {
        match (self.role(), self.compression()) {
            _ if self.is_encrypted() => Some(LayerClass::Encrypted),
            _ if *self.text == *known::NYDUS_BLOB => Some(LayerClass::Nydus),
            (Role::Layer, Some(Compression::None)) => Some(LayerClass::None),
            (Role::Layer, Some(Compression::Gzip)) => Some(LayerClass::Gzip),
            (Role::Layer, Some(Compression::Zstd)) => Some(LayerClass::Zstd),
            _ => None,
        }
    }

    /// Whether the layer is not to be distributed by registries: Docker's "foreign" and OCI's "nondistributable" types, whatever
    /// follows, as containerd takes them (`images.IsNonDistributable`).
    pub fn is_foreign(&self) -> bool {
        ["application/vnd.docker.image.rootfs.foreign.", "application/vnd.oci.image.layer.nondistributable."]
            .into_iter()
            .any(|start| self.text.starts_with(start))
    }

    /// Whether the layer is encrypted (ocicrypt).
    pub fn is_encrypted(&self) -> bool {
        self.role() == Role::Layer && self.text.ends_with("+encrypted")
    }

    /// Whether this is any type of manifest or index.
    pub fn is_manifest_like(&self) -> bool {
        matches!(self.role(), Role::Index | Role::Manifest | Role::Schema1 | Role::ArtifactManifest)
    }

    /// Whether this is an index or a manifest list.
    pub fn is_index(&self) -> bool {
        self.role() == Role::Index
    }

    /// Whether the type says nothing about what the content is for: JSON, plain text, a web page, bytes, or no text at all.
    pub fn is_generic(&self) -> bool {
        self.role() == Role::Generic
    }

    /// Whether a runtime may unpack a layer of this type.
    ///
    /// Errs on the side of yes: Docker and Podman look at a layer's bytes rather than at its type, so generic types and all that
    /// call themselves an archive count.
    pub fn is_tar_like(&self) -> bool {
        let mut words = self.text.split(['/', '.', '+', '-']);
        matches!(self.role(), Role::Layer | Role::Generic) || words.any(|word| matches!(word, "tar" | "gzip" | "zstd"))
    }

    /// Whether runtimes run a manifest whose config has this type: the image configurations, and generic types that they accept all the same.
    pub fn is_runnable_config(&self) -> bool {
        self.role() == Role::ImageConfig || (self.role() == Role::Generic && &*self.text != "text/plain")
    }
}

/// What is known about a type.
fn row(text: &str) -> Option<&'static table::Row> {
    let exact = table::EXACT.iter().find(|row| row.text == text);
    exact.or_else(|| {
        let fits = |(row, end): &&(table::Row, &str)| text.starts_with(row.text) && text.ends_with(end);
        table::PATTERNS.iter().find(fits).map(|(row, _)| row)
    })
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MediaType").field(&self.text).finish()
    }
}

impl PartialEq for MediaType {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for MediaType {}

impl PartialOrd for MediaType {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MediaType {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for MediaType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl From<&str> for MediaType {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl PartialEq<str> for MediaType {
    fn eq(&self, other: &str) -> bool {
        &*self.text == other
    }
}

impl PartialEq<&str> for MediaType {
    fn eq(&self, other: &&str) -> bool {
        &*self.text == *other
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Who defines a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The OCI image specification.
    Oci,
    /// Docker's image formats.
    Docker,
    /// Anybody else, and what is unknown.
    Other,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Oci => "oci",
            Self::Docker => "docker",
            Self::Other => "other",
        })
    }
}

/// What content of a media type is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// An image index or manifest list.
    Index,
    /// The manifest of an image or artifact.
    Manifest,
    /// Docker's schema 1 manifest, signed or not.
    Schema1,
    /// A manifest of a form that only artifacts had, dead since.
    ArtifactManifest,
    /// A part of an image layout that is never served as a manifest.
    LayoutPart,
    /// A type that says nothing about the content.
    Generic,
    /// The configuration of an image.
    ImageConfig,
    /// The OCI empty descriptor.
    EmptyConfig,
    /// The configuration or artifact type of an artifact that has no role of its own here.
    ArtifactConfig,
    /// A layer of an image.
    Layer,
    /// Content of an artifact.
    ArtifactLayer,
    /// The configuration or artifact type of what makes an image start faster.
    Accelerator,
    /// An in-toto statement, unsigned.
    Statement,
    /// Signed in-toto statements in DSSE envelopes.
    Envelope,
    /// A Sigstore bundle: a signature or an attestation, its predicate type tells which.
    Bundle,
    /// BuildKit's attestation manifest.
    AttestationManifest,
    /// cosign's simple signing payload.
    SimpleSigning,
    /// cosign's experimental artifact types: signature, attestation or SBOM.
    CosignArtifact,
    /// A signature of the Notary Project.
    NotationSignature,
    /// The envelope of such a signature.
    SignatureEnvelope,
    /// A raw bill of materials.
    Sbom,
    /// A scanner's result.
    ScanResult,
    /// A type that this crate does not know.
    Unknown,
}

/// How content is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

#[cfg(test)]
mod tests;
