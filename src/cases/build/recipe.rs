//! What an image is made of, as a test case says it. Everything has a default: the image of `Image::default()` is what a
//! current `BuildKit` makes of a careful Dockerfile.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use super::{Edit, Tree};
use crate::oci::{Annotations, LayerClass};

/// An image, described.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Image {
    /// Whose media types it uses.
    pub types: Types,
    /// Its platforms, `os/architecture[/variant]`, in the order of the index. The same may be named twice.
    pub platforms: Vec<String>,
    /// Whether there is an index; by default for several platforms, or if something else stands in it.
    pub index: Option<bool>,
    /// How many indexes stand between the root and the manifests, besides the root.
    pub nested: usize,
    /// The layers of each platform, the base first.
    pub layers: Vec<Layer>,
    /// Members of the config's `config` object, put over the default ones.
    pub config: BTreeMap<String, Tree>,
    /// Labels; also a part of `config`.
    pub labels: Annotations,
    /// When the image was made, RFC 3339.
    pub created: String,
    /// The config's `history`; by default one entry a layer.
    pub history: Option<Vec<Tree>>,
    /// The media type of the config, where it is not that of an image.
    pub config_type: Option<String>,
    /// `artifactType` of the manifests.
    pub artifact_type: Option<String>,
    /// The annotations of index, manifests and descriptors.
    pub annotations: Places,
    /// What differs on one platform.
    pub on: BTreeMap<String, Override>,
    /// Attestations: SBOMs, provenance and others.
    pub attestations: Vec<Attestation>,
    /// Signatures.
    pub signatures: Vec<Signature>,
    /// More entries of the index, after the platforms.
    pub entries: Vec<ExtraEntry>,
    /// More tags: to a document of this image, or to `other`, another image.
    pub tags: BTreeMap<String, String>,
    /// What the root is served as (`Content-Type`), if not as what it is.
    pub served_as: Option<String>,
    /// Whether it is a classic `docker save` archive, which holds no manifest.
    pub saved: bool,
    /// Changes to documents before they are hashed.
    pub patch: Vec<Edit>,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            types: Types::Oci,
            platforms: vec!["linux/amd64".to_owned()],
            index: None,
            nested: 0,
            layers: vec![Layer::default()],
            config: BTreeMap::new(),
            labels: Annotations::new(),
            created: "2026-01-01T00:00:00Z".to_owned(),
            history: None,
            config_type: None,
            artifact_type: None,
            annotations: Places::default(),
            on: BTreeMap::new(),
            attestations: Vec::new(),
            signatures: Vec::new(),
            entries: Vec::new(),
            tags: BTreeMap::new(),
            served_as: None,
            saved: false,
            patch: Vec::new(),
        }
    }
}

/// Whose media types an image uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Types {
    /// Those of the OCI image specification.
    Oci,
    /// Docker's.
    Docker,
}

/// Annotations by the place they stand in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Places {
    /// Of the index.
    pub index: Annotations,
    /// Of the manifests.
    pub manifest: Annotations,
    /// Of the descriptors in the index.
    pub descriptor: Annotations,
}

/// What differs on one platform. Maps are put over the image's own, lists replace it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Override {
    /// The platform that the index declares; `none` for an entry without one.
    pub declare: Option<String>,
    /// As in [`Image`].
    pub types: Option<Types>,
    /// As in [`Image`].
    pub layers: Option<Vec<Layer>>,
    /// As in [`Image`].
    pub config: BTreeMap<String, Tree>,
    /// As in [`Image`].
    pub labels: Annotations,
    /// As in [`Image`].
    pub created: Option<String>,
    /// As in [`Image`].
    pub history: Option<Vec<Tree>>,
    /// As in [`Image`].
    pub config_type: Option<String>,
    /// As in [`Image`]; `index` cannot differ.
    pub annotations: Places,
    /// `artifactType` of this manifest.
    pub artifact_type: Option<String>,
}

/// One layer.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layer {
    /// How it is packed.
    pub compression: LayerClass,
    /// How its bytes are packed in truth, where the media type lies.
    pub content: Option<LayerClass>,
    /// What the descriptor gives as its size in bytes; the blob itself stays small.
    pub size: Option<u64>,
    /// Its files, path to text; by default one that differs from layer to layer and from platform to platform.
    pub files: Option<BTreeMap<String, String>>,
    /// Whether its media type says that it must not be distributed.
    pub foreign: bool,
    /// `urls` of its descriptor.
    pub urls: Vec<String>,
    /// Annotations of its descriptor, besides those that the compression asks for.
    pub annotations: Annotations,
    /// Its media type, if not the one of its compression.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// How many layers of this kind there are, all different.
    pub count: usize,
}

impl Default for Layer {
    fn default() -> Self {
        Self {
            compression: LayerClass::Gzip,
            content: None,
            size: None,
            files: None,
            foreign: false,
            urls: Vec::new(),
            annotations: Annotations::new(),
            media_type: None,
            count: 1,
        }
    }
}

