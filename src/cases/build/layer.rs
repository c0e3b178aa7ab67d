//! Real layers: tar archives with fixed headers, packed so that the same input always gives the same bytes.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{EntryType, Header};

use super::estargz;
use crate::oci::{Annotations, Digest, LayerClass};

/// The time of every file: 2026-01-01T00:00:00Z, as with `SOURCE_DATE_EPOCH` and `rewrite-timestamp=true`.
pub(super) const MODIFIED: u64 = 1_767_225_600;
/// A tar archive is made of blocks of this many bytes.
const BLOCK: usize = 512;

/// A file of a layer; a path that ends in `/` is a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path, relative and at most 100 bytes long.
    pub path: String,
    /// The content.
    pub content: Vec<u8>,
    /// The permissions.
    pub mode: u32,
}

impl File {
    /// An ordinary file.
    pub fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: content.into(), mode: 0o644 }
    }

    /// A directory.
    pub fn directory(path: &str) -> Self {
        Self { path: format!("{}/", path.trim_end_matches('/')), content: Vec::new(), mode: 0o755 }
    }

    /// The same file, executable.
    #[must_use]
    pub fn executable(self) -> Self {
        Self { mode: 0o755, ..self }
    }

    pub(super) fn is_directory(&self) -> bool {
        self.path.ends_with('/')
    }

    /// The header block. Paths that do not fit are cut: no case is about them.
    pub(super) fn header(&self) -> [u8; BLOCK] {
        let mut header = Header::new_ustar();
        let name = self.path.as_bytes();
        let name = &name[..name.len().min(100)];
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(if self.is_directory() { EntryType::Directory } else { EntryType::Regular });
        header.set_mode(self.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(MODIFIED);
        header.set_size(self.content.len() as u64);
        header.set_cksum();
        *header.as_bytes()
    }

    /// The content, filled up to whole blocks.
    pub(super) fn blocks(&self) -> Vec<u8> {
        let mut blocks = self.content.clone();
        blocks.resize(self.content.len().next_multiple_of(BLOCK), 0);
        blocks
    }
}

/// The two empty blocks that end an archive.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// A tar archive of these files.
pub fn tar(files: &[File]) -> Vec<u8> {
    let mut archive: Vec<u8> = files.iter().flat_map(|file| [file.header().to_vec(), file.blocks()].concat()).collect();
    archive.extend_from_slice(&END);
    archive
}

/// gzip with the header that Go writes: no time, no name, unknown system.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    let mut packed = written.expect("invariant: writing to memory does not fail");
    // The byte that tells how hard was tried; Go leaves it 0.
    packed[8] = 0;
    packed
}

/// zstd, one frame.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A layer, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedLayer {
    /// The bytes of the blob.
    pub bytes: Vec<u8>,
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
    /// The annotations that the way of packing asks for.
    pub annotations: Annotations,
}

/// Packs files as a layer. What is neither gzip nor zstd nor eStargz holds a plain archive in which only the annotations
/// are those of its class; no rule looks deeper.
pub fn pack(files: &[File], class: LayerClass) -> PackedLayer {
    if class == LayerClass::Estargz {
        return estargz::pack(files);
    }
    let archive = tar(files);
    let diff_id = Digest::sha256(&archive);
    let bytes = match class {
        LayerClass::Gzip => gzip(&archive),
        LayerClass::Zstd | LayerClass::ZstdChunked => zstd(&archive),
        LayerClass::Encrypted => scrambled(&archive),
        LayerClass::None | LayerClass::Nydus | LayerClass::Overlaybd | LayerClass::Estargz => archive,
    };
    let annotations = annotations(class, &bytes);
    PackedLayer { bytes, diff_id, annotations }
}

/// No cipher, but as unlike an archive as the output of one.
fn scrambled(archive: &[u8]) -> Vec<u8> {
    archive.iter().zip((0_u8..=255).cycle()).map(|(byte, key)| byte ^ key.wrapping_mul(167) ^ 0x5a).collect()
}

fn annotations(class: LayerClass, bytes: &[u8]) -> Annotations {
    let digest = || Digest::sha256(bytes).to_string();
    let size = bytes.len();
    let notes = match class {
        LayerClass::ZstdChunked => vec![
            ("io.github.containers.zstd-chunked.manifest-checksum", digest()),
            ("io.github.containers.zstd-chunked.manifest-position", format!("{size}:512:1024:1")),
            ("io.github.containers.zstd-chunked.tarsplit-position", format!("{size}:128:256:1")),
        ],
        LayerClass::Overlaybd => vec![
            ("containerd.io/snapshot/overlaybd/blob-digest", digest()),
            ("containerd.io/snapshot/overlaybd/blob-size", size.to_string()),
            ("containerd.io/snapshot/overlaybd/version", "0.1.0".to_owned()),
        ],
        LayerClass::Encrypted => vec![("org.opencontainers.image.enc.keys.jwe", "e30=".to_owned())],
        _ => Vec::new(),
    };
    notes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn files() -> Vec<File> {
        vec![File::directory("usr"), File::new("usr/app", "hello ".repeat(200)).executable()]
    }

    fn names(archive: &[u8]) -> Vec<String> {
        let mut archive = ::tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
        entries.collect()
    }

    fn unpacked(layer: &PackedLayer, class: LayerClass) -> Vec<u8> {
        let mut archive = Vec::new();
        match class {
            LayerClass::Gzip | LayerClass::Estargz => {
                flate2::read::MultiGzDecoder::new(layer.bytes.as_slice()).read_to_end(&mut archive).unwrap();
            }
            LayerClass::Zstd => {
                let mut decoder = ruzstd::decoding::StreamingDecoder::new(layer.bytes.as_slice()).unwrap();
                decoder.read_to_end(&mut archive).unwrap();
            }
            _ => archive.clone_from(&layer.bytes),
        }
        archive
    }

    #[test]
    fn a_layer_unpacks_to_the_archive_that_its_diff_id_names() {
        for class in [LayerClass::None, LayerClass::Gzip, LayerClass::Zstd, LayerClass::Estargz] {
            let layer = pack(&files(), class);
            let archive = unpacked(&layer, class);
            assert_eq!(Digest::sha256(&archive), layer.diff_id, "{class}");
            assert!(names(&archive).contains(&"usr/app".to_owned()), "{class}");
            assert_eq!(layer, pack(&files(), class), "{class}");
        }
    }

    #[test]
    fn gzip_begins_as_go_writes_it() {
        assert_eq!(gzip(b"x")[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    }
}
