//! A base image is recorded with the image that is built on it.

use ocilint::cases::build::{Built, Image, Layer, build};
use ocilint::report::{CellVerdict, ImageReport};
use ocilint::source::registry::{PlainHttp, RegistryOptions};
use ocilint::{Policy, Target};

use super::taken::{block_on, engine, exit, record, replay};
use crate::support::Registry;

/// Puts a built image into a registry under a tag.
fn push(registry: &Registry, repository: &str, tag: &str, built: &Built) {
    for (digest, manifest) in &built.store.manifests {
        registry.store().put_manifest_as(repository, digest.as_str(), manifest.bytes.clone(), &manifest.media_type);
    }
    for bytes in built.store.blobs.values() {
        registry.store().put_blob(repository, bytes.clone());
    }
    registry.store().tag(repository, tag, built.root.as_str());
}

/// A registry with a base and an image that says that it is built on it.
fn stage(base_files: &str) -> Registry {
    let registry = Registry::start();
    let layer = |text: &str| Layer { files: Some([("file".to_owned(), text.to_owned())].into()), ..Layer::default() };
    let base = build(&Image { layers: vec![layer(base_files)], ..Image::default() }).unwrap();
    push(&registry, "acme/base", "1", &base);
    let name = ("org.opencontainers.image.base.name".to_owned(), registry.reference("acme/base:1"));
    let digest = ("org.opencontainers.image.base.digest".to_owned(), base.root.to_string());
    let app = Image { layers: vec![layer("base"), layer("app")], labels: [name, digest].into(), ..Image::default() };
    push(&registry, "acme/app", "1", &build(&app).unwrap());
    registry
}

fn policy() -> Policy {
    Policy::from_text("base.toml", "[rules.base-image]\nmust-be = \"current\"", std::path::Path::new(".")).unwrap()
}

fn options() -> RegistryOptions {
    RegistryOptions { plain_http: PlainHttp { loopback: true, hosts: Vec::new() }, ..RegistryOptions::default() }
}

fn verdict(report: &ImageReport) -> CellVerdict {
    report.cells.iter().find(|cell| cell.rule == "base-image").unwrap().verdict
}

#[test]
fn a_base_is_replayed_without_its_registry() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.snapshot");
    for (files, wanted) in [("base", CellVerdict::Pass), ("other", CellVerdict::Violation)] {
        let registry = stage(files);
        let engine = engine(&policy(), options());
        let target = Target::parse(&registry.reference("acme/app:1")).unwrap();
        block_on(async {
            let live = engine.judge(&target).await;
            assert_eq!(verdict(&live), wanted, "{live:?}");
            let (recorded, bytes) = record(&engine, &[target]).await;
            std::fs::write(&file, bytes).unwrap();
            drop(registry);
            let replayed = replay(&engine, &file).await;
            let written = |reports: Vec<ImageReport>| crate::gate::stage::written(&engine.report(reports)).text;
            let live = written(vec![live]);
            assert_eq!(written(recorded), live);
            assert_eq!(written(replayed), live, "what was fetched is counted with the base");
        });
    }
}

#[test]
fn a_base_that_was_not_recorded_is_unknown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("app.snapshot");
    let registry = stage("base");
    let target = Target::parse(&registry.reference("acme/app:1")).unwrap();
    let taking = engine(&Policy::from_text("user.toml", "[rules.user]", std::path::Path::new(".")).unwrap(), options());
    let judging = engine(&policy(), options());
    block_on(async {
        let (_, bytes) = record(&taking, &[target]).await;
        std::fs::write(&file, bytes).unwrap();
        let replayed = replay(&judging, &file).await;
        assert_eq!(exit(&replayed), 2);
        let cell = replayed[0].cells.iter().find(|cell| cell.rule == "base-image").unwrap();
        assert!(cell.reason.as_ref().unwrap().contains("not in the snapshot"), "{cell:?}");
    });
}
