//! The table `[data]`: named lists of strings, and `{ data = "name" }` in place of a list.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeValue};

use super::file::{RuleTable, Rules};
use super::mistake::{Mistake, Mistakes, Span};
use super::tree::{Value, is_reference, kind, place, texts};
use crate::rules::{self, Rule, Takes};

/// Values that lists and defaults may be written out to in one load: ten thousand rules may share a list, but not a long one.
const WRITTEN_OUT: usize = 500_000;
/// Keys of the policy's own that take a list.
const SCOPES: &[&str] = &["images", "platforms"];

/// The named lists, by name.
pub(super) type Lists<'a> = BTreeMap<String, List<'a>>;

/// One named list.
#[derive(Debug, Clone)]
pub(super) struct List<'a> {
    /// Where it stands.
    pub(super) place: Span,
    elements: DeArray<'a>,
}

/// Reads the table `[data]`.
pub(super) fn read<'a>(value: Value<'a>, mistakes: &mut Mistakes) -> Lists<'a> {
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        let mistake = Mistake::at(span, "`data`: expected a table");
        mistakes.add(mistake.help("write `[data]`, and lists `name = [\"…\"]` below it"));
        return Lists::new();
    };
    let mut lists = Lists::new();
    for (key, value) in table {
        let (name, place) = (key.get_ref().to_string(), place(&key, &value));
        // A list that is wrong is there all the same: what names it is right.
        let usable = texts(&name, value.clone(), mistakes).is_some();
        let elements = match value.into_inner() {
            DeValue::Array(elements) if usable => elements,
            _ => DeArray::new(),
        };
        lists.insert(name, List { place, elements });
    }
    lists
}

/// Puts the lists in place of what names them.
#[derive(Debug)]
pub(super) struct Writer<'w, 'a> {
    /// The lists there are.
    pub(super) lists: &'w Lists<'a>,
    /// How many values may yet be written out.
    pub(super) budget: &'w mut Budget,
    /// Where mistakes go.
    pub(super) mistakes: &'w mut Mistakes,
}

impl<'a> Writer<'_, 'a> {
    /// Writes out the lists of every rule.
    pub(super) fn write_out(&mut self, tables: &mut Rules<'a>) {
        for (name, table) in tables {
            let names: Vec<(String, Span)> =
                references(name, table).map(|(key, list)| (key.to_owned(), list.span())).collect();
            for (key, span) in names {
                self.put(table, &key, span);
            }
        }
    }

    fn put(&mut self, table: &mut RuleTable<'a>, key: &str, span: Span) {
        let Some(value) = table.keys.get_mut(key) else { return };
        let list = named(value, self.lists, self.mistakes);
        let enough = |list: &&List<'_>| self.budget.spend(list.elements.len(), &span, self.mistakes);
        if let Some(list) = list.filter(|list| !list.elements.is_empty()).filter(enough) {
            *value = Spanned::new(value.span(), DeValue::Array(list.elements.clone()));
            table.lists.insert(key.to_owned(), list.place.clone());
        } else {
            table.keys.remove(key);
            table.blamed.insert(key.to_owned());
        }
    }
}

/// How many values lists and defaults may yet be written out to.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    is_told: bool,
}

impl Budget {
    /// All of it.
    pub(super) fn new() -> Self {
        Self { left: WRITTEN_OUT, is_told: false }
    }

    /// Takes values off it. The first that is too much is a mistake.
    pub(super) fn spend(&mut self, values: usize, span: &Span, mistakes: &mut Mistakes) -> bool {
        if let Some(left) = self.left.checked_sub(values) {
            self.left = left;
            return true;
        }
        if !std::mem::replace(&mut self.is_told, true) {
            let message =
                format!("the lists of `[data]` and `[defaults]` make more than {WRITTEN_OUT} values of the policy");
            mistakes.add(Mistake::at(span.clone(), message).help("shorten the lists, or name them in fewer rules"));
        }
        false
    }
}

/// The list that a value names.
fn named<'l, 'a>(value: &Value<'a>, lists: &'l Lists<'a>, mistakes: &mut Mistakes) -> Option<&'l List<'a>> {
    let DeValue::Table(table) = value.get_ref() else { return None };
    let help = "write `{ data = \"name\" }`, the name of a list in `[data]`";
    for (key, _) in table.iter().filter(|(key, _)| key.get_ref() != "data") {
        let message = format!("unknown key `{}` beside `data`", key.get_ref());
        mistakes.add(Mistake::at(key.span(), message).help(help));
    }
    let name = table.get("data")?;
    let DeValue::String(word) = name.get_ref() else {
        let message = format!("`data`: expected the name of a list, found {}", kind(name.get_ref()));
        mistakes.add(Mistake::at(name.span(), message).help(help));
        return None;
    };
    let list = lists.get(word.as_ref());
    if list.is_none() {
        let names: Vec<&str> = lists.keys().map(String::as_str).collect();
        let mistake = Mistake::at(name.span(), format!("there is no list `{word}` in `[data]`"));
        let mistake = mistake.inherited().consequent().help_if(mistakes.did_you_mean(word, &names));
        mistakes.add(mistake.help(format!("write it: `{word} = [\"…\"]` below `[data]`")));
    }
    list.filter(|_| table.len() == 1)
}

/// The keys of an instance that name a list, and the names.
pub(super) fn references<'t, 'a>(
    name: &'t str,
    table: &'t RuleTable<'a>,
) -> impl Iterator<Item = (&'t str, &'t Value<'a>)> {
    let is = table.keys.get("rule").map_or(Some(name), |value| value.get_ref().as_str());
    let rule = is.and_then(rules::find);
    let takes_list = move |key: &str| {
        let parameter = |rule: &Rule| (rule.parameters)().contains(&key) && (rule.takes)(key) == Takes::List;
        SCOPES.contains(&key) || rule.is_some_and(parameter)
    };
    let named = table.keys.iter().filter(|(_, value)| is_reference(value));
    let named = named.filter(move |(key, _)| takes_list(key.get_ref()));
    named.filter_map(|(key, value)| Some((key.get_ref().as_ref(), value.get_ref().as_table()?.get("data")?)))
}
