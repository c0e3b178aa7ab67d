//! What a registry holds: manifests, tags and blobs of its repositories, and plain files.

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// The media type of an OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of an OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The sha256 digest of these bytes, as text. On its own feet, so that tests do not trust the program's own digests.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A body and its media type.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The body.
    pub body: Bytes,
    /// What `Content-Type` says.
    pub media_type: String,
}

#[derive(Debug, Default)]
struct Repository {
    manifests: BTreeMap<String, Stored>,
    tags: BTreeMap<String, String>,
    blobs: BTreeMap<String, Bytes>,
}

#[derive(Debug, Default)]
struct Shelves {
    repositories: BTreeMap<String, Repository>,
    files: BTreeMap<String, Stored>,
}

/// Repositories and files; clones share them, so that a test may change what a running server holds.
#[derive(Debug, Clone, Default)]
pub struct Store(Arc<Mutex<Shelves>>);

impl Store {
    /// Stores a manifest under its digest, and tags it.
    pub fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        body: impl Into<Bytes>,
        media_type: &str,
    ) -> String {
        let body = body.into();
        let digest = sha256(&body);
        self.put_manifest_as(repository, &digest, body, media_type);
        if let Some(tag) = tag {
            self.tag(repository, tag, &digest);
        }
        digest
    }

    /// Stores a manifest under this digest, be it true or not.
    pub fn put_manifest_as(&self, repository: &str, digest: &str, body: impl Into<Bytes>, media_type: &str) {
        let stored = Stored { body: body.into(), media_type: media_type.to_owned() };
        self.change(repository, |it| it.manifests.insert(digest.to_owned(), stored));
    }

    /// Points a tag at a digest, whether or not there is a manifest of it.
    pub fn tag(&self, repository: &str, tag: &str, digest: &str) {
        self.change(repository, |it| it.tags.insert(tag.to_owned(), digest.to_owned()));
    }

    /// Stores a blob under its digest.
    pub fn put_blob(&self, repository: &str, body: impl Into<Bytes>) -> String {
        let body = body.into();
        let digest = sha256(&body);
        self.put_blob_as(repository, &digest, body);
        digest
    }

    /// Stores a blob under this digest, be it true or not.
    pub fn put_blob_as(&self, repository: &str, digest: &str, body: impl Into<Bytes>) {
        let body = body.into();
        self.change(repository, |it| it.blobs.insert(digest.to_owned(), body));
    }

    /// Takes a manifest, a tag or a blob away; it is enough to name one of them.
    pub fn remove(&self, repository: &str, digest_or_tag: &str) {
        self.change(repository, |it| {
            it.manifests.remove(digest_or_tag);
            it.tags.remove(digest_or_tag);
            it.blobs.remove(digest_or_tag);
        });
    }

    /// Serves a body at a path outside `/v2/`, as the stores behind registries do.
    pub fn put_file(&self, path: &str, body: impl Into<Bytes>, media_type: &str) {
        let stored = Stored { body: body.into(), media_type: media_type.to_owned() };
        self.shelves().files.insert(path.to_owned(), stored);
    }

    /// Tags the list of a subject's referrers as registries without the referrers API keep it; the digest of that list.
    pub fn put_fallback(&self, repository: &str, subject: &str) -> String {
        let list = referrers_index(&self.referrers(repository, subject));
        self.put_manifest(repository, Some(&fallback_tag(subject)), list, OCI_INDEX)
    }

    /// Imports an OCI image layout: every blob, and every manifest that `index.json` leads to.
    ///
    /// The tag is given to the entry of that name, else to the only entry, else to `index.json` itself. Entries that
    /// bear a name are tagged with it, too. The result is the digest that the tag names.
    pub fn load_layout(&self, repository: &str, layout: &Path, tag: &str) -> String {
        let blobs = read_blobs(layout);
        let index: Bytes = read(&layout.join("index.json")).into();
        let root = json!({ "mediaType": OCI_INDEX });
        self.import(repository, &root, &index, &blobs);
        for (digest, body) in &blobs {
            self.put_blob_as(repository, digest, body.clone());
        }
        let value: Value = serde_json::from_slice(&index).unwrap_or_default();
        let entries = value["manifests"].as_array().cloned().unwrap_or_default();
        for entry in &entries {
            if let (Some(name), Some(digest)) = (ref_name(entry), entry["digest"].as_str()) {
                self.tag(repository, name, digest);
            }
        }
        let named = entries.iter().find(|entry| ref_name(entry) == Some(tag));
        let only = if entries.len() == 1 { entries.first() } else { None };
        let digest = named.or(only).and_then(|entry| entry["digest"].as_str()).map_or(sha256(&index), str::to_owned);
        self.tag(repository, tag, &digest);
        digest
    }

    fn import(&self, repository: &str, descriptor: &Value, body: &Bytes, blobs: &BTreeMap<String, Bytes>) {
        let digest = descriptor["digest"].as_str().map_or_else(|| sha256(body), str::to_owned);
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let media_type = [descriptor, &value].into_iter().find_map(|of| of["mediaType"].as_str());
        self.put_manifest_as(repository, &digest, body.clone(), media_type.unwrap_or(OCI_MANIFEST));
        for child in value["manifests"].as_array().into_iter().flatten() {
            let body = child["digest"].as_str().and_then(|digest| blobs.get(digest));
            if let Some(body) = body {
                self.import(repository, child, body, blobs);
            }
        }
    }

    pub(super) fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Stored)> {
        let shelves = self.shelves();
        let it = shelves.repositories.get(repository)?;
        let digest = if reference.contains(':') { reference } else { it.tags.get(reference)? };
        Some((digest.to_owned(), it.manifests.get(digest)?.clone()))
    }

    pub(super) fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.shelves().repositories.get(repository)?.blobs.get(digest).cloned()
    }

    pub(super) fn file(&self, path: &str) -> Option<Stored> {
        self.shelves().files.get(path).cloned()
    }

    pub(super) fn tags(&self, repository: &str) -> Option<Vec<String>> {
        let shelves = self.shelves();
        Some(shelves.repositories.get(repository)?.tags.keys().cloned().collect())
    }

    /// The descriptors of all manifests whose subject is this digest.
    pub(super) fn referrers(&self, repository: &str, subject: &str) -> Vec<Value> {
        let shelves = self.shelves();
        let manifests = shelves.repositories.get(repository).into_iter().flat_map(|it| &it.manifests);
        manifests.filter_map(|(digest, stored)| referrer(digest, stored, subject)).collect()
    }

    fn change<T>(&self, repository: &str, change: impl FnOnce(&mut Repository) -> T) {
        change(self.shelves().repositories.entry(repository.to_owned()).or_default());
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().expect("invariant: no holder of the lock panics")
    }
}

