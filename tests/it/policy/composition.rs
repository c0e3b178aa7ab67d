//! What files become together: defaults, lists, locks, and parents that have to be fetched.

use std::path::Path;

use ocilint::Policy;
use ocilint::policy::{Fetched, Instance, Level, Loading, Origin, WaiverScope};

use super::{directory, load_in, told};

fn loaded(files: &[(&str, &str)], named: &[&str]) -> Policy {
    let directory = directory(files);
    load_in(directory.path(), named).unwrap_or_else(|errors| panic!("{}", told(&errors)))
}

fn instance<'p>(policy: &'p Policy, name: &str) -> &'p Instance {
    policy.instances.iter().find(|instance| instance.name == name).unwrap()
}

fn written(origin: &Origin) -> String {
    format!("{}: {}", origin.source.name, &origin.source.text[origin.span.clone()])
}

fn place_of(policy: &Policy, name: &str, key: &str) -> String {
    written(instance(policy, name).origin_of(key).unwrap())
}

#[test]
fn defaults_stand_in_where_a_rule_of_the_file_says_nothing() {
    let policy = loaded(
        &[(
            "policy.toml",
            "[defaults]\nlevel = 'warning'\nimages = ['ghcr.io/acme/**']\nplatforms = ['linux/*']\n[rules.schema1]\n[rules.children]\nlevel = 'note'\nimages = ['quay.io/**']\n",
        )],
        &["policy.toml"],
    );
    let (schema1, children) = (instance(&policy, "schema1"), instance(&policy, "children"));
    assert_eq!((schema1.level, children.level), (Level::Warning, Level::Note));
    let is_for = |instance: &Instance, name| instance.images.as_ref().unwrap().contains(name, None);
    assert!(is_for(schema1, "ghcr.io/acme/app") && !is_for(schema1, "quay.io/app"));
    assert!(is_for(children, "quay.io/app") && !is_for(children, "ghcr.io/acme/app"));
    assert!(children.platforms.is_some());
    assert_eq!(place_of(&policy, "schema1", "level"), "policy.toml: level = 'warning'");
    assert_eq!(place_of(&policy, "children", "platforms"), "policy.toml: platforms = ['linux/*']");
    // What is always on stays as it is.
    assert_eq!(instance(&policy, "artifact-type").level, Level::Error);
    assert!(instance(&policy, "artifact-type").images.is_none());
}

#[test]
fn defaults_are_for_the_rules_that_their_file_brings_in() {
    let policy = loaded(
        &[
            ("org.toml", "[defaults]\nlevel = 'note'\n[rules.schema1]\n[rules.user]\nlocked = true\nlevel = 'error'\n"),
            (
                "team.toml",
                "[policy]\nextends = ['org.toml']\n[defaults]\nlevel = 'warning'\nimages = ['ghcr.io/team/**']\n[rules.schema1]\nhelp = 'x'\n[rules.user]\n[rules.children]\n",
            ),
        ],
        &["team.toml"],
    );
    let level = |name| instance(&policy, name).level;
    assert_eq!((level("schema1"), level("user"), level("children")), (Level::Note, Level::Error, Level::Warning));
    assert!(instance(&policy, "schema1").images.is_none() && instance(&policy, "user").images.is_none());
    assert!(instance(&policy, "children").images.is_some());
}

#[test]
fn a_list_stands_wherever_a_list_is_taken() {
    let policy = loaded(
        &[(
            "policy.toml",
            "[data]\nours = ['ghcr.io/acme/**', 'quay.io/acme/*']\nunused = ['x']\ntypes = ['https://slsa.dev/provenance/v1']\n[rules.registries]\nallow = { data = 'ours' }\nimages.data = 'ours'\n[rules.provenance.types]\ndata = 'types'\n[rules.labels]\nmatch = { data = 'v.+' }\n",
        )],
        &["policy.toml"],
    );
    let registries = instance(&policy, "registries");
    assert!(format!("{:?}", registries.check).contains("quay.io/acme/*"), "{:?}", registries.check);
    assert!(registries.images.as_ref().unwrap().contains("quay.io/acme/app", None));
    let list = "policy.toml: ours = ['ghcr.io/acme/**', 'quay.io/acme/*']";
    assert_eq!(written(&registries.lists["allow"]), list);
    assert_eq!(place_of(&policy, "registries", "allow"), "policy.toml: allow = { data = 'ours' }");
    assert!(format!("{:?}", instance(&policy, "provenance").check).contains("slsa.dev"));
    // A label of that name is a label.
    assert!(format!("{:?}", instance(&policy, "labels").check).contains("\"data\": \"v.+\""));
}

