//! Rule descriptors: one for each use of a rule in the policy.

use std::collections::BTreeSet;

use crate::oci::{escape, escape_lines};
use crate::policy::Level;
use crate::report::{InstanceNote, Run};

use super::model::{Configuration, Help, RuleDescriptor, RuleProperties};
use super::{level_word, message, sentence};

/// How many characters GitHub takes of a description, and of a name.
const DESCRIPTION: usize = 1024;
const NAME: usize = 255;

/// The descriptors in the order of the policy; of rules that are turned off, only those that say something all the same.
pub(super) fn descriptors(run: &Run, speaking: &BTreeSet<String>) -> Vec<RuleDescriptor> {
    let used = |instance: &&InstanceNote| instance.level != Level::Off || speaking.contains(&instance.name);
    run.instances.iter().filter(used).map(described).collect()
}

fn described(instance: &InstanceNote) -> RuleDescriptor {
    let docs = documentation(instance.docs);
    let mut text = docs.clone();
    let mut markdown = text.clone();
    for help in instance.help.iter().map(|help| escape_lines(help)) {
        text = format!("{help}\n\n{text}");
        markdown = format!("{help}\n\n{markdown}");
    }
    let page =
        instance.url.as_deref().map(escape).filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    if let Some(page) = &page {
        text = format!("{text}\n\n{page}");
        // What could end the link early is left to the plain text.
        if !page.contains(['(', ')', '<', '>', ' ']) {
            markdown = format!("{markdown}\n\n[More about this rule]({page})");
        }
    }
    let full = docs.split("\n\n").next().filter(|paragraph| !paragraph.is_empty()).unwrap_or(instance.summary);
    RuleDescriptor {
        id: escape(&instance.name),
        name: name_of(&instance.name),
        short_description: sentence(&shortened(&capitalised(instance.summary), DESCRIPTION)),
        full_description: sentence(&shortened(&full.replace('\n', " "), DESCRIPTION)),
        help: Help { text: or_summary(text, instance.summary), markdown: or_summary(markdown, instance.summary) },
        help_uri: page,
        default_configuration: Configuration { level: level_word(instance.level) },
        properties: properties(instance.level),
    }
}

/// The documentation of a rule without the space that doc comments have at the beginning of each line.
fn documentation(docs: &str) -> String {
    let lines = docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A descriptor for something that no rule of the policy says.
pub(super) fn own(id: &str, summary: &str, help: &str) -> RuleDescriptor {
    RuleDescriptor {
        id: id.to_owned(),
        name: name_of(id),
        short_description: message(summary),
        full_description: message(summary),
        help: Help { text: help.to_owned(), markdown: help.to_owned() },
        help_uri: None,
        default_configuration: Configuration { level: level_word(Level::Error) },
        properties: properties(Level::Error),
    }
}

fn properties(level: Level) -> RuleProperties {
    RuleProperties {
        tags: ["oci", "container"],
        precision: "very-high",
        problem_severity: match level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note | Level::Off => "recommendation",
        },
    }
}

/// Empty texts count as missing ones.
fn or_summary(text: String, summary: &str) -> String {
    if text.is_empty() { summary.to_owned() } else { text }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() < most { text.to_owned() } else { text.chars().take(most - 2).chain(['…']).collect() }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The name beside an id; none where it would say the same again (SARIF 2.1.0, 3.49.7).
fn name_of(id: &str) -> Option<String> {
    let name = shortened(&pascal(id), NAME);
    (!name.eq_ignore_ascii_case(id)).then_some(name)
}

/// `team-labels` → `TeamLabels`.
fn pascal(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(capitalised).collect();
    if name.is_empty() { "Rule".to_owned() } else { name }
}
