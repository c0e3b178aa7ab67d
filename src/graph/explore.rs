//! Asking for everything there is about an image, whatever any rule makes of it.

use std::collections::BTreeSet;

use super::{Fact, RootKind, Stop, View};
use crate::oci::{Descriptor, Digest, ImageManifest, Manifest, MediaType, Role};

/// Levels of nested indexes that are looked into.
const MAX_DEPTH: usize = 6;
/// Manifests that are read, besides those of the platforms.
const MAX_MANIFESTS: usize = 1_000;
/// Layers of one image whose beginnings are read.
const MAX_LAYERS: usize = 1_000;
/// The suffixes of cosign's tags.
const COSIGN_TAGS: [&str; 3] = ["sig", "att", "sbom"];

/// Asks for every manifest, the configs and the beginnings of the layers of all platforms, and for what is attached to them:
/// referrers, cosign's tags, statements. What cannot be known does not end it.
pub fn everything(view: &View<'_>) -> Fact<()> {
    let mut explorer = Explorer { view, pending: false, seen: BTreeSet::new() };
    explorer.root();
    if explorer.pending { Err(Stop::Pending) } else { Ok(()) }
}

struct Explorer<'v, 'g> {
    view: &'v View<'g>,
    pending: bool,
    seen: BTreeSet<Digest>,
}

impl<'g> Explorer<'_, 'g> {
    fn root(&mut self) {
        let root = &self.view.root().digest;
        if self.view.root().kind == RootKind::Manifest {
            self.manifest(root, 1);
        }
        self.attached(root);
        for entry in &self.view.subjects().entries {
            self.know(self.view.config(entry));
            let Some(image) = self.know(self.view.image(entry)) else { continue };
            for layer in image.layers.iter().take(MAX_LAYERS) {
                if layer.media_type.is_tar_like() {
                    self.know(self.view.head(layer));
                }
            }
            if let Ok(digest) = entry.digest() {
                self.attached(digest);
            }
        }
    }

    /// What refers to a manifest, by whatever way.
    fn attached(&mut self, subject: &Digest) {
        if let Some(list) = self.know(self.view.referrers(subject)) {
            list.descriptors.iter().for_each(|descriptor| self.follow(descriptor, MAX_DEPTH));
        }
        for suffix in COSIGN_TAGS {
            if let Some(Some(tagged)) = self.know(self.view.tag(&subject.cosign_tag(suffix))) {
                self.inside(tagged.document.value(), MAX_DEPTH);
            }
        }
    }

    fn follow(&mut self, descriptor: &Descriptor, depth: usize) {
        if let Ok(digest) = &descriptor.digest
            && may_be_manifest(&descriptor.media_type)
        {
            self.manifest(digest, depth);
        }
    }

    fn manifest(&mut self, digest: &Digest, depth: usize) {
        if self.seen.len() >= MAX_MANIFESTS || !self.seen.insert(digest.clone()) {
            return;
        }
        if let Some(document) = self.know(self.view.document(digest)) {
            self.inside(document.value(), depth);
        }
    }

    fn inside(&mut self, manifest: &'g Manifest, depth: usize) {
        match manifest {
            Manifest::Index(index) if depth <= MAX_DEPTH => {
                index.manifests.iter().for_each(|descriptor| self.follow(descriptor, depth + 1));
            }
            Manifest::Image(image) => self.statements(image),
            Manifest::Index(_) | Manifest::Schema1(_) => {}
        }
    }

    /// The blobs of a manifest that are statements or bills of materials, by their own type or by the artifact's.
    fn statements(&mut self, image: &'g ImageManifest) {
        let is_statement =
            |media_type: &MediaType| matches!(media_type.role(), Role::Statement | Role::Envelope | Role::Bundle);
        let own = image.artifact_type.as_ref().filter(|own| !own.as_str().is_empty());
        let own = own.or(image.config.as_ref().map(|config| &config.media_type));
        let is_sbom = |media_type: &MediaType| media_type.role() == Role::Sbom;
        let (of_artifact, of_sbom) = (own.is_some_and(is_statement), own.is_some_and(is_sbom));
        for layer in image.layers.iter().take(MAX_LAYERS) {
            if of_artifact || is_statement(&layer.media_type) {
                self.know(self.view.statement(layer));
            } else if of_sbom || is_sbom(&layer.media_type) {
                self.know(self.view.sbom(layer));
            }
        }
    }

    /// The fact, if it is known; notes that there is more to fetch.
    fn know<T>(&mut self, fact: Fact<T>) -> Option<T> {
        self.pending |= matches!(fact, Err(Stop::Pending));
        fact.ok()
    }
}

fn may_be_manifest(media_type: &MediaType) -> bool {
    media_type.is_manifest_like() || media_type.is_generic() || media_type.role() == Role::Unknown
}
