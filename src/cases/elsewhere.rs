//! Other images that a case describes: bases, earlier releases.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::build::{Asked, Built, Image, Store, build};
use super::source::StoreSource;
use crate::graph::{Cause, Why};
use crate::oci::{Annotations, Digest, Reference};
use crate::source::Source;
use crate::target::{Target, TargetKind};

/// Images by the references that the case gives them, built.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(BTreeMap<Reference, Built>);

impl Elsewhere {
    /// Builds the images.
    ///
    /// # Errors
    /// What is wrong with one of them, and which.
    pub(super) fn build(images: &BTreeMap<Reference, Image>) -> Result<Self, String> {
        let one = |(reference, image): (&Reference, &Image)| match build(image) {
            Ok(built) => Ok((reference.clone(), built)),
            Err(error) => Err(format!("the image {reference} cannot be built: {error}")),
        };
        images.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// The image with the digests of the others filled in: in labels, annotations and materials, `{REFERENCE}` stands for the
    /// digest of that image.
    pub(super) fn fill(&self, image: &Image) -> Image {
        let mut image = image.clone();
        let fill_places = |places: &mut super::build::Places| {
            for annotations in [&mut places.index, &mut places.manifest, &mut places.descriptor] {
                self.fill_map(annotations);
            }
        };
        self.fill_map(&mut image.labels);
        fill_places(&mut image.annotations);
        for differing in image.on.values_mut() {
            self.fill_map(&mut differing.labels);
            fill_places(&mut differing.annotations);
        }
        for attestation in &mut image.attestations {
            self.fill_map(&mut attestation.materials);
        }
        image
    }

    fn fill_map(&self, values: &mut Annotations) {
        for (reference, built) in &self.0 {
            let stands = format!("{{{reference}}}");
            for value in values.values_mut().filter(|value| value.contains(&stands)) {
                *value = value.replace(&stands, built.root.as_str());
            }
        }
    }

    /// The tags of other images in the same repository.
    pub(super) fn tags<'a>(&'a self, of: Option<&'a Reference>) -> impl Iterator<Item = (&'a str, &'a Built)> {
        let same = move |reference: &Reference| of.is_some_and(|of| of.canonical_name() == reference.canonical_name());
        self.0
            .iter()
            .filter(move |(reference, _)| same(reference))
            .map(|(reference, built)| (reference.tag_or_latest(), built))
    }

    /// Where another image is read from, as a registry would find it: by its tag, or by the digest of anything in its
    /// repository.
    pub(super) fn open(self: &Arc<Self>, target: &Target) -> Result<Arc<dyn Source>, Why> {
        let found = match &target.kind {
            TargetKind::Registry(reference) => self.find(reference),
            _ => None,
        };
        let missing = || Why::new(format!("reading {target}"), Cause::NotFound { detail: String::new() });
        // The repository may be there without the image.
        let built = found.or_else(|| self.beside(target.name.as_ref()?)).ok_or_else(missing)?;
        Ok(Arc::new(StoreSource::new(built, target.name.clone(), Arc::clone(self))))
    }

    /// Nothing, in a repository that has other images.
    fn beside(&self, wanted: &Reference) -> Option<Built> {
        let (_, built) = self.tags(Some(wanted)).next()?;
        Some(Built { root: Digest::sha256(b"no image has this digest"), store: Store::default(), ..built.clone() })
    }

    fn find(&self, wanted: &Reference) -> Option<Built> {
        let mut same = self.0.iter().filter(|(reference, _)| reference.canonical_name() == wanted.canonical_name());
        match wanted.digest() {
            Some(digest) => same.find(|(_, built)| built.store.manifests.contains_key(digest)).map(|(_, built)| {
                let served_as = built.store.manifests[digest].media_type.clone();
                Built { root: digest.clone(), served_as, ..built.clone() }
            }),
            None => same
                .find(|(reference, _)| reference.tag_or_latest() == wanted.tag_or_latest())
                .map(|(_, built)| built.clone()),
        }
    }

    /// What asking for an image is called in `failures` and `asks`.
    pub(super) fn asked(target: &Target) -> Asked {
        Asked::Elsewhere(target.text.clone())
    }
}
