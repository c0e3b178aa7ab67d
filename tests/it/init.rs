//! `ocilint init`: the policy that it writes loads, as it is and with all of its examples.

use std::fs;
use std::path::Path;

use jiff::civil::date;
use ocilint::Policy;
use ocilint::policy::{Pack, Starter};

use crate::policy::schema::{as_json, validator};
use crate::program::{Run, run};

const PACKS: [Pack; 7] = [
    Pack::Baseline,
    Pack::Strict,
    Pack::SupplyChain,
    Pack::Kubernetes,
    Pack::Reproducible,
    Pack::OciConformance,
    Pack::DockerOfficial,
];
const PLATFORMS: &[&[&str]] = &[&[], &["linux/amd64"], &["linux/arm64", "linux/*", "linux/arm64"]];
const REGISTRIES: &[&[&str]] = &[&[], &["ghcr.io/acme"], &["docker.io/library", "localhost:5000", "*.example.com/**"]];

fn starters() -> Vec<Starter> {
    let mut starters = Vec::new();
    for pack in PACKS {
        for platforms in PLATFORMS {
            for registries in REGISTRIES {
                for has_schema in [false, true] {
                    let platforms = platforms.iter().map(|text| text.parse().unwrap()).collect();
                    let registries = registries.iter().map(|text| text.parse().unwrap()).collect();
                    let today = date(2026, 11, 23);
                    starters.push(Starter { pack, platforms, registries, has_schema, today });
                }
            }
        }
    }
    starters
}

/// The text with the `#` taken away from every example.
fn with_examples(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with([' ', ':']) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[track_caller]
fn loads(text: &str) -> Policy {
    let json = as_json(text).unwrap();
    let errors: Vec<_> = validator().iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
    Policy::from_text("ocilint.toml", text, Path::new("")).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

fn init(directory: &Path, arguments: &[&str]) -> Run {
    run(directory, &[&["init"], arguments].concat())
}

#[test]
fn every_starter_loads_with_and_without_its_examples() {
    for starter in starters() {
        let policy = loads(&starter.text());
        let named = |name: &str| policy.instances.iter().any(|instance| instance.name == name);
        assert_eq!(named("platforms"), !starter.platforms.is_empty() || starter.pack == Pack::DockerOfficial);
        assert_eq!(named("registries"), !starter.registries.is_empty());
        let has_sbom = matches!(starter.pack, Pack::Strict | Pack::SupplyChain | Pack::DockerOfficial);
        assert_eq!(named("sbom"), has_sbom);
        assert!(policy.waivers.is_empty());

        let all = loads(&with_examples(&starter.text()));
        for name in ["platforms", "registries", "team-labels", "sbom"] {
            assert!(all.instances.iter().any(|instance| instance.name == name), "{name}");
        }
        assert_eq!(all.waivers.len(), 1);
    }
}

#[test]
fn what_is_written_is_found_and_judges() {
    let directory = tempfile::tempdir().unwrap();
    let run_init = init(directory.path(), &["--platform", "linux/amd64", "--registry", "ghcr.io/acme"]);
    assert_eq!((run_init.exit, run_init.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("init", run_init.stdout);
    let text = fs::read_to_string(directory.path().join("ocilint.toml")).unwrap();
    assert!(text.contains("\n[rules.platforms]\nrequire = [\"linux/amd64\"]\n"), "{text}");
    assert!(text.contains("\n[rules.registries]\nallow = [\"ghcr.io/acme\", \"ghcr.io/acme/**\"]\n"), "{text}");

    assert_eq!(run(directory.path(), &["policy", "check", "ocilint.toml"]).exit, 0);
    let layout = format!("oci:{}/examples/layouts/oci-list", env!("CARGO_MANIFEST_DIR"));
    let named = |name: &str| run(directory.path(), &["check", &layout, "--as", name]);
    let allowed = named("ghcr.io/acme/app:1");
    assert_eq!(allowed.exit, 0, "{}", allowed.stderr);
    assert!(allowed.stderr.is_empty(), "{}", allowed.stderr);
    assert_eq!(named("quay.io/acme/app:1").exit, 1);
}

#[test]
fn without_flags_it_is_the_baseline() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(init(directory.path(), &[]).exit, 0);
    let layout = format!("oci:{}/examples/layouts/oci-list", env!("CARGO_MANIFEST_DIR"));
    let checked = run(directory.path(), &["check", &layout]);
    assert_eq!((checked.exit, checked.stderr.as_str()), (0, ""), "{}", checked.stdout);
}

#[test]
fn what_is_there_stays_unless_it_may_be_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ocilint.toml");
    fs::write(&path, "mine").unwrap();
    let refused = init(directory.path(), &[]);
    assert_eq!((refused.exit, refused.stdout.as_str()), (3, ""));
    assert!(refused.stderr.contains("`ocilint.toml` is there already"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    // The schema beside it is not written either.
    assert_eq!(init(directory.path(), &["--schema"]).exit, 3);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let forced = init(directory.path(), &["--force", "--schema"]);
    assert_eq!(forced.exit, 0);
    assert!(forced.stdout.starts_with("wrote ocilint.toml and, beside it, ocilint.schema.json; next:\n"));
    assert!(fs::read_to_string(&path).unwrap().starts_with("#:schema ./ocilint.schema.json\n"));
    let schema = fs::read_to_string(directory.path().join("ocilint.schema.json")).unwrap();
    assert_eq!(schema, ocilint::policy::schema_text());
}

#[test]
fn it_is_written_where_it_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    let inside = init(directory.path(), &["policies", "--pack", "strict"]);
    assert!(inside.stdout.contains("ocilint check IMAGE --policy policies/ocilint.toml"), "{}", inside.stdout);
    assert!(fs::read_to_string(directory.path().join("policies/ocilint.toml")).unwrap().contains("ocilint:strict"));

    let shown = init(directory.path(), &["-"]);
    assert_eq!(shown.exit, 0);
    loads(&shown.stdout);
    assert_eq!(init(directory.path(), &["-", "--schema"]).exit, 3);
    for path in ["absent/ocilint.toml", "absent/"] {
        let refused = init(directory.path(), &[path]);
        assert_eq!(refused.exit, 3);
        assert!(refused.stderr.contains("there is no directory `absent"), "{}", refused.stderr);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn values_that_are_none_are_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        ["--registry", "ghcr.io/a\"]\n[rules.user]\nlevel = \"off\""],
        ["--registry", "acme/app"],
        ["--registry", ""],
        ["--platform", "linux"],
        ["--platform", "linux/amd64\"]"],
        ["--pack", "ocilint:strict"],
    ] {
        let refused = init(directory.path(), &arguments);
        assert_eq!((refused.exit, refused.stdout.as_str()), (3, ""), "{arguments:?}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
