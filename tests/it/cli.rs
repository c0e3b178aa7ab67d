//! The command line: what each command says and how it ends.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Run, command, ended, run};
use crate::support::{Fault, Registry, Rule, When};

const STRICT: &str = "--policy=ocilint:strict";
const GOOD: &str = "[rules.media-types]\nfamily = \"oci\"\n";

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A layout of `examples/layouts`, as a target.
fn layout(name: &str) -> String {
    format!("oci:{}/examples/layouts/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A run in a directory of its own.
fn ocilint(args: &[&str]) -> Run {
    run(empty().path(), args)
}

fn check(args: &[&str]) -> Run {
    ocilint(&[&["check"], args].concat())
}

/// A usage error: status 3, nothing on standard output, these words on standard error.
#[track_caller]
fn refused(run: &Run, words: &str) {
    assert_eq!((run.exit, run.stdout.as_str()), (3, ""), "{}", run.stderr);
    assert!(run.stderr.contains(words), "{}", run.stderr);
}

#[test]
fn help_says_what_there_is() {
    for (name, args) in
        [("help", &["--help"][..]), ("help_check", &["check", "--help"]), ("help_graph", &["graph", "--help"])]
    {
        let run = ocilint(args);
        assert_eq!((run.exit, run.stderr.as_str()), (0, ""));
        insta::assert_snapshot!(name, run.stdout);
    }
}

#[test]
fn without_a_name_the_policy_that_is_found_is_checked() {
    let directory = empty();
    refused(&run(directory.path(), &["policy", "check"]), "no `ocilint.toml` was found");
    std::fs::create_dir_all(directory.path().join("a/b")).unwrap();
    std::fs::create_dir(directory.path().join(".git")).unwrap();
    let policy = directory.path().join("ocilint.toml");
    std::fs::write(&policy, "[rules.user]\n").unwrap();
    let below = || run(&directory.path().join("a/b"), &["policy", "check"]);
    assert_eq!((below().exit, below().stdout.as_str()), (0, "no mistakes in ../../ocilint.toml\n"));
    std::fs::write(&policy, "[rules.usr]\n").unwrap();
    refused(&below(), "did you mean `user`?");
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(ocilint(&["--version"]).stdout, format!("ocilint {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn rules_are_listed_and_explained() {
    let list = ocilint(&["rules"]);
    assert_eq!(list.exit, 0);
    for rule in ocilint::rules::RULES {
        assert!(list.stdout.lines().any(|line| line.starts_with(&format!("{} ", rule.name))), "{}", rule.name);
        let one = ocilint(&["rules", rule.name]);
        assert_eq!(one.exit, 0);
        assert!(one.stdout.starts_with(&format!("# {}\n\n{}", rule.name, rule.summary)), "{}", one.stdout);
    }
    refused(&ocilint(&["rules", "sbon"]), "did you mean `sbom`?");
    refused(&ocilint(&["rules", "nothing-like-it"]), "`ocilint rules` lists them all");
}

#[test]
fn a_policy_is_checked_offline_and_every_mistake_is_said() {
    let directory = empty();
    std::fs::write(directory.path().join("good.toml"), GOOD).unwrap();
    std::fs::write(directory.path().join("bad.toml"), "[rules.media-types]\nfamily = \"oic\"\n[rules.sbon]\n").unwrap();
    let good = run(directory.path(), &["policy", "check", "good.toml"]);
    assert_eq!((good.exit, good.stdout.as_str(), good.stderr.as_str()), (0, "no mistakes\n", ""));
    let bad = run(directory.path(), &["policy", "check", "good.toml", "bad.toml"]);
    refused(&bad, "bad.toml:2");
    assert!(bad.stderr.contains("bad.toml:3"), "{}", bad.stderr);
    assert!(!bad.stderr.contains("good.toml"), "{}", bad.stderr);
}

#[test]
fn a_policy_with_a_mistake_judges_nothing() {
    let directory = empty();
    std::fs::write(directory.path().join("bad.toml"), "[rules.sbon]\n").unwrap();
    refused(&run(directory.path(), &["check", "--policy=bad.toml", &layout("oci-sbom")]), "`sbom`");
    refused(&run(directory.path(), &["check", "--policy=absent.toml", &layout("oci-sbom")]), "absent.toml");
}

#[test]
fn a_policy_beside_is_used_unless_one_is_named() {
    let directory = empty();
    std::fs::write(directory.path().join("ocilint.toml"), GOOD).unwrap();
    let docker = layout("docker-image");
    let found = run(directory.path(), &["check", &docker]);
    assert_eq!(found.exit, 1);
    assert!(found.stdout.contains("ocilint.toml:1:1"), "{}", found.stdout);
    assert_eq!(run(directory.path(), &["check", &docker, "--policy=ocilint:baseline"]).exit, 0);
    assert!(check(&[&docker]).stdout.contains("the built-in `baseline` was used"));
}

#[test]
fn completions_are_written_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = ocilint(&["completions", shell]);
        assert!(run.exit == 0 && run.stdout.contains("digest-file"), "{shell}");
    }
}

#[test]
fn the_status_is_that_of_the_image() {
    let sbom = layout("oci-sbom");
    assert_eq!(check(&[STRICT, &sbom]).exit, 0);
    assert_eq!(check(&[STRICT, &sbom, "--deny-warnings"]).exit, 1);
    assert_eq!(check(&[STRICT, &layout("docker-image")]).exit, 1);
    assert_eq!(check(&[STRICT, "oci:absent"]).exit, 2);
    assert_eq!(check(&[STRICT, &sbom, "oci:absent"]).exit, 2);
    assert_eq!(check(&[STRICT, &layout("docker-image"), "oci:absent"]).exit, 1);
}

#[test]
fn a_platform_may_be_picked() {
    let run = check(&[STRICT, &layout("docker-list"), "--platform=linux/arm64", "--output=json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let platforms = report["images"][0]["platforms"].as_array().unwrap();
    assert_eq!(platforms.iter().map(|it| &it["platform"]).collect::<Vec<_>>(), ["linux/arm64"]);
}

#[test]
fn reports_go_where_they_are_sent_and_agree() {
    let directory = empty();
    let args =
        ["check", STRICT, &layout("docker-list"), "--output=human", "--output=json=r.json", "--output=sarif=r.sarif"];
    let run = run(directory.path(), &args);
    assert_eq!(run.exit, 1);
    let read = |name| serde_json::from_slice::<Value>(&std::fs::read(directory.path().join(name)).unwrap()).unwrap();
    let (json, sarif) = (read("r.json"), read("r.sarif"));

    let schema: Value = serde_json::from_str(ocilint::output::JSON_SCHEMA).unwrap();
    assert!(jsonschema::is_valid(&schema, &json));
    assert_eq!((&json["schema"], &json["exit"]), (&"ocilint/report/v1".into(), &1.into()));
    let digest = json["images"][0]["digest"].as_str().unwrap();
    let cells = json["images"][0]["cells"].as_array().unwrap();
    let findings: usize = cells.iter().map(|cell| cell["findings"].as_array().unwrap().len()).sum();

    assert_eq!((&sarif["version"], sarif["runs"].as_array().unwrap().len()), (&"2.1.0".into(), 1));
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), findings);
    assert!(run.stdout.contains(digest) && run.stdout.contains("exit 1:"), "{}", run.stdout);
    assert!(!run.stdout.contains("\"schema\""));
}

#[test]
fn two_reports_on_standard_output_are_refused() {
    refused(
        &check(&[STRICT, &layout("oci-sbom"), "--output=human", "--output=json"]),
        "cannot both go to standard output",
    );
    refused(&check(&[STRICT, &layout("oci-sbom"), "--output=xml"]), "`xml` is no output format");
}

#[test]
fn the_digest_file_names_what_was_judged() {
    let directory = empty();
    let args = |more: &[&str]| {
        let run = run(directory.path(), &[&["check", STRICT, "--digest-file=digests"], more].concat());
        assert_ne!(run.exit, 4, "{}", run.stderr);
        std::fs::read_to_string(directory.path().join("digests")).unwrap()
    };
    let sbom = layout("oci-sbom");
    let bare = args(&[&sbom]);
    assert!(bare.starts_with("sha256:") && bare.lines().count() == 1, "{bare}");
    assert_eq!(args(&[&sbom, "--as=ghcr.io/acme/app:1.2"]), format!("ghcr.io/acme/app@{bare}"));
    assert_eq!(args(&[&sbom, "oci:absent"]), bare);
}

#[test]
fn quiet_shows_what_fails_alone() {
    let clean = check(&[STRICT, "--quiet", &layout("oci-sbom")]);
    assert_eq!((clean.exit, clean.stdout.as_str(), clean.stderr.as_str()), (0, "", ""));
    let failing = check(&[STRICT, "--quiet", &layout("oci-sbom"), &layout("docker-image")]);
    assert!(failing.stdout.contains("error[sbom]") && !failing.stdout.contains("warning["), "{}", failing.stdout);
    assert!(!failing.stdout.contains("oci-sbom"), "{}", failing.stdout);
}

#[test]
fn colours_are_used_when_asked_for() {
    let target = layout("docker-image");
    let coloured = |args: &[&str], no_color: bool| {
        let directory = empty();
        let mut command = command(directory.path());
        command.args(["check", STRICT, &target]).args(args);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        ended(&mut command).stdout.contains('\u{1b}')
    };
    assert!(coloured(&["--color=always"], false));
    assert!(coloured(&["--color=always"], true), "what is asked for on the command line wins");
    assert!(!coloured(&["--color=never"], false));
    assert!(!coloured(&[], false), "a pipe is no terminal");
    assert!(!coloured(&[], true));
}

#[test]
fn files_are_never_coloured() {
    let directory = empty();
    run(directory.path(), &["check", STRICT, "--color=always", "--output=human=r.txt", &layout("docker-image")]);
    let text = std::fs::read_to_string(directory.path().join("r.txt")).unwrap();
    assert!(text.contains("error[sbom]") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn accessible_reports_are_words() {
    let run = check(&[STRICT, "--accessible", &layout("docker-image")]);
    assert!(run.stdout.contains("Error, rule sbom"), "{}", run.stdout);
    for drawing in ['│', '╭', '×', '✗', '·'] {
        assert!(!run.stdout.contains(drawing), "{drawing} in {}", run.stdout);
    }
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    refused(&check(&[&layout("oci-sbom"), "--bogus"]), "--bogus");
    refused(&check(&[]), "<TARGET>");
    refused(&ocilint(&[]), "Usage: ocilint");
    refused(&check(&["--jobs=0", "alpine"]), "--jobs");
    refused(&check(&["--deadline=soon", "alpine"]), "90s");
    refused(&ocilint(&["graph", "NOT A TARGET"]), "is no image reference");
}

#[test]
fn a_wrong_target_does_not_keep_the_others_from_being_judged() {
    let run = check(&[STRICT, "NOT A TARGET", &layout("oci-sbom"), "--output=json"]);
    assert_eq!(run.exit, 3);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["images"][0]["error"]["kind"], "usage");
    assert!(report["images"][1]["error"].is_null());
    assert!(!report["images"][1]["cells"].as_array().unwrap().is_empty());
}

#[test]
fn a_name_is_given_to_one_local_image() {
    let sbom = layout("oci-sbom");
    let named = check(&["--policy=ocilint:strict", &sbom, "--as=ghcr.io/acme/app:latest"]);
    assert_eq!(named.exit, 1);
    assert!(named.stdout.contains("error[reference]"), "{}", named.stdout);
    refused(&check(&[&sbom, &sbom, "--as=ghcr.io/acme/app:1"]), "there is not exactly one");
    refused(&check(&["alpine", "--as=ghcr.io/acme/app:1"]), "there is not exactly one");
    refused(&check(&[&sbom, "--as=NOT A NAME"]), "--as");
}

#[test]
fn an_image_without_a_name_is_not_covered_by_a_rule_for_certain_images() {
    let directory = empty();
    std::fs::write(directory.path().join("ocilint.toml"), format!("{GOOD}images = [\"ghcr.io/acme/**\"]\n")).unwrap();
    let unnamed = run(directory.path(), &["check", &layout("oci-sbom")]);
    assert_eq!(unnamed.exit, 3);
    assert!(unnamed.stdout.contains("--as"), "{}", unnamed.stdout);
    assert_eq!(run(directory.path(), &["check", &layout("oci-sbom"), "--as=ghcr.io/acme/app:1"]).exit, 0);
}

#[test]
fn graphs_are_drawn() {
    let tree = ocilint(&["graph", &layout("oci-sbom")]);
    assert_eq!(tree.exit, 0);
    for part in [
        "linux/amd64  image",
        "linux/arm64  image",
        "https://spdx.dev/Document",
        "https://slsa.dev/provenance/v1",
        "2 layers",
    ] {
        assert!(tree.stdout.contains(part), "{part} in {}", tree.stdout);
    }
    let json = ocilint(&["graph", "--format=json", &layout("oci-sbom")]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["schema"], &json["root"]["role"]), (&"ocilint/graph/v1".into(), &"index".into()));
    assert_eq!(json["root"]["children"].as_array().unwrap().len(), 4);
    assert_eq!(ocilint(&["graph", "oci:absent"]).exit, 2);
}

/// Standard output that nobody reads any more, or that has no room: no report was written, and that is no pass.
#[test]
fn what_cannot_be_written_is_an_error_of_its_own() {
    let sbom = layout("oci-sbom");
    for args in [
        &["check", STRICT, &sbom][..],
        &["check", STRICT, &sbom, "--output=json"],
        &["graph", &sbom],
        &["rules"],
        &["completions", "bash"],
    ] {
        let (reader, closed) = std::io::pipe().unwrap();
        drop(reader);
        let (code, stderr) = to(closed, args);
        assert_eq!((code, stderr.as_str()), (4, ""), "{args:?} into a closed pipe");
        let (code, stderr) = to(File::create("/dev/full").unwrap(), args);
        assert_eq!(code, 4, "{args:?} into a full disk: {stderr}");
        assert!(stderr.contains("No space left"), "{stderr}");
    }
    for argument in ["--output=json=/dev/full", "--output=human=absent/r.txt", "--digest-file=absent/digests"] {
        let run = check(&[STRICT, &sbom, argument]);
        assert_eq!(run.exit, 4, "{argument}");
        assert!(run.stderr.contains("could not be written"), "{}", run.stderr);
    }
}

fn to(stdout: impl Into<Stdio>, args: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ocilint"));
    command.env_clear().args(args).stdout(stdout).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_a_registry_warns_of_is_said_once_and_escaped() {
    let registry = Registry::start();
    registry.store().load_layout("acme/app", Path::new("examples/layouts/oci-list"), "1.0");
    let warning = "299 - \"acme/app moves to \u{202e}ghcr.io\"".to_owned();
    registry.rule(Rule::new(When::any(), Fault::ExtraHeader("Warning", warning)));
    let target = registry.reference("acme/app:1.0");
    let run = check(&[&target, &target, "--plain-http", "-v", "--output=json", "--policy=ocilint:baseline"]);
    assert_eq!(run.exit, 0, "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let notes = report["diagnostics"].as_array().unwrap();
    let notes: Vec<_> = notes.iter().filter(|note| note["message"].as_str().unwrap().contains("ghcr.io")).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!((notes[0]["level"].as_str(), run.stderr.matches("acme/app moves").count()), (Some("note"), 1));
    assert!(!run.stderr.contains('\u{202e}') && !run.stdout.contains('\u{202e}'));
}
