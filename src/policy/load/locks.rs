//! `locked = true`: what lies over an instance may only raise its level.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::data::{Lists, references};
use super::file::{RuleTable, Rules};
use super::instances::level_of;
use super::mistake::{Mistake, Mistakes, Span};
use super::sources::Sources;
use super::tree::{Key, Value, keep, place};
use crate::policy::Level;

/// Where an instance is locked, if it is.
pub(super) fn lock(table: &RuleTable<'_>) -> Option<Span> {
    let (key, value) = table.keys.get_key_value("locked")?;
    matches!(value.get_ref(), DeValue::Boolean(true)).then(|| place(key, value))
}

/// Takes out of a table what would weaken the locked one below it; each is a mistake.
pub(super) fn guard(name: &str, under: &RuleTable<'_>, over: &mut RuleTable<'_>, mistakes: &mut Mistakes) {
    let Some(lock) = lock(under) else { return };
    keep(&mut over.keys, |key, value| {
        let message = match key.get_ref().as_ref() {
            "locked" if matches!(value.get_ref(), DeValue::Boolean(true)) => return false,
            "locked" => format!("`{name}` is locked, and stays so in what extends it"),
            "level" => match lowered(under, value) {
                Some((is, to)) => format!("`{name}` is locked at the level `{is}`, which this would lower to `{to}`"),
                None => return true,
            },
            key => format!(
                "`{name}` is locked, and `{key}` cannot be changed in what extends it: only its `level` may be raised"
            ),
        };
        let mistake = weakening(place(key, value), message, &lock);
        let level = under.keys.get_key_value("level").filter(|_| key.get_ref() == "level");
        mistakes.add(match level {
            Some((key, value)) => mistake.related(place(key, value), "its level is written here"),
            None => mistake,
        });
        false
    });
}

fn weakening(span: Span, message: impl Into<String>, lock: &Span) -> Mistake {
    let mistake = Mistake::at(span, message).related(lock.clone(), "it is locked here");
    mistake.help("take it out; what is locked is changed in the file that locks it")
}

/// The level that was, and the lower one that would be.
fn lowered(under: &RuleTable<'_>, value: &Value<'_>) -> Option<(Level, Level)> {
    let level = |value: &Value<'_>| level_of(value.get_ref().as_str()?);
    let is = under.keys.get("level").map_or(Some(Level::Error), level)?;
    level(value).filter(|to| *to < is).map(|to| (is, to))
}

/// A file that locks an instance knows what it extends, and nothing else may lie below the lock. `known` are the places of
/// that file and of what it extends.
pub(super) fn guard_below(
    name: &str,
    under: &mut RuleTable<'_>,
    over: &RuleTable<'_>,
    known: &[Span],
    mistakes: &mut Mistakes,
) {
    let Some(lock) = lock(over) else { return };
    let is_known = |key: &Key<'_>| known.iter().any(|file| file.contains(&key.span().start));
    keep(&mut under.keys, |key, value| {
        let kept = is_known(key) || over.keys.contains_key(key.get_ref().as_ref());
        if !kept {
            let message = format!("`{name}` is locked, and the file that locks it does not extend this one");
            let mistake = Mistake::at(place(key, value), message).related(lock.clone(), "it is locked here");
            mistakes.add(mistake.help("give this instance a name of its own"));
        }
        kept
    });
}

/// A list that a locked instance takes cannot be replaced in what extends it. Returns the lists without those.
pub(super) fn guard_lists<'a>(
    rules: &Rules<'a>,
    lists: &Lists<'a>,
    mut over: Lists<'a>,
    mistakes: &mut Mistakes,
) -> Lists<'a> {
    let replaced = |(name, _): &(&String, _)| over.contains_key(*name);
    if !lists.iter().any(|list| replaced(&list)) {
        return over;
    }
    for (name, table) in rules {
        let Some(lock) = lock(table) else { continue };
        for (key, list) in references(name, table) {
            let Some((word, new)) = list.get_ref().as_str().and_then(|word| over.remove_entry(word)) else { continue };
            if !lists.contains_key(&word) {
                over.insert(word, new);
                continue;
            }
            let message =
                format!("`{name}` is locked, and takes `{key}` from the list `{word}`, which cannot be replaced");
            let mistake = weakening(new.place, message, &lock).related(list.span(), "it takes the list here");
            mistakes.add(mistake);
        }
    }
    over
}

/// The lists that an instance takes are fixed where it is locked too: a file that the locking one does not extend may have
/// replaced them before.
pub(super) fn guard_taken(
    name: &str,
    table: &RuleTable<'_>,
    lists: &Lists<'_>,
    known: &[Span],
    mistakes: &mut Mistakes,
) {
    let Some(lock) = lock(table) else { return };
    for (key, list) in references(name, table) {
        let Some((word, taken)) = list.get_ref().as_str().and_then(|word| lists.get_key_value(word)) else { continue };
        if !known.iter().any(|file| file.contains(&taken.place.start)) {
            let message = format!(
                "`{name}` is locked, and takes `{key}` from the list `{word}`, which a file replaces that is not extended by the one that locks it"
            );
            let mistake = Mistake::at(taken.place.clone(), message).related(lock.clone(), "it is locked here");
            let mistake = mistake.related(list.span(), "it takes the list here");
            mistakes.add(mistake.help("give this list a name of its own"));
        }
    }
}

/// A waiver for a locked instance stands in the file that locks it.
pub(super) fn guard_waiver(
    waiver: &Spanned<DeTable<'_>>,
    locks: &BTreeMap<String, Span>,
    sources: &Sources,
    mistakes: &mut Mistakes,
) {
    let Some(rule) = waiver.get_ref().get("rule") else { return };
    let Some((name, lock)) = rule.get_ref().as_str().and_then(|name| locks.get_key_value(name)) else { return };
    if sources.file(rule.span().start) != sources.file(lock.start) {
        let message = format!("`{name}` is locked, and cannot be waived in a file other than the one that locks it");
        let mistake = Mistake::at(rule.span(), message).related(lock.clone(), "it is locked here");
        mistakes.add(mistake.help("take the waiver out; a waiver for what is locked is written beside the lock"));
    }
}
