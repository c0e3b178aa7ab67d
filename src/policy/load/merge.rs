//! How files become one policy: `extends` lays one file over another, several policies are put side by side.

use super::data::{Budget, Lists, Writer};
use super::defaults::Defaults;
use super::file::{RuleTable, Rules, Sheet};
use super::locks;
use super::mistake::{Mistake, Mistakes, Span};
use super::tree::{place, size};

/// The files of one policy, laid over each other.
#[derive(Debug)]
pub(super) struct Layers<'l, 'a> {
    /// How many values defaults and lists may yet be written out to.
    pub(super) budget: &'l mut Budget,
    /// The rules so far.
    pub(super) rules: Rules<'a>,
    /// The lists so far.
    pub(super) lists: Lists<'a>,
    /// Where mistakes go.
    pub(super) mistakes: &'l mut Mistakes,
}

impl<'l, 'a> Layers<'l, 'a> {
    /// No file yet.
    pub(super) fn new(budget: &'l mut Budget, mistakes: &'l mut Mistakes) -> Self {
        Self { budget, rules: Rules::new(), lists: Lists::new(), mistakes }
    }

    /// Lays a file over those before it: by instance, key by key at the first level; a list or table is replaced as a whole.
    /// `files` are the places of the file and of what it extends.
    pub(super) fn lay_over(&mut self, sheet: &Sheet<'a>, files: &[Span]) {
        let lists = locks::guard_lists(&self.rules, &self.lists, sheet.lists.clone(), self.mistakes);
        self.lists.extend(lists);
        for (name, mut over) in sheet.rules.clone() {
            let Some(under) = self.rules.get_mut(&name) else {
                self.fill(&sheet.defaults, &mut over);
                self.rules.insert(name, over);
                continue;
            };
            locks::guard(&name, under, &mut over, self.mistakes);
            locks::guard_below(&name, under, &over, files, self.mistakes);
            keep_rule(&name, under, &mut over, self.mistakes);
            under.header = over.header;
            under.name = over.name;
            for (key, value) in over.keys {
                // An insertion alone would keep the old key, and with it the old place.
                under.keys.remove(key.get_ref().as_ref());
                under.keys.insert(key, value);
            }
        }
        for name in sheet.rules.keys() {
            if let Some(table) = self.rules.get(name) {
                locks::guard_taken(name, table, &self.lists, files, self.mistakes);
            }
        }
    }

    fn fill(&mut self, defaults: &Defaults<'a>, table: &mut RuleTable<'a>) {
        if self.budget.spend(size(defaults.keys()), &table.header, self.mistakes) {
            defaults.fill(&mut table.keys);
        }
    }

    /// The rules, the lists that they name put in.
    pub(super) fn finish(mut self) -> Rules<'a> {
        let Self { budget, lists, mistakes, .. } = self;
        Writer { lists: &lists, budget, mistakes }.write_out(&mut self.rules);
        self.rules
    }
}
/// A file may not change what rule an instance of the files it extends is.
fn keep_rule(name: &str, under: &RuleTable<'_>, over: &mut RuleTable<'_>, mistakes: &mut Mistakes) {
    let Some(written) = over.keys.get("rule").and_then(|value| value.get_ref().as_str()) else { return };
    let is = under.keys.get("rule").map_or(Some(name), |value| value.get_ref().as_str());
    let Some(is) = is.filter(|&is| is != written) else { return };
    let message =
        format!("`{name}` is an instance of the rule `{is}`, and `extends` may not make it one of `{written}`");
    let span = over.keys.get("rule").map_or(over.header.clone(), toml::Spanned::span);
    let mistake = Mistake::at(span, message).related(rule_place(under), format!("it is one of `{is}` here"));
    mistakes.add(mistake.help("give the instance a name of its own"));
    over.keys.remove("rule");
}

fn rule_place(table: &RuleTable<'_>) -> Span {
    table.keys.get_key_value("rule").map_or(table.header.clone(), |(key, value)| place(key, value))
}

/// Puts the rules of another policy beside those of the policies before it. What both took unchanged from one file is one
/// instance; any other name may stand in one of them only.
pub(super) fn unite<'a>(union: &mut Rules<'a>, other: Rules<'a>, mistakes: &mut Mistakes) {
    for (name, table) in other {
        match union.get(&name) {
            None => {
                union.insert(name, table);
            }
            Some(first) if same(first, &table) => {}
            Some(first) if first.header == table.header => {
                let message = format!("two of the policies named give `{name}` lists of their own");
                let mut lists =
                    first.lists.iter().chain(&table.lists).map(|(_, list)| list.clone()).collect::<Vec<_>>();
                lists.dedup();
                let mistake = Mistake::at(table.header, message);
                let mistake =
                    lists.into_iter().fold(mistake, |mistake, list| mistake.related(list, "one of the lists"));
                mistakes.add(mistake.help("replace the list in one policy, and name only that"));
            }
            Some(first) => {
                let message = format!("`{name}` is in two of the policies named");
                let mistake = Mistake::at(table.header, message).related(first.header.clone(), "and here");
                mistakes.add(mistake.help("if one of the policies extends the other, name only that one; else name a policy that extends both, or give one of the two another name"));
            }
        }
    }
}

/// Whether two tables are made of the same entries of the same files.
fn same(one: &RuleTable<'_>, other: &RuleTable<'_>) -> bool {
    let places =
        |table: &RuleTable<'_>| -> Vec<Span> { table.keys.iter().map(|(key, value)| place(key, value)).collect() };
    one.header == other.header && places(one) == places(other) && one.lists == other.lists
}
