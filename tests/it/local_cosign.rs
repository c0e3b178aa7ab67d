//! What is promised of the layouts that `cosign save` writes: the image is found, and so are its signatures and attestations.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ocilint::oci::{Digest, known};
use ocilint::target::Select;
use serde_json::{Value, json};

use crate::local_support::{Ask, Files, ask, entry, hold, open_layout};
use crate::program::run;

const COSIGN: &str = "dev.cosignproject.cosign";

/// What `cosign save` (2.4) writes of one image with a signature and an SBOM in a signed statement.
struct Saved {
    files: Files,
    image: (Digest, usize),
    sigs: (Digest, usize),
    atts: (Digest, usize),
    entries: Vec<Value>,
}

impl Saved {
    fn new() -> Self {
        let mut files = Files::default();
        let image = files.manifest("app", &json!({}));
        let payload = files.blob(
            json!({ "critical": { "identity": { "docker-reference": "ghcr.io/acme/app" },
                    "image": { "docker-manifest-digest": image.0 }, "type": "cosign container image signature" },
                "optional": null })
            .to_string(),
        );
        let sigs = files.manifest(
            "sigs",
            &json!({ "layers": [{ "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": payload.0,
                "size": payload.1, "annotations": { "dev.cosignproject.cosign/signature": "MEUCIQ==" } }] }),
        );
        let statement = json!({ "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
            "subject": [{ "name": "ghcr.io/acme/app", "digest": { "sha256": image.0.hex() } }],
            "predicate": { "spdxVersion": "SPDX-2.3" } });
        let payload = BASE64_STANDARD.encode(statement.to_string());
        let envelope = json!({ "payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": [] });
        let envelope = files.blob(envelope.to_string());
        let atts = files.manifest(
            "atts",
            &json!({ "layers": [{ "mediaType": "application/vnd.dsse.envelope.v1+json", "digest": envelope.0,
                "size": envelope.1, "annotations": { "predicateType": "https://spdx.dev/Document" } }] }),
        );
        let mut saved = Self { files, image, sigs, atts, entries: Vec::new() };
        saved.list(&saved.image.clone(), "image");
        saved.list(&saved.sigs.clone(), "sigs");
        saved.list(&saved.atts.clone(), "atts");
        saved
    }

    fn list(&mut self, described: &(Digest, usize), kind: &str) {
        let mut entry = entry(&described.0, described.1, "");
        entry["annotations"] = json!({ "kind": format!("{COSIGN}/{kind}") });
        self.entries.push(entry);
    }

    fn write(&mut self) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        self.files.index(&self.entries);
        self.files.write(directory.path());
        directory
    }

    async fn resolves_to(mut self, case: &str, wanted: &str) {
        let directory = self.write();
        hold(case, &ask(open_layout(directory.path(), Select::Only).await, Ask::Resolve).await, wanted);
    }

    async fn has_tag(mut self, case: &str, tag: &str, wanted: &str) {
        let directory = self.write();
        let source = open_layout(directory.path(), Select::Only).await.unwrap();
        let answer = source.tag(tag).await.map(|served| served.map_or("none".to_owned(), |it| it.digest.short()));
        hold(case, &answer.map_err(|why| why.cause), wanted);
    }
}

#[tokio::test]
async fn the_image_is_the_root() {
    let saved = Saved::new();
    let image = format!("manifest {}", saved.image.0.short());
    saved.resolves_to("with signatures and attestations", &image).await;

    let mut saved = Saved::new();
    let index = json!({ "schemaVersion": 2, "mediaType": known::OCI_INDEX, "manifests": [
        { "mediaType": known::OCI_MANIFEST, "digest": saved.image.0, "size": saved.image.1,
          "platform": { "os": "linux", "architecture": "amd64" } }] });
    let index = saved.files.blob(index.to_string());
    saved.entries.remove(0);
    saved.list(&index, "imageIndex");
    saved.resolves_to("an index", &format!("manifest {}", index.0.short())).await;

    let mut saved = Saved::new();
    let config = saved.files.blob("{}");
    let bundle = saved.files.manifest(
        "bundle",
        &json!({ "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config.0, "size": 2 },
            "subject": { "mediaType": known::OCI_MANIFEST, "digest": saved.image.0, "size": saved.image.1 } }),
    );
    saved.entries.push(entry(&bundle.0, bundle.1, ""));
    saved.resolves_to("with a bundle that refers to the image", &image).await;
}

