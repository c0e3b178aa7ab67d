//! An image's own documents, read off the bytes without the program's readers: a second opinion where no label says anything.

use std::fs;
use std::path::{Path, PathBuf};

use ocilint::oci::Digest;
use serde_json::Value;

/// An image of a layout.
pub(crate) struct Raw {
    folder: PathBuf,
    root: Value,
}

/// One platform of an image, all of whose documents are there.
pub(crate) struct RawPlatform {
    /// Its entry in the index; null for a plain manifest.
    pub(crate) entry: Value,
    pub(crate) manifest: Value,
    pub(crate) config: Value,
}

impl Raw {
    pub(crate) fn open(folder: &Path, root: &str) -> Option<Self> {
        let folder = folder.to_path_buf();
        let root = serde_json::from_slice(&blob(&folder, root)?).ok()?;
        Some(Self { folder, root })
    }

    /// What the reference points to.
    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// The entries of an index.
    pub(crate) fn entries(&self) -> Option<&Vec<Value>> {
        self.root["manifests"].as_array()
    }

    /// The bytes that a descriptor is about, if they are there and those that it says.
    pub(crate) fn read(&self, descriptor: &Value) -> Option<Vec<u8>> {
        let digest = descriptor["digest"].as_str()?;
        let bytes = blob(&self.folder, digest)?;
        let same = Digest::sha256(&bytes).as_str() == digest && descriptor["size"].as_u64() == Some(bytes.len() as u64);
        same.then_some(bytes)
    }

    fn document(&self, descriptor: &Value) -> Option<Value> {
        serde_json::from_slice(&self.read(descriptor)?).ok()
    }

    /// The platforms that a runtime could choose, where nobody would doubt which they are and every document is there.
    pub(crate) fn platforms(&self) -> Option<Vec<RawPlatform>> {
        let Some(entries) = self.entries() else { return Some(vec![self.platform(Value::Null, self.root.clone())?]) };
        let mut platforms = Vec::new();
        for entry in entries.iter().filter(|entry| entry["platform"]["os"] != "unknown") {
            platforms.push(self.platform(entry.clone(), self.document(entry)?)?);
        }
        (!platforms.is_empty()).then_some(platforms)
    }

    fn platform(&self, entry: Value, manifest: Value) -> Option<RawPlatform> {
        let is_image = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"]
            .contains(&manifest["config"]["mediaType"].as_str()?);
        let files = manifest["layers"]
            .as_array()?
            .iter()
            .all(|layer| layer["mediaType"].as_str().is_some_and(|media_type| media_type.contains(".tar")));
        let config = self.document(&manifest["config"])?;
        let known = config["os"].as_str().is_some_and(|os| !os.is_empty());
        (is_image && files && known).then_some(RawPlatform { entry, manifest, config })
    }

    /// The manifests of the index's entries that hold BuildKit's attestations about a manifest.
    pub(crate) fn attestations(&self, about: &Value) -> Option<Vec<Value>> {
        let entries = self.entries()?.iter();
        let annotation = |entry: &Value, name: &str| entry["annotations"][name].clone();
        entries
            .filter(|entry| annotation(entry, "vnd.docker.reference.type") == "attestation-manifest")
            .filter(|entry| annotation(entry, "vnd.docker.reference.digest") == about["digest"])
            .map(|entry| self.document(entry))
            .collect()
    }
}

impl RawPlatform {
    pub(crate) fn layers(&self) -> Vec<&Value> {
        self.manifest["layers"].as_array().into_iter().flatten().collect()
    }

    /// A member of the config's `config`.
    pub(crate) fn member(&self, name: &str) -> &Value {
        &self.config["config"][name]
    }

    /// A text of the config's `config`; nothing said is an empty one.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.member(name).as_str().unwrap_or_default()
    }

    /// The size of all layers, compressed.
    pub(crate) fn size(&self) -> u64 {
        self.layers().iter().filter_map(|layer| layer["size"].as_u64()).sum()
    }
}

fn blob(folder: &Path, digest: &str) -> Option<Vec<u8>> {
    let (algorithm, hex) = digest.split_once(':')?;
    fs::read(folder.join("blobs").join(algorithm).join(hex)).ok()
}
