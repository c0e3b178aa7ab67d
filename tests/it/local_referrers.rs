//! What is promised of referrers in a layout, where no API lists them.

use ocilint::graph::Home;
use ocilint::oci::{Digest, known};
use ocilint::target::Select;
use serde_json::{Value, json};

use crate::local_support::{Ask, Files, ask, entry, hold, open_layout};

/// A layout with the image `v1` and whatever else is put in.
struct Around {
    files: Files,
    image: (Digest, usize),
    entries: Vec<Value>,
}

impl Around {
    fn new() -> Self {
        let mut files = Files::default();
        let image = files.manifest("app", &json!({}));
        let entries = vec![entry(&image.0, image.1, "v1")];
        Self { files, image, entries }
    }

    fn subject(&self) -> Value {
        json!({ "mediaType": known::OCI_MANIFEST, "digest": self.image.0, "size": self.image.1 })
    }

    /// A manifest that refers to the image, not listed anywhere yet.
    fn referrer(&mut self, seed: &str, artifact_type: &str) -> (Digest, usize) {
        let more =
            json!({ "artifactType": artifact_type, "subject": self.subject(), "annotations": { "made-for": seed } });
        self.files.manifest(seed, &more)
    }

    fn list(&mut self, described: &(Digest, usize), name: &str) {
        self.entries.push(entry(&described.0, described.1, name));
    }

    /// Puts an index under the fallback tag of the image.
    fn fallback(&mut self, manifests: &[Value]) {
        let index = json!({ "schemaVersion": 2, "mediaType": known::OCI_INDEX, "manifests": manifests });
        let described = self.files.blob(index.to_string());
        let mut entry = entry(&described.0, described.1, &self.image.0.fallback_tag());
        entry["mediaType"] = json!(known::OCI_INDEX);
        self.entries.push(entry);
    }

    async fn hold(mut self, case: &str, wanted: &str) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        self.files.index(&self.entries);
        self.files.write(directory.path());
        let source = open_layout(directory.path(), Select::Tag("v1".to_owned())).await;
        hold(case, &ask(source, Ask::Referrers(self.image.0)).await, wanted);
    }
}

#[tokio::test]
async fn none_is_an_empty_list() {
    Around::new().hold("an image alone", "").await;

    let mut around = Around::new();
    let other = around
        .files
        .manifest("other", &json!({ "subject": { "mediaType": "x", "digest": Digest::sha256(b"other"), "size": 1 } }));
    around.list(&other, "");
    around.hold("a referrer of another image", "").await;

    let mut around = Around::new();
    around.referrer("hidden", "application/vnd.hidden");
    around.hold("a manifest that index.json does not list", "").await;
}

#[tokio::test]
async fn a_referrer_is_described_as_a_registry_would() {
    let mut around = Around::new();
    let described = around.referrer("sbom", "application/vnd.example.sbom");
    around.list(&described, "");
    around.files.index(&around.entries);
    let directory = tempfile::tempdir().unwrap();
    around.files.write(directory.path());
    let source = open_layout(directory.path(), Select::Tag("v1".to_owned())).await.unwrap();
    let list = source.referrers(&around.image.0).await.unwrap();
    assert_eq!(list.home, Home::Layout);
    let [listed] = &list.descriptors[..] else { panic!("{list:?}") };
    assert_eq!(listed.digest, Ok(described.0));
    assert_eq!(listed.size, Some(described.1 as u64));
    assert_eq!(listed.media_type.as_str(), known::OCI_MANIFEST);
    assert_eq!(listed.artifact_type.as_ref().unwrap().as_str(), "application/vnd.example.sbom");
    assert_eq!(listed.annotations["made-for"], "sbom");
    assert!(!listed.annotations.contains_key("org.opencontainers.image.ref.name"));
}

