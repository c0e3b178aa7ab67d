//! The images that provenance says went into a build.

use std::cell::RefCell;

use percent_encoding::percent_decode_str;

use super::super::carriers::{Content, Coverage, Sought, is_about_another};
use super::super::prelude::*;
use super::Claim;
use crate::oci::predicate::{self, PredicateClass};
use crate::oci::statement::Material;
use crate::oci::{Provenance, Statement};

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

/// The images that the first provenance of a platform lists.
struct Listed {
    images: RefCell<Vec<(String, Option<String>)>>,
    platform: Option<String>,
}

impl Sought for Listed {
    fn noun(&self) -> String {
        "provenance".to_owned()
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        matches!(content, Content::Statement { predicate_type, .. }
            if predicate::class(predicate_type) == PredicateClass::Provenance)
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let Content::Statement { layer, .. } = content else { return Ok(Err(content.to_string())) };
        let statement = view.statement(layer)?;
        if let Some(reason) = is_about_another(statement, about) {
            return Ok(Err(reason));
        }
        Ok(match statement {
            Statement { provenance: Some(provenance), .. } => {
                *self.images.borrow_mut() = self.of(provenance);
                Ok(content.to_string())
            }
            _ => Err("its provenance is empty".to_owned()),
        })
    }
}

impl Listed {
    /// The images for this platform, each once.
    fn of(&self, provenance: &Provenance) -> Vec<(String, Option<String>)> {
        let mut images = Vec::new();
        for image in provenance.materials.iter().filter_map(|material| self.image(material)) {
            if !images.contains(&image) {
                images.push(image);
            }
        }
        images
    }

    /// The name and the digest of a material that is an image for this platform (`pkg:docker/alpine@3.20?platform=linux%2Famd64`).
    fn image(&self, material: &Material) -> Option<(String, Option<String>)> {
        let uri = material.uri.as_deref()?.strip_prefix("pkg:docker/")?;
        let (path, qualifiers) = uri.split_once('?').unwrap_or((uri, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let platform = qualifiers.split('&').find_map(|pair| pair.strip_prefix("platform=")).and_then(decoded);
        let for_another = |wanted: &String| platform.as_ref().is_some_and(|platform| platform != wanted);
        if self.platform.as_ref().is_some_and(for_another) {
            return None;
        }
        let (name, tag) = path.rsplit_once('@').unwrap_or((path, ""));
        let name = decoded(name)?;
        if TOOLS.contains(&name.as_str()) {
            return None;
        }
        let tag = decoded(tag)?;
        let written = match tag.as_str() {
            "" => name,
            digest if digest.contains(':') => format!("{name}@{digest}"),
            tag => format!("{name}:{tag}"),
        };
        Some((written, material.digests.get("sha256").map(|hex| format!("sha256:{hex}"))))
    }
}

/// The images that went into the build of a platform, as far as provenance about it tells.
pub(super) fn claims(entry: &Entry, view: &View<'_>) -> Fact<Vec<Claim>> {
    let platform = entry.platform.as_ref().ok().map(crate::oci::Platform::short);
    let listed = Listed { images: RefCell::default(), platform };
    let subject = Subject::Platform(entry);
    let Ok(found) = Coverage::default().search(&listed, subject, view)?.first()? else { return Ok(Vec::new()) };
    let images = listed.images.into_inner();
    if images.len() > MAX_IMAGES {
        let detail = format!("its provenance lists {} images and does not tell which is the base", images.len());
        return Err(Why::undecidable("looking for the base of the image", detail).into());
    }
    let claim = |(name, digest): (String, Option<String>)| {
        Claim::new(Some(&name), digest.as_deref(), "by the materials of its provenance", found.location())
    };
    images.into_iter().map(claim).collect()
}
