//! The images that provenance says went into a build.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::super::carriers::{Coverage, SoughtProvenance, provenance};
use super::super::prelude::*;
use super::Claim;
use crate::oci::Provenance;
use crate::oci::statement::Material;

/// Images that builds use and never begin with: frontends and scanners of `BuildKit`.
const TOOLS: [&str; 5] = [
    "docker/dockerfile",
    "docker/dockerfile-upstream",
    "docker/buildkit-syft-scanner",
    "docker/scout-sbom-indexer",
    "moby/buildkit",
];
/// Images of one build that are compared with the image; a build from more is not looked through.
const MAX_IMAGES: usize = 8;

/// An image that went into a build: its name, and its digest.
type Image = (String, Option<String>);

/// The images that went into the build of a platform, as far as provenance about it tells.
pub(super) fn claims(entry: &Entry, view: &View<'_>) -> Fact<Vec<Claim>> {
    let subject = Subject::Platform(entry);
    let found = Coverage::default().search(&SoughtProvenance::ANY, subject, view)?.first()?;
    let Ok(found) = found else { return Ok(Vec::new()) };
    let Ok(provenance) = provenance(found.content(), found.about(), view)? else { return Ok(Vec::new()) };
    let images = images(provenance, entry.platform.as_ref().ok());
    if images.len() > MAX_IMAGES {
        let detail = format!("its provenance lists {} images and does not tell which is the base", images.len());
        return Err(Why::undecidable("looking for the base of the image", detail).into());
    }
    let claim = |(name, digest): Image| {
        Claim::new(Some(&name), digest.as_deref(), "by the materials of its provenance", found.location())
    };
    images.into_iter().map(claim).collect()
}

/// The images for a platform that provenance lists, each once.
fn images(provenance: &Provenance, platform: Option<&Platform>) -> Vec<Image> {
    let platform = platform.map(Platform::short);
    let mut images = Vec::new();
    for image in provenance.materials.iter().filter_map(|material| image(material, platform.as_deref())) {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    images
}

/// A material that is an image for this platform (`pkg:docker/alpine@3.20?platform=linux%2Famd64`).
fn image(material: &Material, platform: Option<&str>) -> Option<Image> {
    let uri = material.uri.as_deref()?.strip_prefix("pkg:docker/")?;
    let (path, qualifiers) = uri.split_once('?').unwrap_or((uri, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned);
    let stated = qualifiers.split('&').find_map(|pair| pair.strip_prefix("platform=")).and_then(decoded);
    if stated.is_some_and(|stated| platform.is_some_and(|platform| platform != stated)) {
        return None;
    }
    let (name, tag) = path.rsplit_once('@').unwrap_or((path, ""));
    let (name, tag) = (decoded(name)?, decoded(tag)?);
    if TOOLS.contains(&name.as_str()) {
        return None;
    }
    let written = match tag.as_str() {
        "" => name,
        digest if digest.contains(':') => format!("{name}@{digest}"),
        tag => format!("{name}:{tag}"),
    };
    Some((written, material.digests.get("sha256").map(|hex| format!("sha256:{hex}"))))
}
