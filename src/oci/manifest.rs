//! Manifests and indexes of all kinds (image-spec, manifest.md and image-index.md; Docker's schemas).

use std::fmt::{self, Display};

use serde::Serialize;

use super::{
    Ambiguity, AmbiguityKind, Annotations, Descriptor, MediaType, Role,
    json::{Members, Tree, quoted},
    media_type::known,
    reading::{Defect, Defects, Object, found},
};

/// What a manifest's digest leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::large_enum_variant, reason = "most are of the large kind, and a document is not moved about")]
pub enum Manifest {
    /// The manifest of an image or artifact.
    Image(ImageManifest),
    /// An index or manifest list.
    Index(Index),
    /// Docker's schema 1, of which little is read.
    Schema1(Schema1),
}

/// Which kind of manifest a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManifestKind {
    /// The manifest of an image or artifact.
    Image,
    /// An index or manifest list.
    Index,
    /// Docker's schema 1.
    Schema1,
}

impl Display for ManifestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ManifestKind::Image => "manifest",
            ManifestKind::Index => "index",
            ManifestKind::Schema1 => "schema 1 manifest",
        })
    }
}

/// The manifest of an image or artifact (image-spec, manifest.md).
///
/// The artifact manifests that preceded image-spec 1.1 are read into it as well: their blobs are its layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageManifest {
    /// The type that the document claims for itself.
    pub media_type: Option<MediaType>,
    /// The type of the artifact.
    pub artifact_type: Option<MediaType>,
    /// The config, `None` when it is missing.
    pub config: Option<Descriptor>,
    /// The layers, the base first.
    pub layers: Vec<Descriptor>,
    /// What the manifest refers to.
    pub subject: Option<Descriptor>,
    /// The manifest's annotations.
    pub annotations: Annotations,
}

/// An index or manifest list (image-spec, image-index.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// The type that the document claims for itself.
    pub media_type: Option<MediaType>,
    /// The type of the artifact.
    pub artifact_type: Option<MediaType>,
    /// The entries in their order.
    pub manifests: Vec<Descriptor>,
    /// What the index refers to.
    pub subject: Option<Descriptor>,
    /// The index's annotations.
    pub annotations: Annotations,
}

/// What is read of Docker's schema 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schema1 {
    /// The type that the document claims for itself; seldom there.
    pub media_type: Option<MediaType>,
    /// The repository's name.
    pub name: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// The architecture.
    pub architecture: Option<String>,
    /// How many layers there are.
    pub layers: usize,
}

/// The document is no manifest of any kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document is no manifest but {found}")]
pub struct NotAManifest {
    /// What it is instead (`an object with "errors"`), escaped.
    pub found: String,
}

impl Manifest {
    /// Reads a manifest or index of any kind, and what is wrong with it.
    ///
    /// The kind is what the document's `mediaType` says, if that is a known type, else what its members show. Whether the
    /// two agree is for [`Manifest::ambiguity`].
    pub fn read(value: &Tree<'_>) -> Result<(Manifest, Vec<Defect>), NotAManifest> {
        let not = |found| NotAManifest { found };
        let members = value.as_object().ok_or_else(|| not(found(value)))?;
        let kind = Kind::of(members).ok_or_else(|| not(shown(members)))?;
        let defects = Defects::new();
        let manifest = read_as(kind, Object::root(members, &defects));
        Ok((manifest, defects.into_vec()))
    }

    /// Whether the document holds what marks two kinds of manifests, so that clients may read different ones (CVE-2021-41190).
    pub fn ambiguity(value: &Tree<'_>) -> Option<Ambiguity> {
        let names = two_kinds(value)?;
        let pointer = format!("/{}", names.last()?);
        Some(Ambiguity { pointer, kind: AmbiguityKind::TwoKinds { names } })
    }

    /// The kind of manifest.
    pub fn kind(&self) -> ManifestKind {
        match self {
            Manifest::Image(_) => ManifestKind::Image,
            Manifest::Index(_) => ManifestKind::Index,
            Manifest::Schema1(_) => ManifestKind::Schema1,
        }
    }

    /// The type that the document claims for itself.
    pub fn media_type(&self) -> Option<&MediaType> {
        match self {
            Manifest::Image(manifest) => manifest.media_type.as_ref(),
            Manifest::Index(index) => index.media_type.as_ref(),
            Manifest::Schema1(schema1) => schema1.media_type.as_ref(),
        }
    }

    /// The type that the document claims for itself, else the one that its shape shows.
    pub fn effective_media_type(&self) -> MediaType {
        self.media_type().cloned().unwrap_or_else(|| {
            MediaType::from(match self {
                Manifest::Image(_) => known::OCI_MANIFEST,
                Manifest::Index(_) => known::OCI_INDEX,
                Manifest::Schema1(_) => known::DOCKER_SCHEMA1,
            })
        })
    }

    /// What the document refers to.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Manifest::Image(manifest) => manifest.subject.as_ref(),
            Manifest::Index(index) => index.subject.as_ref(),
            Manifest::Schema1(_) => None,
        }
    }

    /// The document's annotations; `None` for schema 1, which knows none.
    pub fn annotations(&self) -> Option<&Annotations> {
        match self {
            Manifest::Image(manifest) => Some(&manifest.annotations),
            Manifest::Index(index) => Some(&index.annotations),
            Manifest::Schema1(_) => None,
        }
    }

    /// The type of the artifact that the document is, as the distribution-spec says for referrers: `artifactType`, else the
    /// config's type.
    pub fn artifact_type_or_config(&self) -> Option<&MediaType> {
        match self {
            Manifest::Image(manifest) => {
                manifest.artifact_type.as_ref().or(manifest.config.as_ref().map(|config| &config.media_type))
            }
            Manifest::Index(index) => index.artifact_type.as_ref(),
            Manifest::Schema1(_) => None,
        }
    }
}

