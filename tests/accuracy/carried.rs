//! Real statements and bills of materials, each attached to an image as its publisher would have done it.
//!
//! Every one is about another image, so that as it is it must not count; for what it says to be looked at, the digest of its
//! subject is set to that of the image, and nothing else of it is changed.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ocilint::Target;
use ocilint::cases::build::{Built, Image, Tree, build};
use ocilint::oci::Digest;
use serde_json::{Value, json};

use super::rules::judge;
use super::tally::{Table, verdict};
use super::{corpus, rows, text};

const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Types of packages that are looked for in bills of materials, and how package URLs of each begin.
const PURLS: [(&str, &[&str]); 6] = [
    ("golang", &["pkg:golang/"]),
    ("npm", &["pkg:npm/"]),
    // The second is what Alpine's were called before there was a type for them.
    ("apk", &["pkg:apk/", "pkg:alpine/"]),
    ("deb", &["pkg:deb/"]),
    ("maven", &["pkg:maven/"]),
    ("pypi", &["pkg:pypi/"]),
];

/// What is asked of an image with an attachment, and what the label of that says.
type Question = (&'static str, String, bool);

pub(super) fn compare(table: &mut Table) {
    let image = build(&Image::default()).expect("an image");
    let mut attached = 0;
    for row in rows("attestations/expectations.jsonl") {
        let Some(media_type) = media_type(text(&row, "kind")) else { continue };
        let bytes = fs::read(corpus().join("attestations").join(text(&row, "file"))).expect("a labelled file is there");
        attached += 1;
        if names_another(&row) {
            let asked = ["sbom", "provenance", "attestation"].map(|rule| (rule, about_anything(rule), false));
            ask(
                &with(&image, bytes.clone(), media_type, None),
                &asked,
                &format!("{} as it is", text(&row, "file")),
                table,
            );
        }
        let bytes = bind(&bytes, text(&row, "kind"), &image.root).unwrap_or(bytes);
        let content = row["derived"]["content"].as_str();
        ask(&with(&image, bytes.clone(), media_type, content), &questions(&row, &bytes), text(&row, "file"), table);
    }
    println!("{attached} statements and bills of materials attached to an image");
}

/// What such a file is attached as; `None` for what is no attachment.
fn media_type(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "spdx" => "application/spdx+json",
        "cyclonedx" => "application/vnd.cyclonedx+json",
        "statement" => "application/vnd.in-toto+json",
        "dsse" => "application/vnd.dsse.envelope.v1+json",
        "sigstore-bundle" => "application/vnd.dev.sigstore.bundle.v0.3+json",
        _ => return None,
    })
}

/// The label of the statement in a file, whatever it is wrapped in.
fn inside(row: &Value) -> &Value {
    let derived = &row["derived"];
    if derived["payload"].is_object() { &derived["payload"] } else { derived }
}

/// Whether the statement names digests, none of which can be that of an image made here.
fn names_another(row: &Value) -> bool {
    let digests = inside(row)["subject_digests"].as_array();
    digests.is_some_and(|digests| digests.iter().any(|digest| digest["sha256"].is_string()))
}

/// The parameters of a rule that asks for nothing in particular.
fn about_anything(rule: &str) -> String {
    if rule == "attestation" { "require = ['**']" } else { "" }.to_owned()
}

fn questions(row: &Value, bytes: &[u8]) -> Vec<Question> {
    if row["upstream"]["parses"] == false || row["upstream"]["valid"] == false {
        return Vec::new();
    }
    let (label, kind) = (inside(row), text(row, "kind"));
    let mut questions: Vec<Question> = Vec::new();
    if matches!(kind, "spdx" | "cyclonedx") {
        let listed = label["packages"].as_u64().or_else(|| label["components"].as_u64()).unwrap_or_default();
        questions.push(("sbom", String::new(), true));
        questions.push(("sbom", format!("min-packages = {}", listed + 10_000), false));
        // The image itself may be one of few.
        if listed == 0 || listed > 3 {
            questions.push(("sbom", "min-packages = 1".to_owned(), listed > 0));
        }
        if listed > 3 {
            let text = String::from_utf8_lossy(bytes);
            let denies = PURLS.iter().map(|(purl, beginnings)| {
                let listed = beginnings.iter().any(|beginning| text.contains(&format!("\"{beginning}")));
                ("packages", format!("deny = [{{ purl = 'pkg:{purl}/**' }}]"), !listed)
            });
            questions.extend(denies);
        }
    }
    if let Some(predicate) = label["predicate_type"].as_str().filter(|_| names_another(row)) {
        questions.push(("attestation", format!("require = ['{predicate}']"), true));
        questions.push(("attestation", format!("deny = ['{predicate}']"), false));
        questions.push(("attestation", "require = ['https://example.com/none/such']".to_owned(), false));
        let provenance = predicate.starts_with("https://slsa.dev/provenance/");
        questions.push(("provenance", String::new(), provenance));
        let is_sbom =
            ["https://spdx.dev/Document", "https://cyclonedx.org/"].iter().any(|it| predicate.starts_with(it));
        questions.push(("sbom", String::new(), is_sbom || predicate == "https://syft.dev/bom"));
        if provenance && predicate != "https://slsa.dev/provenance/v0.1" {
            questions.extend(of_builders(label));
        }
    }
    if kind == "sigstore-bundle" {
        questions.push(("signature", "kinds = ['cosign']".to_owned(), label["content"] == "messageSignature"));
    }
    questions
}