#[tokio::test]
async fn every_way_to_refer_counts_and_each_referrer_once() {
    let mut around = Around::new();
    let subject = around.subject();
    let plain = around.files.manifest("plain", &json!({ "subject": subject }));
    around.list(&plain, "");
    around.hold("without an artifact type the config's counts", known::OCI_CONFIG).await;

    let mut around = Around::new();
    let index = json!({ "schemaVersion": 2, "mediaType": known::OCI_INDEX, "artifactType": "application/vnd.bundle",
        "manifests": [], "subject": around.subject() });
    let index = around.files.blob(index.to_string());
    around.list(&index, "bundle");
    around.hold("an index may refer, with a name of its own", "application/vnd.bundle").await;

    let mut around = Around::new();
    let listed = around.referrer("one", "application/vnd.one");
    let tagged = around.referrer("two", "application/vnd.two");
    around.list(&listed, "");
    around.list(&listed, "again");
    let of = |described: &(Digest, usize), artifact_type: &str| {
        let mut entry = entry(&described.0, described.1, "");
        entry["artifactType"] = json!(artifact_type);
        entry
    };
    around.fallback(&[of(&listed, "application/vnd.one"), of(&tagged, "application/vnd.two")]);
    around.hold("listed in both places", "application/vnd.one application/vnd.two").await;

    let mut around = Around::new();
    let image = around.image.clone();
    around.list(&image, &image.0.fallback_tag());
    around.hold("a mirror that puts the subject under its own fallback tag", "").await;

    let mut around = Around::new();
    let blob = around.files.blob("no manifest");
    around.entries.push(json!({ "mediaType": "application/vnd.example.blob", "digest": blob.0, "size": blob.1 }));
    around.hold("another blob refers to nothing", "").await;
}

#[tokio::test]
async fn what_cannot_be_read_may_refer_to_anything() {
    let mut around = Around::new();
    around.list(&(Digest::sha256(b"absent"), 6), "");
    around.hold("a manifest that is missing", "not-found: there is no file").await;

    let mut around = Around::new();
    let broken = around.files.blob("{");
    around.list(&broken, "");
    around.hold("a manifest that is none", &format!("unreadable: {}", broken.0.short())).await;

    let mut around = Around::new();
    let subject = around.subject();
    let two = around.files.blob(format!(r#"{{"config":{{}},"layers":[],"subject":null,"subject":{subject}}}"#));
    around.list(&two, "");
    around.hold("two subjects", "ambiguous: \"subject\" occurs more than once").await;

    let mut around = Around::new();
    let described = around.referrer("sbom", "application/vnd.example.sbom");
    around.entries.push(entry(&described.0, described.1 + 1, ""));
    around.hold("another size", "size-mismatch").await;

    let mut around = Around::new();
    let bad =
        around.files.manifest("bad", &json!({ "subject": { "mediaType": "x", "digest": "sha256:..", "size": 1 } }));
    around.list(&bad, "");
    around.hold("a subject that is no digest", "bad-digest").await;

    let mut around = Around::new();
    around.entries.push(json!({ "mediaType": known::OCI_MANIFEST, "digest": "sha256:..", "size": 1 }));
    around.hold("an entry that is no digest", "bad-digest").await;

    let mut around = Around::new();
    let manifest = around.referrer("sbom", "application/vnd.example.sbom");
    let tag = around.image.0.fallback_tag();
    around.list(&manifest, &tag);
    around.hold("a fallback tag that is no index", "unreadable: is a manifest, not an index").await;

    let mut around = Around::new();
    let (one, two) = (around.files.blob(r#"{"manifests":[]}"#), around.files.blob(r#"{"manifests": []}"#));
    let tag = around.image.0.fallback_tag();
    around.list(&one, &tag);
    around.list(&two, &tag);
    around.hold("two fallback tags", "ambiguous: is both").await;
}

#[tokio::test]
async fn the_search_is_bounded() {
    let mut around = Around::new();
    for number in 0..1000 {
        let manifest = around.files.blob(format!(r#"{{"layers":[],"annotations":{{"n":"{number}"}}}}"#));
        around.list(&manifest, "");
    }
    around.hold("a thousand and one manifests", "budget: 1000 entries").await;

    let mut around = Around::new();
    for number in 0..17 {
        let mut manifest = format!(r#"{{"layers":[],"annotations":{{"n":"{number}"}}}}"#).into_bytes();
        manifest.resize(4 << 20, b' ');
        let manifest = around.files.blob(manifest);
        around.list(&manifest, "");
    }
    around.hold("more than 64 MiB of manifests", "budget: 64 MiB").await;
}