/// How the document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Image,
    Index,
    Schema1,
    /// The artifact manifests of OCI and ORAS, both dead.
    Artifact,
}

impl Kind {
    /// What the member of a known name marks.
    const MARKS: [(&'static str, Kind); 6] = [
        ("manifests", Kind::Index),
        ("config", Kind::Image),
        ("layers", Kind::Image),
        ("fsLayers", Kind::Schema1),
        ("history", Kind::Schema1),
        ("blobs", Kind::Artifact),
    ];

    fn of(members: &Members<'_>) -> Option<Kind> {
        let mut marks = Kind::MARKS.into_iter();
        let marked = marks.find(|(name, _)| members.contains_key(*name));
        Kind::claimed(members).or(marked.map(|(_, kind)| kind))
    }

    /// The kind that the document's `mediaType` says.
    fn claimed(members: &Members<'_>) -> Option<Kind> {
        match MediaType::from(members.get("mediaType")?.as_str()?).role() {
            Role::Index => Some(Kind::Index),
            Role::Manifest => Some(Kind::Image),
            Role::Schema1 => Some(Kind::Schema1),
            Role::ArtifactManifest => Some(Kind::Artifact),
            _ => None,
        }
    }
}

/// Members of the document that mark different kinds. A member counts even when it is null, as it does for containerd.
fn two_kinds(value: &Tree<'_>) -> Option<Vec<&'static str>> {
    let members = value.as_object()?;
    let claimed = Kind::claimed(members).map(|kind| ("mediaType", kind));
    let version = members.get("schemaVersion").is_some_and(|version| version.as_u64() == Some(2));
    let version = (version && members.contains_key("fsLayers")).then_some(("schemaVersion", Kind::Image));
    let marks = Kind::MARKS.into_iter().filter(|(name, _)| members.contains_key(*name));
    let marks: Vec<_> = claimed.into_iter().chain(version).chain(marks).collect();
    let (first, kind) = *marks.first()?;
    let (second, _) = *marks.iter().find(|(_, other)| *other != kind)?;
    Some(vec![first, second])
}

/// An object as a message shows it: by the first of its names.
fn shown(members: &Members<'_>) -> String {
    let names: Vec<_> = members.keys().take(3).map(|name| quoted(name)).collect();
    match (names.len(), members.len()) {
        (_, 0) => "an empty object".to_owned(),
        (listed, all) if listed < all => format!("an object with {}, …", names.join(", ")),
        _ => format!("an object with {}", names.join(", ")),
    }
}

fn read_as(kind: Kind, object: Object<'_>) -> Manifest {
    match kind {
        Kind::Image => Manifest::Image(read_image(object)),
        Kind::Index => Manifest::Index(read_index(object)),
        Kind::Schema1 => Manifest::Schema1(read_schema1(object)),
        Kind::Artifact => Manifest::Image(read_artifact(object)),
    }
}

fn media_type(object: Object<'_>, name: &str) -> Option<MediaType> {
    object.text(name).map(MediaType::new)
}

fn check_schema_version(object: Object<'_>) {
    match object.get("schemaVersion") {
        None => object.defect("`schemaVersion` is missing, expected 2"),
        Some(version) if version.as_u64() != Some(2) => {
            object.defect_at("schemaVersion", format_args!("`schemaVersion` is {}, expected 2", found(version)));
        }
        Some(_) => {}
    }
}

fn read_image(object: Object<'_>) -> ImageManifest {
    check_schema_version(object);
    object.require("config");
    object.require_list("layers");
    let manifest = ImageManifest {
        media_type: media_type(object, "mediaType"),
        artifact_type: media_type(object, "artifactType"),
        config: object.object("config", Descriptor::read),
        layers: object.objects("layers", Descriptor::read),
        subject: object.object("subject", Descriptor::read),
        annotations: object.string_map("annotations"),
    };
    let empty = manifest.config.as_ref().is_some_and(|config| config.media_type == known::OCI_EMPTY);
    if empty && manifest.artifact_type.is_none() {
        object.defect("`artifactType` is missing, it is required when the config is the empty descriptor");
    }
    manifest
}

fn read_artifact(object: Object<'_>) -> ImageManifest {
    ImageManifest {
        media_type: media_type(object, "mediaType"),
        artifact_type: media_type(object, "artifactType"),
        config: None,
        layers: object.objects("blobs", Descriptor::read),
        subject: object.object("subject", Descriptor::read),
        annotations: object.string_map("annotations"),
    }
}

fn read_index(object: Object<'_>) -> Index {
    check_schema_version(object);
    object.require_list("manifests");
    Index {
        media_type: media_type(object, "mediaType"),
        artifact_type: media_type(object, "artifactType"),
        manifests: object.objects("manifests", Descriptor::read),
        subject: object.object("subject", Descriptor::read),
        annotations: object.string_map("annotations"),
    }
}

fn read_schema1(object: Object<'_>) -> Schema1 {
    Schema1 {
        media_type: media_type(object, "mediaType"),
        name: object.text("name"),
        tag: object.text("tag"),
        architecture: object.text("architecture"),
        layers: object.get("fsLayers").and_then(Tree::as_array).map_or(0, <[_]>::len),
    }
}

#[cfg(test)]
mod tests;
