use std::path::Path;

use super::*;
use crate::policy::PolicyErrors;
use crate::report::TestedCase;

fn suite(text: &str) -> Result<Suite, PolicyErrors> {
    Suite::parse("cases.toml", text, Path::new("."))
}

fn run(text: &str) -> Vec<TestedCase> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(suite(text).unwrap_or_else(|error| panic!("{error}")).run())
}

/// The problems of one case with the policy `[rules.user]`.
fn problems(case: &str) -> String {
    let text = format!("[[case]]\nname = 'x'\npolicy = '[rules.user]'\n{case}");
    run(&text).remove(0).problems().join("\n")
}

#[test]
fn the_examples_in_the_documentation_hold() {
    let docs = include_str!("mod.rs");
    let lines =
        docs.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let lines: Vec<&str> = lines.collect();
    let blocks: Vec<String> =
        lines.split(|line| line.starts_with("```")).skip(1).step_by(2).map(|lines| lines.join("\n")).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        for outcome in run(&block) {
            assert_eq!(outcome.problems(), Vec::<String>::new(), "{}", outcome.name);
        }
    }
}

#[test]
fn a_case_that_does_not_hold_says_how() {
    let cases = [
        ("expect.user = 'violation'", "user@linux/amd64: expected violation, got pass"),
        (
            "image.config = { User = '0' }\nexpect.user = 'pass'",
            "expected pass, got violation in config at `/config/User` saying `the image runs as root",
        ),
        (
            "image.config = { User = '0' }\nexpect.user = { verdict = 'violation', at = '/config' }",
            "at `/config`, got violation",
        ),
        ("image.config = { User = '0' }\nexpect.user = { verdict = 'violation', in = 'manifest' }", "in manifest, got"),
        (
            "image.config = { User = '0' }\nexpect.user = { verdict = 'violation', message = ['root', 'toor'] }",
            "saying `toor`",
        ),
        (
            "image.config = { User = '0' }\nexpect.user = { verdict = 'violation', fix = 'rm -rf' }",
            "with the fix `rm -rf`",
        ),
        ("image.config = { User = '0' }\nexpect.user = { verdict = 'violation', count = 2 }", "with 2 findings"),
        ("expect.user = { verdict = 'pass', level = 'note' }", "expected pass of level note, got pass of level error"),
        ("expect.user = { verdict = 'pass', message = 'never said' }", "saying `never said`"),
        ("expect.user = { verdict = 'pass', at = '/config/User' }", "at `/config/User`"),
        (
            "expect.user = 'pass'\nexpect.users = 'pass'",
            "users: expected pass, and there is no such cell (there are cells of: ",
        ),
        (
            "expect.user = 'pass'\nexpect.'user@linux/arm64' = 'pass'",
            "user@linux/arm64: expected pass, and there is no such cell",
        ),
        ("exit = 0", "user@linux/amd64: not mentioned, got pass"),
        ("expect.user = 'pass'\nexit = 1", "exit: expected exit status 1, got exit status 0"),
        ("expect.user = 'pass'\nasks.config = 2", "expected 2 questions for `config`, got 1"),
        ("expect.user = 'pass'\nasks.konfig = 0", "`asks` names `konfig`, and nothing is called so"),
        ("expect.user = 'pass'\nrefused = 'x'", "expected a refusal saying `x`, got that it was judged"),
        ("expect.user = 'unknown'\nfailures.target = 'forbidden'", "expected that it is judged, got a refusal: "),
        (
            "expect.user = 'pass'\nfailures.'config linux/arm64' = 'forbidden'",
            "nothing is called so (there are: target, layer linux/amd64 0",
        ),
        ("expect.user = 'pass'\nimage.patch = [{ document = 'index', text = '' }]", "no document is called `index`"),
        (
            "expect.user = 'pass'\nimage.index = false\nimage.platforms = ['linux/amd64', 'linux/arm64']",
            "`index = false`",
        ),
        ("expect.user = 'pass'\nimage.on.'linux/arm64'.created = ''", "no platform `linux/arm64`"),
        (
            "expect.user = 'pass'\nimage.patch = [{ document = 'config', pointer = '/x', rename = 'User', value = 1 }]",
            "exactly one of",
        ),
        (
            "expect.user = 'pass'\nimage.patch = [{ document = 'config', pointer = '/config/User', duplicate = '0' }]",
            "document@",
        ),
    ];
    for (case, expected) in cases {
        let problems = problems(case);
        assert!(problems.contains(expected), "{case}\n→ {problems}");
    }
}

#[test]
fn a_case_that_holds_has_no_problems() {
    let cases = [
        "expect.user = 'pass'\nexit = 0",
        "others = 'any'\nexit = 0",
        "expect.user = 'pass'\nasks = { config = 1, manifest = 0, referrers = 0, tag = 0 }",
        "expect.user = 'waived'\nimage.config = { User = '' }\npolicy = '''\n[rules.user]\n[[waivers]]\nrule = 'user'\nimages = ['registry.example/app']\nreason = 'x'\n'''",
        "failures.target = 'not-found'\nrefused = 'not found'\nexit = 2",
        "target = 'oci:x'\nas = 'ghcr.io/acme/app:1'\nexpect.user = 'pass'",
        "platform = 'linux/arm64'\nimage.platforms = ['linux/amd64', 'linux/arm64']\nexpect.'user@linux/arm64' = 'pass'\nothers = 'any'",
    ];
    for case in cases {
        let text = format!("[[case]]\nname = 'x'\n{case}\n");
        let text = if case.contains("policy") { text } else { format!("policy = '[rules.user]'\n{text}") };
        assert_eq!(run(&text)[0].problems(), Vec::<String>::new(), "{case}");
    }
    let refused = "[[case]]\nname = 'x'\npolicy = '[rules.usr]'\nrefused = 'user'\nexit = 3\n";
    assert_eq!(run(refused)[0].problems(), Vec::<String>::new());
}

#[test]
fn the_policy_of_a_case_extends_what_lies_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("base.toml"), "[rules.user]\nmust-be = \"numeric\"\n").unwrap();
    let text = "[[case]]\nname = 'x'\npolicy = '''\n[policy]\nextends = ['base.toml']\n'''\nimage.config = { User = 'app' }\nexpect.user = 'violation'\n\
                [[case]]\nname = 'y'\npolicy-file = 'base.toml'\nexpect.user = 'pass'\n";
    std::fs::write(folder.path().join("cases.toml"), text).unwrap();
    let suite = Suite::read(&folder.path().join("cases.toml")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for outcome in runtime.block_on(suite.run()) {
        assert_eq!(outcome.problems(), Vec::<String>::new(), "{}", outcome.name);
    }
}
