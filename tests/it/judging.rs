//! A verdict depends on the image and on its rule: not on the rules beside it, nor on the order of answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ocilint::cases::build::{
    Attestation, ExtraEntry, Home, Image, Layer, Mode, Override, Signature, SignatureKind, Tree, Types, build,
};
use ocilint::cases::{Scripted, StoreSource, cause};
use ocilint::engine::judge_source;
use ocilint::oci::LayerClass;
use ocilint::output::{self, Format};
use ocilint::policy::Instance;
use ocilint::report::ImageReport;
use ocilint::source::registry::PlainHttp;
use ocilint::source::{Budget, Walk};
use ocilint::{Engine, Options, Policy, RegistryOptions, Silent, Sources, Target};
use tokio::time::Instant;

use crate::support::{Fault, Registry, Rule, When};

/// What cannot be read, and why.
const FAILURES: &[(&str, &str)] = &[
    ("", ""),
    ("config linux/arm64", "forbidden"),
    ("manifest linux/amd64", "server-error"),
    ("layer linux/amd64 0", "not-found"),
    ("referrers root", "rate-limited"),
    ("statement", "truncated"),
    ("attestation", "timeout"),
];

#[tokio::test]
async fn a_rule_alone_says_what_it_says_beside_all_others() {
    let policies = [policy("ocilint:strict"), policy("policies/reference.toml")];
    let mut differ = Vec::new();
    for (shape, image) in images() {
        for failure in FAILURES {
            for policy in &policies {
                let Some(together) = judge(policy, &image, failure).await else { continue };
                for instance in &policy.instances {
                    let alone = judge(&only(policy, instance), &image, failure).await.expect("as before");
                    let (alone, beside) = (cells(&alone, &instance.name), cells(&together, &instance.name));
                    if alone != beside {
                        differ.push(format!(
                            "{} on {shape}, {failure:?}:\n  alone:  {alone:#}\n  beside: {beside:#}",
                            instance.name
                        ));
                    }
                }
            }
        }
    }
    assert!(differ.is_empty(), "{} differ\n{}", differ.len(), differ.join("\n"));
}

#[tokio::test]
async fn the_same_image_gives_the_same_bytes() {
    let layouts =
        ["docker-image", "docker-list", "oci-estargz", "oci-image", "oci-list", "oci-sbom", "oci-tar", "oci-zstd"];
    let targets: Vec<Target> =
        layouts.iter().map(|name| Target::parse(&format!("oci:examples/layouts/{name}")).unwrap()).collect();
    let first = report(&targets).await;
    assert!(first.contains("violation"));
    assert_eq!(first, report(&targets).await);
}

#[tokio::test]
async fn the_order_of_answers_changes_nothing() {
    let registry = Registry::start();
    registry.store().load_layout("acme/app", Path::new("examples/layouts/oci-sbom"), "1.0");
    let targets = [Target::parse(&registry.reference("acme/app:1.0")).unwrap()];
    let first = report(&targets).await;
    assert!(first.contains("\"verdict\": \"pass\""), "{first}");
    for seed in 1..=4 {
        registry.clear_rules();
        registry.rule(Rule::new(When::any(), Fault::Jitter(seed, Duration::from_millis(40))));
        assert_eq!(first, report(&targets).await, "seed {seed}");
    }
}