#[tokio::test]
async fn an_annotation_hides_no_other_image() {
    let whole = |saved: &mut Saved| {
        saved.files.index(&saved.entries);
        format!("manifest {}", Digest::sha256(&saved.files.0["index.json"]).short())
    };
    let mut saved = Saved::new();
    let other = saved.files.manifest("other", &json!({}));
    saved.list(&other, "sigs");
    let index = whole(&mut saved);
    saved.resolves_to("another image that is said to be signatures", &index).await;

    let mut saved = Saved::new();
    let other = saved.files.manifest("other", &json!({}));
    saved.entries.push(entry(&other.0, other.1, ""));
    let index = whole(&mut saved);
    saved.resolves_to("another image that is said to be nothing", &index).await;

    let mut saved = Saved::new();
    saved.entries[1]["platform"] = json!({ "os": "linux", "architecture": "arm64" });
    let index = whole(&mut saved);
    saved.resolves_to("signatures that a runtime could choose by their platform", &index).await;

    let mut saved = Saved::new();
    saved.list(&(Digest::sha256(b"absent"), 6), "atts");
    let index = whole(&mut saved);
    saved.resolves_to("something that cannot be read", &index).await;

    let mut saved = Saved::new();
    let other = saved.files.manifest("other", &json!({}));
    saved.list(&other, "image");
    let index = whole(&mut saved);
    saved.resolves_to("two images", &index).await;
}

#[tokio::test]
async fn cosigns_tags_are_found() {
    let saved = Saved::new();
    let (image, sigs, atts) = (saved.image.0.clone(), saved.sigs.0.short(), saved.atts.0.short());
    saved.has_tag("signatures", &image.cosign_tag("sig"), &sigs).await;
    Saved::new().has_tag("attestations", &image.cosign_tag("att"), &atts).await;
    Saved::new().has_tag("no SBOM", &image.cosign_tag("sbom"), "none").await;
    Saved::new().has_tag("of another image", &Digest::sha256(b"other").cosign_tag("sig"), "none").await;
    Saved::new().has_tag("another tag", "latest", "none").await;

    let mut saved = Saved::new();
    saved.list(&saved.sigs.clone(), "sigs");
    saved.has_tag("listed twice", &image.cosign_tag("sig"), &sigs).await;

    let mut saved = Saved::new();
    saved.entries.remove(0);
    saved.has_tag("without an image to belong to", &image.cosign_tag("sig"), "none").await;
}

#[tokio::test]
async fn what_could_belong_to_two_images_is_not_known() {
    let image = Saved::new().image.0;
    let mut saved = Saved::new();
    let other = saved.files.manifest("other", &json!({}));
    saved.list(&other, "image");
    saved.has_tag("two images", &image.cosign_tag("sig"), "ambiguous: several images").await;

    let mut saved = Saved::new();
    saved.list(&saved.atts.clone(), "sigs");
    saved.has_tag("two kinds of signatures", &image.cosign_tag("sig"), "ambiguous: of one image").await;

    let mut saved = Saved::new();
    let tag = image.cosign_tag("sig");
    let named = entry(&saved.atts.0, saved.atts.1, &tag);
    saved.entries.push(named);
    saved.has_tag("a tag besides", &tag, "ambiguous: is both").await;
}

#[test]
fn a_saved_image_is_checked_with_what_was_saved() {
    let mut saved = Saved::new();
    let directory = saved.write();
    let policy = "[rules]\nsignature = {}\nsbom = {}\nprovenance.level = \"warning\"\ndocument.level = \"warning\"\n";
    std::fs::write(directory.path().join("policy.toml"), policy).unwrap();
    let run = run(directory.path(), &["check", "oci:.", "--policy", "policy.toml", "--output", "json"]);
    assert_eq!(run.exit, 0, "{} {}", run.stdout, run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["images"][0]["digest"], json!(saved.image.0));
    let evidence = |rule: &str| {
        let cells = report["images"][0]["cells"].as_array().unwrap();
        let cell = cells.iter().find(|cell| cell["rule"] == rule).unwrap();
        format!("{} {}", cell["verdict"].as_str().unwrap(), cell["evidence"])
    };
    assert!(evidence("signature").starts_with("pass \"a cosign signature in"), "{}", evidence("signature"));
    assert!(evidence("sbom").contains("under cosign's tag .att"), "{}", evidence("sbom"));
    assert!(evidence("provenance").starts_with("violation"), "{}", evidence("provenance"));
}
