//! Which files a policy is made of, and what is wrong with files.

use std::fs;
use std::path::Path;

use ocilint::Policy;
use ocilint::policy::{Level, load_files};

use super::{directory, load_in, told};

fn policy(directory: &Path, arguments: &[&str]) -> Policy {
    load_in(directory, arguments).unwrap_or_else(|errors| panic!("{}", told(&errors)))
}

fn errors(directory: &Path, arguments: &[&str]) -> String {
    told(&load_in(directory, arguments).unwrap_err())
}

fn explicit(policy: &Policy) -> Vec<&str> {
    policy.instances.iter().filter(|instance| instance.is_explicit()).map(|instance| instance.name.as_str()).collect()
}

fn level(policy: &Policy, name: &str) -> Level {
    policy.instances.iter().find(|instance| instance.name == name).unwrap().level
}

fn sources(policy: &Policy) -> Vec<&str> {
    policy.sources.iter().map(|source| source.name.as_str()).collect()
}

#[test]
fn a_policy_is_looked_for_up_to_the_root_of_the_repository() {
    let tree = directory(&[
        ("ocilint.toml", "[rules.children]"),
        ("repository/.git/HEAD", ""),
        ("repository/ocilint.toml", "[rules.schema1]"),
        ("repository/a/b/file", ""),
        ("bare/.git/HEAD", ""),
        ("bare/a/file", ""),
        ("loose/a/file", ""),
        ("loose/ocilint.toml", "[rules.schema1]"),
        ("worktree/.git", "gitdir: elsewhere"),
    ]);
    let found = |start: &str| {
        let policy = policy(&tree.path().join(start), &[]);
        (policy.fallback, policy.sources[0].name.clone())
    };
    assert_eq!(found("repository"), (false, "ocilint.toml".into()));
    assert_eq!(found("repository/a/b"), (false, "../../ocilint.toml".into()));
    assert_eq!(found("loose"), (false, "ocilint.toml".into()));
    // Not above the repository, and not above the directory where there is no repository.
    for start in ["bare/a", "loose/a", "worktree"] {
        assert_eq!(found(start), (true, "ocilint:baseline".into()), "{start}");
    }
}

#[test]
fn a_policy_that_is_found_but_cannot_be_read_is_not_passed_over() {
    let tree = directory(&[("ocilint.toml/file", "")]);
    assert!(errors(tree.path(), &[]).starts_with("(nothing) | cannot read the policy `ocilint.toml`: "));
    let tree = directory(&[("ocilint.toml", "")]);
    assert!(errors(tree.path(), &[]).contains("the policy has no rules"));
}

