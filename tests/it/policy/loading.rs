//! What a policy without mistakes becomes.

use ocilint::oci::Platform;
use ocilint::policy::{Instance, Level, Policy};

use super::load;

const POLICY: &str = r#"
[policy]
name = "production"
description = "What may run on the cluster"

[rules.platforms]
level = "warning"
require = ["linux/amd64"]
images = ["ghcr.io/acme/**", "!ghcr.io/acme/legacy"]

[rules.nobody]
rule = "user"
must-be = "numeric"
platforms = ["linux/*"]
help = "See the handbook"
url = "https://example.com/handbook"

[rules.children]
level = "off"

[[waivers]]
rule = "nobody"
images = ["ghcr.io/acme/tool", "ghcr.io/acme/other@sha256:0000000000000000000000000000000000000000000000000000000000000000"]
platforms = ["linux/arm64"]
reason = "Rebuild planned"
expires = 2027-01-31

[[waivers]]
rule = "artifact-type"
images = ["ghcr.io/acme/chart"]
reason = "A chart"
"#;

fn policy() -> Policy {
    load(POLICY.as_bytes()).unwrap()
}

fn instance<'p>(policy: &'p Policy, name: &str) -> &'p Instance {
    policy.instances.iter().find(|instance| instance.name == name).unwrap()
}

#[test]
fn instances_are_sorted_and_include_what_is_always_on() {
    let policy = policy();
    let names: Vec<&str> = policy.instances.iter().map(|instance| instance.name.as_str()).collect();
    assert!(names.is_sorted());
    for name in ["artifact-type", "children", "document", "nobody", "platforms"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert_eq!(names.len(), 5);
    let implicit = instance(&policy, "artifact-type");
    assert!(!implicit.is_explicit());
    assert_eq!(implicit.level, Level::Error);
    assert!(!policy.fallback);
}

#[test]
fn an_instance_has_its_rule_level_scope_and_words() {
    let policy = policy();
    let nobody = instance(&policy, "nobody");
    assert_eq!((nobody.rule.name, nobody.level), ("user", Level::Error));
    assert_eq!(nobody.help.as_deref(), Some("See the handbook"));
    assert_eq!(nobody.url.as_deref(), Some("https://example.com/handbook"));
    assert!(nobody.images.is_none());
    let scope = nobody.platforms.as_ref().unwrap();
    assert!(scope.contains(&Platform::new("linux", "arm64")));
    assert!(!scope.contains(&Platform::new("windows", "amd64")));
    let platforms = instance(&policy, "platforms");
    assert_eq!(platforms.level, Level::Warning);
    let images = platforms.images.as_ref().unwrap();
    assert!(images.contains("ghcr.io/acme/team/app", None));
    assert!(!images.contains("ghcr.io/acme/legacy", None));
    assert!(!images.contains("ghcr.io/other/app", None));
    assert_eq!(instance(&policy, "children").level, Level::Off);
}

#[test]
fn instances_and_keys_know_where_they_were_written() {
    let policy = policy();
    let nobody = instance(&policy, "nobody");
    let text = |origin: &ocilint::policy::Origin| origin.source.text[origin.span.clone()].to_owned();
    assert_eq!(text(nobody.origin.as_ref().unwrap()), "[rules.nobody]");
    assert_eq!(nobody.origin.as_ref().unwrap().line_column(), (11, 1));
    assert_eq!(text(nobody.origin_of("must-be").unwrap()), "must-be = \"numeric\"");
    assert_eq!(text(nobody.origin_of("min-uid").unwrap()), "[rules.nobody]");
}

#[test]
fn waivers_have_their_scope_reason_and_last_day() {
    let policy = policy();
    let [first, second] = policy.waivers.as_slice() else { panic!("{:?}", policy.waivers) };
    assert_eq!((first.rule.as_str(), first.reason.as_str()), ("nobody", "Rebuild planned"));
    assert_eq!(first.expires.unwrap().to_string(), "2027-01-31");
    assert!(first.images.contains("ghcr.io/acme/tool", None));
    assert!(!first.images.contains("ghcr.io/acme/other", None));
    assert!(first.platforms.as_ref().unwrap().contains(&Platform::new("linux", "arm64")));
    assert_eq!(first.origin.line_column(), (21, 1));
    assert_eq!((second.expires, second.platforms.is_none()), (None, true));
}

#[test]
fn an_instance_of_an_always_on_rule_takes_its_place_unless_it_is_scoped() {
    let count = |text: &str| {
        let policy = load(text.as_bytes()).unwrap();
        policy.instances.iter().filter(|instance| instance.rule.name == "artifact-type").count()
    };
    assert_eq!(count("[rules.artifact-type]\nlevel = 'note'"), 1);
    assert_eq!(count("[rules.kind]\nrule = 'artifact-type'"), 1);
    assert_eq!(
        count("[rules.artifact-type]\nimages = ['ghcr.io/charts/**']\nallow = ['application/vnd.cncf.helm.*']"),
        2
    );
}

#[test]
fn tables_may_be_written_in_every_way_that_toml_knows() {
    let ways = [
        "[rules.reference]\nmatch = { tag = 'v.+' }",
        "[rules.reference.match]\ntag = 'v.+'",
        "[rules.reference]\nmatch.tag = 'v.+'",
        "[rules]\nreference = { match = { tag = 'v.+' } }",
        "[rules]\nreference.match.tag = 'v.+'",
        "rules.reference.match.tag = 'v.+'",
        "rules = { reference = { match = { tag = 'v.+' } } }",
        "\u{feff}[rules.reference]\r\nmatch.tag = 'v.+'\r\n",
        "waivers = [{ rule = 'reference', images = ['ghcr.io/acme/app'], reason = 'x' }]\n[rules.reference]\nmatch.tag = 'v.+'",
    ];
    for way in ways {
        let policy = load(way.as_bytes()).unwrap_or_else(|errors| panic!("{way}: {errors:?}"));
        assert!(instance(&policy, "reference").is_explicit(), "{way}");
    }
}
