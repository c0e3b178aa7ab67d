//! What an image says of its base.

use std::fmt;

use super::super::config_part::ConfigPart;
use super::super::prelude::*;
use super::{buildpacks, materials};
use crate::oci::{Reference, pointer};

/// The annotation or label that names the base (image-spec, annotations.md).
const NAME: &str = "org.opencontainers.image.base.name";
/// The annotation or label that holds the digest of the base (image-spec, annotations.md).
const DIGEST: &str = "org.opencontainers.image.base.digest";
/// How builders name the base of an image without one.
pub(in super::super) const SCRATCH: &str = "docker.io/library/scratch";

/// Who tells of images that went into a build, one of which may be the base.
pub(super) const BY_MATERIALS: &str = "by the materials of its provenance";

/// What an image says of its base, in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Claim {
    /// Which image it is.
    pub(in super::super) named: Named,
    /// The digest of the base when this image was built.
    pub(in super::super) digest: Option<Digest>,
    /// Who says so.
    pub(in super::super) told_by: &'static str,
    /// Where.
    pub(in super::super) location: Location,
}

/// How a base is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Named {
    /// There is none: the image was built from nothing.
    Scratch,
    /// An image in a registry, without a digest.
    Image(Reference),
    /// Only by a digest.
    Nothing,
    /// By something that is no name of an image, or by a digest that is none.
    Unreadable(String),
}

impl Claim {
    /// A claim as it is written: a name, a digest, or both. The name may hold the digest.
    ///
    /// # Errors
    /// The name holds another digest than the one beside it.
    pub(super) fn new(
        name: Option<&str>,
        digest: Option<&str>,
        told_by: &'static str,
        location: Location,
    ) -> Fact<Self> {
        let unreadable = |text: &str, problem: &str| {
            let named = Named::Unreadable(format!("'{}', which is {problem}", ImageText(text)));
            Ok(Self { named, digest: None, told_by, location: location.clone() })
        };
        let digest = match digest.map(|text| (text, text.parse::<Digest>())) {
            None => None,
            Some((_, Ok(digest))) => Some(digest),
            Some((text, Err(_))) => return unreadable(text, "no digest"),
        };
        let Some(name) = name else {
            return Ok(Self { named: Named::Nothing, digest, told_by, location });
        };
        let Ok(reference) = Reference::parse(name) else { return unreadable(name, "no name of an image") };
        let digest = match (reference.digest(), digest) {
            (Some(within), Some(beside)) if *within != beside => {
                let detail = format!("its name says {}, the digest beside it {}", within.short(), beside.short());
                return Err(Why::undecidable("reading which base the image names", detail).into());
            }
            (within, beside) => beside.or(within.cloned()),
        };
        let named = if reference.canonical_name() == SCRATCH {
            Named::Scratch
        } else {
            Named::Image(reference.without_digest())
        };
        Ok(Self { named, digest, told_by, location })
    }

    /// Whether it is only known to have gone into the build.
    pub(in super::super) fn is_material(&self) -> bool {
        self.told_by == BY_MATERIALS
    }

    /// The base as it was when the image was built, to be read from a registry; by its tag if no digest is known.
    pub(in super::super) fn as_built(&self) -> Option<Reference> {
        match (&self.named, &self.digest) {
            (Named::Image(name), Some(digest)) => Some(name.with_digest(digest)),
            (Named::Image(name), None) => Some(name.clone()),
            _ => None,
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.named, &self.digest) {
            (Named::Scratch, _) => f.write_str("scratch"),
            (Named::Image(name), Some(digest)) => write!(f, "{}", name.with_digest(digest)),
            (Named::Image(name), None) => write!(f, "{name}"),
            (Named::Nothing, Some(digest)) => write!(f, "{digest}, without a name"),
            (Named::Nothing, None) => f.write_str("nothing"),
            (Named::Unreadable(what), _) => f.write_str(what),
        }?;
        write!(f, " ({})", self.told_by)
    }
}

/// What a platform says of its base, from the first place that says anything: annotations of the manifest, of its descriptor
/// and of the index, labels, what buildpacks note, and the materials of provenance. Several only where provenance lists
/// several images and does not tell which of them the last stage began with.
pub(in super::super) fn claims(entry: &Entry, view: &View<'_>) -> Fact<Vec<Claim>> {
    if let Some(claim) = annotated(entry, view)? {
        return Ok(vec![claim]);
    }
    let read = ConfigPart::read(entry, view, &["/config/Labels"])?;
    let labels = &read.config.labels;
    let at = |name: &str| read.at_member(&[&"Labels", &name]);
    if let Some(claim) = of_pair(labels, "by its labels", at)? {
        return Ok(vec![claim]);
    }
    if let Some(claim) = buildpacks::claim(labels, at)? {
        return Ok(vec![claim]);
    }
    materials::claims(entry, view)
}

fn annotated(entry: &Entry, view: &View<'_>) -> Fact<Option<Claim>> {
    if entry.place == Place::Saved {
        return Ok(None);
    }
    let manifest = view.image(entry)?;
    let at = |name: &str| Location::manifest(entry, pointer(&[&"annotations", &name]));
    if let Some(claim) = of_pair(&manifest.annotations, "by an annotation of its manifest", at)? {
        return Ok(Some(claim));
    }
    let at = |_: &str| Location::entry(entry);
    if let Some(claim) = of_pair(&entry.descriptor.annotations, "by an annotation of its entry in the index", at)? {
        return Ok(Some(claim));
    }
    match view.root_manifest()? {
        Manifest::Index(index) => {
            let at = |name: &str| Location::root(view, pointer(&[&"annotations", &name]));
            of_pair(&index.annotations, "by an annotation of the index", at)
        }
        _ => Ok(None),
    }
}

/// The name and the digest among annotations or labels; one that is empty is none.
fn of_pair(values: &Annotations, told_by: &'static str, at: impl Fn(&str) -> Location) -> Fact<Option<Claim>> {
    let value = |key: &str| values.get(key).map(String::as_str).filter(|value| !value.is_empty());
    match (value(NAME), value(DIGEST)) {
        (None, None) => Ok(None),
        (name, digest) => Claim::new(name, digest, told_by, at(if name.is_some() { NAME } else { DIGEST })).map(Some),
    }
}
