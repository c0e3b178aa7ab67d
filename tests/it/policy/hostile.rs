//! Whatever stands in a policy file, it loads or its mistakes are told: never a panic, never a place outside the file.

use proptest::prelude::*;

use super::load;

const SEED: &str = r#"
[policy]
name = "é"
[rules.platforms]
require = ["linux/amd64", "linux/arm64"]
images = ["ghcr.io/acme/**"]
[rules.mine]
rule = "user"
level = "note"
min-uid = 1_000
[rules.reference]
match = { tag = 'v\d+' }
[[waivers]]
rule = "mine"
images = ["ghcr.io/acme/ünïcode"]
reason = """
two
lines"""
expires = 2027-01-31
"#;

/// Pieces that mean something to TOML or to a policy.
const PIECES: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\"",
    "'",
    "\"\"\"",
    "#",
    "\n",
    "\r",
    "\0",
    "\u{1b}",
    "é",
    "\u{feff}",
    "\\u00e9",
    "\\",
    "rules",
    "waivers",
    "policy",
    "level",
    "rule",
    "match",
    "user",
    "-1",
    "1e999",
    "nan",
    "2027-02-30",
    "true",
    "[rules.user]",
    "[[rules]]",
    "extends = ['policy.toml']",
    "{ a.b.c = 1 }",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{a={a={a={a={a={a={a={a={a={a=",
];

fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0usize..20, prop::sample::select(PIECES));
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut text: Vec<char> = SEED.chars().collect();
        for (at, cut, piece) in changes {
            let start = at.index(text.len() + 1);
            let end = (start + cut).min(text.len());
            text.splice(start..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

fn told_within_the_file(bytes: &[u8]) {
    let Err(errors) = load(bytes) else { return };
    assert!(!errors.is_empty());
    for error in errors {
        assert!(!error.message.is_empty() && !error.message.contains(char::is_control), "{error}");
        assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "no help: {error}");
        if let (Some(source), Some(span)) = (&error.source, &error.span) {
            assert!(source.text.get(span.clone()).is_some(), "{span:?} of {:?}", source.text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_policy_loads_or_is_told_what_is_wrong(text in mutated()) {
        told_within_the_file(text.as_bytes());
    }

    #[test]
    fn any_bytes_load_or_are_told(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        told_within_the_file(&bytes);
    }
}

#[test]
fn depth_and_length_are_no_trouble() {
    for text in [
        format!("[rules.user]\ndeny = {}", "[".repeat(100_000)),
        format!("[rules.user]\ndeny = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("rules.{} = 1", "a.".repeat(100_000) + "a"),
        "[rules.user]\n".repeat(1_000),
        format!("[rules.user]\ndeny = [{}]", "3,".repeat(50_000)),
        (0..5_000).fold("[rules.user]\n".to_owned(), |text, n| text + &format!("p{n} = 1\n")),
    ] {
        told_within_the_file(text.as_bytes());
    }
}
