//! The program over real layouts, archives and manifests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ocilint::oci::{Digest, Document, Manifest};
use serde_json::{Value, json};

use super::differences::Comparison;
use super::{corpus, files, rows, text};

/// A policy that asks everything that labels speak of.
const POLICY: &str =
    "[rules.document]\n[rules.children]\n[rules.sbom]\n[rules.provenance]\n[rules.artifact-type]\nallow = ['**']\n";

#[test]
fn layouts_agree_with_their_labels() {
    let mut comparison = Comparison::new("layouts");
    for row in rows("layouts/expectations.jsonl").iter().filter(|row| text(row, "kind") == "layout") {
        layout(row, &mut comparison);
    }
    comparison.settle();
}

fn layout(row: &Value, comparison: &mut Comparison) {
    let folder = corpus().join("layouts").join(text(row, "dir"));
    let label = &row["derived"];
    let roots = roots(&folder);
    if label["loads"] == json!(false) {
        let status = run(&["check", &format!("oci:{}", folder.display())]).status.code();
        comparison.compare(text(row, "dir"), &Some(2), &status);
        return;
    }
    let mut seen = Seen::default();
    for root in &roots {
        seen.look(&format!("oci:{}@{root}", folder.display()));
    }
    let labelled = |name: &str| -> BTreeSet<String> {
        label[name].as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let platforms: BTreeSet<String> =
        labelled("platforms").iter().filter(|name| !name.starts_with("unknown")).map(|name| normal(name)).collect();
    comparison.compare(&key(row, "platforms"), &platforms, &seen.platforms);
    if labelled("missing_blobs").is_empty() && labelled("omitted_blobs").is_empty() {
        comparison.compare(&key(row, "SBOM"), &label["has_sbom"], &json!(seen.sbom));
        comparison.compare(&key(row, "provenance"), &label["has_provenance"], &json!(seen.provenance));
    }
}

fn key(row: &Value, what: &str) -> String {
    format!("{} {what}", text(row, "dir"))
}

fn normal(platform: &str) -> String {
    platform.parse::<ocilint::oci::Platform>().map_or_else(|_| platform.to_owned(), |platform| platform.to_string())
}

/// The digests that `index.json` names.
fn roots(folder: &Path) -> Vec<String> {
    let Ok(bytes) = fs::read(folder.join("index.json")) else { return Vec::new() };
    let Ok(document) = Document::<Manifest>::read(bytes.into()) else { return Vec::new() };
    match document.value() {
        Manifest::Index(index) => {
            index.manifests.iter().filter_map(|entry| entry.digest.as_ref().ok()).map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

/// What all images of a layout have together.
#[derive(Default)]
struct Seen {
    platforms: BTreeSet<String>,
    sbom: bool,
    provenance: bool,
}

impl Seen {
    fn look(&mut self, target: &str) {
        let report = report(target);
        let image = &report["images"][0];
        let platforms = image["platforms"].as_array().into_iter().flatten();
        self.platforms.extend(
            platforms
                .filter_map(|platform| platform["platform"].as_str())
                .map(|name| name.split('#').next().unwrap_or(name).to_owned()),
        );
        for cell in image["cells"].as_array().into_iter().flatten().filter(|cell| cell["verdict"] == "pass") {
            self.sbom |= cell["rule"] == "sbom";
            self.provenance |= cell["rule"] == "provenance";
        }
    }
}

#[test]
fn archives_agree_with_their_labels() {
    let mut comparison = Comparison::new("archives");
    for row in rows("archives/expectations.jsonl").iter().filter(|row| text(row, "kind") == "archive") {
        let file = corpus().join("archives").join(text(row, "file"));
        let label = &row["derived"];
        for (form, scheme) in [("oci", "oci-archive"), ("docker", "docker-archive")] {
            let Some(labelled) = label[form].as_bool() else { continue };
            let report = report(&format!("{scheme}:{}", file.display()));
            let error = report["images"][0]["error"].to_string();
            // An archive of several images is read too; it only has to be told which.
            let read = report["images"][0]["error"].is_null() || error.contains(" images: write ");
            comparison.compare(&format!("{} {form}", text(row, "file")), &labelled, &read);
        }
    }
    comparison.settle();
}

/// Official images are healthy: the baseline has nothing to say about what can be read of them.
#[test]
fn healthy_images_raise_no_alarm() {
    let mut alarms = Vec::new();
    let mut judged = 0;
    for row in rows("layouts/expectations.jsonl").iter().filter(|row| text(row, "dir").starts_with("busybox-")) {
        let target = format!("oci:{}", corpus().join("layouts").join(text(row, "dir")).display());
        let output = run(&["check", "--policy", "ocilint:baseline", &target]);
        judged += 1;
        if output.status.code() != Some(0) {
            alarms.push(format!("{target}: {}", String::from_utf8_lossy(&output.stdout)));
        }
    }
    assert!(judged > 5, "official images are there");
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}

/// Every file as a manifest of a layout of its own, and every layout and archive: always a status that is documented.
#[test]
fn no_image_makes_the_program_panic() {
    let mut run_over = 0;
    for file in files(&corpus()) {
        let name = file.display().to_string();
        let archive = [".tar", ".tar.gz", ".tar.xz", ".cnb"].iter().any(|ending| name.ends_with(ending));
        if archive {
            expect_answer(&format!("oci-archive:{name}"));
            expect_answer(&format!("docker-archive:{name}"));
            run_over += 1;
        } else if file.extension().is_some_and(|extension| extension == "json")
            && (name.contains("/manifests/") || name.contains("/official-images/"))
        {
            let layout = layout_around(&fs::read(&file).unwrap());
            expect_answer(&format!("oci:{}", layout.path().display()));
            run_over += 1;
        }
    }
    for row in rows("layouts/expectations.jsonl").iter().filter(|row| text(row, "kind") == "layout") {
        let folder = corpus().join("layouts").join(text(row, "dir"));
        for root in roots(&folder) {
            expect_answer(&format!("oci:{}@{root}", folder.display()));
            run_over += 1;
        }
    }
    println!("{run_over} images judged and drawn without a panic");
    assert!(run_over > 200, "the real data is there");
}

fn layout_around(manifest: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let digest = Digest::sha256(manifest);
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join(digest.hex()), manifest).unwrap();
    fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let media_type =
        serde_json::from_slice::<Value>(manifest).ok().and_then(|value| value["mediaType"].as_str().map(str::to_owned));
    let media_type = media_type.unwrap_or_else(|| "application/vnd.oci.image.manifest.v1+json".to_owned());
    let entry = json!({ "mediaType": media_type, "digest": digest.to_string(), "size": manifest.len() });
    let index = json!({ "schemaVersion": 2, "manifests": [entry] });
    fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
    folder
}

fn expect_answer(target: &str) {
    for command in [&["check", "--policy", "ocilint:strict", target][..], &["graph", target][..]] {
        let output = run(command);
        let status = output.status.code();
        assert!(matches!(status, Some(0..=3)), "{target}: {status:?}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn report(target: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    let output = run(&["check", "--policy", &policy.display().to_string(), "--output", "json", target]);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{target}: {error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn run(arguments: &[&str]) -> Output {
    let program = std::env::var_os("OCILINT_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_ocilint").into());
    Command::new(program).args(arguments).output().expect("the program runs")
}
