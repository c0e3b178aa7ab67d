//! What the descriptors of the image's own index tell of attestations.

use super::super::prelude::*;

/// The annotation of an index entry that says what it is for its subject, and its only value of interest.
const REFERENCE_TYPE: (&str, &str) = ("vnd.docker.reference.type", "attestation-manifest");
/// The annotations of an index entry that name its subject; the second is an older spelling.
const REFERENCE_DIGESTS: [&str; 2] = ["vnd.docker.reference.digest", "com.docker.reference.digest"];

/// The entries of all indexes of the image.
fn entries<'g>(view: &View<'g>) -> impl Iterator<Item = &'g Descriptor> {
    let indexes = view.subjects().indexes.iter().filter_map(|digest| view.read_document(digest)?.as_ref().ok());
    let manifests = indexes.filter_map(|document| match document.value() {
        Manifest::Index(index) => Some(&index.manifests),
        _ => None,
    });
    manifests.flatten()
}

/// The entries that say of themselves that they are attestations, and what they say they are about.
pub(super) fn attestations<'g>(view: &View<'g>) -> impl Iterator<Item = (&'g Descriptor, Named<'g>)> {
    entries(view).filter_map(|entry| {
        let (name, value) = REFERENCE_TYPE;
        let is_one = entry.annotations.get(name).is_none_or(|kind| kind == value);
        let named = REFERENCE_DIGESTS.map(|name| entry.annotations.get(name).map(String::as_str));
        (is_one && named != [None; 2]).then_some((entry, named))
    })
}

/// What the annotations of an entry name, one of which is there.
type Named<'g> = [Option<&'g str>; 2];

/// Entries for no platform of which no annotation says what they are about: tools that put an index together anew lose it.
pub(super) fn unlinked<'g>(view: &View<'g>) -> impl Iterator<Item = &'g Descriptor> {
    entries(view).filter(|entry| {
        let unknown = entry.platform.as_ref().is_some_and(Platform::is_unknown);
        unknown && !REFERENCE_DIGESTS.iter().any(|name| entry.annotations.contains_key(*name))
    })
}

/// What the index holds of attestations that are not bound to what is looked for, told without fetching: for the image as a whole
/// those about its platforms, for a platform those about nothing in the index.
pub(super) fn unbound(view: &View<'_>, whole_image: bool) -> Vec<String> {
    if whole_image {
        let number = attestations(view).count();
        let message = || {
            format!("{} in the index, about its platforms and not about the image", words::count(number, "attestation"))
        };
        return (number > 0).then(message).into_iter().collect();
    }
    let known: BTreeSet<&str> = entries(view).filter_map(|entry| Some(entry.digest.as_ref().ok()?.as_str())).collect();
    let stray = attestations(view).filter_map(|(descriptor, named)| {
        let stray = named.into_iter().flatten().find(|named| !known.contains(named))?;
        Some(format!(
            "attestation {} in the index: it is about '{}', which the index does not name",
            short(descriptor),
            ImageText(stray)
        ))
    });
    stray.collect()
}

/// A descriptor as messages name it.
pub(super) fn short(descriptor: &Descriptor) -> String {
    descriptor.digest.as_ref().map_or_else(|_| "(bad digest)".to_owned(), Digest::short)
}
