//! Waivers: what they cover, how long, and how they are listed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ocilint::cases::build::{Image, build};
use ocilint::cases::{Scripted, StoreSource, Suite, cause};
use ocilint::engine::judge_source;
use ocilint::report::{Cell, CellVerdict, ImageReport};
use ocilint::source::{Budget, Walk};
use ocilint::{Options, Policy, Silent, Target};
use serde_json::Value;
use tokio::time::Instant;

use crate::program::{Run, run};

#[tokio::test]
async fn every_case_holds() {
    let mut failed = String::new();
    for file in ["tests/waivers/findings.toml", "tests/waivers/time.toml"] {
        let suite = Suite::read(Path::new(file)).unwrap_or_else(|error| panic!("{error}"));
        for outcome in suite.run().await.iter().filter(|outcome| !outcome.problems().is_empty()) {
            let _ = writeln!(
                failed,
                "\n{file}:{}: {}\n    {}",
                outcome.line,
                outcome.name,
                outcome.problems().join("\n    ")
            );
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

const RULES: &str = "[rules.labels]\nrequire = ['one', 'two']\n[rules.user]\n[rules.more]\nrule = 'user'\n[rules.platforms]\nrequire = ['linux/s390x']\n";

/// One waiver: what it is for, and whether it counts at all.
struct Tried {
    rule: &'static str,
    platform: Option<&'static str>,
    fingerprints: Vec<String>,
    counts: bool,
    text: String,
}

/// Every waiver that differs in what it is for, made of what the image has.
fn tried(plain: &ImageReport) -> Vec<Tried> {
    let mut all = Vec::new();
    let known: Vec<String> =
        plain.cells.iter().flat_map(|cell| &cell.findings).map(|finding| finding.fingerprint.clone()).collect();
    let mut fingerprints: Vec<Vec<String>> = known.iter().map(|one| vec![one.clone()]).collect();
    fingerprints.extend([Vec::new(), known, vec!["v1:0000000000000000".to_owned()]]);
    for rule in ["labels", "user", "more", "platforms", "document"] {
        for platform in [None, Some("linux/amd64"), Some("linux/arm64"), Some("linux/s390x")] {
            for fingerprints in &fingerprints {
                for (counts, images, expires) in [
                    (true, "registry.example/app", "2026-06-01"),
                    (false, "registry.example/app", "2026-05-31"),
                    (false, "registry.example/application", "2026-06-01"),
                ] {
                    let mut text = format!(
                        "[[waivers]]\nrule = '{rule}'\nimages = ['{images}']\nreason = 'x'\nexpires = {expires}\n"
                    );
                    if let Some(platform) = platform {
                        let _ = writeln!(text, "platforms = ['{platform}']");
                    }
                    if !fingerprints.is_empty() {
                        let _ = writeln!(text, "fingerprint = {fingerprints:?}");
                    }
                    all.push(Tried { rule, platform, fingerprints: fingerprints.clone(), counts, text });
                }
            }
        }
    }
    all
}

/// A waiver changes nothing but the cells that it is for, and those only from a violation or an unknown to waived.
#[tokio::test]
async fn a_waiver_waives_its_own_cells_and_nothing_else() {
    let plain = judge(RULES).await;
    for verdict in [CellVerdict::Pass, CellVerdict::Violation, CellVerdict::Unknown] {
        assert!(plain.cells.iter().any(|cell| cell.verdict == verdict), "{verdict:?}");
    }
    let tried = tried(&plain);
    let mut waived = 0;
    for waiver in &tried {
        let with = judge(&format!("{RULES}{}", waiver.text)).await;
        assert_eq!(with.cells.len(), plain.cells.len());
        for (cell, before) in with.cells.iter().zip(&plain.cells) {
            let wanted = expected(waiver, before);
            assert_eq!(cell.verdict, wanted, "{}@{} with\n{}", cell.rule, cell.subject, waiver.text);
            assert_eq!(
                (cell.level, &cell.reason, cell.findings.len()),
                (before.level, &before.reason, before.findings.len())
            );
            let is_waived = cell.verdict == CellVerdict::Waived;
            assert_eq!(cell.waiver.is_some(), is_waived);
            if !is_for(waiver, before) {
                assert_eq!(
                    serde_json::to_value(cell).unwrap(),
                    serde_json::to_value(before).unwrap(),
                    "{}",
                    waiver.text
                );
            }
            waived += usize::from(is_waived);
        }
    }
    assert!(waived > 0 && waived < tried.len(), "{waived} of {}", tried.len());
}

fn is_for(waiver: &Tried, cell: &Cell) -> bool {
    waiver.counts && waiver.rule == cell.rule && waiver.platform.is_none_or(|platform| platform == cell.subject)
}

fn expected(waiver: &Tried, before: &Cell) -> CellVerdict {
    let covers = |fingerprint: &String| waiver.fingerprints.is_empty() || waiver.fingerprints.contains(fingerprint);
    match before.verdict {
        CellVerdict::Violation
            if is_for(waiver, before) && before.findings.iter().all(|finding| covers(&finding.fingerprint)) =>
        {
            CellVerdict::Waived
        }
        CellVerdict::Unknown if is_for(waiver, before) && waiver.fingerprints.is_empty() => CellVerdict::Waived,
        verdict => verdict,
    }
}

/// Judges an image that runs as root on one platform, whose config on another one cannot be read.
async fn judge(policy: &str) -> ImageReport {
    let platforms = ["linux/amd64", "linux/arm64", "linux/ppc64le"].map(str::to_owned).to_vec();
    let built = build(&Image { platforms, ..Image::default() }).unwrap();
    let failing = built.names.find("config linux/arm64");
    let failures: BTreeMap<_, _> = failing.into_iter().map(|asked| (asked, cause("forbidden").unwrap())).collect();
    let source = Scripted::new(Arc::new(StoreSource::alone(built)), failures);
    let walk = Walk::new(Arc::new(source), Budget::default(), Instant::now() + Duration::from_mins(1));
    let target = Target::parse("registry.example/app:1.0").unwrap();
    let policy = Policy::from_text("policy.toml", policy, Path::new("")).unwrap_or_else(|errors| panic!("{errors}"));
    let now: Timestamp = "2026-06-01T23:59:59Z".parse().unwrap();
    judge_source(&policy, &Options::default(), &target, &walk, now, &Silent).await
}

const POLICY: &str = r#"
[rules.sbom]
[rules.user]
[rules.labels]
level = "off"
require = ["a"]

[[waivers]]
rule = "user"
images = ["ghcr.io/acme/tool"]
reason = "no end in sight"

[[waivers]]
rule = "sbom"
images = ["ghcr.io/acme/legacy", "ghcr.io/acme/old/*"]
platforms = ["linux/arm64"]
reason = "rebuild planned"
owner = "platform-team"
link = "https://example.com/issues/1234"
expires = 2027-01-31

[[waivers]]
rule = "labels"
images = ["ghcr.io/acme/tool"]
fingerprint = ["v1:0123456789abcdef"]
reason = "nobody reads it"
expires = 2026-12-31
"#;

/// A directory with a policy that is found without being named.
fn directory(policy: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("ocilint.toml"), policy).unwrap();
    directory
}

fn ocilint(policy: &str, args: &[&str]) -> Run {
    run(directory(policy).path(), args)
}

fn list(policy: &str, args: &[&str]) -> Run {
    ocilint(policy, &[&["policy", "waivers"], args].concat())
}

/// Checks a layout as `ghcr.io/acme/app`, and returns the report.
fn check(policy: &str, args: &[&str]) -> (i32, Value) {
    let layout = format!("oci:{}/examples/layouts/oci-list", env!("CARGO_MANIFEST_DIR"));
    let run = ocilint(policy, &[&["check", &layout, "--as=ghcr.io/acme/app:1", "--output=json"], args].concat());
    (run.exit, serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr)))
}

