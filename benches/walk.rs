//! Where the time goes: judging alone, walking over a registry with latency, and another client walking the same.
//!
//! `cargo bench`; look at the ratios between rows of one run, not at the figures of different machines.

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use jiff::Timestamp;
use ocilint::cases::StoreSource;
use ocilint::cases::build::{Attestation, Built, Image, build};
use ocilint::engine::judge_source;
use ocilint::judge::Options;
use ocilint::oci::{Document, ImageConfig, Manifest, Reference};
use ocilint::source::registry::{PlainHttp, RegistryOptions};
use ocilint::source::{Budget, Silent, Sources, Walk};
use ocilint::{Engine, Policy, Target};
use support::Registry;
use tokio::runtime::Runtime;

const LATENCY: Duration = Duration::from_millis(5);
const REPOSITORY: &str = "acme/app";

fn main() {
    divan::main();
}

/// An index of 8 platforms, each with an SBOM and provenance.
fn image() -> Built {
    let platforms = ["amd64", "arm64", "arm/v7", "arm/v6", "386", "ppc64le", "s390x", "riscv64"];
    let image = Image {
        platforms: platforms.map(|platform| format!("linux/{platform}")).to_vec(),
        attestations: vec![Attestation::new("spdx"), Attestation::new("provenance-v1")],
        ..Image::default()
    };
    build(&image).expect("the image can be built")
}

fn policy(name: &str) -> Policy {
    Policy::load(&[name.to_owned()], std::path::Path::new(".")).expect("a built-in policy")
}

#[divan::bench]
fn parse_a_reference(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Reference::parse(divan::black_box("ghcr.io/acme/app:1.2")));
}

#[divan::bench]
fn read_all_documents_of_an_index(bencher: Bencher<'_, '_>) {
    let built = image();
    bencher.bench(|| {
        for manifest in built.store.manifests.values() {
            let _ = divan::black_box(Document::<Manifest>::read(manifest.bytes.clone()));
        }
        for blob in built.store.blobs.values() {
            let _ = divan::black_box(Document::<ImageConfig>::read(blob.clone()));
        }
    });
}

#[divan::bench(args = ["ocilint:baseline", "ocilint:strict"])]
fn judge_from_memory(bencher: Bencher<'_, '_>, name: &str) {
    let (policy, options, runtime) = (policy(name), Options::default(), runtime());
    let target = Target::parse("ghcr.io/acme/app:1.2").expect("a target");
    let source = Arc::new(StoreSource::alone(image()));
    bencher.bench(|| {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        let walk = Walk::new(source.clone(), Budget::default(), deadline);
        runtime.block_on(judge_source(&policy, &options, &target, &walk, Timestamp::UNIX_EPOCH, &Silent))
    });
}

/// The whole walk over a registry that answers after 5 ms: index, manifests, configs, attestations.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn walk_a_registry(bencher: Bencher<'_, '_>) {
    let (server, runtime) = (server(), runtime());
    let target = Target::parse(&server.reference(&format!("{REPOSITORY}:1"))).expect("a target");
    bencher.bench(|| {
        let plain_http = PlainHttp { loopback: true, hosts: Vec::new() };
        let sources = Sources::new(RegistryOptions { plain_http, ..RegistryOptions::default() }, Arc::new(Silent));
        let engine = Engine::new(policy("ocilint:strict"), Options::default(), sources, Arc::new(Silent));
        runtime.block_on(engine.judge(&target))
    });
}

/// `oci-distribution` reading the same documents one after the other.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn walk_a_registry_with_oci_distribution(bencher: Bencher<'_, '_>) {
    use oci_distribution::client::{Client, ClientConfig, ClientProtocol};
    use oci_distribution::manifest::OciManifest;
    use oci_distribution::secrets::RegistryAuth;

    let (server, runtime) = (server(), runtime());
    let reference: oci_distribution::Reference =
        server.reference(&format!("{REPOSITORY}:1")).parse().expect("a reference");
    bencher.bench(|| {
        runtime.block_on(async {
            let client = Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() });
            let (root, _) = client.pull_manifest(&reference, &RegistryAuth::Anonymous).await.expect("the index");
            let OciManifest::ImageIndex(index) = root else { panic!("an index") };
            for entry in index.manifests {
                let child = reference.clone_with_digest(entry.digest);
                let (manifest, _) = client.pull_manifest(&child, &RegistryAuth::Anonymous).await.expect("a manifest");
                let OciManifest::Image(manifest) = manifest else { panic!("an image") };
                let mut config = Vec::new();
                client.pull_blob(&child, &manifest.config, &mut config).await.expect("a config");
            }
        });
    });
}

fn server() -> Registry {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let built = image();
    let server = Registry::builder().latency(LATENCY).start();
    for (digest, manifest) in &built.store.manifests {
        let tag = (*digest == built.root).then_some("1");
        server.store().put_manifest(REPOSITORY, tag, manifest.bytes.clone(), &manifest.media_type);
    }
    for blob in built.store.blobs.values() {
        server.store().put_blob(REPOSITORY, blob.clone());
    }
    server
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