#[test]
fn every_file_named_that_cannot_be_read_is_told() {
    let tree = directory(&[]);
    let told = errors(tree.path(), &["a.toml", "ocilint:nope", "b.toml"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("(nothing) | cannot read the policy `a.toml`: "), "{told}");
    assert!(
        lines[1].starts_with("(nothing) | there is no built-in policy `ocilint:nope`, expected `ocilint:baseline`, "),
        "{told}"
    );
    assert!(lines[2].starts_with("(nothing) | cannot read the policy `b.toml`: "), "{told}");
    assert_eq!(lines.len(), 3, "{told}");
}

#[test]
fn encodings_other_than_utf8_are_told() {
    let tree = directory(&[]);
    let write = |name: &str, bytes: &[u8]| fs::write(tree.path().join(name), bytes).unwrap();
    let utf16: Vec<u8> = "\u{feff}[rules.schema1]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("utf16.toml", &utf16);
    write("latin1.toml", b"[rules.schema1]\nhelp = \"caf\xe9\"\nlevel = \"fatal\"\n");
    assert_eq!(
        errors(tree.path(), &["utf16.toml"]),
        "(the file) | the file is UTF-16, a policy is UTF-8 | save the file as UTF-8\n"
    );
    let latin1 = errors(tree.path(), &["latin1.toml"]);
    let lines: Vec<&str> = latin1.lines().collect();
    assert_eq!(lines[0], "\u{fffd} | this byte is not UTF-8, a policy is UTF-8 | save the file as UTF-8");
    assert!(lines[1].starts_with("\"fatal\" | `fatal` is no level"), "{latin1}");
    assert_eq!(lines.len(), 2, "{latin1}");
}

#[test]
fn files_and_policies_are_bounded() {
    let many = |rules: usize| {
        let rule = |number| format!("[rules.r{number}]\nrule = 'schema1'\nhelp = 'Number {number}'\n");
        (0..rules).map(rule).collect::<String>()
    };
    let tree = directory(&[
        ("most.toml", &many(10_000)),
        ("more.toml", &many(10_001)),
        ("large.toml", &format!("[rules.schema1]\n#{}", "x".repeat(10 << 20))),
    ]);
    assert_eq!(explicit(&policy(tree.path(), &["most.toml"])).len(), 10_000);
    let told = errors(tree.path(), &["more.toml"]);
    assert!(told.starts_with("[rules.r10000] | a policy holds at most 10000 rules | "), "{told}");
    assert_eq!(
        errors(tree.path(), &["large.toml"]),
        "(nothing) | the policy `large.toml` is larger than 10 MiB | split it, and name each part\n"
    );
}

/// The largest policy that is taken: it loads in little memory, which `ulimit` sees to, and in seconds even unoptimised.
#[test]
fn ten_thousand_rules_in_ten_mebibytes_are_no_trouble() {
    let rule = |number: usize| {
        let text = format!(
            "[rules.r{number}]\nrule = 'labels'\nimages = ['ghcr.io/team-{number}/**']\nrequire = ['com.example.team-{number}']\n\
             match = {{ a = 'https://github\\.com/acme/team-{number}/.+', b = 'v?\\d+\\.\\d+\\.{number}(-[a-z]+)?' }}\n\
             deny = ['com.example.internal-{number}.*', 'com.example.old.*']\n"
        );
        let help = "x".repeat(1_040 - text.len() - "help = ''\n".len());
        format!("{text}help = '{help}'\n")
    };
    let text: String = (0..10_000).map(rule).collect();
    assert!(text.len() > 10_000_000);
    let tree = directory(&[("policy.toml", &text)]);
    let limited = "ulimit -v 262144 && ulimit -t 20 && exec \"$0\" policy check policy.toml";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_ocilint")]).current_dir(tree.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_file_lays_its_keys_over_those_of_what_it_extends() {
    let tree = directory(&[
        (
            "base/org.toml",
            "[rules.user]\nmust-be = 'numeric'\nmin-uid = 1000\n[rules.agree]\nrule = 'platform-agreement'\n[rules.layer-count]\n",
        ),
        (
            "app.toml",
            "[policy]\nextends = ['base/org.toml']\n[rules.user]\nlevel = 'note'\nmin-uid = 10000\n[rules.agree]\nlevel = 'warning'\n[rules.layer-count]\nmax = 40\n",
        ),
    ]);
    let policy = policy(tree.path(), &["app.toml"]);
    assert_eq!(sources(&policy), ["app.toml", "base/org.toml"]);
    assert_eq!(explicit(&policy), ["agree", "layer-count", "user"]);
    assert_eq!((level(&policy, "user"), level(&policy, "agree")), (Level::Note, Level::Warning));
    let user = policy.instances.iter().find(|instance| instance.name == "user").unwrap();
    let place = |key: &str| {
        let origin = user.origin_of(key).unwrap();
        (origin.source.name.as_str(), origin.line_column().0, &origin.source.text[origin.span.clone()])
    };
    assert_eq!(place("must-be"), ("base/org.toml", 2, "must-be = 'numeric'"));
    assert_eq!(place("min-uid"), ("app.toml", 5, "min-uid = 10000"));
    assert_eq!(place("rule"), ("app.toml", 3, "[rules.user]"));
    assert!(format!("{:?}", user.check).contains("10000"), "{:?}", user.check);
}

#[test]
fn a_mistake_is_told_in_the_file_that_made_it() {
    let tree = directory(&[
        ("base.toml", "# base\n[rules.user]\nmust-be = 'nonroot'\nmin-uid = 'x'\n"),
        ("app.toml", "[policy]\nextends = ['base.toml']\n[rules.user]\nmin-uid = 'y'\n"),
    ]);
    let errors = load_in(tree.path(), &["app.toml"]).unwrap_err();
    let places: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| {
            (
                error.source.as_ref().unwrap().name.as_str(),
                &error.source.as_ref().unwrap().text[error.span.clone().unwrap()],
            )
        })
        .collect();
    assert_eq!(places, [("app.toml", "'y'"), ("base.toml", "'nonroot'")]);
    assert_eq!(
        errors[1].to_string(),
        "base.toml:3:11: `must-be`: `nonroot` is not known, expected `non-root` or `numeric` (did you mean `non-root`?)"
    );
}

#[test]
fn later_files_win_and_a_common_base_counts_once() {
    let tree = directory(&[
        (
            "base.toml",
            "[rules.user]\n[rules.children]\n[[waivers]]\nrule = 'user'\nimages = ['ghcr.io/acme/a']\nreason = 'x'",
        ),
        (
            "one.toml",
            "[policy]\nextends = ['base.toml']\n[rules.user]\nlevel = 'note'\n[rules.children]\nlevel = 'note'",
        ),
        (
            "two.toml",
            "[policy]\nextends = ['./base.toml']\n[rules.children]\nlevel = 'warning'\n[[waivers]]\nrule = 'user'\nimages = ['ghcr.io/acme/b']\nreason = 'y'",
        ),
        ("all.toml", "[policy]\nextends = ['one.toml', 'two.toml']"),
    ]);
    let policy = policy(tree.path(), &["all.toml"]);
    assert_eq!((level(&policy, "user"), level(&policy, "children")), (Level::Note, Level::Warning));
    let reasons: Vec<&str> = policy.waivers.iter().map(|waiver| waiver.reason.as_str()).collect();
    assert_eq!(reasons, ["x", "y"]);
}