fn messages(report: &Value) -> Vec<&str> {
    report["diagnostics"].as_array().unwrap().iter().map(|remark| remark["message"].as_str().unwrap()).collect()
}

#[test]
fn the_list_begins_with_what_ends_first() {
    let run = list(POLICY, &["--at=2027-01-01"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("waivers", run.stdout);
}

#[test]
fn the_list_for_programs_has_every_key() {
    let run = list(POLICY, &["--at=2027-01-31T23:00:00Z", "--format=json"]);
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.exit, list["schema"].as_str()), (0, Some("ocilint/waivers/v1")));
    assert_eq!(list["observed_at"], "2027-01-31T23:00:00Z");
    let wanted = serde_json::json!({
        "rule": "sbom", "images": ["ghcr.io/acme/legacy", "ghcr.io/acme/old/*"], "platforms": ["linux/arm64"],
        "fingerprints": [], "reason": "rebuild planned", "owner": "platform-team",
        "link": "https://example.com/issues/1234", "expires": "2027-01-31", "days_left": 0, "expired": false,
        "dead": false, "policy": { "file": "ocilint.toml", "line": 13, "column": 1 },
    });
    assert_eq!(list["waivers"][1], wanted);
    let ends: Vec<_> = list["waivers"].as_array().unwrap().iter().map(|waiver| waiver["days_left"].as_i64()).collect();
    assert_eq!(ends, [Some(-31), Some(0), None]);
    assert_eq!((&list["waivers"][0]["expired"], &list["waivers"][0]["dead"]), (&Value::Bool(true), &Value::Bool(true)));
}

