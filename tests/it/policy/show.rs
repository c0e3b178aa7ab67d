//! `ocilint policy show`: what it shows loads as the same policy, and says where everything comes from.

use std::fs;
use std::path::Path;

use ocilint::Policy;
use ocilint::output::policy::{write_json, write_toml};
use serde_json::Value;

use super::schema::{as_json, every_policy, validator};
use crate::program::run;

const ORG: &str = r#"[policy]
name = "org"
require-waiver-expiry = true
max-waiver-days = 90
forbid-waivers = ["schema1", "user"]

[data]
ours = ["ghcr.io/acme/**"]
bases = ["docker.io/library/*"]

[defaults]
level = "warning"

[rules.registries]
allow = { data = "ours" }

[rules.source]
rule = "labels"
match = { "org.opencontainers.image.source" = 'https://github\.com/acme/.+', team = "it's \"ours\"" }
help = "See the handbook ##[error]"

[rules.schema1]
locked = true

[rules.user]
"#;
const TEAM: &str = r#"[policy]
name = "team"
description = "What the team's images need"
extends = ["org.toml"]
max-waiver-days = 30

[data]
ours = [
    "ghcr.io/acme/a-team-with-a-long-name/**",
    "ghcr.io/acme/another-team-with-a-long-name/**",
    "ghcr.io/acme/shared/**",
]

[rules.source]
level = "error"
images = ["ghcr.io/acme/**", "!ghcr.io/acme/legacy"]

[rules.user]
effective-from = 2027-01-01
must-be = "numeric"
min-uid = 1000

[rules.platforms]
require = ["linux/amd64"]

[[waivers]]
rule = "source"
images = ["ghcr.io/acme/old"]
reason = "Rebuild planned"
expires = 2026-12-15
owner = "team-a"
"#;

/// All of a policy that decides anything.
fn essence(policy: &Policy) -> String {
    let instances = policy.instances.iter().map(|instance| {
        let ocilint::policy::Instance {
            name, level, images, platforms, help, url, effective_from, locked, check, ..
        } = instance;
        format!("{name} {level} {images:?} {platforms:?} {help:?} {url:?} {effective_from:?} {locked} {check:?}\n")
    });
    let waivers = policy.waivers.iter().map(|waiver| {
        let ocilint::policy::Waiver { rule, images, platforms, fingerprints, reason, expires, owner, link, .. } =
            waiver;
        format!("{rule} {images:?} {platforms:?} {fingerprints:?} {reason} {expires:?} {owner:?} {link:?}\n")
    });
    let rulings = &policy.rulings;
    let rulings = format!(
        "{} {:?} {} {:?} {:?}",
        rulings.require_expiry.is_some(),
        rulings.max_days.as_ref().map(|days| days.value),
        rulings.forbid_all.is_some(),
        rulings.forbidden.keys(),
        rulings.scope.as_ref().map(|scope| scope.value),
    );
    instances.chain(waivers).chain([rulings]).collect()
}

fn shown(policy: &Policy, origins: bool) -> String {
    let mut out = Vec::new();
    write_toml(policy, origins, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn comes_back(policy: &Policy) {
    for origins in [false, true] {
        let text = shown(policy, origins);
        let again = Policy::from_text("shown.toml", &text, Path::new(""));
        let again = again.unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        assert_eq!(essence(&again), essence(policy), "{text}");
        assert!(validator().is_valid(&as_json(&text).unwrap()), "{text}");
    }
}

fn files() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("org.toml"), ORG).unwrap();
    fs::write(directory.path().join("team.toml"), TEAM).unwrap();
    fs::write(directory.path().join("other.toml"), "[policy]\nforbid-waivers = [\"children\"]\n[rules.children]\n")
        .unwrap();
    directory
}

#[test]
fn what_is_shown_loads_as_the_same_policy() {
    let directory = files();
    comes_back(&Policy::load(&["team.toml".to_owned()], directory.path()).unwrap());
    comes_back(&Policy::load(&["other.toml".to_owned(), "team.toml".to_owned()], directory.path()).unwrap());
    let mut count = 0;
    for (path, text) in every_policy() {
        if let Ok(policy) = Policy::from_text("policy.toml", &text, path.parent().unwrap_or(Path::new(""))) {
            count += 1;
            comes_back(&policy);
        }
    }
    assert!(count >= 100, "{count} policies");
}

#[test]
fn every_value_says_where_it_was_written() {
    let directory = files();
    let run = run(directory.path(), &["policy", "show", "team.toml"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("policy_show", run.stdout);
}

#[test]
fn programs_read_the_same_as_json() {
    let directory = files();
    let policy = Policy::load(&["team.toml".to_owned()], directory.path()).unwrap();
    let mut out = Vec::new();
    write_json(&policy, &mut out).unwrap();
    let json: Value = serde_json::from_slice(&out).unwrap();
    let named: Vec<&str> =
        json["sources"].as_array().unwrap().iter().map(|source| source["source"].as_str().unwrap()).collect();
    assert_eq!(named, ["org.toml", "team.toml"]);
    let rule = |name: &str| json["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == name).unwrap();
    let allow = &rule("registries")["keys"]["allow"];
    assert_eq!(allow["value"][2], "ghcr.io/acme/shared/**");
    assert_eq!((&allow["origins"][0]["file"], &allow["list"]["file"]), (&"org.toml".into(), &"team.toml".into()));
    assert_eq!(rule("user")["level"], "warning");
    assert_eq!(rule("user")["keys"]["effective-from"]["value"], "2027-01-01");
    assert_eq!(rule("artifact-type")["explicit"], false);
    assert_eq!(json["policy"]["max-waiver-days"]["origins"][0]["line"], 5);
    assert_eq!(json["policy"]["name"]["value"], "team");
    assert_eq!(json["waivers"][0]["keys"]["owner"]["value"], "team-a");
}

#[test]
fn without_a_name_it_is_the_policy_that_is_checked_by() {
    let directory = tempfile::tempdir().unwrap();
    let show = || run(directory.path(), &["policy", "show", "--format", "toml"]);
    assert!(show().stdout.contains("[rules.platform-agreement]"), "{}", show().stdout);
    fs::write(directory.path().join("ocilint.toml"), "[rules.user]\nmin-uid = 1000\n").unwrap();
    assert_eq!((show().exit, show().stdout.as_str()), (0, "[rules.user]\nmin-uid = 1000\n"));
    let wrong = run(directory.path(), &["policy", "show", "absent.toml"]);
    assert_eq!((wrong.exit, wrong.stdout.as_str()), (3, ""));
}
