//! From the tables of waivers to waivers.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::dates::take_date;
use super::file::unknown;
use super::limits::{self, Places};
use super::mistake::{Mistake, Mistakes, Span};
use super::scopes::{take_images, take_platforms};
use super::sources::Sources;
use super::tree::{Key, Value, place, take_address, take_text, take_texts};
use crate::policy::{ImageScope, Rulings, Waiver, keys};

/// Reads one waiver. `instances` are the names it may be for, sorted, `rulings` what is demanded of it.
pub(super) fn read(
    table: Spanned<DeTable<'_>>,
    instances: &[&str],
    rulings: &Rulings<Span>,
    sources: &Sources,
    mistakes: &mut Mistakes,
) -> Option<Waiver> {
    let header = table.span();
    let mut table = table.into_inner();
    let before = mistakes.len();
    miss(&table, &header, mistakes);
    let origin = |(key, value): (&Key<'_>, &Value<'_>)| (key.get_ref().to_string(), sources.origin(&place(key, value)));
    let origins: BTreeMap<_, _> = table.iter().map(origin).collect();
    let places = Places::of(&table, &header);
    let rule = take_text(&mut table, "rule", mistakes);
    let images = take_images(&mut table, mistakes);
    limits::check(rule.as_ref(), images.as_ref(), &places, rulings, mistakes);
    let rule = rule.map(|rule| known(&rule, instances, mistakes));
    let images = images.map(|images| named(images, places.images(), mistakes));
    let platforms = take_platforms(&mut table, mistakes);
    let fingerprints = fingerprints(&mut table, mistakes);
    let reason = take_text(&mut table, "reason", mistakes).map(Spanned::into_inner);
    let expires = take_date(&mut table, "expires", "the last day on which it counts", mistakes);
    let owner = take_text(&mut table, "owner", mistakes).map(Spanned::into_inner);
    let link = take_address(&mut table, "link", mistakes);
    for (key, _) in &table {
        mistakes.add(unknown(key, "the waiver", keys::WAIVER).help("remove it"));
    }
    let origin = sources.origin(&header);
    let waiver = Waiver {
        rule: rule?,
        images: images?,
        platforms,
        fingerprints,
        reason: reason?,
        expires,
        owner,
        link,
        origin,
        origins,
    };
    // A part of it that could not be read would have made it narrower.
    (mistakes.len() == before).then_some(waiver)
}

/// The fingerprints that it is for: one, or a list of them.
fn fingerprints(table: &mut DeTable<'_>, mistakes: &mut Mistakes) -> Vec<String> {
    let written = match table.get("fingerprint").map(Spanned::get_ref) {
        Some(DeValue::String(_)) => take_text(table, "fingerprint", mistakes).map(|text| vec![text]),
        _ => take_texts(table, "fingerprint", mistakes),
    };
    let written = written.unwrap_or_default();
    for text in written.iter().filter(|text| !is_fingerprint(text.get_ref())) {
        let message = format!("`fingerprint`: `{}` is no fingerprint of a finding", text.get_ref());
        let help = "take it from the JSON report: `v1:` and 16 hexadecimal digits in lower case";
        mistakes.add(Mistake::at(text.span(), message).help(help));
    }
    written.into_iter().map(Spanned::into_inner).collect()
}

fn is_fingerprint(text: &str) -> bool {
    let digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    text.strip_prefix("v1:").is_some_and(|digits| digits.len() == 16 && digits.chars().all(digit))
}

fn miss(table: &DeTable<'_>, header: &Span, mistakes: &mut Mistakes) {
    let needed = [
        ("rule", "name the rule that it is for: `rule = \"sbom\"`"),
        ("images", "name the images that it is for: `images = [\"ghcr.io/acme/app\"]`"),
        ("reason", "say why, for whoever reads the report: `reason = \"…\"`"),
    ];
    for (key, help) in needed.into_iter().filter(|(key, _)| !table.contains_key(*key)) {
        let mistake = Mistake::at(header.clone(), format!("the waiver has no `{key}`"));
        mistakes.add(mistake.consequent().help(help));
    }
}

fn known(rule: &Spanned<String>, instances: &[&str], mistakes: &mut Mistakes) -> String {
    let name = rule.get_ref();
    if instances.binary_search(&name.as_str()).is_err() {
        let mistake =
            Mistake::at(rule.span(), format!("the waiver is for `{name}`, and no rule of the policy is named so"));
        let mistake = mistake.inherited().consequent().help_if(mistakes.did_you_mean(name, instances));
        mistakes.add(mistake.help("a waiver names a rule by its table: `[rules.NAME]`"));
    }
    name.clone()
}

fn named(images: ImageScope, span: Option<Span>, mistakes: &mut Mistakes) -> ImageScope {
    if let Some(span) = span.filter(|_| images.only_excludes()) {
        let mistake = Mistake::at(span, "`images` only excludes, so that the waiver would be for all other images");
        mistakes.add(mistake.help("name the images that it is for"));
    }
    images
}