#[test]
fn asked_for_what_expires_the_status_says_whether_there_is_any() {
    for (at, within, exit, count) in [
        ("2026-12-01", "29d", 0, 0),
        ("2026-12-01", "30d", 1, 1),
        ("2026-12-27", "5w", 1, 2),
        ("2027-02-01", "0d", 1, 2),
    ] {
        let run = list(POLICY, &["--format=json", "--at", at, "--expiring", within]);
        let list: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!((run.exit, list["waivers"].as_array().unwrap().len()), (exit, count), "{at} {within}");
    }
}

#[test]
fn policies_are_listed_each_for_itself_and_no_waiver_twice() {
    let tree = directory(POLICY);
    std::fs::write(
        tree.path().join("team.toml"),
        "[policy]\nextends = ['ocilint.toml']\n[rules.labels]\nlevel = 'note'",
    )
    .unwrap();
    let run = run(tree.path(), &["policy", "waivers", "ocilint.toml", "team.toml", "--format=json"]);
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    let dead: Vec<_> = list["waivers"].as_array().unwrap().iter().map(|waiver| waiver["dead"].as_bool()).collect();
    // Where one policy judges by the rule, the waiver is alive.
    assert_eq!(dead, [Some(false); 3], "{}", run.stderr);
}

#[test]
fn a_policy_with_a_mistake_lists_nothing() {
    for args in [&[][..], &["ocilint.toml"]] {
        let run = list("[rules.usr]", args);
        assert_eq!((run.exit, run.stdout.as_str()), (3, ""));
        assert!(run.stderr.contains("usr"), "{}", run.stderr);
    }
}

#[test]
fn a_waiver_whose_rule_is_off_is_told_by_check_and_policy_check() {
    let wanted = "the waiver for `labels` covers nothing: the rule is off";
    let run = ocilint(POLICY, &["policy", "check", "ocilint.toml"]);
    assert_eq!((run.exit, run.stdout.as_str()), (0, "no mistakes\n"));
    assert!(run.stderr.contains(wanted), "{}", run.stderr);
    let (_, report) = check(POLICY, &[]);
    assert_eq!(messages(&report), [wanted]);
}

#[test]
fn how_long_a_waiver_runs_is_counted_from_the_clock_of_the_run() {
    let policy = |days: u32| {
        format!(
            "[policy]\nmax-waiver-days = {days}\n[rules.user]\n[[waivers]]\nrule = 'user'\nimages = ['ghcr.io/acme/app']\nreason = 'x'\nexpires = 2027-01-31\n"
        )
    };
    let layout = format!("oci:{}/examples/layouts/oci-list", env!("CARGO_MANIFEST_DIR"));
    let check = ["check", &layout, "--as=ghcr.io/acme/app:1", "--at=2027-01-01"];
    assert_eq!(ocilint(&policy(30), &check).exit, 0);
    for command in [&check[..], &["policy", "waivers", "--at=2027-01-01"]] {
        let run = ocilint(&policy(29), command);
        assert_eq!((run.exit, run.stdout.as_str()), (3, ""), "{}", run.stderr);
        for words in ["30 days from 2027-01-01", "at most 29", "2027-01-30", "ocilint.toml:8:1", "ocilint.toml:2:1"] {
            assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
        }
    }
}

