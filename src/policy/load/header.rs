//! The table `[policy]`: what a file is called, what it builds on, what it demands of waivers.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::unknown;
use super::mistake::{Mistake, Mistakes, Span};
use super::suggest::{any_of, did_you_mean};
use super::tree::{Key, Value, kind, place, take_flag, take_text, take_texts, texts};
use crate::policy::keys;
use crate::policy::rulings::{Ruling, Rulings, WaiverScope};

/// The keys that are for whoever reads the policy.
const TITLE: [&str; 2] = ["name", "description"];

/// What `[policy]` says.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Where it says what it is called and for, by key.
    pub(super) title: BTreeMap<String, Span>,
    /// What the file builds on.
    pub(super) extends: Vec<Spanned<String>>,
    /// What it demands of waivers.
    pub(super) rulings: Rulings<Span>,
}

impl Header {
    /// Reads the table.
    pub(super) fn read(mut table: DeTable<'_>, mistakes: &mut Mistakes) -> Self {
        let title = TITLE.into_iter().filter_map(|key| {
            let place = table.get_key_value(key).map(|(key, value)| place(key, value))?;
            take_text(&mut table, key, mistakes).map(|_| (key.to_owned(), place))
        });
        let title = title.collect();
        let extends = take_texts(&mut table, "extends", mistakes).unwrap_or_default();
        let rulings = rulings(&mut table, mistakes);
        for (key, _) in &table {
            mistakes.add(unknown(key, "`[policy]`", keys::HEADER).help("remove it"));
        }
        Self { title, extends, rulings }
    }
}

fn rulings(table: &mut DeTable<'_>, mistakes: &mut Mistakes) -> Rulings<Span> {
    let mut rulings = Rulings {
        require_expiry: take_flag(table, "require-waiver-expiry", mistakes).filter(|(on, _)| *on).map(|(_, span)| span),
        max_days: take_days(table, mistakes),
        scope: take_scope(table, mistakes),
        ..Rulings::default()
    };
    if let Some((key, value)) = table.remove_entry("forbid-waivers") {
        forbid(&key, value, &mut rulings, mistakes);
    }
    rulings
}

fn take_days(table: &mut DeTable<'_>, mistakes: &mut Mistakes) -> Option<Ruling<u32, Span>> {
    let (key, value) = table.remove_entry("max-waiver-days")?;
    let days = match value.get_ref() {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|&days| days > 0),
        _ => None,
    };
    if days.is_none() {
        let message = match value.get_ref() {
            DeValue::Integer(_) => "`max-waiver-days`: out of range, expected a number of days from 1".to_owned(),
            other => format!("`max-waiver-days`: expected a number of days, found {}", kind(other)),
        };
        let help = "write `max-waiver-days = 90`; `forbid-waivers = true` admits none";
        mistakes.add(Mistake::at(value.span(), message).help(help));
    }
    Some(Ruling { value: days?, origin: place(&key, &value) })
}

fn take_scope(table: &mut DeTable<'_>, mistakes: &mut Mistakes) -> Option<Ruling<WaiverScope, Span>> {
    let (key, value) = table.get_key_value("waiver-scope")?;
    let origin = place(key, value);
    let written = take_text(table, "waiver-scope", mistakes)?;
    let word = written.get_ref();
    let scope = WaiverScope::ALL.into_iter().find(|scope| scope.as_str() == word);
    if scope.is_none() {
        let words = WaiverScope::ALL.map(WaiverScope::as_str);
        let message = format!("`waiver-scope`: `{word}` is not known, expected {}", any_of(&words));
        let mistake = Mistake::at(written.span(), message).help_if(did_you_mean(word, &words));
        mistakes.add(mistake.help("`repository` and `digest` want the images of waivers named without wildcards"));
    }
    Some(Ruling { value: scope?, origin })
}

/// `forbid-waivers`: `true`, or the names of instances.
fn forbid(key: &Key<'_>, value: Value<'_>, rulings: &mut Rulings<Span>, mistakes: &mut Mistakes) {
    match value.get_ref() {
        DeValue::Boolean(true) => rulings.forbid_all = Some(place(key, &value)),
        DeValue::Boolean(false) => {}
        DeValue::Array(_) => {
            let names = texts("forbid-waivers", value, mistakes).unwrap_or_default();
            rulings.forbidden = names.into_iter().map(|name| (name.get_ref().clone(), name.span())).collect();
        }
        other => {
            let message = format!("`forbid-waivers`: expected `true` or a list of rules, found {}", kind(other));
            let help = "write `forbid-waivers = true`, or `forbid-waivers = [\"sbom\"]`";
            mistakes.add(Mistake::at(value.span(), message).help(help));
        }
    }
}