/// One attestation of each of its subjects.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attestation {
    /// `spdx`, `spdx-3`, `cyclonedx`, `provenance-v1`, `provenance-v0.2`, `vex`, `vulnerabilities`, `verification`, or a URI.
    pub predicate: String,
    /// Where it is kept.
    #[serde(default)]
    pub home: Home,
    /// In which form a referrer or tag holds it.
    #[serde(default)]
    pub form: Form,
    /// What it is about.
    #[serde(default, deserialize_with = "words")]
    pub of: Vec<String>,
    /// Whom it names as its subject.
    #[serde(default)]
    pub subject: Naming,
    /// Whether nothing but the blob itself tells what it is: no artifact type, no annotation.
    #[serde(default)]
    pub silent: bool,
    /// Of provenance: how much of the build it tells.
    #[serde(default)]
    pub mode: Mode,
    /// Of provenance: who built; absent as `BuildKit` leaves it by default.
    pub builder_id: Option<String>,
    /// Of provenance: what went into the build, URI to `sha256:…`.
    #[serde(default)]
    pub materials: BTreeMap<String, String>,
    /// Of provenance: the arguments of the build, as `build-arg:NAME`.
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    /// Of provenance: where the source is kept.
    pub source: Option<String>,
    /// Of provenance: the revision of the source.
    pub revision: Option<String>,
    /// Of an SBOM: the packages, as package URLs.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Of an SBOM: how many more packages it lists, all alike.
    #[serde(default)]
    pub more_packages: usize,
    /// The predicate itself, instead of the one made up of the above.
    pub body: Option<Tree>,
    /// Values to put into the predicate, by JSON pointer.
    #[serde(default)]
    pub put: BTreeMap<String, Tree>,
    /// JSON pointers of what to take out of the predicate, in this order, after `put`.
    #[serde(default)]
    pub take: Vec<String>,
}

impl Attestation {
    /// An attestation in the index of every platform.
    pub fn new(predicate: &str) -> Self {
        Self {
            predicate: predicate.to_owned(),
            home: Home::default(),
            form: Form::default(),
            of: Vec::new(),
            subject: Naming::default(),
            silent: false,
            mode: Mode::default(),
            builder_id: None,
            materials: BTreeMap::new(),
            args: BTreeMap::new(),
            source: None,
            revision: None,
            packages: Vec::new(),
            more_packages: 0,
            body: None,
            put: BTreeMap::new(),
            take: Vec::new(),
        }
    }
}

/// Where an attestation is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Home {
    /// In the index, in the form of `BuildKit` before 0.32: a manifest with an image config that says `unknown`.
    #[default]
    Index,
    /// In the index, in the form of `BuildKit` since 0.32: an artifact with a subject.
    IndexArtifact,
    /// A referrer, listed by the referrers API.
    Referrer,
    /// A referrer, listed under the fallback tag; no referrer of the image is listed otherwise then.
    FallbackTag,
    /// cosign's tag `sha256-<hex>.att`; of the form `raw`, `.sbom`.
    CosignTag,
}

/// In which form a referrer or tag holds an attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A Sigstore bundle; under a cosign tag a DSSE envelope.
    #[default]
    Bundle,
    /// A DSSE envelope.
    Envelope,
    /// An in-toto statement, unsigned.
    Statement,
    /// The predicate alone: an SBOM as a file.
    Raw,
}

/// Whom an attestation or signature names as its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    /// What it was found with.
    #[default]
    Own,
    /// Some other image.
    Stranger,
    /// Nobody, as `BuildKit` leaves the statement of an image without a name; the carrier still names its own.
    Nobody,
}

/// How much of a build provenance tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// As `mode=min`.
    #[default]
    Min,
    /// As `mode=max`.
    Max,
}

/// One signature of each of its subjects.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signature {
    /// Whose, and in which form.
    pub kind: SignatureKind,
    /// What is signed; by default the root.
    #[serde(default, deserialize_with = "words")]
    pub of: Vec<String>,
    /// Whom it names as its subject.
    #[serde(default)]
    pub subject: Naming,
}

/// Whose signature, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureKind {
    /// cosign before 3: the tag `sha256-<hex>.sig`.
    CosignTag,
    /// cosign since 3: a Sigstore bundle as a referrer.
    CosignBundle,
    /// The Notary Project's: a referrer.
    Notation,
}

/// An entry of the index besides the platforms: an accelerator, an artifact, a hole.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExtraEntry {
    /// The media type of the descriptor; by default a manifest's.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// The platform that it declares.
    pub platform: Option<String>,
    /// `artifactType`, of the descriptor and of what it leads to.
    pub artifact_type: Option<String>,
    /// The media type of the config that it leads to; by default the empty one of an artifact.
    pub config_type: Option<String>,
    /// Annotations of the descriptor; in a value, `{linux/amd64}` stands for the digest of that platform's manifest.
    pub annotations: Annotations,
    /// Whether it leads nowhere.
    pub absent: bool,
}

/// A text, or a list of texts.
pub(crate) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Tree::deserialize(deserializer)? {
        Tree::Text(text) => Ok(vec![text]),
        Tree::List(values) => values.into_iter().map(word).collect(),
        _ => Err(de::Error::custom("expected a text or a list of texts")),
    }
}

fn word<E: de::Error>(value: Tree) -> Result<String, E> {
    match value {
        Tree::Text(text) => Ok(text),
        _ => Err(E::custom("expected a text in the list")),
    }
}
