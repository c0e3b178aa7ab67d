//! A merged policy: every value that holds, and where it comes from.

mod literal;

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::text::{SafeJson, line};
use crate::policy::{Entry, Instance, Origin, Policy, PolicySource, Words};

use literal::{literal, text_of};

/// The column beyond which comments are not moved to be aligned, and lists are broken.
const WIDTH: usize = 100;

/// Writes a policy as the TOML of one file, which loads as the same policy. With `origins`, comments say of every value where
/// it was written, and of which files in which order the policy is made.
pub fn write_toml(policy: &Policy, origins: bool, out: &mut dyn Write) -> io::Result<()> {
    if origins {
        write_sources(policy, out)?;
    }
    let words = policy.words();
    let mut sections =
        vec![Section { header: "[policy]".to_owned(), origin: None, lines: lines(&words, words.header()) }];
    for instance in policy.instances.iter().filter(|instance| instance.is_explicit()) {
        let mut lines = lines(&words, words.instance(instance));
        if origins && !instance.origins.contains_key("level") {
            let at = usize::from(instance.origins.contains_key("rule"));
            let line =
                Line { text: format!("level = {}", text_of(instance.level.as_str())), origin: "default".to_owned() };
            lines.insert(at, line);
        }
        let header = format!("[rules.{}]", instance.name);
        sections.push(Section { header, origin: instance.origin.as_ref().map(|origin| place(&words, origin)), lines });
    }
    for waiver in &policy.waivers {
        let header = "[[waivers]]".to_owned();
        sections.push(Section {
            header,
            origin: Some(place(&words, &waiver.origin)),
            lines: lines(&words, words.waiver(waiver)),
        });
    }
    let sections = sections.into_iter().filter(|section| section.origin.is_some() || !section.lines.is_empty());
    for (number, section) in sections.enumerate() {
        if origins || number > 0 {
            writeln!(out)?;
        }
        section.write(origins, out)?;
    }
    Ok(())
}

/// The JSON Schema of a policy that is shown.
pub const JSON_SCHEMA: &str = include_str!("policy-v1.schema.json");

/// Writes a policy as JSON ([`JSON_SCHEMA`]): fields are added, never changed.
pub fn write_json(policy: &Policy, out: &mut dyn Write) -> io::Result<()> {
    let words = policy.words();
    let sources = in_order(policy).map(|source| json!({ "source": source.name, "sha256": source.sha256 }));
    let rules = policy.instances.iter().map(|instance| {
        json!({
            "name": instance.name,
            "rule": instance.rule.name,
            "level": instance.level.as_str(),
            "explicit": instance.is_explicit(),
            "origin": instance.origin.as_ref().map(|origin| place_json(&words, origin)),
            "keys": entries_json(&words, words.instance(instance)),
        })
    });
    let waivers = policy
        .waivers
        .iter()
        .map(|waiver| json!({ "origin": place_json(&words, &waiver.origin), "keys": entries_json(&words, words.waiver(waiver)) }));
    let whole = json!({
        "schema": "ocilint/policy/v1",
        "fallback": policy.fallback,
        "sources": sources.collect::<Vec<_>>(),
        "policy": entries_json(&words, words.header()),
        "rules": rules.collect::<Vec<_>>(),
        "waivers": waivers.collect::<Vec<_>>(),
    });
    SafeJson::write(&whole, out)
}

/// The files in the order in which they count: what is extended comes before what extends it.
fn in_order(policy: &Policy) -> impl Iterator<Item = &PolicySource> {
    policy.order.iter().filter_map(|&number| policy.sources.get(number)).map(AsRef::as_ref)
}

fn write_sources(policy: &Policy, out: &mut dyn Write) -> io::Result<()> {
    let why = if policy.fallback { ", because none was named and no ocilint.toml was found" } else { "" };
    writeln!(out, "# The policy as it holds{why}. It is made of these files, what is later wins:")?;
    let sources: Vec<(String, &str)> = in_order(policy).map(|source| (line(&source.name), &*source.sha256)).collect();
    let width = sources.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (number, (name, sha256)) in sources.iter().enumerate() {
        writeln!(out, "#   {}. {name:width$}  sha256:{sha256}", number + 1)?;
    }
    let implicit = policy.instances.iter().filter(|instance| !instance.is_explicit());
    let implicit: Vec<&str> = implicit.map(|instance: &Instance| instance.name.as_str()).collect();
    if !implicit.is_empty() {
        writeln!(out, "# On without being written: {}.", implicit.join(", "))?;
    }
    Ok(())
}

/// A table with what is written below it.
struct Section {
    header: String,
    origin: Option<String>,
    lines: Vec<Line>,
}

/// A key with its value, and where it comes from.
struct Line {
    text: String,
    origin: String,
}

impl Section {
    fn write(&self, origins: bool, out: &mut dyn Write) -> io::Result<()> {
        let widths =
            self.lines.iter().map(|line| first_line(&line.text).chars().count()).filter(|&width| width <= WIDTH);
        let width = widths.chain([self.header.chars().count()]).max().unwrap_or_default();
        let header = (self.header.as_str(), self.origin.as_deref().unwrap_or_default());
        let lines = self.lines.iter().map(|line| (line.text.as_str(), line.origin.as_str()));
        for (text, origin) in [header].into_iter().chain(lines) {
            if !origins || origin.is_empty() {
                writeln!(out, "{text}")?;
                continue;
            }
            let first = first_line(text);
            writeln!(out, "{first:width$}  # {origin}{}", &text[first.len()..])?;
        }
        Ok(())
    }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

fn lines(words: &Words<'_>, entries: Vec<Entry>) -> Vec<Line> {
    entries.into_iter().map(|entry| Line { text: assignment(&entry), origin: places(words, &entry) }).collect()
}

/// `key = value`; a long list has a line for each element.
fn assignment(entry: &Entry) -> String {
    let line = format!("{} = {}", entry.key, literal(&entry.value));
    match &entry.value {
        toml::Value::Array(elements) if line.chars().count() > WIDTH => {
            let elements: Vec<String> = elements.iter().map(|element| format!("    {},\n", literal(element))).collect();
            format!("{} = [\n{}]", entry.key, elements.concat())
        }
        _ => line,
    }
}

fn places(words: &Words<'_>, entry: &Entry) -> String {
    let mut places: Vec<String> = entry.origins.iter().map(|origin| place(words, origin)).collect();
    places.dedup();
    let list = entry.list.as_ref().map(|list| format!(", the list from {}", place(words, list)));
    places.join(", ") + &list.unwrap_or_default()
}

fn place(words: &Words<'_>, origin: &Origin) -> String {
    line(&format!("{}:{}", origin.source.name, words.line(origin)))
}

fn place_json(words: &Words<'_>, origin: &Origin) -> Value {
    json!({ "file": origin.source.name, "line": words.line(origin) })
}

fn entries_json(words: &Words<'_>, entries: Vec<Entry>) -> Value {
    let entry = |entry: Entry| {
        let origins: Vec<Value> = entry.origins.iter().map(|origin| place_json(words, origin)).collect();
        let list = entry.list.as_ref().map(|origin| place_json(words, origin));
        (entry.key, json!({ "value": as_json(entry.value), "origins": origins, "list": list }))
    };
    Value::Object(entries.into_iter().map(entry).collect::<Map<_, _>>())
}

/// A value of TOML in JSON; a date is its text.
fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(array) => array.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, as_json(value))).collect(),
    }
}
