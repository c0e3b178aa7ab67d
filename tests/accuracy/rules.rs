//! Every rule over labelled data: how often it decides, and how often it is right.
//!
//! The labels were read off the bytes by other people's programs. What is said of images, of attestations, of references and
//! of tags is counted in one table.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ocilint::cases::StoreSource;
use ocilint::cases::build::Built;
use ocilint::engine::{Engine, judge_source};
use ocilint::judge::Options;
use ocilint::report::ImageReport;
use ocilint::source::registry::RegistryOptions;
use ocilint::source::{Budget, Silent, Sources, Walk};
use ocilint::{Policy, Target};
use tokio::time::Instant;

use super::labels::subjects;
use super::tally::{Table, verdict};
use super::{carried, pairs, probes, tagged};

/// The clock of all comparisons.
const NOW: &str = "2026-11-24T00:00:00Z";

#[test]
fn every_rule_agrees_with_the_labels() {
    let mut table = Table::new();
    images(&mut table);
    pairs::compare(&mut table);
    carried::compare(&mut table);
    tagged::compare(&mut table);
    table.settle();
}

/// An engine with an instance `probe-N` for each rule with its parameters.
pub(crate) fn engine<'p>(probes: impl Iterator<Item = (&'p str, &'p str)>, options: Options) -> Engine {
    let policy = policy(probes);
    let sources = Sources::new(RegistryOptions::default(), Arc::new(Silent));
    Engine::new(policy, options, sources, Arc::new(Silent)).at(NOW.parse().expect("a time"))
}

/// A policy with an instance `probe-N` for each rule with its parameters.
fn policy<'p>(probes: impl Iterator<Item = (&'p str, &'p str)>) -> Policy {
    let mut policy = String::new();
    for (number, (rule, parameters)) in probes.enumerate() {
        let _ = writeln!(policy, "[rules.probe-{number}]\nrule = '{rule}'\n{parameters}");
    }
    let read = Policy::from_text("probes.toml", &policy, std::path::Path::new("."));
    read.unwrap_or_else(|errors| panic!("{:?} in\n{policy}", errors.0.iter().map(|it| &it.message).collect::<Vec<_>>()))
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Judges an image in memory under a name, by an instance `probe-N` for each rule with its parameters.
pub(crate) fn judge<'p>(
    image: &Built,
    target: &Target,
    probes: impl Iterator<Item = (&'p str, &'p str)>,
) -> ImageReport {
    let policy = policy(probes);
    let now = NOW.parse().expect("a time");
    runtime().block_on(async {
        let deadline = Instant::now() + Duration::from_mins(1);
        let walk = Walk::new(Arc::new(StoreSource::alone(image.clone())), Budget::default(), deadline);
        judge_source(&policy, &Options::default(), target, &walk, now, &Silent).await
    })
}

fn images(table: &mut Table) {
    let engine = engine(probes::all().map(|probe| (probe.rule, probe.parameters)), Options::default());
    let runtime = runtime();
    let subjects = subjects();
    for subject in &subjects {
        let report = runtime.block_on(engine.judge(&subject.target));
        for (number, probe) in probes::all().enumerate() {
            let Some(meets) = (probe.meets)(&subject.labels) else { continue };
            let input = if probe.parameters.is_empty() {
                subject.name.clone()
            } else {
                format!("{} with {}", subject.name, probe.parameters.replace('\n', ", "))
            };
            table.count(probe.rule, &input, meets, verdict(&report, &format!("probe-{number}")));
        }
    }
    println!("{} images, {} probes", subjects.len(), probes::all().count());
}
