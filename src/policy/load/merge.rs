//! How files become one policy: `extends` lays one file over another, several policies are put side by side.

use super::file::{RuleTable, Rules};
use super::mistake::{Mistake, Mistakes, Span};
use super::tree::place;

/// Lays the rules of a file over those of the files it extends: by instance, key by key at the first level; a list or table is
/// replaced as a whole.
pub(super) fn lay_over<'a>(base: &mut Rules<'a>, over: Rules<'a>, mistakes: &mut Mistakes) {
    for (name, mut over) in over {
        let Some(under) = base.get_mut(&name) else {
            base.insert(name, over);
            continue;
        };
        keep_rule(&name, under, &mut over, mistakes);
        under.header = over.header;
        under.name = over.name;
        for (key, value) in over.keys {
            // An insertion alone would keep the old key, and with it the old place.
            under.keys.remove(key.get_ref().as_ref());
            under.keys.insert(key, value);
        }
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
            Some(first) => {
                let message = format!("`{name}` is in two of the policies named");
                let mistake = Mistake::at(table.header, message).related(first.header.clone(), "and here");
                mistakes.add(mistake.help("override it through `extends`, or give one of the two another name"));
            }
        }
    }
}

/// Whether two tables are made of the same entries of the same files.
fn same(one: &RuleTable<'_>, other: &RuleTable<'_>) -> bool {
    let places =
        |table: &RuleTable<'_>| -> Vec<Span> { table.keys.iter().map(|(key, value)| place(key, value)).collect() };
    one.header == other.header && places(one) == places(other)
}
