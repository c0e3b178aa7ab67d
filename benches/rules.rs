//! What judging costs: a thousand images that were recorded, and every rule alone on one image.
//!
//! `cargo bench --bench rules`; the rows of one run are to be compared, not the figures of different machines.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;
use ocilint::cases::StoreSource;
use ocilint::cases::build::{Attestation, Built, Image, Mode, build};
use ocilint::engine::{self, Engine, judge_source};
use ocilint::graph::Graph;
use ocilint::judge::{Judgement, Options};
use ocilint::rules::RULES;
use ocilint::source::registry::RegistryOptions;
use ocilint::source::snapshot::{self, Shelf};
use ocilint::source::{Budget, Silent, Sources, Walk};
use ocilint::{Policy, Target};
use tokio::runtime::Runtime;

/// The policies that are measured as a whole.
const BUILT_IN: [&str; 2] = ["ocilint:baseline", "ocilint:strict"];
/// Recorded images of one run.
const IMAGES: usize = 1_000;

fn main() {
    divan::main();
}

/// A careful image of two platforms, with a bill of materials and provenance for each.
fn image() -> Built {
    let provenance = Attestation { mode: Mode::Max, ..Attestation::new("provenance-v1") };
    let image = Image {
        platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
        attestations: vec![Attestation::new("spdx"), provenance],
        ..Image::default()
    };
    build(&image).expect("the image can be built")
}

fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}

/// The rule with the parameters that `reference.toml` shows, and nothing else.
fn only(name: &str) -> Policy {
    let text = include_str!("../policies/reference.toml");
    let mut policy: toml::Table = text.parse().expect("the reference is TOML");
    // Lists that a rule names stay.
    policy.retain(|key, _| ["data", "rules"].contains(&key));
    policy["rules"].as_table_mut().expect("it has rules").retain(|rule, _| rule == name);
    let policy = policy.to_string();
    Policy::from_text(name, &policy, Path::new(".")).expect("the rule alone is a policy")
}

/// One rule on one image that is in memory: reading the documents is part of it, and the same for all.
#[divan::bench(args = names())]
fn one_rule(bencher: Bencher<'_, '_>, name: &str) {
    let (policy, options, runtime) = (only(name), Options::default(), runtime());
    let target = Target::parse("registry.example/acme/app:1.2.3").expect("a target");
    let source = Arc::new(StoreSource::alone(image()));
    bencher.bench(|| {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        let walk = Walk::new(source.clone(), Budget::default(), deadline);
        runtime.block_on(judge_source(&policy, &options, &target, &walk, Timestamp::UNIX_EPOCH, &Silent))
    });
}

/// A thousand images by a built-in policy, on one core: every round of judging on what is known by then, and the report. Reading
/// the images is not part of it.
#[divan::bench(args = BUILT_IN, sample_count = 5, sample_size = 1)]
fn judging(bencher: Bencher<'_, '_>, name: &str) {
    let policy = Policy::load(&[name.to_owned()], Path::new(".")).expect("a built-in policy");
    let options = Options::default();
    let source = Arc::new(StoreSource::alone(image()));
    let images: Vec<Vec<Graph>> = (0..IMAGES).map(|_| what_is_known_each_round(&source, &policy)).collect();
    bencher.counter(ItemsCount::new(IMAGES)).bench(|| {
        for rounds in &images {
            let mut judgement = Judgement::new(&policy, &options);
            let last = rounds.iter().inspect(|known| drop(divan::black_box(judgement.round(known)))).last();
            divan::black_box(judgement.seal(last.expect("there is a round")));
        }
    });
}

/// The graph of the image as each round of judging it finds it.
fn what_is_known_each_round(source: &Arc<StoreSource>, policy: &Policy) -> Vec<Graph> {
    let runtime = runtime();
    let after = |rounds| runtime.block_on(known_after(rounds, source, policy));
    (0..).map_while(after).collect()
}

/// What is known after some rounds of judging and fetching; nothing where fewer rounds are enough.
async fn known_after(rounds: usize, source: &Arc<StoreSource>, policy: &Policy) -> Option<Graph> {
    let target = Target::parse("registry.example/acme/app:1.2.3").expect("a target");
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    let walk = Walk::new(source.clone(), Budget::default(), deadline);
    let mut graph = walk.start(&target, Timestamp::UNIX_EPOCH).await.expect("it can be read");
    let options = Options::default();
    let mut judgement = Judgement::new(policy, &options);
    for _ in 0..rounds {
        let demands = judgement.round(&graph);
        if demands.is_empty() {
            return None;
        }
        walk.fetch(&mut graph, demands).await;
    }
    Some(graph)
}

/// A thousand recorded images by a built-in policy, on one core: reading what was recorded, and judging it.
#[divan::bench(args = BUILT_IN, sample_count = 5, sample_size = 1)]
fn reading_and_judging(bencher: Bencher<'_, '_>, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("all.snapshot");
    let runtime = runtime();
    let engine = engine(name);
    runtime.block_on(async {
        let shelf = Arc::new(Shelf::default());
        let target = Target::parse("oci:examples/layouts/oci-sbom").expect("a target");
        let (report, facts) = engine.record(&target, &shelf).await;
        let notes = vec![engine::image_note(&target, &report); IMAGES];
        let bytes = snapshot::encode(engine.header(notes), &shelf, &vec![facts; IMAGES]).expect("not too large");
        std::fs::write(&file, bytes).expect("written");
    });
    let targets: Vec<Target> =
        snapshot::images(&file).into_iter().map(|image| image.map(|image| image.target).expect("an image")).collect();
    bencher.counter(ItemsCount::new(IMAGES)).bench(|| {
        runtime.block_on(async {
            for target in &targets {
                divan::black_box(engine.judge(target).await);
            }
        });
    });
}

fn engine(name: &str) -> Engine {
    let policy = Policy::load(&[name.to_owned()], Path::new(".")).expect("a built-in policy");
    let sources = Sources::new(RegistryOptions::default(), Arc::new(Silent));
    Engine::new(policy, Options::default(), sources, Arc::new(Silent))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
