//! eStargz: a gzip layer whose files can be fetched one by one (stargz-snapshotter, docs/estargz.md).
//!
//! Every file's content begins a gzip member of its own; the last entry is the table of contents, and a footer of 51 bytes
//! tells where its member starts.

use std::fmt::Write;

use super::Tree;
use super::layer::{END, File, PackedLayer, gzip};
use crate::oci::{Annotations, Digest};

/// The annotation with the digest of the table of contents.
const TOC_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";
/// The annotation with the size of the uncompressed archive.
const UNCOMPRESSED_SIZE: &str = "io.containers.estargz.uncompressed-size";
/// The entry that says that nothing is to be fetched ahead.
const NO_PREFETCH: &str = ".no.prefetch.landmark";
/// The time of every file as the table of contents writes it.
const MODIFIED: &str = "2026-01-01T00:00:00Z";

/// Packs files as an eStargz layer.
pub(super) fn pack(files: &[File]) -> PackedLayer {
    let mut writer = Writer::default();
    writer.add(&File::new(NO_PREFETCH, [0xf]));
    for file in files {
        writer.add(file);
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    packed: Vec<u8>,
    /// What belongs to the gzip member that is not finished.
    open: Vec<u8>,
    archive: Vec<u8>,
    entries: Vec<Tree>,
}

impl Writer {
    fn add(&mut self, file: &File) {
        self.write(&file.header());
        let kind = if file.is_directory() { "dir" } else { "reg" };
        let mut entry = Tree::object()
            .with("name", file.path.as_str())
            .with("type", kind)
            .with("modtime", MODIFIED)
            .with("mode", u64::from(file.mode));
        if !file.content.is_empty() {
            self.close();
            let digest = Digest::sha256(&file.content);
            entry = entry
                .with("size", file.content.len())
                .with("digest", digest.as_str())
                .with("offset", self.packed.len())
                .with("chunkDigest", digest.as_str());
            self.write(&file.blocks());
        }
        self.entries.push(entry);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
        self.archive.extend_from_slice(bytes);
    }

    /// Ends the gzip member.
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.packed.extend_from_slice(&gzip(&self.open));
            self.open.clear();
        }
    }

    fn finish(mut self) -> PackedLayer {
        self.close();
        let offset = self.packed.len();
        let entries = std::mem::take(&mut self.entries);
        let contents = Tree::object().with("version", 1_u64).with("entries", entries).to_bytes();
        let toc_digest = Digest::sha256(&contents);
        let entry = File { mode: 0, ..File::new("stargz.index.json", contents) };
        self.write(&entry.header());
        self.write(&entry.blocks());
        self.write(&END);
        self.close();
        self.packed.extend_from_slice(&footer(offset));
        let annotations = [(TOC_DIGEST, toc_digest.to_string()), (UNCOMPRESSED_SIZE, self.archive.len().to_string())];
        PackedLayer {
            diff_id: Digest::sha256(&self.archive),
            annotations: annotations.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Annotations>(),
            bytes: self.packed,
        }
    }
}

/// An empty gzip member whose extra field tells where the table of contents begins.
fn footer(offset: usize) -> Vec<u8> {
    let mut told = String::new();
    let _ = write!(told, "{offset:016x}STARGZ");
    let mut footer = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, b'S', b'G', 22, 0];
    footer.extend_from_slice(told.as_bytes());
    // A stored block of no bytes, the checksum and the size of nothing.
    footer.extend_from_slice(&[1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    footer
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn member(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        flate2::bufread::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn the_footer_leads_to_the_table_of_contents_and_that_to_every_file() {
        let layer = pack(&[File::directory("etc"), File::new("etc/motd", "hello"), File::new("empty", "")]);
        let (body, footer) = layer.bytes.split_at(layer.bytes.len() - 51);
        assert_eq!(&footer[32..38], b"STARGZ");
        let offset = usize::from_str_radix(std::str::from_utf8(&footer[16..32]).unwrap(), 16).unwrap();

        let toc = member(&body[offset..]);
        let mut archive = ::tar::Archive::new(toc.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("stargz.index.json"));
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).unwrap();
        assert_eq!(layer.annotations[TOC_DIGEST], Digest::sha256(&contents).to_string());

        let contents: serde_json::Value = serde_json::from_slice(&contents).unwrap();
        let motd = contents["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == "etc/motd").unwrap();
        let at = usize::try_from(motd["offset"].as_u64().unwrap()).unwrap();
        assert_eq!(&member(&body[at..])[..5], b"hello");
        assert_eq!(motd["digest"], Digest::sha256(b"hello").to_string());
    }

    #[test]
    fn the_annotations_tell_the_size_of_the_whole_archive() {
        let layer = pack(&[File::new("a", "b")]);
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(layer.bytes.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(layer.annotations[UNCOMPRESSED_SIZE], plain.len().to_string());
        assert_eq!(layer.diff_id, Digest::sha256(&plain));
    }
}