/// The tag under which the distribution-spec's fallback keeps the referrers of a digest.
pub fn fallback_tag(subject: &str) -> String {
    let (algorithm, hex) = subject.split_once(':').unwrap_or((subject, ""));
    format!("{algorithm:.32}-{hex:.64}")
}

/// The body of a list of referrers.
pub fn referrers_index(manifests: &[Value]) -> String {
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests }).to_string()
}

fn referrer(digest: &str, stored: &Stored, subject: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&stored.body).ok()?;
    if value["subject"]["digest"] != subject {
        return None;
    }
    let mut entry = json!({ "mediaType": stored.media_type, "digest": digest, "size": stored.body.len() });
    let kinds = [&value["artifactType"], &value["config"]["mediaType"]];
    if let Some(kind) = kinds.into_iter().find(|kind| kind.as_str().is_some_and(|text| !text.is_empty())) {
        entry["artifactType"] = kind.clone();
    }
    if value["annotations"].is_object() {
        entry["annotations"] = value["annotations"].clone();
    }
    Some(entry)
}

fn ref_name(entry: &Value) -> Option<&str> {
    let name = entry["annotations"]["org.opencontainers.image.ref.name"].as_str()?;
    (!name.contains([':', '/'])).then_some(name)
}

fn read_blobs(layout: &Path) -> BTreeMap<String, Bytes> {
    let mut blobs = BTreeMap::new();
    for algorithm in list(&layout.join("blobs")) {
        for hex in list(&layout.join("blobs").join(&algorithm)) {
            let body = read(&layout.join("blobs").join(&algorithm).join(&hex));
            blobs.insert(format!("{algorithm}:{hex}"), body.into());
        }
    }
    blobs
}

fn list(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
