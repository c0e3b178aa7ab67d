//! What `cosign save` writes (sigstore/cosign, `pkg/oci/layout`): a layout with one image and, beside it, the manifests with
//! its signatures and attestations. They have no names; an annotation of their descriptors alone says what they are.

use super::{Contents, names};
use crate::graph::{Cause, not_runnable};
use crate::oci::{Descriptor, Digest};

/// The annotation that says what an entry is.
const KIND: &str = "kind";

/// What its values begin with.
const COSIGN: &str = "dev.cosignproject.cosign/";

/// What an entry of such a layout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The image, or the index of it.
    Image,
    /// What a registry keeps under the image's tag with this suffix.
    Companion(&'static str),
}

impl Kind {
    fn of(entry: &Descriptor) -> Option<Self> {
        match entry.annotations.get(KIND)?.strip_prefix(COSIGN)? {
            "image" | "imageIndex" => Some(Self::Image),
            "sigs" => Some(Self::Companion("sig")),
            "atts" => Some(Self::Companion("att")),
            "sboms" => Some(Self::Companion("sbom")),
            _ => None,
        }
    }
}

impl Contents {
    /// The one image of a layout that `cosign save` wrote, if everything else in it is proven to be none.
    ///
    /// An annotation proves nothing: who pushes or runs the layout as a whole would choose by platform. So the other entries
    /// are read, and if one could be run, or cannot be read, the annotations count for nothing.
    pub(super) fn saved_image(&self) -> Option<&Descriptor> {
        let mut images = self.of_kind(Kind::Image);
        let image = images.next()?;
        if images.any(|other| other.digest != image.digest) {
            return None;
        }
        let others = self.entries().iter().filter(|entry| entry.digest != image.digest);
        // An entry with a platform could be chosen, whatever its layers are.
        if others.clone().any(|entry| entry.platform.is_some()) {
            return None;
        }
        let mut runnable = false;
        self.look_into(others, |_, document| {
            runnable |= not_runnable(document.value()).is_none();
            Ok(())
        })
        .ok()?;
        (!runnable).then_some(image)
    }

    /// What `cosign save` wrote of a tag such as `sha256-<hex>.att`: the entry of that kind, if the tag is that of the one image
    /// it was saved with. Whether it is really about the image is for those to find out who read it, as with the tag itself.
    ///
    /// # Errors
    /// [`Cause::Ambiguous`] when there are several images it could belong to, or several of a kind.
    pub(super) fn companion(&self, tag: &str) -> Result<Option<&Descriptor>, Cause> {
        let Some((_, suffix)) = tag.rsplit_once('.') else { return Ok(None) };
        let is_its_tag = |digest: &Digest| digest.cosign_tag(suffix) == tag;
        let images: Vec<&Descriptor> = self.of_kind(Kind::Image).collect();
        if !images.iter().filter_map(|image| image.digest.as_ref().ok()).any(is_its_tag) {
            return Ok(None);
        }
        // Those with a name are found by it.
        let of_that_kind = |entry: &&Descriptor| matches!(Kind::of(entry), Some(Kind::Companion(of)) if of == suffix);
        let mut companions = self.entries().iter().filter(of_that_kind).filter(|entry| names::name(entry).is_none());
        let Some(companion) = companions.next() else { return Ok(None) };
        let ambiguous = |what: &str| Err(Cause::Ambiguous { detail: format!("index.json lists several {what}") });
        if images.iter().any(|image| image.digest != images[0].digest) {
            return ambiguous(&format!("images that the `{COSIGN}` manifest for the tag .{suffix} could belong to"));
        }
        if companions.any(|other| other.digest != companion.digest) {
            return ambiguous(&format!("`{COSIGN}` manifests for the tag .{suffix} of one image"));
        }
        Ok(Some(companion))
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Descriptor> {
        self.entries().iter().filter(move |entry| Kind::of(entry) == Some(kind))
    }
}