#[test]
fn one_clock_judges_and_is_shown() {
    let policy = "[rules.labels]\nrequire = ['one']\neffective-from = 2027-01-01\n";
    let (exit, report) = check(policy, &["--at=2026-12-31T23:59:59Z"]);
    assert_eq!((exit, report["observed_at"].as_str()), (0, Some("2026-12-31T23:59:59Z")));
    let cell = |report: &Value| -> Vec<Value> {
        let cells = report["images"][0]["cells"].as_array().unwrap();
        let cell = cells.iter().find(|cell| cell["rule"] == "labels").unwrap();
        vec![cell["level"].clone(), cell["effective_from"].clone()]
    };
    assert_eq!(cell(&report), ["warning", "2027-01-01"]);
    let (exit, report) = check(policy, &["--at=2027-01-01"]);
    assert_eq!((exit, report["observed_at"].as_str()), (1, Some("2027-01-01T00:00:00Z")));
    assert_eq!(cell(&report), [Value::from("error"), Value::Null]);

    let layout = format!("oci:{}/examples/layouts/oci-list", env!("CARGO_MANIFEST_DIR"));
    let human = |at: &[&str]| ocilint(policy, &[&["check", &layout, "--as=ghcr.io/acme/app:1"], at].concat()).stdout;
    let before = human(&["--at=2026-12-31"]);
    assert!(before.contains("counts as an error from 2027-01-01"), "{before}");
    assert!(before.contains("\nas of: 2026-12-31T00:00:00Z\n"), "{before}");
    assert!(!human(&[]).contains("as of:"));
    let sarif = human(&["--at=2026-12-31", "--output=sarif"]);
    assert!(sarif.contains("It counts as an error from 2027-01-01."), "{sarif}");
}

#[test]
fn a_time_without_its_offset_is_refused() {
    for at in ["2027-01-01T00:00:00", "2027-02-30", "tomorrow", "2027-1-1", "20270101", ""] {
        let run = list(POLICY, &["--at", at]);
        assert_eq!((run.exit, run.stdout.as_str()), (3, ""), "{at}");
    }
}

#[test]
fn a_run_tells_what_is_to_be_done_about_waivers() {
    let waiver = |rule: &str, rest: &str| {
        format!("[[waivers]]\nrule = '{rule}'\nimages = ['ghcr.io/acme/*']\nreason = 'x'\n{rest}\n")
    };
    let rules = "[rules.labels]\nrequire = ['one']\n[rules.shape]\nkind = 'index'\n";
    let told = |waiver: &str, at: &str| -> Vec<String> {
        let (_, report) = check(&format!("{rules}{waiver}"), &["--at", at]);
        messages(&report).into_iter().map(str::to_owned).collect()
    };
    let labels = waiver("labels", "owner = 'web'\nexpires = 2027-01-31");
    assert_eq!(told(&labels, "2027-01-01"), ["the waiver for `labels` expires in 30 days, on 2027-01-31"]);
    assert_eq!(told(&labels, "2026-12-31"), [""; 0]);
    assert_eq!(told(&labels, "2027-01-31"), ["the waiver for `labels` expires today, on 2027-01-31"]);
    assert_eq!(told(&labels, "2027-02-01"), ["the waiver for `labels` expired on 2027-01-31 and no longer counts"]);
    // What nothing needs is told as such, however soon it ends.
    let shape = waiver("shape", "expires = 2027-01-31");
    assert_eq!(told(&shape, "2027-01-30"), ["the waiver for `shape` is not needed: the rule passes"]);
    let finding = waiver("labels", "fingerprint = 'v1:0000000000000000'");
    assert_eq!(told(&finding, "2027-01-01"), ["the waiver for `labels` is not needed: none of its findings is there"]);
    // For cells that the image does not have it is neither needed nor unneeded.
    assert_eq!(told(&waiver("labels", "platforms = ['windows/*']"), "2027-01-01"), [""; 0]);
    let (_, report) = check(&format!("{rules}{labels}"), &["--at=2027-01-31"]);
    assert_eq!(report["diagnostics"][0]["help"], "mend what it covers, or renew it; its owner is web");
}

#[test]
fn a_waiver_that_one_image_needs_is_not_told_to_be_unneeded() {
    let policy = "[rules.sbom]\n[[waivers]]\nrule = 'sbom'\nimages = ['ghcr.io/acme/*']\nreason = 'x'\n";
    let tree = directory(policy);
    let layouts = format!("{}/examples/layouts", env!("CARGO_MANIFEST_DIR"));
    for (name, layout) in [("with", "oci-sbom"), ("without", "oci-list")] {
        let target = format!("oci:{layouts}/{layout}");
        let file = format!("{name}.snapshot");
        let run = run(tree.path(), &["snapshot", &target, &format!("--as=ghcr.io/acme/{name}:1"), "-o", &file]);
        assert!(tree.path().join(&file).exists(), "{}", run.stderr);
    }
    let told = |snapshots: &[&str]| {
        let run = run(tree.path(), &[&["check", "--output=json"], snapshots].concat());
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
        report["diagnostics"].as_array().unwrap().len()
    };
    assert_eq!(told(&["snapshot:with.snapshot"]), 1);
    assert_eq!(told(&["snapshot:with.snapshot", "snapshot:without.snapshot"]), 0);
}
