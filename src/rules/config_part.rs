//! What rules about one part of an image's config share.

use super::prelude::*;
use crate::graph::unambiguous;
use crate::oci::pointer;

/// The config of a platform, for a rule about some of its parts, and where it is.
#[derive(Debug)]
pub(super) struct ConfigPart<'g> {
    /// The config.
    pub(super) config: &'g ImageConfig,
    /// Its digest.
    pub(super) digest: &'g Digest,
}

impl<'g> ConfigPart<'g> {
    /// Reads the config of a platform. Unknown when one of the parts, named by pointers, is not what it must be: the config then
    /// seems to lack what some runtime may find there.
    pub(super) fn read(entry: &Entry, view: &View<'g>, parts: &[&str]) -> Fact<Self> {
        let document = view.config_of(entry)?;
        let (config, digest) = (unambiguous(document)?, document.digest());
        if let Some(defect) = parts.iter().find_map(|part| document.defect_of(part)) {
            let detail = format!("{} ({})", defect.message, defect.pointer);
            return Err(Why::undecidable("reading the config", detail).into());
        }
        Ok(Self { config, digest })
    }

    /// A place in the config.
    pub(super) fn at(&self, pointer: impl Into<String>) -> Location {
        Location::new(NodeRole::Config, self.digest, pointer)
    }

    /// The place of a member of the object `config`, which need not be there, or of something in it.
    pub(super) fn at_member(&self, segments: &[&dyn std::fmt::Display]) -> Location {
        self.at(format!("/config{}", pointer(segments)))
    }
}

/// The annotations of the manifest of a platform. Unknown when they are not what they must be.
pub(super) fn manifest_annotations<'g>(entry: &Entry, view: &View<'g>) -> Fact<&'g Annotations> {
    let image = view.image(entry)?;
    if let Some(defect) = view.document(entry.digest()?)?.defect_of("/annotations") {
        let detail = format!("{} ({})", defect.message, defect.pointer);
        return Err(Why::undecidable("reading the annotations of the manifest", detail).into());
    }
    Ok(&image.annotations)
}

/// Whether an image is one of Windows. Both must say so: the index decides what a Linux host selects, so a config alone must not
/// lead past the rules for Linux.
pub(super) fn is_windows(entry: &Entry, config: &ImageConfig) -> bool {
    let declared = entry.platform.as_ref().is_ok_and(|platform| platform.os == "windows");
    declared && config.os.as_deref().is_some_and(|os| os.eq_ignore_ascii_case("windows"))
}
