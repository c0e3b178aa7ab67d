//! What policies cost: the exact number of requests, and of waves of them, on the server's own count.

use std::time::Duration;

use ocilint::cases::build::{Attestation, Built, Image, Mode, build};
use serde::Deserialize;

use crate::gate::each;
use crate::program;
use crate::support::{Access, Authority, Fault, Referrers, Registry, Rule, Store, When};

const REPOSITORY: &str = "acme/app";
const PLATFORMS: [&str; 8] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/386",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
];
/// Every answer takes this long, so that requests which can go out together do. Long beside what a busy machine takes to ask.
const LATENCY: Duration = Duration::from_millis(400);
/// As many connections as the widest wave has requests.
const JOBS: &str = "32";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    count: Vec<Count>,
}

/// A row of `tests/economy/counts.toml`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    name: String,
    image: Which,
    policy: String,
    #[serde(default)]
    referrers: Api,
    #[serde(default)]
    access: Tokens,
    requests: usize,
    waves: Option<usize>,
    #[serde(default)]
    exit: i32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Which {
    Index,
    Single,
}

/// Whether there is a referrers API.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Api {
    #[default]
    Api,
    None,
}

/// Whether a token is wanted.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tokens {
    #[default]
    None,
    Bearer,
}

fn counts() -> Counts {
    let counts: Counts = toml::from_str(&std::fs::read_to_string("tests/economy/counts.toml").unwrap()).unwrap();
    assert!(!counts.count.is_empty());
    counts
}

#[test]
fn a_replay_is_the_run_it_stands_for() {
    let (counts, image) = (counts(), image());
    let problems = each(&counts.count, |count| count.differences_of_replay(&image));
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_policy_costs_what_is_written_down() {
    let counts = counts();
    let image = image();
    let problems: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = counts.count.iter().map(|count| scope.spawn(|| count.problems(&image))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Eight platforms, each with an SBOM and the whole provenance in the index.
fn image() -> Built {
    let provenance = Attestation { mode: Mode::Max, ..Attestation::new("provenance-v1") };
    let image = Image {
        platforms: PLATFORMS.map(ToOwned::to_owned).to_vec(),
        attestations: vec![Attestation::new("spdx"), provenance],
        ..Image::default()
    };
    build(&image).unwrap()
}

impl Count {
    /// How a run differs from the row.
    fn problems(&self, image: &Built) -> Vec<String> {
        let registry = self.registry(image);
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policy.toml"), &self.policy).unwrap();
        std::fs::write(directory.path().join("auth.json"), "{}").unwrap();
        let target = registry.reference(&format!("{REPOSITORY}@{}", self.digest(image)));
        let args = [
            "check",
            "--plain-http",
            "--registry-config=auth.json",
            "--policy=policy.toml",
            "--output=json",
            "--jobs",
            JOBS,
        ];
        let run = program::ended(program::command(directory.path()).args(args).arg(target));
        let report: serde_json::Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{}: {error}\n{}", self.name, run.stderr));

        let log = registry.log();
        let mut problems = Vec::new();
        let mut same = |what: &str, got: String, wanted: String| {
            if got != wanted {
                let paths = log.paths().join("\n    ");
                problems.push(format!(
                    "{}: {what} {got}, not {wanted}; asked were\n    {paths}\n{}",
                    self.name, run.stdout
                ));
            }
        };
        same("requests", log.len().to_string(), self.requests.to_string());
        same("requests as reported", report["fetched"]["requests"].to_string(), self.requests.to_string());
        same("exit", run.exit.to_string(), self.exit.to_string());
        if let Some(waves) = self.waves {
            same("waves", log.waves().to_string(), waves.to_string());
        }
        problems
    }

    /// How a replay differs from the run itself, requests and bytes included.
    fn differences_of_replay(&self, image: &Built) -> Vec<String> {
        let registry = Self { waves: None, ..self.clone() }.registry(image);
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policy.toml"), &self.policy).unwrap();
        std::fs::write(directory.path().join("auth.json"), "{}").unwrap();
        let target = registry.reference(&format!("{REPOSITORY}@{}", self.digest(image)));
        let run = |args: &[&str]| {
            let common = ["--plain-http", "--registry-config=auth.json", "--policy=policy.toml"];
            program::ended(program::command(directory.path()).args(args).args(common))
        };
        let report = |target: &str| {
            let run = run(&["check", target, "--output=json"]);
            let mut report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            let object = report.as_object_mut().unwrap();
            object.remove("observed_at");
            object.remove("comparison");
            report
        };
        let live = report(&target);
        let taken = run(&["snapshot", &target, "--output=taken.snapshot"]);
        let asked = registry.log().len();
        let replayed = report("snapshot:taken.snapshot");
        let mut problems = Vec::new();
        if taken.exit != 0 {
            problems.push(format!("{}: exit {}: {}", self.name, taken.exit, taken.stderr));
        }
        if registry.log().len() != asked {
            problems.push(format!("{}: the replay asked the registry", self.name));
        }
        if replayed != live {
            problems.push(format!("{}: replayed\n{replayed:#}\ninstead of\n{live:#}", self.name));
        }
        problems
    }

    fn registry(&self, image: &Built) -> Registry {
        let store = Store::default();
        for manifest in image.store.manifests.values() {
            store.put_manifest(REPOSITORY, None, manifest.bytes.clone(), &manifest.media_type);
        }
        for blob in image.store.blobs.values() {
            store.put_blob(REPOSITORY, blob.clone());
        }
        let builder = Registry::builder().store(&store);
        let builder = match self.referrers {
            Api::Api => builder.referrers(Referrers::api()),
            Api::None => builder.referrers(Referrers::absent()),
        };
        let builder = match self.access {
            Tokens::None => builder,
            Tokens::Bearer => builder.access(Access::bearer(&Authority::anonymous())),
        };
        // Every answer is late by the same, over a new connection as over an old one: connecting is no wave of its own.
        if self.waves.is_some() {
            builder.rule(Rule::new(When::any(), Fault::Delay(LATENCY))).start()
        } else {
            builder.start()
        }
    }

    fn digest(&self, image: &Built) -> String {
        let digest = match self.image {
            Which::Index => &image.root,
            Which::Single => image.names.digest("manifest linux/amd64").unwrap(),
        };
        digest.to_string()
    }
}
