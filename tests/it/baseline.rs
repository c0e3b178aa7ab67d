//! Baselines: what is frozen does not count, what is new does, and the file only shrinks unless it is told to grow.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::local_support::{Files, entry};
use crate::program::{Run, run};

const FILE: &str = "known.json";
const STRICT: &[&str] = &["--policy=ocilint:strict"];

/// Runs `check` on one of the example layouts, under a name, with a baseline.
fn check(directory: &TempDir, shape: &str, name: &str, more: &[&str]) -> Run {
    let layout = format!("oci:{}/examples/layouts/{shape}", env!("CARGO_MANIFEST_DIR"));
    let baseline = format!("--baseline={FILE}");
    run(directory.path(), &[&["check", &layout, "--as", name, &baseline][..], STRICT, more].concat())
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr))
}

fn content(directory: &TempDir) -> String {
    fs::read_to_string(directory.path().join(FILE)).unwrap()
}

/// A baseline of the shape with the most findings.
fn frozen() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let first = check(&directory, "docker-list", "ghcr.io/acme/app:1", &["--grow-baseline"]);
    assert_eq!(first.exit, 0, "{}", first.stdout);
    let text = content(&directory);
    (directory, text)
}

#[test]
fn what_is_frozen_does_not_count_whatever_tag_it_is_under() {
    let (directory, text) = frozen();
    let again = check(&directory, "docker-list", "ghcr.io/acme/app:2", &["--output=json"]);
    let report = report(&again);
    let schema = jsonschema::validator_for(&serde_json::from_str(ocilint::output::JSON_SCHEMA).unwrap()).unwrap();
    assert!(schema.is_valid(&report));
    assert_eq!((again.exit, &report["baseline"]["new"]), (0, &json!(0)));
    let verdicts =
        report["images"][0]["cells"].as_array().unwrap().iter().map(|cell| cell["verdict"].as_str().unwrap());
    let (frozen, other): (Vec<_>, Vec<_>) = verdicts.partition(|verdict| *verdict == "baselined");
    assert!(!frozen.is_empty() && !other.contains(&"violation"));
    assert_eq!(content(&directory), text, "nothing is written unless it is asked for");
    assert_eq!(
        check(&directory, "docker-list", "ghcr.io/acme/other:1", &[]).exit,
        1,
        "another repository is not known"
    );
}

#[test]
fn what_is_new_counts_and_is_never_added_by_an_update() {
    let directory = tempfile::tempdir().unwrap();
    check(&directory, "oci-sbom", "ghcr.io/acme/app:1", &["--grow-baseline"]);
    let text = content(&directory);
    let worse = check(&directory, "docker-list", "ghcr.io/acme/app:2", &["--update-baseline"]);
    assert_eq!(worse.exit, 1);
    assert!(
        worse.stdout.contains("error[sbom]") && worse.stdout.contains("2 known, 9 new, 0 fixed"),
        "{}",
        worse.stdout
    );
    assert_eq!(content(&directory), text);
}

#[test]
fn what_is_fixed_is_named_and_leaves_the_file_when_it_is_updated() {
    let (directory, text) = frozen();
    let better = check(&directory, "oci-sbom", "ghcr.io/acme/app:2", &[]);
    assert!(better.stdout.contains("fixed: ghcr.io/acme/app on linux/arm64: sbom: "), "{}", better.stdout);
    assert_eq!(content(&directory), text);
    check(&directory, "oci-sbom", "ghcr.io/acme/app:2", &["--update-baseline"]);
    let shrunk = content(&directory);
    let is_old = |line: &&str| text.lines().any(|old| old.trim_end_matches(',') == line.trim_end_matches(','));
    assert!(shrunk.lines().count() < text.lines().count() && shrunk.lines().all(|line| is_old(&line)), "{shrunk}");
    assert_eq!(check(&directory, "docker-list", "ghcr.io/acme/app:3", &[]).exit, 1, "what was fixed may not come back");
}

#[test]
fn what_was_not_judged_is_not_fixed() {
    let (directory, text) = frozen();
    for (shape, name, more) in [
        ("oci-sbom", "ghcr.io/acme/other:1", &[][..]),
        ("no-such-layout", "ghcr.io/acme/app:1", &[]),
        ("docker-list", "ghcr.io/acme/app:1", &["--platform=linux/arm64"]),
    ] {
        check(&directory, shape, name, &[&["--update-baseline"], more].concat());
        assert_eq!(content(&directory), text, "{shape} {name} {more:?}");
    }
}

/// Whoever reviews the file sees which images it is about: an entry covers nothing else, whatever its fingerprint.
#[test]
fn an_entry_covers_only_what_it_says() {
    let (directory, text) = frozen();
    let held = check(&directory, "docker-list", "ghcr.io/acme/app:2", &[]).exit;
    assert_eq!(held, 0);
    for (from, to) in [
        ("\"image\":\"ghcr.io/acme/app\"", "\"image\":\"ghcr.io/acme/other\""),
        ("\"rule\":\"sbom\"", "\"rule\":\"user\""),
        ("\"subject\":\"linux/arm64\"", "\"subject\":\"linux/amd64\""),
    ] {
        let altered = text.replace(from, to);
        assert_ne!(altered, text);
        fs::write(directory.path().join(FILE), altered).unwrap();
        let run = check(&directory, "docker-list", "ghcr.io/acme/app:2", &[]);
        assert_eq!(run.exit, 1, "{to}\n{}", run.stdout);
    }
}

