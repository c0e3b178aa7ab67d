//! What rules about the layers of an image share.

use std::sync::LazyLock;

use super::config_part::ConfigPart;
use super::prelude::*;
use crate::oci::{Algorithm, DigestError};

/// The layers of a platform, the base first. Unknown when `layers` is no list: the manifest then seems to have none.
pub(super) fn of<'g>(entry: &Entry, view: &View<'g>) -> Fact<&'g [Descriptor]> {
    let layers = &view.image(entry)?.layers;
    let defect = view.document(entry.digest()?)?.defect_of("/layers");
    match defect.filter(|_| layers.is_empty()) {
        None => Ok(layers),
        Some(defect) => {
            let detail = format!("{} ({})", defect.message, defect.pointer);
            Err(Why::undecidable("reading the layers", detail).into())
        }
    }
}

/// The size of a layer; `None` when its descriptor does not tell. Some tools write 0 for "not known".
pub(super) fn known_size(layer: &Descriptor) -> Option<u64> {
    let is_empty = || layer.digest.as_ref().is_ok_and(|digest| digest.matches(b""));
    layer.size.filter(|size| *size > 0 || is_empty())
}

/// What each of the layers unpacks to: the `diff_ids` of the config (image-spec, config.md). Unknown when there is not one for
/// each layer, or when one is no digest.
pub(super) fn diff_ids<'g>(entry: &Entry, view: &View<'g>, layers: &[Descriptor]) -> Fact<&'g [String]> {
    let unknown = |detail: String| Stop::from(Why::undecidable("finding out what the layers unpack to", detail));
    let config = ConfigPart::read(entry, view, &["/rootfs/diff_ids"])?.config;
    if let Some(defect) = config.check_layers(layers.len()) {
        return Err(unknown(defect.message));
    }
    let malformed = config.diff_ids.iter().find_map(|text| match text.parse::<Digest>() {
        Err(error @ DigestError::Malformed { .. }) => Some(error),
        _ => None,
    });
    malformed.map_or(Ok(&config.diff_ids), |error| Err(unknown(error.to_string())))
}

/// gzip of an empty archive as Docker and as Go's library write it: what nearly all empty layers are, whoever built them.
const EMPTY_GZIP: [&str; 2] = [
    "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
    "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
];

/// The digests of archives without a file: the two blocks of zeros that POSIX asks for, GNU tar's twenty, a single block, and
/// nothing at all, which runtimes take as well.
static EMPTY_ARCHIVES: LazyLock<Vec<Digest>> = LazyLock::new(|| {
    let archives = [1_024, 10_240, 512, 0].map(|length| vec![0; length]);
    let digests = archives.iter().flat_map(|archive| Algorithm::ALL.map(|algorithm| Digest::of(algorithm, archive)));
    digests.collect()
});

/// Whether a layer holds nothing, as far as its digest and, where it is known, its `diff_id` tell.
pub(super) fn is_empty(layer: &Descriptor, diff_id: Option<&String>) -> bool {
    let is_archive = |text: &str| EMPTY_ARCHIVES.iter().any(|empty| empty.as_str() == text);
    let blob = layer.digest.as_ref().map_or("", Digest::as_str);
    EMPTY_GZIP.contains(&blob) || is_archive(blob) || diff_id.is_some_and(|diff_id| is_archive(diff_id))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn layer(digest: Digest) -> Descriptor {
        Descriptor::new("application/vnd.oci.image.layer.v1.tar+gzip".into(), digest, 32)
    }

    /// What the constants stand for, as bytes: a header, one block of zeros in deflate, checksum and length.
    #[test]
    fn the_empty_layers_that_are_known_unpack_to_zeros() {
        let body = [0x62, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x8c, 0x58, 0, 0x08, 0, 0, 0xff, 0xff];
        let end = [0x2e, 0xaf, 0xb5, 0xef, 0, 0x04, 0, 0];
        for head in [[0x1f, 0x8b, 8, 0, 0, 0x09, 0x6e, 0x88, 0, 0xff], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]] {
            let blob = [&head[..], &body, &end].concat();
            let mut archive = Vec::new();
            flate2::read::GzDecoder::new(&blob[..]).read_to_end(&mut archive).unwrap();
            assert_eq!(archive, vec![0; 1_024]);
            assert!(is_empty(&layer(Digest::sha256(&blob)), None));
        }
    }

    #[test]
    fn a_layer_is_empty_by_its_digest_or_by_what_it_unpacks_to() {
        let something = layer(Digest::sha256(b"something"));
        let diff_id = |length: usize| Digest::sha256(&vec![0; length]).to_string();
        assert!(is_empty(&layer(Digest::sha256(b"")), None));
        assert!(is_empty(&layer(Digest::sha256(&[0; 10_240])), None));
        assert!(is_empty(&something, Some(&diff_id(1_024))));
        assert!(!is_empty(&something, Some(&diff_id(1_536))));
        assert!(!is_empty(&something, None));
    }
}
