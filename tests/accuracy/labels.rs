//! Images with labels: those of layouts and archives as they are, single documents with an image made around them.

use std::fs;
use std::path::Path;

use ocilint::Target;
use ocilint::oci::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::raw::{Raw, RawPlatform};
use super::{corpus, rows, text};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image, and what is said of it.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) labels: Labels,
    /// Where it is, if it was made or unpacked for the test.
    _folder: Option<TempDir>,
}

/// What is said of an image or a document.
pub(crate) struct Labels {
    derived: Value,
    upstream: Value,
    /// What is said of the whole layout that the image is in.
    layout: Value,
    raw: Option<Raw>,
}

impl Labels {
    fn get(&self, name: &str) -> Option<&Value> {
        self.derived.get(name).or_else(|| self.derived.get("config")?.get(name))
    }

    pub(crate) fn upstream(&self, name: &str) -> Option<&Value> {
        self.upstream.get(name)
    }

    /// The image's own documents.
    pub(crate) fn raw(&self) -> Option<&Raw> {
        self.raw.as_ref()
    }

    /// The platforms of the image, if every document of each is there.
    pub(crate) fn platforms(&self) -> Option<Vec<RawPlatform>> {
        self.raw()?.platforms()
    }

    /// What is said of the whole layout.
    pub(crate) fn layout(&self, name: &str) -> Option<&Value> {
        self.layout.get(name)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A text that may be null; `None` where nothing is said.
    #[allow(clippy::option_option, reason = "nothing said is not the same as said to be nothing")]
    pub(crate) fn optional(&self, name: &str) -> Option<Option<&str>> {
        self.get(name).map(Value::as_str)
    }

    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    /// A list; null is an empty one.
    pub(crate) fn listed(&self, name: &str) -> Option<Vec<&str>> {
        self.get(name).map(|value| value.as_array().into_iter().flatten().filter_map(Value::as_str).collect())
    }

    /// The media types of the layers of an image of file system layers.
    pub(crate) fn layers(&self) -> Option<Vec<&str>> {
        self.list("layer_media_types").filter(|types| types.iter().all(|media_type| media_type.contains(".tar")))
    }
}

/// Every labelled image.
pub(crate) fn subjects() -> Vec<Subject> {
    let mut subjects = of_layouts();
    subjects.extend(of_archives());
    for folder in ["manifests", "official-images"] {
        for row in rows(&format!("{folder}/expectations.jsonl")) {
            let path = corpus().join(folder).join(text(&row, "file"));
            subjects.extend(of_document(&format!("{folder}/{}", text(&row, "file")), &path, &row));
        }
    }
    subjects
}

fn of_layouts() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for row in rows("layouts/expectations.jsonl") {
        let folder = corpus().join("layouts").join(text(&row, "dir"));
        for (digest, detail) in row["detail"].as_object().into_iter().flatten() {
            let mut derived = detail.clone();
            // The names of the same facts differ between the files of labels.
            if let Some(config) = derived.get_mut("config").and_then(Value::as_object_mut)
                && let Some(exposed) = config.remove("exposed")
            {
                config.insert("exposed_ports".to_owned(), exposed);
            }
            let raw = Raw::open(&folder, digest);
            subjects.push(Subject {
                name: format!("layouts/{}@{}", text(&row, "dir"), &digest[..19]),
                target: Target::parse(&format!("oci:{}@{digest}", folder.display())).expect("a target"),
                labels: Labels { derived, upstream: Value::Null, layout: row["derived"].clone(), raw },
                _folder: None,
            });
        }
    }
    subjects
}

/// The images of layouts in plain tar files: unpacked for the second opinion, judged as they are.
fn of_archives() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for row in rows("archives/expectations.jsonl") {
        let name = text(&row, "file");
        let is_plain = Path::new(name).extension().is_some_and(|extension| extension == "tar");
        if !is_plain || row["derived"]["oci"] != true || row["derived"]["oci_summary"]["roots"] != 1 {
            continue;
        }
        let file = corpus().join("archives").join(name);
        let folder = tempfile::tempdir().expect("a folder");
        let archive = fs::File::open(&file).expect("a labelled file is there");
        tar::Archive::new(archive).unpack(folder.path()).expect("an archive");
        let index = fs::read(folder.path().join("index.json")).expect("an index");
        let index: Value = serde_json::from_slice(&index).expect("JSON");
        let raw = index["manifests"][0]["digest"].as_str().and_then(|root| Raw::open(folder.path(), root));
        subjects.push(Subject {
            name: format!("archives/{name}"),
            target: Target::parse(&format!("oci-archive:{}", file.display())).expect("a target"),
            labels: Labels {
                derived: Value::Null,
                upstream: Value::Null,
                layout: row["derived"]["oci_summary"].clone(),
                raw,
            },
            _folder: Some(folder),
        });
    }
    subjects
}

/// A document as an image: a manifest or index is one, a config gets a manifest with as many layers as it lists.
fn of_document(name: &str, path: &Path, row: &Value) -> Option<Subject> {
    let bytes = fs::read(path).expect("a labelled file is there");
    let folder = tempfile::tempdir().expect("a folder");
    let root = match text(row, "kind") {
        "manifest" | "index" | "v2s1" => bytes,
        "config" => {
            let diff_ids = row["derived"]["diff_ids"].as_u64()?;
            let layer = |number: u64| {
                let digest = Digest::sha256(format!("layer {number}").as_bytes());
                json!({ "mediaType": LAYER, "digest": digest.to_string(), "size": 1_000 })
            };
            let layers: Vec<Value> = (0..diff_ids).map(layer).collect();
            let config = json!({ "mediaType": CONFIG, "digest": put(folder.path(), &bytes), "size": bytes.len() });
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers })
                .to_string()
                .into_bytes()
        }
        _ => return None,
    };
    let media_type = serde_json::from_slice::<Value>(&root).ok()?["mediaType"].as_str().map(str::to_owned);
    let default = if text(row, "kind") == "v2s1" { SCHEMA1 } else { MANIFEST };
    let media_type = media_type.unwrap_or_else(|| default.to_owned());
    let entry = json!({ "mediaType": media_type, "digest": put(folder.path(), &root), "size": root.len() });
    fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("written");
    fs::write(folder.path().join("index.json"), json!({ "schemaVersion": 2, "manifests": [entry] }).to_string())
        .expect("written");
    let mut derived = row["derived"].clone();
    derived["kind"] = row["kind"].clone();
    let raw = Raw::open(folder.path(), Digest::sha256(&root).as_str());
    Some(Subject {
        name: name.to_owned(),
        target: Target::parse(&format!("oci:{}", folder.path().display())).expect("a target"),
        labels: Labels { derived, upstream: row["upstream"].clone(), layout: Value::Null, raw },
        _folder: Some(folder),
    })
}

/// Stores a blob; its digest.
fn put(folder: &Path, bytes: &[u8]) -> String {
    let digest = Digest::sha256(bytes);
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    fs::write(blobs.join(digest.hex()), bytes).expect("written");
    digest.to_string()
}
