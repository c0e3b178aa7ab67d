//! `ocilint snapshot`, and snapshots as targets.

use std::path::Path;

use ocilint::cases::build::{Image, build};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{self, Run};
use crate::support::{Fault, Registry, Rule, Store, When};

const POLICY: &str = "[rules.user]\n[rules.sbom]\n";

/// A directory with a layout for each name, and a policy.
fn stage(layouts: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in layouts {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/layouts").join(name), &directory.path().join(name));
    }
    std::fs::write(directory.path().join("policy.toml"), POLICY).unwrap();
    directory
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn run(directory: &TempDir, line: &str) -> Run {
    program::run(directory.path(), &line.split(' ').collect::<Vec<_>>())
}

/// The report without its clock.
fn report(run: &Run) -> Value {
    let mut report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
    report["observed_at"] = Value::Null;
    report
}

#[test]
fn several_images_are_replayed_under_their_own_names() {
    let directory = stage(&["oci-sbom", "docker-list"]);
    let taken = run(&directory, "snapshot oci:oci-sbom oci:docker-list -o all.snapshot -p policy.toml");
    assert_eq!((taken.exit, taken.stdout.as_str()), (0, ""));
    assert!(taken.stderr.starts_with("ocilint: wrote all.snapshot: 2 images, "), "{}", taken.stderr);
    let live = run(&directory, "check oci:oci-sbom oci:docker-list -p policy.toml -o json");
    let replayed = run(&directory, "check snapshot:all.snapshot -p policy.toml -o json");
    assert_eq!(live.exit, 1);
    assert_eq!(replayed.exit, 1);
    assert_eq!(report(&replayed), report(&live));
    let (drawn, live) = (run(&directory, "graph snapshot:all.snapshot"), run(&directory, "graph oci:oci-sbom"));
    assert_eq!(drawn.exit, 0);
    assert!(drawn.stdout.starts_with(&live.stdout), "{}", drawn.stdout);
}

#[test]
fn the_clock_is_the_latest_at_which_one_was_taken() {
    let directory = stage(&["oci-sbom", "docker-list"]);
    let clock = |run: &Run| {
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        report["observed_at"].as_str().unwrap().to_owned()
    };
    run(&directory, "snapshot oci:oci-sbom -o a.snapshot -p policy.toml");
    run(&directory, "snapshot oci:docker-list -o b.snapshot -p policy.toml");
    let one = clock(&run(&directory, "check snapshot:a.snapshot -p policy.toml -o json"));
    assert_eq!(one, clock(&run(&directory, "check snapshot:a.snapshot -p policy.toml -o json")));
    let other = clock(&run(&directory, "check snapshot:b.snapshot -p policy.toml -o json"));
    assert!(one < other);
    assert_eq!(other, clock(&run(&directory, "check snapshot:b.snapshot snapshot:a.snapshot -p policy.toml -o json")));
    assert!(other < clock(&run(&directory, "check snapshot:a.snapshot oci:oci-sbom -p policy.toml -o json")));
}

#[test]
fn a_directory_stands_for_its_snapshots_in_order() {
    let directory = stage(&["oci-sbom", "docker-list"]);
    std::fs::create_dir(directory.path().join("fleet")).unwrap();
    run(&directory, "snapshot oci:oci-sbom -o fleet/b.snapshot -p policy.toml");
    run(&directory, "snapshot oci:docker-list -o fleet/a.snapshot -p policy.toml");
    std::fs::write(directory.path().join("fleet/c.snapshot"), "cut").unwrap();
    std::fs::write(directory.path().join("fleet/other.txt"), "no snapshot").unwrap();
    let run = run(&directory, "check snapshot:fleet -p policy.toml -o json");
    let report = report(&run);
    let targets: Vec<&str> =
        report["images"].as_array().unwrap().iter().map(|image| image["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["oci:docker-list", "oci:oci-sbom", "snapshot:fleet/c.snapshot"]);
    assert!(report["images"][2]["error"]["message"].as_str().unwrap().contains("no snapshot"));
    assert_eq!(run.exit, 1);
}

/// No shell expands a pattern behind `snapshot:`.
#[test]
fn a_pattern_stands_for_the_snapshots_that_it_names() {
    let directory = stage(&["oci-sbom", "docker-list"]);
    std::fs::create_dir(directory.path().join("fleet")).unwrap();
    for (name, layout) in [("b-1", "oci-sbom"), ("a-1", "docker-list"), ("a-2", "oci-sbom")] {
        run(&directory, &format!("snapshot oci:{layout} -o fleet/{name}.snapshot -p policy.toml"));
    }
    let targets = |pattern: &str| -> Vec<String> {
        let report = report(&run(&directory, &format!("check snapshot:{pattern} -p policy.toml -o json")));
        let images = report["images"].as_array().unwrap();
        images.iter().map(|image| image["target"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(targets("fleet/*.snapshot"), ["oci:docker-list", "oci:oci-sbom", "oci:oci-sbom"]);
    assert_eq!(targets("fleet/a-?.snapshot"), ["oci:docker-list", "oci:oci-sbom"]);
    let none = run(&directory, "check snapshot:fleet/c*.snapshot -p policy.toml");
    assert_eq!(none.exit, 2);
    assert!(none.stdout.contains("none is named `c*.snapshot`"), "{}", none.stdout);
    assert!(!none.stdout.contains("compared with"), "{}", none.stdout);
}

#[test]
fn a_name_is_recorded_or_given_later() {
    let directory = stage(&["oci-sbom"]);
    std::fs::write(directory.path().join("scoped.toml"), "[rules.user]\nimages = [\"ghcr.io/acme/**\"]\n").unwrap();
    run(&directory, "snapshot oci:oci-sbom -o named.snapshot -p scoped.toml --as ghcr.io/acme/app:1");
    let replayed = report(&run(&directory, "check snapshot:named.snapshot -p scoped.toml -o json"));
    assert_eq!(replayed["images"][0]["name"], "ghcr.io/acme/app:1");
    assert_eq!(run(&directory, "snapshot oci:oci-sbom -o plain.snapshot -p scoped.toml").exit, 0);
    assert_eq!(run(&directory, "check snapshot:plain.snapshot -p scoped.toml").exit, 3);
    assert_eq!(run(&directory, "check snapshot:plain.snapshot -p scoped.toml --as ghcr.io/acme/app:1").exit, 0);
}

#[test]
fn what_cannot_be_read_is_recorded_as_such() {
    let directory = stage(&[]);
    let taken = run(&directory, "snapshot oci:absent -o a.snapshot -p policy.toml");
    assert_eq!(taken.exit, 2);
    assert!(taken.stderr.contains("oci:absent: not read"), "{}", taken.stderr);
    let live = run(&directory, "check oci:absent -p policy.toml -o json");
    let replayed = run(&directory, "check snapshot:a.snapshot -p policy.toml -o json");
    assert_eq!((live.exit, replayed.exit), (2, 2));
    assert_eq!(report(&replayed)["images"], report(&live)["images"]);
}

#[test]
fn mistakes_leave_no_file() {
    let directory = stage(&["oci-sbom"]);
    assert_eq!(run(&directory, "snapshot oci:oci-sbom acme/App -o a.snapshot -p policy.toml").exit, 3);
    assert_eq!(run(&directory, "snapshot snapshot:absent -o a.snapshot -p policy.toml").exit, 2);
    assert_eq!(run(&directory, "snapshot oci:oci-sbom -o a.snapshot -p absent.toml").exit, 3);
    assert_eq!(run(&directory, "snapshot oci:oci-sbom -p policy.toml").exit, 3);
    assert!(!directory.path().join("a.snapshot").exists());
    assert_eq!(run(&directory, "snapshot oci:oci-sbom -o absent/a.snapshot -p policy.toml").exit, 4);
}

/// Snapshots can be joined and judged anew, without the registries that they come from.
#[test]
fn a_snapshot_of_snapshots_holds_the_same() {
    let directory = stage(&["oci-sbom", "docker-list"]);
    run(&directory, "snapshot oci:oci-sbom -o a.snapshot -p policy.toml");
    run(&directory, "snapshot oci:docker-list -o b.snapshot -p policy.toml");
    assert_eq!(
        run(&directory, "snapshot snapshot:a.snapshot snapshot:b.snapshot -o c.snapshot -p policy.toml").exit,
        0
    );
    let of =
        |targets: &str| report(&run(&directory, &format!("check {targets} -p policy.toml -o json")))["images"].clone();
    assert_eq!(of("snapshot:c.snapshot"), of("snapshot:a.snapshot snapshot:b.snapshot"));
}

/// Two images: one runs as root, and neither `strict` lets pass what `lax` does.
fn fleet() -> TempDir {
    let directory = stage(&["oci-sbom", "docker-list"]);
    std::fs::write(directory.path().join("lax.toml"), "[rules.user]\n").unwrap();
    std::fs::write(directory.path().join("strict.toml"), "[rules.user]\n[rules.sbom]\n").unwrap();
    run(&directory, "snapshot oci:oci-sbom -o a.snapshot -p lax.toml");
    run(&directory, "snapshot oci:docker-list -o b.snapshot -p lax.toml");
    directory
}

#[test]
fn a_run_over_snapshots_says_what_would_newly_fail() {
    let directory = fleet();
    let human = run(&directory, "check snapshot:a.snapshot snapshot:b.snapshot -p strict.toml");
    assert_eq!(human.exit, 1);
    assert!(human.stdout.contains("newly fails oci:docker-list: sbom\n"), "{}", human.stdout);
    assert!(human.stdout.contains("would newly fail 1 of 2 images (unchanged 1)\n"), "{}", human.stdout);
    assert!(human.stdout.contains("compared with what the snapshots were taken with: lax.toml\n"), "{}", human.stdout);
    let replay = run(&directory, "check snapshot:a.snapshot snapshot:b.snapshot -p lax.toml");
    assert!(!replay.stdout.contains("newly"), "{}", replay.stdout);
    let warned = run(&directory, "check snapshot:a.snapshot snapshot:b.snapshot -p lax.toml --deny-warnings");
    assert!(warned.stdout.contains("would newly fail 0 of 2 images (unchanged 2)"), "{}", warned.stdout);
    let live = run(&directory, "check snapshot:a.snapshot oci:docker-list -p strict.toml");
    assert!(!live.stdout.contains("newly"), "{}", live.stdout);
}

#[test]
fn two_policies_are_compared_on_the_same_snapshots() {
    let directory = fleet();
    let comparison = |line: &str| report(&run(&directory, line))["comparison"].clone();
    let against = comparison("check snapshot:. -p lax.toml --compare-to strict.toml -o json");
    assert_eq!(against["against"], "policy");
    assert_eq!(against["policies"][0]["source"], "strict.toml");
    assert_eq!((&against["newly_failing"], &against["newly_passing"]), (&Value::from(0), &Value::from(1)));
    assert_eq!(against["changes"][0]["mended"][0], "sbom");
    let back = comparison("check snapshot:. -p strict.toml --compare-to lax.toml -o json");
    assert_eq!((&back["newly_failing"], &back["newly_passing"]), (&Value::from(1), &Value::from(0)));
    let refused = run(&directory, "check oci:oci-sbom -p lax.toml --compare-to strict.toml");
    assert_eq!(refused.exit, 3);
    assert!(refused.stderr.contains("take a snapshot"), "{}", refused.stderr);
    assert_eq!(run(&directory, "check snapshot:. -p lax.toml --compare-to absent.toml").exit, 3);
}

#[test]
fn a_damaged_snapshot_is_not_compared_and_not_passed() {
    let directory = fleet();
    std::fs::write(directory.path().join("c.snapshot"), "ocilint-snapshot 1 ").unwrap();
    let judged = run(&directory, "check snapshot:. -p strict.toml -o json");
    let comparison = &report(&judged)["comparison"];
    assert_eq!((&comparison["images"], &comparison["not_compared"]), (&Value::from(2), &Value::from(1)));
    assert_eq!(run(&directory, "check snapshot:. -p lax.toml").exit, 2);
}

/// What a registry wants people to know is part of the report, and so of the replay.
#[test]
fn warnings_of_registries_are_replayed() {
    let image = build(&Image::default()).unwrap();
    let store = Store::default();
    for manifest in image.store.manifests.values() {
        store.put_manifest("acme/app", None, manifest.bytes.clone(), &manifest.media_type);
    }
    for blob in image.store.blobs.values() {
        store.put_blob("acme/app", blob.clone());
    }
    let registry = Registry::builder().store(&store).start();
    let warning = "299 - \"this registry closes in May\"".to_owned();
    registry.rule(Rule::new(When::any(), Fault::ExtraHeader("Warning", warning)));
    let directory = stage(&[]);
    std::fs::write(directory.path().join("auth.json"), "{}").unwrap();
    let target = registry.reference(&format!("acme/app@{}", image.root));
    let more = "-p policy.toml --plain-http --registry-config auth.json";
    let live = report(&run(&directory, &format!("check {target} {more} -o json")));
    assert!(live["diagnostics"].to_string().contains("closes in May"), "{live}");
    assert_eq!(run(&directory, &format!("snapshot {target} {more} -o a.snapshot")).exit, 0);
    let replayed = report(&run(&directory, &format!("check snapshot:a.snapshot {more} -o json")));
    assert_eq!(replayed["diagnostics"], live["diagnostics"]);
}