#[test]
fn a_child_replaces_a_list_of_its_parent() {
    let org = "[data]\nours = ['ghcr.io/acme/**']\n[rules.registries]\nallow = { data = 'ours' }\n";
    let team = "[policy]\nextends = ['org.toml']\n[data]\nours = ['quay.io/team/**']\n";
    let policy = loaded(&[("org.toml", org), ("team.toml", team)], &["team.toml"]);
    let registries = instance(&policy, "registries");
    let check = format!("{:?}", registries.check);
    assert!(check.contains("quay.io/team") && !check.contains("ghcr.io"), "{check}");
    assert_eq!(written(&registries.lists["allow"]), "team.toml: ours = ['quay.io/team/**']");
    // Elsewhere the name means what it means there.
    let other =
        "[data]\nours = ['docker.io/library/*']\n[rules.theirs]\nrule = 'registries'\ndeny = { data = 'ours' }\n";
    let policy = loaded(&[("org.toml", org), ("team.toml", team), ("other.toml", other)], &["team.toml", "other.toml"]);
    assert!(format!("{:?}", instance(&policy, "theirs").check).contains("docker.io/library"));
    assert!(format!("{:?}", instance(&policy, "registries").check).contains("quay.io/team"));
}

#[test]
fn what_is_locked_can_be_raised_and_waived_where_it_is_locked() {
    let policy = loaded(
        &[
            (
                "org.toml",
                "[data]\nours = ['ghcr.io/acme/**']\n[rules.registries]\nlocked = true\nlevel = 'warning'\nallow = { data = 'ours' }\n[[waivers]]\nrule = 'registries'\nimages = ['docker.io/library/alpine']\nreason = 'x'\n",
            ),
            (
                "team.toml",
                "[policy]\nextends = ['org.toml']\n[data]\ntheirs = ['quay.io/**']\n[rules.registries]\nlocked = true\nlevel = 'error'\n",
            ),
        ],
        &["team.toml"],
    );
    let registries = instance(&policy, "registries");
    assert_eq!((registries.level, registries.locked, policy.waivers.len()), (Level::Error, true, 1));
    assert_eq!(place_of(&policy, "registries", "level"), "team.toml: level = 'error'");
    assert_eq!(place_of(&policy, "registries", "locked"), "org.toml: locked = true");
    assert!(!instance(&policy, "artifact-type").locked);
}

#[test]
fn the_strictest_of_what_is_demanded_of_waivers_holds() {
    let policy = loaded(
        &[
            (
                "org.toml",
                "[policy]\nmax-waiver-days = 90\nwaiver-scope = 'digest'\nforbid-waivers = ['user']\n[rules.schema1]\n[rules.user]\n",
            ),
            (
                "team.toml",
                "[policy]\nextends = ['org.toml']\nmax-waiver-days = 365\nwaiver-scope = 'any'\nrequire-waiver-expiry = true\nforbid-waivers = false\n",
            ),
        ],
        &["team.toml"],
    );
    let rulings = &policy.rulings;
    let (days, scope) = (rulings.max_days.as_ref().unwrap(), rulings.scope.as_ref().unwrap());
    assert_eq!((days.value, written(&days.origin)), (90, "org.toml: max-waiver-days = 90".to_owned()));
    assert_eq!(
        (scope.value, written(&scope.origin)),
        (WaiverScope::Digest, "org.toml: waiver-scope = 'digest'".into())
    );
    assert_eq!(written(rulings.require_expiry.as_ref().unwrap()), "team.toml: require-waiver-expiry = true");
    assert_eq!(rulings.forbids("user").map(written), Some("org.toml: 'user'".to_owned()));
    assert!(rulings.forbids("schema1").is_none());
}

#[test]
fn a_day_from_which_a_rule_counts_is_read() {
    let policy = loaded(
        &[("policy.toml", "[rules.schema1]\neffective-from = 2027-01-01\n[rules.children]\n")],
        &["policy.toml"],
    );
    assert_eq!(instance(&policy, "schema1").effective_from.unwrap().to_string(), "2027-01-01");
    assert_eq!(instance(&policy, "children").effective_from, None);
}

const REMOTE: &str = "oci://ghcr.io/acme/policy:1";
const BASE: &str = "oci://ghcr.io/acme/base:2";

