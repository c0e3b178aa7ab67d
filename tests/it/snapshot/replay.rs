//! A replay says what the run said that took the snapshot, byte for byte.

use std::path::Path;

use ocilint::Target;
use ocilint::source::registry::RegistryOptions;

use super::taken::{block_on, engine, policy, record, replay};
use crate::gate::scenario::{self, Scenario};
use crate::gate::stage::Stage;
use crate::gate::{self, each};

const LAYOUTS: &str = "examples/layouts";

fn layouts() -> Vec<Target> {
    let mut names: Vec<String> = std::fs::read_dir(LAYOUTS)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(LAYOUTS).join(name).is_dir())
        .collect();
    names.sort();
    names.iter().map(|name| Target::parse(&format!("oci:{LAYOUTS}/{name}")).unwrap()).collect()
}

#[test]
fn every_layout_under_every_policy() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.snapshot");
    for name in ["ocilint:baseline", "ocilint:strict", "policies/reference.toml"] {
        let policy = policy(name);
        let engine = engine(&policy, RegistryOptions::default());
        block_on(async {
            let live: Vec<_> = {
                let mut reports = Vec::new();
                for target in layouts() {
                    reports.push(engine.judge(&target).await);
                }
                reports
            };
            let (recorded, bytes) = record(&engine, &layouts()).await;
            std::fs::write(&file, &bytes).unwrap();
            let written = |reports: Vec<_>| gate::stage::written(&engine.report(reports)).text;
            let live = written(live);
            assert_eq!(written(recorded), live, "{name}");
            assert_eq!(written(replay(&engine, &file).await), live, "{name}");
            let (_, again) = record(&engine, &layouts()).await;
            assert!(again == bytes, "the same content gives the same bytes");
        });
    }
}

/// Whatever the policy it was taken with, a snapshot of a whole image answers every other.
#[test]
fn another_policy_finds_all_it_asks_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.snapshot");
    let taking = engine(&policy("ocilint:baseline"), RegistryOptions::default());
    let other = engine(&policy("policies/reference.toml"), RegistryOptions::default());
    block_on(async {
        let (_, bytes) = record(&taking, &layouts()).await;
        std::fs::write(&file, bytes).unwrap();
        let mut live = Vec::new();
        for target in layouts() {
            live.push(other.judge(&target).await);
        }
        let written = |reports| gate::stage::written(&other.report(reports)).text;
        assert_eq!(written(replay(&other, &file).await), written(live));
    });
}

/// A replay of every scenario of the hostile suite: registries that fail in every way, layouts and archives that are damaged.
fn replays(scenario: &Scenario) -> Vec<String> {
    let mut problems = Vec::new();
    for &at in &scenario.over {
        let stage = Stage::set(scenario, at);
        if stage.takes_arguments() {
            continue;
        }
        match stage.recorded() {
            Err(_) if scenario.exit == 3 => {}
            Err(problem) => problems.push(format!("{} ({at:?}): {problem}", scenario.name)),
            Ok((recorded, replayed)) if recorded != replayed => {
                let lines = recorded.lines().zip(replayed.lines()).find(|(one, other)| one != other);
                problems.push(format!("{} ({at:?}): {lines:?}", scenario.name));
            }
            Ok(_) => {}
        }
    }
    problems
}

macro_rules! families {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            let scenarios = scenario::family(stringify!($name));
            let problems = each(&scenarios, replays);
            assert!(problems.is_empty(), "{} of {}:\n  {}", problems.len(), scenarios.len(), problems.join("\n  "));
        })+
    };
}

families! { disguise documents injection local statuses supply values wire }
