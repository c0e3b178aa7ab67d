//! A policy in the words of its files: every value that holds as it was written, and where.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::tree::{Value, place};
use crate::policy::{Instance, Origin, Policy, PolicySource, Waiver, keys};

/// One key of a policy, with the value that holds.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value; a list of `[data]` in full.
    pub value: toml::Value,
    /// Where it was written; in several places if it was put together.
    pub origins: Vec<Origin>,
    /// Where the list of `[data]` that it names was written.
    pub list: Option<Origin>,
}

/// The values of a policy's files, by their places.
#[derive(Debug)]
pub struct Words<'p> {
    policy: &'p Policy,
    values: BTreeMap<(*const PolicySource, usize, usize), toml::Value>,
    /// Where the lines of each file end: counting them anew for every value takes long in large files.
    line_ends: BTreeMap<*const PolicySource, Vec<usize>>,
}

impl Policy {
    /// The policy in the words of its files, which are read again for it.
    pub fn words(&self) -> Words<'_> {
        let (mut values, mut line_ends) = (BTreeMap::new(), BTreeMap::new());
        for source in &self.sources {
            line_ends.insert(Arc::as_ptr(source), source.text.match_indices('\n').map(|(at, _)| at).collect());
            for (place, value) in entries(&source.text) {
                values.insert((Arc::as_ptr(source), place.start, place.end), value);
            }
        }
        Words { policy: self, values, line_ends }
    }
}

impl Words<'_> {
    /// What holds of `[policy]`: what the file that was named is called and for, and the demands of all files together.
    pub fn header(&self) -> Vec<Entry> {
        let rulings = &self.policy.rulings;
        let entry = |key: &str, value: toml::Value, origins: Vec<Origin>| Entry {
            key: key.to_owned(),
            value,
            origins,
            list: None,
        };
        let one = |origin: &Origin| vec![origin.clone()];
        let names = || rulings.forbidden.keys().cloned().map(toml::Value::from).collect::<Vec<_>>();
        let forbidden = match &rulings.forbid_all {
            Some(origin) => Some((true.into(), one(origin))),
            None if rulings.forbidden.is_empty() => None,
            None => Some((names().into(), rulings.forbidden.values().cloned().collect())),
        };
        let entries = [
            rulings.require_expiry.as_ref().map(|origin| entry("require-waiver-expiry", true.into(), one(origin))),
            rulings
                .max_days
                .as_ref()
                .map(|days| entry("max-waiver-days", i64::from(days.value).into(), one(&days.origin))),
            forbidden.map(|(value, origins)| entry("forbid-waivers", value, origins)),
            rulings.scope.as_ref().map(|scope| entry("waiver-scope", scope.value.as_str().into(), one(&scope.origin))),
        ];
        let title = self.ordered(["name", "description"].iter(), &self.policy.title, &BTreeMap::new());
        title.into_iter().chain(entries.into_iter().flatten()).collect()
    }

    /// What holds of an instance.
    pub fn instance(&self, instance: &Instance) -> Vec<Entry> {
        let order = keys::INSTANCE.iter().chain((instance.rule.parameters)());
        self.ordered(order, &instance.origins, &instance.lists)
    }

    /// What holds of a waiver.
    pub fn waiver(&self, waiver: &Waiver) -> Vec<Entry> {
        self.ordered(keys::WAIVER.iter(), &waiver.origins, &BTreeMap::new())
    }

    /// The line of something, from 1.
    pub fn line(&self, origin: &Origin) -> usize {
        let ends = self.line_ends.get(&Arc::as_ptr(&origin.source));
        1 + ends.map_or(0, |ends| ends.partition_point(|&end| end < origin.span.start))
    }

    fn ordered<'k>(
        &self,
        keys: impl Iterator<Item = &'k &'k str>,
        origins: &BTreeMap<String, Origin>,
        lists: &BTreeMap<String, Origin>,
    ) -> Vec<Entry> {
        let entry = |key: &&str| {
            let (origin, list) = (origins.get(*key)?, lists.get(*key));
            let value = self.value(list.unwrap_or(origin))?.clone();
            Some(Entry { key: (*key).to_owned(), value, origins: vec![origin.clone()], list: list.cloned() })
        };
        keys.filter_map(entry).collect()
    }

    fn value(&self, origin: &Origin) -> Option<&toml::Value> {
        self.values.get(&(Arc::as_ptr(&origin.source), origin.span.start, origin.span.end))
    }
}

/// The entries of every table in a file that may hold what a policy says, each with its place.
fn entries(text: &str) -> Vec<(Range<usize>, toml::Value)> {
    let mut found = Vec::new();
    let file = DeTable::parse(text).map(Spanned::into_inner).unwrap_or_default();
    for (key, value) in file {
        match (key.get_ref().as_ref(), value.into_inner()) {
            ("rules", DeValue::Table(rules)) => rules.into_iter().for_each(|(_, rule)| add(rule, &mut found)),
            ("waivers", DeValue::Array(waivers)) => waivers.into_iter().for_each(|waiver| add(waiver, &mut found)),
            ("policy" | "defaults" | "data", DeValue::Table(table)) => {
                add(Spanned::new(0..0, DeValue::Table(table)), &mut found);
            }
            _ => {}
        }
    }
    found
}

fn add(table: Value<'_>, found: &mut Vec<(Range<usize>, toml::Value)>) {
    let DeValue::Table(table) = table.into_inner() else { return };
    for (key, value) in table {
        let place = place(&key, &value);
        found.extend(toml::Value::deserialize(ValueDeserializer::from(value)).ok().map(|value| (place, value)));
    }
}