/// What the labels of provenance say of who built and how.
fn of_builders(label: &Value) -> Vec<Question> {
    let mut questions = vec![("provenance", "builders = ['nobody']".to_owned(), false)];
    if let Some(builder) = label["builder_id"].as_str().filter(|builder| !builder.is_empty()) {
        questions.push(("provenance", format!("builders = ['{}']", regex::escape(builder)), true));
    }
    if let Some(kind) = label["build_type"].as_str().filter(|kind| !kind.is_empty()) {
        questions.push(("provenance", format!("build-types = ['{kind}']"), true));
        questions.push(("provenance", "build-types = ['https://example.com/none']".to_owned(), false));
    }
    questions
}

fn ask(image: &Built, questions: &[Question], name: &str, table: &mut Table) {
    if questions.is_empty() {
        return;
    }
    let target = Target::parse("registry.example/acme/app:1.0").expect("a target");
    let asked = questions.iter().map(|(rule, parameters, _)| (*rule, parameters.as_str()));
    let report = judge(image, &target, asked);
    for (number, (rule, parameters, meets)) in questions.iter().enumerate() {
        let input = if parameters.is_empty() { name.to_owned() } else { format!("{name} with {parameters}") };
        table.count(rule, &format!("attestations/{input}"), *meets, verdict(&report, &format!("probe-{number}")));
    }
}

/// The image with a file attached: a referrer that the registry's API lists. Of a bundle its publisher says what it holds.
fn with(image: &Built, bytes: Vec<u8>, media_type: &str, content: Option<&str>) -> Built {
    let mut image = image.clone();
    let size = image.store.bytes(&image.root).map_or(0, bytes::Bytes::len);
    let subject = json!({ "mediaType": MANIFEST, "digest": image.root.as_str(), "size": size });
    let size = bytes.len();
    let layer = json!({ "mediaType": media_type, "digest": image.store.put_blob(bytes).as_str(), "size": size });
    let config = json!({ "mediaType": EMPTY, "digest": image.store.put_blob("{}").as_str(), "size": 2 });
    let content = match content {
        Some("dsse") => json!({ "dev.sigstore.bundle.content": "dsse-envelope" }),
        Some("messageSignature") => json!({ "dev.sigstore.bundle.content": "message-signature" }),
        _ => json!({}),
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": media_type,
        "config": config, "layers": [layer], "subject": subject, "annotations": content
    })
    .to_string();
    let size = manifest.len() as u64;
    let digest = image.store.put_manifest(manifest, MANIFEST);
    let entry = Tree::object()
        .with("mediaType", MANIFEST)
        .with("digest", digest.as_str())
        .with("size", size)
        .with("artifactType", media_type);
    let root = image.root.clone();
    image.store.refer(&root, entry);
    image
}

/// The file with its statement about this digest; `None` of what holds no statement.
fn bind(bytes: &[u8], kind: &str, digest: &Digest) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(bytes).ok()?;
    match kind {
        "statement" => rebind(&mut document, digest),
        "dsse" => within(document.get_mut("payload")?, digest)?,
        "sigstore-bundle" => within(document.pointer_mut("/dsseEnvelope/payload")?, digest)?,
        _ => return None,
    }
    Some(document.to_string().into_bytes())
}

fn within(payload: &mut Value, digest: &Digest) -> Option<()> {
    let mut statement: Value = serde_json::from_slice(&STANDARD.decode(payload.as_str()?).ok()?).ok()?;
    rebind(&mut statement, digest);
    *payload = STANDARD.encode(statement.to_string()).into();
    Some(())
}

fn rebind(statement: &mut Value, digest: &Digest) {
    if let Some(subject) = statement.pointer_mut("/subject/0/digest") {
        *subject = json!({ "sha256": digest.hex() });
    }
}