#[test]
fn cycles_and_missing_files_are_told_where_they_are_named() {
    let tree = directory(&[
        ("a.toml", "[policy]\nextends = ['b.toml', 'none.toml', 'ocilint:none']\n[rules.user]"),
        ("b.toml", "[policy]\nextends = ['a.toml']\n[rules.children]"),
        ("self.toml", "[policy]\nextends = ['./self.toml']\n[rules.children]"),
    ]);
    let told = errors(tree.path(), &["a.toml"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("'none.toml' | cannot read the policy `none.toml`: "), "{told}");
    assert!(lines[1].starts_with("'ocilint:none' | there is no built-in policy `ocilint:none`"), "{told}");
    assert_eq!(lines[2], "'a.toml' | the policy extends itself: a.toml → b.toml → a.toml | remove one of the steps");
    assert_eq!(lines.len(), 3, "{told}");
    let told = errors(tree.path(), &["self.toml"]);
    assert_eq!(told, "'./self.toml' | the policy extends itself: self.toml → self.toml | remove one of the steps\n");
}

#[test]
fn a_file_may_not_change_what_rule_an_instance_is() {
    let tree = directory(&[
        ("base.toml", "[rules.user]\n[rules.mine]\nrule = 'children'"),
        ("app.toml", "[policy]\nextends = ['base.toml']\n[rules.mine]\nrule = 'schema1'\n[rules.user]\nrule = 'user'"),
    ]);
    let errors = load_in(tree.path(), &["app.toml"]).unwrap_err();
    assert_eq!(
        told(&errors),
        "'schema1' | `mine` is an instance of the rule `children`, and `extends` may not make it one of `schema1` | give the instance a name of its own\n"
    );
    let (source, span, _) = &errors[0].related[0];
    assert_eq!((source.name.as_str(), &source.text[span.clone()]), ("base.toml", "rule = 'children'"));
}

#[test]
fn several_policies_are_one_and_may_not_meet_in_an_instance() {
    let tree = directory(&[
        ("base.toml", "[rules.schema1]\n[[waivers]]\nrule = 'schema1'\nimages = ['ghcr.io/acme/a']\nreason = 'x'"),
        ("one.toml", "[policy]\nextends = ['base.toml']\n[rules.user]\n[rules.children]"),
        ("two.toml", "[policy]\nextends = ['base.toml']\n[rules.user]\nlevel = 'note'"),
        ("three.toml", "[policy]\nextends = ['base.toml']\n[rules.platform-agreement]"),
        ("waivers.toml", "[[waivers]]\nrule = 'user'\nimages = ['ghcr.io/acme/a']\nreason = 'y'"),
    ]);
    let both = policy(tree.path(), &["one.toml", "three.toml", "waivers.toml"]);
    assert_eq!(explicit(&both), ["children", "platform-agreement", "schema1", "user"]);
    assert_eq!(both.waivers.len(), 2);
    let errors = load_in(tree.path(), &["one.toml", "two.toml"]).unwrap_err();
    let help = "if one of the policies extends the other, name only that one; else name a policy that extends both, or give one of the two another name";
    assert_eq!(told(&errors), format!("[rules.user] | `user` is in two of the policies named | {help}\n"));
    assert_eq!(errors[0].source.as_ref().unwrap().name, "two.toml");
    assert_eq!(errors[0].related[0].0.name, "one.toml");
}

#[test]
fn built_in_policies_load_and_can_be_extended() {
    let tree = directory(&[("app.toml", "[policy]\nextends = ['ocilint:baseline']\n[rules.children]")]);
    for name in ["ocilint:baseline", "ocilint:strict"] {
        assert!(!policy(tree.path(), &[name]).fallback, "{name}");
    }
    // The built-in policies build on each other, so that they can be named together.
    policy(tree.path(), &["ocilint:strict", "ocilint:strict"]);
    assert_eq!(sources(&policy(tree.path(), &["app.toml"])), ["app.toml", "ocilint:baseline"]);
}

#[test]
fn files_are_checked_one_by_one() {
    let tree = directory(&[
        ("policies/good.toml", "[rules.schema1]"),
        ("policies/bad.toml", "[rules.shcema1]"),
        ("policies/notes.md", "no policy"),
        ("policies/archive.toml/old.toml", "[rules.nope]"),
        ("empty/notes.md", ""),
        ("worse.toml", "[rules.schema1]\nlevel = 'fatal'\nhelp = ''"),
    ]);
    let check = |names: &[&str]| {
        let paths: Vec<_> = names.iter().map(|name| tree.path().join(name)).collect();
        told(&load_files(&paths).err().map_or_else(Vec::new, |errors| errors.0))
    };
    assert_eq!(check(&["policies/good.toml"]), "");
    assert_eq!(check(&["policies"]), "shcema1 | there is no rule `shcema1` | did you mean `schema1`?\n");
    let told = check(&["policies", "worse.toml", "empty", "none.toml", "policies/bad.toml"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[1].starts_with("'fatal' | "), "{told}");
    assert!(lines[2].starts_with("'' | `help` is blank"), "{told}");
    assert!(lines[3].starts_with("(nothing) | there is no policy in `"), "{told}");
    assert!(lines[4].starts_with("(nothing) | cannot read the policy `"), "{told}");
    assert_eq!(lines.len(), 5, "what is told once is not told again: {told}");
}
