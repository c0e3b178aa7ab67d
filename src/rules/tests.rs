//! What every rule owes.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{RULES, Rule};

const HEADINGS: [&str; 6] = ["What it checks", "Why", "Example", "Parameters", "How to fix", "What it cannot see"];

/// Keys of a rule's table that belong to the policy.
const POLICY_KEYS: [&str; 11] =
    ["rule", "level", "images", "platforms", "help", "url", "effective-from", "locked", "owner", "link", "tags"];

#[test]
fn names_are_unique_and_kebab_case() {
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
}

#[test]
fn every_rule_is_documented_under_the_same_headings() {
    for rule in RULES {
        let headings: Vec<&str> = rule.docs.lines().filter_map(|line| line.strip_prefix(" # ")).collect();
        assert_eq!(headings, HEADINGS, "{}", rule.name);
        assert!(rule.summary.ends_with('.') && rule.summary.len() <= 100, "{}: {}", rule.name, rule.summary);
    }
}

#[test]
fn every_parameter_is_documented_and_no_policy_key() {
    for rule in RULES {
        let text = section(rule, "Parameters");
        for parameter in (rule.parameters)() {
            assert!(text.contains(&format!("- `{parameter}`")), "{}: {parameter}", rule.name);
            assert!(!POLICY_KEYS.contains(parameter), "{}: {parameter}", rule.name);
        }
        let documented = text.lines().filter(|line| line.starts_with(" - `")).count();
        assert_eq!(documented, (rule.parameters)().len(), "{}", rule.name);
    }
}

#[test]
fn every_example_makes_a_check_without_problems() {
    for rule in RULES {
        let example = section(rule, "Example");
        let text: String =
            example.split("```").nth(1).and_then(|block| block.strip_prefix("toml\n")).unwrap().to_owned();
        let mut document = DeTable::parse(&text).unwrap().into_inner();
        let Some(DeValue::Table(mut rules)) = document.remove("rules").map(Spanned::into_inner) else {
            panic!("{}", rule.name)
        };
        let table = rules.remove(rule.name).unwrap();
        let span = table.span();
        let DeValue::Table(table) = table.into_inner() else { panic!("{}", rule.name) };
        let own = table.into_iter().filter(|(key, _)| !POLICY_KEYS.contains(&key.get_ref().as_ref())).collect();
        let check = (rule.configure)(Spanned::new(span, own)).unwrap();
        assert_eq!(check.problems(), [], "{}", rule.name);
    }
}

/// The text under a heading of a rule's documentation.
fn section(rule: &Rule, heading: &str) -> String {
    let (_, after) = rule.docs.split_once(&format!(" # {heading}\n")).unwrap();
    after.split("\n # ").next().unwrap_or_default().to_owned()
}