fn load_with(directory: &Path, named: &[&str], fetched: &Fetched) -> Result<Loading, String> {
    let named: Vec<String> = named.iter().map(ToString::to_string).collect();
    Policy::load_with(&named, directory, fetched).map_err(|errors| told(&errors.0))
}

#[test]
fn parents_in_registries_are_returned_until_they_are_there() {
    let team = format!("[policy]\nextends = ['{REMOTE}']\n[rules.mine]\nlevel = 'note'\n");
    let tree = directory(&[("team.toml", &team)]);
    let arguments = ["team.toml", BASE];
    let mut fetched = Fetched::new();
    let Loading::Wants(wanted) = load_with(tree.path(), &arguments, &fetched).unwrap() else { panic!("loaded") };
    let names: Vec<&str> = wanted.iter().map(|parent| parent.name.as_str()).collect();
    assert_eq!(names, [REMOTE, BASE]);
    assert_eq!(written(wanted[0].origin.as_ref().unwrap()), format!("team.toml: '{REMOTE}'"));
    assert_eq!(wanted[1].origin, None);

    let parent = format!("[policy]\nextends = ['ocilint:baseline', '{BASE}']\n[rules.mine]\nrule = 'children'\n");
    fetched.insert(REMOTE.to_owned(), parent.into_bytes());
    let Loading::Wants(wanted) = load_with(tree.path(), &arguments, &fetched).unwrap() else { panic!("loaded") };
    assert_eq!(wanted.len(), 1, "named twice, fetched once");
    assert_eq!(wanted[0].name, BASE);

    fetched.insert(BASE.to_owned(), b"[rules.user]\n".to_vec());
    let Loading::Loaded(policy) = load_with(tree.path(), &arguments, &fetched).unwrap() else { panic!("not loaded") };
    assert_eq!((instance(&policy, "mine").rule.name, instance(&policy, "mine").level), ("children", Level::Note));
    assert_eq!(place_of(&policy, "mine", "rule"), format!("{REMOTE}: rule = 'children'"));
    assert!(policy.instances.iter().any(|instance| instance.name == "user"));
}

#[test]
fn mistakes_come_before_anything_is_fetched_and_are_told_in_what_was_fetched() {
    let bad = format!("[policy]\nextends = ['{REMOTE}']\n[rules.mine]\nlevel = 'fatal'\n");
    let good = format!("[policy]\nextends = ['{REMOTE}']\n");
    let tree = directory(&[("bad.toml", &bad), ("good.toml", &good), ("beside.toml", "[rules.user]\n")]);
    let told = load_with(tree.path(), &["bad.toml"], &Fetched::new()).unwrap_err();
    assert!(told.starts_with("'fatal' | ") && told.lines().count() == 1, "{told}");
    let fetched = |text: &str| Fetched::from([(REMOTE.to_owned(), text.as_bytes().to_vec())]);
    let told = |text: &str| load_with(tree.path(), &["good.toml"], &fetched(text)).unwrap_err();
    assert!(told("[rules.user]\nmust-be = 'x'\n").starts_with("'x' | `must-be`"));
    assert_eq!(
        told("[policy]\nextends = ['beside.toml']\n[rules.user]\n"),
        "'beside.toml' | a policy from a registry cannot extend the file `beside.toml` | it extends built-in policies, and policies in registries\n"
    );
    assert!(told(&format!("[policy]\nextends = ['{REMOTE}']\n[rules.user]\n")).contains("the policy extends itself"));
}

/// Ten thousand rules may share a list, but not one that makes millions of values.
#[test]
fn lists_and_defaults_are_not_written_out_without_end() {
    let list = |length: usize| format!("[data]\nours = [{}]\n", "'ghcr.io/acme/**',".repeat(length));
    let rules = |keys: &str| -> String {
        let tables = (0..1_000).map(|number| format!("[rules.r{number}]\nrule = 'schema1'\n{keys}"));
        tables.collect::<Vec<_>>().concat()
    };
    let named = rules("images = { data = 'ours' }\n");
    let by_default = rules("");
    for (text, is_fine) in [
        (list(50) + &named, true),
        (list(1_000) + &named, false),
        (list(1_000) + "[defaults]\nimages = { data = 'ours' }\n" + &by_default, false),
    ] {
        let tree = directory(&[("policy.toml", &text)]);
        let told = load_in(tree.path(), &["policy.toml"]).map_or_else(|errors| told(&errors), |_| String::new());
        assert_eq!(told.is_empty(), is_fine, "{told}");
        assert!(is_fine || told.contains("make more than 500000 values") && told.lines().count() == 1, "{told}");
    }
}
