//! The images that provenance says went into a build.

use super::super::carriers::{Coverage, SoughtProvenance, provenance};
use super::super::image_purl::ImagePurl;
use super::super::prelude::*;
use super::Claim;
use super::claim::BY_MATERIALS;
use crate::oci::statement::Material;
use crate::oci::{Provenance, Reference};

/// Images that builds use and never begin with: frontends and scanners of `BuildKit`.
const TOOLS: [&str; 5] = [
    "docker.io/docker/dockerfile",
    "docker.io/docker/dockerfile-upstream",
    "docker.io/docker/buildkit-syft-scanner",
    "docker.io/docker/scout-sbom-indexer",
    "docker.io/moby/buildkit",
];
/// Provenance that lists images. One of another kind, such as that of the workflow around the build, says nothing of a base.
const SOUGHT: SoughtProvenance = SoughtProvenance {
    noun: "provenance that lists images",
    called: |provenance| {
        if images(provenance, None).is_empty() { Err("it lists no images".to_owned()) } else { Ok(None) }
    },
};
/// Images of one build that are compared with the image; a build from more is not looked through.
const MAX_IMAGES: usize = 8;

/// An image that went into a build: its name, and its digest.
type Image = (String, Option<String>);

/// The images that went into the build of a platform, as far as provenance about it tells.
pub(super) fn claims(entry: &Entry, view: &View<'_>) -> Fact<Vec<Claim>> {
    let subject = Subject::Platform(entry);
    let found = Coverage::default().search(&SOUGHT, subject, view)?.first()?;
    let Ok(found) = found else { return Ok(Vec::new()) };
    let Ok(provenance) = provenance(found.content(), found.about(), view)? else { return Ok(Vec::new()) };
    let images = images(provenance, entry.platform.as_ref().ok());
    if images.len() > MAX_IMAGES {
        let detail = format!("its provenance lists {} images and does not tell which is the base", images.len());
        return Err(Why::undecidable("looking for the base of the image", detail).into());
    }
    let claim = |(name, digest): Image| Claim::new(Some(&name), digest.as_deref(), BY_MATERIALS, found.location());
    images.into_iter().map(claim).collect()
}

/// The images for a platform that provenance lists, each once.
fn images(provenance: &Provenance, platform: Option<&Platform>) -> Vec<Image> {
    let mut images = Vec::new();
    for image in provenance.materials.iter().filter_map(|material| image(material, platform)) {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    images
}

/// A material that is an image for this platform (`pkg:docker/alpine@3.20?platform=linux%2Famd64`).
fn image(material: &Material, platform: Option<&Platform>) -> Option<Image> {
    let purl = ImagePurl::read(material.uri.as_deref()?)?;
    let name = purl.name?;
    let stated = purl.platform.and_then(|text| text.parse::<Platform>().ok());
    if stated.zip(platform).is_some_and(|(stated, platform)| !is_same_machine(&stated, platform)) {
        return None;
    }
    if Reference::parse(&name).is_ok_and(|name| TOOLS.contains(&name.canonical_name().as_str())) {
        return None;
    }
    let written = match purl.version {
        None => name,
        Some(digest) if digest.contains(':') => format!("{name}@{digest}"),
        Some(tag) => format!("{name}:{tag}"),
    };
    Some((written, material.digests.get("sha256").map(|hex| format!("sha256:{hex}"))))
}

/// Whether an image for one platform may be the base of one for another: builders take the base of the nearest variant.
fn is_same_machine(one: &Platform, other: &Platform) -> bool {
    let machine = |platform: &Platform| {
        let platform = platform.normalised();
        (platform.os, platform.architecture)
    };
    machine(one) == machine(other)
}
