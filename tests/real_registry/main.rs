//! The program beside programs that others wrote: Debian's `docker-registry` and `skopeo`.
//!
//! These tests are a target of their own behind the feature `real-registry`. With it on, a missing program is a failure.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it compared")]

mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use server::{Credentials, Server};

const SHAPES: [&str; 8] =
    ["docker-image", "oci-image", "docker-list", "oci-list", "oci-sbom", "oci-tar", "oci-estargz", "oci-zstd"];

#[test]
fn a_registry_and_a_layout_of_one_image_get_the_same_verdicts() {
    let server = Server::plain();
    for shape in SHAPES {
        server.push(&layout(shape), &format!("shapes:{shape}"));
        let remote = check(&[&server.reference(&format!("shapes:{shape}")), "--plain-http"]);
        let local = check(&[&format!("oci:{}", layout(shape).display())]);
        assert_eq!(remote.digest, local.digest, "{shape}");
        assert_eq!(remote.verdicts, local.verdicts, "{shape}");
        assert_eq!(remote.status, local.status, "{shape}");
    }
}

#[test]
fn tls_needs_the_authority() {
    let server = Server::tls();
    server.push(&layout("oci-list"), "shapes:oci-list");
    let reference = server.reference("shapes:oci-list");
    let authority = server.authority().display().to_string();
    let trusted = check(&[&reference, "--ca-file", &authority]);
    assert_eq!(trusted.verdicts, check(&[&format!("oci:{}", layout("oci-list").display())]).verdicts);
    assert_eq!(check(&[&reference]).status, 2, "an unknown authority is no pass");
    assert_eq!(check(&[&reference, "--plain-http"]).status, 2, "TLS is not spoken to in plain http");
}

#[test]
fn a_password_is_taken_from_the_file_that_is_named() {
    let server = Server::with_password();
    server.push(&layout("oci-sbom"), "shapes:oci-sbom");
    let reference = server.reference("shapes:oci-sbom");
    let host = server.host();
    let status = |credentials| {
        let file = server.auth_file(credentials).display().to_string();
        check(&[&reference, &format!("--plain-http={host}"), "--registry-config", &file]).status
    };
    let local = check(&[&format!("oci:{}", layout("oci-sbom").display())]).status;
    assert_eq!(status(Credentials::Right), local);
    assert_eq!(status(Credentials::Wrong), 2);
    assert_eq!(status(Credentials::None), 2);
}

#[test]
fn skopeo_reads_the_same_bytes() {
    let server = Server::plain();
    for shape in SHAPES {
        let name = format!("shapes:{shape}");
        server.push(&layout(shape), &name);
        let raw = server.inspect_raw(&name);
        let digest = ocilint::oci::Digest::sha256(&raw);
        assert_eq!(check(&[&server.reference(&name), "--plain-http"]).digest, digest.to_string(), "{shape}");
    }
}

/// `oci-distribution` is the independent second reader of the same registry.
#[tokio::test]
async fn oci_distribution_reads_the_same_bytes() {
    use oci_distribution::client::{Client, ClientConfig, ClientProtocol};
    use oci_distribution::secrets::RegistryAuth;
    use ocilint::source::registry::{PlainHttp, RegistryOptions};
    use ocilint::source::{Resolved, Silent, Sources};

    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::plain();
    let theirs = Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() });
    let plain_http = PlainHttp { loopback: true, hosts: Vec::new() };
    let sources =
        Sources::new(RegistryOptions { plain_http, ..RegistryOptions::default() }, std::sync::Arc::new(Silent));
    for shape in SHAPES {
        let name = format!("shapes:{shape}");
        server.push(&layout(shape), &name);
        let reference = server.reference(&name);
        let accepted = ocilint::oci::MANIFEST_ACCEPT.split(", ").collect::<Vec<_>>();
        let parsed = reference.parse().unwrap();
        let (bytes, digest) = theirs.pull_manifest_raw(&parsed, &RegistryAuth::Anonymous, &accepted).await.unwrap();
        let target = ocilint::Target::parse(&reference).unwrap();
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
        let source = sources.open(&target, deadline).await.unwrap();
        let Resolved::Manifest(ours) = source.resolve().await.unwrap() else { panic!("a registry serves manifests") };
        assert_eq!((ours.bytes.as_ref(), ours.digest.to_string()), (bytes.as_ref(), digest), "{shape}");
    }
}

/// What one run said.
struct Checked {
    status: i32,
    digest: String,
    verdicts: BTreeMap<(String, String), String>,
}

fn check(arguments: &[&str]) -> Checked {
    let output = ocilint(arguments);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a JSON report");
    let image = &report["images"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cells = image["cells"].as_array().cloned().unwrap_or_default();
    // Rules about the reference do not apply to a layout, which has none.
    let cells = cells.iter().filter(|cell| !["reference", "registries"].contains(&text(&cell["kind"]).as_str()));
    Checked {
        status: output.status.code().expect("an exit status"),
        digest: text(&image["digest"]),
        verdicts: cells.map(|cell| ((text(&cell["rule"]), text(&cell["subject"])), text(&cell["verdict"]))).collect(),
    }
}

fn ocilint(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocilint"));
    command.args(["check", "--policy", "ocilint:strict", "--output", "json"]).args(arguments);
    // Nothing of the machine's own set-up may help.
    command.env_remove("REGISTRY_AUTH_FILE").env("HOME", "/nonexistent").env_remove("XDG_RUNTIME_DIR");
    command.output().expect("the program runs")
}

fn layout(shape: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/layouts").join(shape)
}
