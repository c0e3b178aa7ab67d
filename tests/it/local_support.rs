//! Image layouts and archives made to measure, good ones and bad ones.

#![allow(clippy::unwrap_used, reason = "this is all test code, where a failure to prepare is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use ocilint::graph::{Cause, Why};
use ocilint::oci::{Digest, known};
use ocilint::source::archive::{self, ArchiveKind};
use ocilint::source::layout::Layout;
use ocilint::source::{Part, Resolved, Source};
use ocilint::target::Select;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use tar::{EntryType, Header};
use tempfile::TempDir;

/// What a source was asked for, and answers in words.
pub(crate) type Answer = Result<String, Cause>;

/// The files of a layout, before they are written anywhere.
#[derive(Clone, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    /// A layout with one image, named `v1`, and the digest of its manifest.
    pub(crate) fn image() -> (Self, Digest) {
        let mut files = Self::default();
        let manifest = files.manifest("app", &json!({}));
        files.index(&[entry(&manifest.0, manifest.1, "v1")]);
        (files, manifest.0)
    }

    pub(crate) fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.0.insert(path.to_owned(), content.into());
    }

    /// Puts in a blob; its digest and size.
    pub(crate) fn blob(&mut self, content: impl Into<Vec<u8>>) -> (Digest, usize) {
        let content = content.into();
        let described = (Digest::sha256(&content), content.len());
        self.put(&blob_path(&described.0), content);
        described
    }

    /// Puts in a manifest with a config and a layer of their own, and other members besides.
    pub(crate) fn manifest(&mut self, seed: &str, more: &Value) -> (Digest, usize) {
        let config = self.blob(config(seed));
        let layer = self.blob(format!("layer of {seed}"));
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": known::OCI_MANIFEST,
            "config": { "mediaType": known::OCI_CONFIG, "digest": config.0, "size": config.1 },
            "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer.0, "size": layer.1 }],
        });
        for (name, value) in more.as_object().unwrap() {
            manifest[name] = value.clone();
        }
        self.blob(manifest.to_string())
    }

    /// Writes `oci-layout` and an `index.json` with these entries.
    pub(crate) fn index(&mut self, entries: &[Value]) {
        self.put("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
        let index = json!({ "schemaVersion": 2, "mediaType": known::OCI_INDEX, "manifests": entries });
        self.put("index.json", index.to_string());
    }

    pub(crate) fn write(&self, directory: &Path) {
        for (path, content) in &self.0 {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    pub(crate) fn tar(&self) -> Tar {
        self.0.iter().fold(Tar::default(), |tar, (path, content)| tar.file(path, content))
    }
}

/// The text of a small image config.
pub(crate) fn config(seed: &str) -> String {
    json!({ "os": "linux", "architecture": "amd64", "author": seed, "rootfs": { "type": "layers", "diff_ids": [] } })
        .to_string()
}

pub(crate) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// An entry of `index.json`; without a name if that is empty.
pub(crate) fn entry(digest: &Digest, size: usize, name: &str) -> Value {
    let mut entry = json!({ "mediaType": known::OCI_MANIFEST, "digest": digest, "size": size });
    if !name.is_empty() {
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    }
    entry
}

/// A tar file being written, without anything that would keep it from being a bad one.
#[derive(Clone, Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

impl Tar {
    pub(crate) fn file(self, path: &str, content: &[u8]) -> Self {
        self.member(path.as_bytes(), EntryType::Regular, "", content)
    }

    pub(crate) fn link(self, path: &str, kind: EntryType, target: &str) -> Self {
        self.member(path.as_bytes(), kind, target, b"")
    }

    /// A member with its header as given; the name goes into it unchecked.
    pub(crate) fn member(self, path: &[u8], kind: EntryType, target: &str, content: &[u8]) -> Self {
        self.member_of_size(path, kind, target, content, content.len() as u64)
    }

    pub(crate) fn member_of_size(
        mut self,
        path: &[u8],
        kind: EntryType,
        target: &str,
        content: &[u8],
        size: u64,
    ) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path);
        header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.as_gnu_mut().unwrap().realsize = *b"00000000000\0";
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// An extended header for the member that follows.
    pub(crate) fn extended(mut self, records: &[(&str, &str)]) -> Self {
        let mut header = tar::Builder::new(Vec::new());
        header.append_pax_extensions(records.iter().map(|(key, value)| (*key, value.as_bytes()))).unwrap();
        let written = header.into_inner().unwrap();
        let end = written.len() - 1024;
        self.0.extend_from_slice(&written[..end]);
        self
    }

    /// The finished file.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// An archive on disk.
pub(crate) struct Saved {
    _directory: TempDir,
    pub(crate) path: PathBuf,
}

impl Saved {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.tar");
        fs::write(&path, bytes).unwrap();
        Self { _directory: directory, path }
    }

    pub(crate) async fn ask(&self, kind: ArchiveKind, select: Select, what: Ask) -> Answer {
        ask(open_archive(&self.path, select, kind).await, what).await
    }
}

pub(crate) async fn open_layout(path: &Path, select: Select) -> Result<Arc<dyn Source>, Why> {
    Ok(Arc::new(Layout::open(path, &select).await?))
}

pub(crate) async fn open_archive(path: &Path, select: Select, kind: ArchiveKind) -> Result<Arc<dyn Source>, Why> {
    archive::open(path, &select, kind).await
}

/// What a source is asked for.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Resolve,
    Manifest(Digest),
    Blob(Digest, Part),
    Referrers(Digest),
    Tag(&'static str),
}

/// Asks, and says the answer in words: the short digest of bytes, what they were resolved to, which types refer to a manifest.
pub(crate) async fn ask(source: Result<Arc<dyn Source>, Why>, ask: Ask) -> Answer {
    let cause = |why: Why| why.cause;
    let source = source.map_err(cause)?;
    match ask {
        Ask::Resolve => source.resolve().await.map_err(cause).map(|resolved| match resolved {
            Resolved::Manifest(served) => format!("manifest {}", served.digest.short()),
            Resolved::SavedConfig(served) => format!("config {}", served.digest.short()),
        }),
        Ask::Manifest(digest) => {
            source.manifest(&digest).await.map_err(cause).map(|bytes| Digest::sha256(&bytes).short())
        }
        Ask::Blob(digest, part) => {
            source.blob(&digest, part).await.map_err(cause).map(|bytes| format!("{} bytes", bytes.len()))
        }
        Ask::Referrers(digest) => source.referrers(&digest).await.map_err(cause).map(|list| {
            let types = list.descriptors.iter().map(|referrer| match &referrer.artifact_type {
                Some(artifact_type) => artifact_type.to_string(),
                None => "-".to_owned(),
            });
            types.collect::<Vec<_>>().join(" ")
        }),
        Ask::Tag(tag) => source.tag(tag).await.map_err(cause).map(|served| match served {
            Some(served) => served.digest.short(),
            None => "none".to_owned(),
        }),
    }
}

/// The word by which reports know a cause, and its text: `not-found: not found: index.json lists no image`.
pub(crate) fn told(cause: &Cause) -> String {
    let kind = serde_json::to_value(cause).unwrap()["kind"].as_str().unwrap().to_owned();
    format!("{kind}: {cause}")
}

/// Holds an answer to what is wanted: the words of a good one, or the kind and part of the text of a cause (`kind: text`).
pub(crate) fn hold(case: &str, answer: &Answer, wanted: &str) {
    match answer {
        Ok(words) => assert_eq!(words, wanted, "{case}"),
        Err(why) => {
            let told = told(why);
            let (kind, text) = wanted.split_once(": ").unwrap_or((wanted, ""));
            assert!(
                told.starts_with(&format!("{kind}: ")) && told.contains(text),
                "{case}: wanted {wanted}, got {told}"
            );
        }
    }
}

/// One way to spoil a layout on disk, what is asked of it then, and the answer.
struct Case {
    name: &'static str,
    spoil: Box<dyn Fn(&Path)>,
    select: Select,
    ask: Ask,
    wanted: String,
}

/// The good layout, in a directory `layout`, beside a directory `outside` that holds the same files. Nothing from there may
/// ever be served: it would be accepted.
pub(crate) struct Table {
    pub(crate) files: Files,
    pub(crate) image: Digest,
    cases: Vec<Case>,
}

impl Table {
    pub(crate) fn new() -> Self {
        let (files, image) = Files::image();
        Self { files, image, cases: Vec::new() }
    }

    pub(crate) fn case(&mut self, name: &'static str, wanted: &str, spoil: impl Fn(&Path) + 'static) {
        self.asking(name, Select::Only, Ask::Resolve, wanted, spoil);
    }

    pub(crate) fn asking(
        &mut self,
        name: &'static str,
        select: Select,
        ask: Ask,
        wanted: &str,
        spoil: impl Fn(&Path) + 'static,
    ) {
        self.cases.push(Case { name, spoil: Box::new(spoil), select, ask, wanted: wanted.to_owned() });
    }

    /// A case in which a file is overwritten.
    pub(crate) fn with(&mut self, name: &'static str, path: &str, content: impl Into<Vec<u8>>, wanted: &str) {
        let (path, content) = (path.to_owned(), content.into());
        self.case(name, wanted, move |layout| fs::write(layout.join(&path), &content).unwrap());
    }

    pub(crate) async fn run(self) {
        for case in self.cases {
            let directory = tempfile::tempdir().unwrap();
            let layout = directory.path().join("layout");
            self.files.write(&layout);
            self.files.write(&directory.path().join("outside"));
            (case.spoil)(&layout);
            let answer = ask(open_layout(&layout, case.select).await, case.ask);
            let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
            hold(case.name, &answer.unwrap_or_else(|_| panic!("{}: waits", case.name)), &case.wanted);
        }
    }
}

pub(crate) fn replace(path: &Path, with: impl FnOnce(&Path)) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
    with(path);
}

pub(crate) fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

pub(crate) fn socket(path: &Path) {
    // The path of a socket is short by law, that of a test's directory is not.
    let short = tempfile::tempdir_in("/tmp").unwrap();
    UnixListener::bind(short.path().join("s")).unwrap();
    fs::rename(short.path().join("s"), path).unwrap();
}