fn policy(name: &str) -> Policy {
    Policy::load(&[name.to_owned()], Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The policy with this one instance, and with what it says of artifacts: that decides what is judged as an image at all.
fn only(policy: &Policy, instance: &Instance) -> Policy {
    let is_kept = |other: &&Instance| other.name == instance.name || other.rule.name == "artifact-type";
    Policy { instances: policy.instances.iter().filter(is_kept).cloned().collect(), ..policy.clone() }
}

/// Judges an image, one document of which cannot be read; nothing if the image has no such document.
async fn judge(policy: &Policy, image: &Image, (place, why): &(&str, &str)) -> Option<ImageReport> {
    let built = build(image).unwrap();
    let failing = if place.is_empty() { Vec::new() } else { built.names.find(place) };
    if failing.is_empty() && !place.is_empty() {
        return None;
    }
    let failures: BTreeMap<_, _> = failing.into_iter().map(|asked| (asked, cause(why).unwrap())).collect();
    let source = Scripted::new(Arc::new(StoreSource::alone(built)), failures);
    let walk = Walk::new(Arc::new(source), Budget::default(), Instant::now() + Duration::from_mins(1));
    let target = Target::parse("ghcr.io/acme/app:1.0").unwrap();
    Some(judge_source(policy, &Options::default(), &target, &walk, now(), &Silent).await)
}

/// What an instance says, or why the image could not be judged at all.
fn cells(report: &ImageReport, name: &str) -> serde_json::Value {
    let cells: Vec<_> = report.cells.iter().filter(|cell| cell.rule == name).collect();
    serde_json::json!({ "cells": cells, "error": report.error.as_ref().map(|error| format!("{error:?}")) })
}

/// The JSON report of a run of its own.
async fn report(targets: &[Target]) -> String {
    let options =
        RegistryOptions { plain_http: PlainHttp { loopback: true, hosts: Vec::new() }, ..RegistryOptions::default() };
    let engine = Engine::new(
        policy("ocilint:strict"),
        Options::default(),
        Sources::new(options, Arc::new(Silent)),
        Arc::new(Silent),
    )
    .at(now());
    let mut images = Vec::new();
    for target in targets {
        images.push(engine.judge(target).await);
    }
    let mut out = Vec::new();
    output::write(Format::Json, &engine.report(images), &output::Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Images of many shapes, most of which violate something.
fn images() -> Vec<(&'static str, Image)> {
    let platforms = || vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()];
    let of = |predicate: &str, home| Attestation { home, mode: Mode::Max, ..Attestation::new(predicate) };
    let layers = |compression| vec![Layer { compression, ..Layer::default() }];
    let root = Override { config: [("User".to_owned(), Tree::Text("0".to_owned()))].into(), ..Override::default() };
    let in_index = vec![of("spdx", Home::Index), of("provenance-v1", Home::Index)];
    let signed = vec![Signature {
        kind: SignatureKind::CosignBundle,
        of: Vec::new(),
        subject: ocilint::cases::build::Naming::Own,
    }];
    vec![
        ("one manifest", Image::default()),
        (
            "Docker's types, uncompressed",
            Image {
                types: Types::Docker,
                platforms: platforms(),
                layers: layers(LayerClass::None),
                ..Image::default()
            },
        ),
        (
            "all that a build attaches",
            Image { platforms: platforms(), attestations: in_index.clone(), ..Image::default() },
        ),
        (
            "root on one platform, attestations and signatures outside the index",
            Image {
                platforms: platforms(),
                on: [("linux/arm64".to_owned(), root)].into(),
                layers: layers(LayerClass::Zstd),
                attestations: vec![of("spdx", Home::Referrer), of("provenance-v1", Home::CosignTag)],
                signatures: signed,
                ..Image::default()
            },
        ),
        (
            "an index in an index, with a hole",
            Image {
                platforms: platforms(),
                nested: 1,
                attestations: in_index,
                entries: vec![ExtraEntry { absent: true, ..ExtraEntry::default() }],
                ..Image::default()
            },
        ),
        (
            "layers that are not what their types say, and a platform that is not what the index says",
            Image {
                platforms: platforms(),
                layers: vec![Layer { content: Some(LayerClass::None), ..Layer::default() }],
                on: [(
                    "linux/arm64".to_owned(),
                    Override { declare: Some("linux/s390x".to_owned()), ..Override::default() },
                )]
                .into(),
                ..Image::default()
            },
        ),
        (
            "an artifact",
            Image { config_type: Some("application/vnd.cncf.helm.config.v1+json".to_owned()), ..Image::default() },
        ),
        ("an archive without a manifest", Image { saved: true, ..Image::default() }),
    ]
}