#[test]
fn the_same_findings_give_the_same_bytes() {
    let (directory, text) = frozen();
    check(&directory, "docker-list", "ghcr.io/acme/app:9", &["--grow-baseline"]);
    assert_eq!(content(&directory), text);
    let value: Value = serde_json::from_str(&text).unwrap();
    let findings = value["findings"].as_array().unwrap();
    let key = |entry: &Value| ["image", "rule", "subject", "fingerprint"].map(|name| entry[name].to_string());
    assert!(findings.len() > 5 && findings.is_sorted_by_key(key));
    assert_eq!(text.lines().filter(|line| line.contains("v1:")).count(), findings.len(), "one a line");
}

/// An image that two readers read differently, and one that cannot be read to the end.
#[test]
fn ambiguity_and_what_is_unknown_are_never_frozen() {
    let directory = tempfile::tempdir().unwrap();
    let (mut files, digest) = Files::image();
    let path = format!("blobs/sha256/{}", digest.hex());
    let manifest = String::from_utf8(files.0.remove(&path).unwrap()).unwrap();
    let twice = files.blob(manifest.replacen('{', "{\"schemaVersion\":2,", 1));
    files.index(&[entry(&twice.0, twice.1, "v1")]);
    files.write(&directory.path().join("ambiguous"));
    let (mut files, _) = Files::image();
    files.0.retain(|_, content| !String::from_utf8_lossy(content).contains("\"architecture\""));
    files.write(&directory.path().join("torn"));
    for (layout, exit) in [("ambiguous", 1), ("torn", 2)] {
        let target = format!("oci:{layout}");
        let args = ["check", &target, "--policy=ocilint:baseline", "--baseline=b.json", "--grow-baseline"];
        for _ in 0..2 {
            assert_eq!(run(directory.path(), &args).exit, exit, "{layout}");
        }
    }
}

#[test]
fn a_baseline_that_cannot_be_used_ends_the_run_before_it_begins() {
    let (directory, text) = frozen();
    let path = directory.path().join(FILE);
    let first = text.lines().find(|line| line.contains("v1:")).unwrap().trim().trim_end_matches(',');
    let twice = text.replacen(first, &format!("{first}, {first}"), 1);
    let fingerprint = &first[first.find("v1:").unwrap()..][..19];
    for (broken, words) in [
        (String::new(), "it is no baseline"),
        (text[..text.len() / 2].to_owned(), "it is no baseline"),
        (text.replace("baseline/v1", "baseline/v2"), "this version of ocilint reads `ocilint/baseline/v1`"),
        (text.replace("\"policies\"", "\"extra\": 1, \"policies\""), "unknown field `extra`"),
        (text.replace("ocilint:strict", "team.toml"), "it was made with the policy team.toml"),
        (text.replacen(fingerprint, "v1:xyz", 1), "`v1:xyz` is no fingerprint"),
        (twice, "is there twice"),
        ("[]".to_owned(), "it is no baseline"),
    ] {
        fs::write(&path, &broken).unwrap();
        let run = check(&directory, "docker-list", "ghcr.io/acme/app:1", &["--update-baseline"]);
        assert_eq!((run.exit, run.stdout.as_str()), (3, ""), "{words}: {}", run.stderr);
        assert!(run.stderr.contains(words) && run.stderr.contains("help: "), "{words}: {}", run.stderr);
        assert_eq!(fs::read_to_string(&path).unwrap(), broken, "it is left as it is");
    }
}

/// Whoever proposes a change to the file is not to speak to the build server.
#[test]
fn text_from_a_baseline_acts_on_nobody() {
    let (directory, text) = frozen();
    for hostile in [
        text.replace("\"policies\"", "\"\\n::error::x ##vso[y\": 1, \"policies\""),
        text.replace("ocilint:strict", "x\\n::error::y ##[error]z"),
    ] {
        fs::write(directory.path().join(FILE), &hostile).unwrap();
        let run = check(&directory, "docker-list", "ghcr.io/acme/app:1", &[]);
        assert_eq!(run.exit, 3);
        assert!(!run.stderr.lines().any(|line| line.starts_with("::")), "{}", run.stderr);
        assert!(!run.stderr.contains("##vso[") && !run.stderr.contains("##[error]"), "{}", run.stderr);
    }
}

#[test]
fn without_a_baseline_there_is_nothing_to_update() {
    let directory = tempfile::tempdir().unwrap();
    let missing = check(&directory, "oci-list", "ghcr.io/acme/app:1", &["--update-baseline"]);
    assert_eq!(missing.exit, 3);
    assert!(missing.stderr.contains("make it with `--grow-baseline`"), "{}", missing.stderr);
    assert!(!directory.path().join(FILE).exists());
    let alone = run(directory.path(), &["check", "alpine", "--grow-baseline"]);
    assert_eq!(alone.exit, 3, "{}", alone.stderr);
}

#[test]
fn a_baseline_that_cannot_be_written_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}/examples/layouts/oci-list", env!("CARGO_MANIFEST_DIR"));
    let args = ["check", &layout, "--policy=ocilint:baseline", "--baseline=absent/b.json", "--grow-baseline"];
    let run = run(directory.path(), &args);
    assert_eq!(run.exit, 4, "{}", run.stderr);
    assert!(run.stderr.contains("absent/b.json") && !Path::new("absent").exists(), "{}", run.stderr);
}
