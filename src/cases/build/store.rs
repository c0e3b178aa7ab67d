//! What a repository or layout holds.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Tree;
use crate::oci::{Digest, known};

/// The content of `oci-layout` (image-spec, image-layout.md).
const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// A document that is served as a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// The raw bytes.
    pub bytes: Bytes,
    /// What it is served as.
    pub media_type: String,
}

/// Blobs and manifests by their true digests, tags, and lists of referrers.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// Manifests and indexes.
    pub manifests: BTreeMap<Digest, StoredManifest>,
    /// Configs, layers, statements.
    pub blobs: BTreeMap<Digest, Bytes>,
    /// Tags; a digest need not lead anywhere.
    pub tags: BTreeMap<String, Digest>,
    /// The descriptors that the referrers API lists.
    pub referrers: BTreeMap<Digest, Vec<Tree>>,
    /// Whether referrers are listed under fallback tags instead of by the referrers API.
    pub without_api: bool,
}

impl Store {
    /// Stores a blob.
    pub fn put_blob(&mut self, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        self.blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Stores a manifest or index.
    pub fn put_manifest(&mut self, bytes: impl Into<Bytes>, media_type: &str) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        self.manifests.insert(digest.clone(), StoredManifest { bytes, media_type: media_type.to_owned() });
        digest
    }

    /// Lists a descriptor as a referrer of `subject`.
    pub fn refer(&mut self, subject: &Digest, descriptor: Tree) {
        self.referrers.entry(subject.clone()).or_default().push(descriptor);
    }

    /// Writes every list of referrers under its fallback tag (distribution-spec, "Referrers Tag Schema").
    pub fn write_fallback_tags(&mut self) {
        for (subject, descriptors) in std::mem::take(&mut self.referrers) {
            let index = Tree::object()
                .with("schemaVersion", 2_u64)
                .with("mediaType", known::OCI_INDEX)
                .with("manifests", descriptors);
            let digest = self.put_manifest(index.to_bytes(), known::OCI_INDEX);
            self.tags.insert(subject.fallback_tag(), digest);
        }
        self.without_api = true;
    }

    /// The bytes of a manifest or blob.
    pub fn bytes(&self, digest: &Digest) -> Option<&Bytes> {
        self.manifests.get(digest).map(|manifest| &manifest.bytes).or_else(|| self.blobs.get(digest))
    }

    /// The files of an image layout whose `index.json` lists these descriptors, by path.
    pub fn layout(&self, entries: Vec<Tree>) -> BTreeMap<String, Bytes> {
        let index =
            Tree::object().with("schemaVersion", 2_u64).with("mediaType", known::OCI_INDEX).with("manifests", entries);
        let named = [("oci-layout", Bytes::from_static(OCI_LAYOUT)), ("index.json", index.to_bytes().into())];
        let manifests = self.manifests.iter().map(|(digest, manifest)| (digest, &manifest.bytes));
        let blobs = manifests
            .chain(&self.blobs)
            .map(|(digest, bytes)| (format!("blobs/{}/{}", digest.algorithm(), digest.hex()), bytes.clone()));
        named.map(|(name, bytes)| (name.to_owned(), bytes)).into_iter().chain(blobs).collect()
    }
}
