//! From the tables of waivers to waivers.

use toml::Spanned;
use toml::de::DeTable;

use super::dates::take_date;
use super::file::unknown;
use super::mistake::{Mistake, Mistakes, Span};
use super::scopes::{take_images, take_platforms};
use super::sources::Sources;
use super::suggest::did_you_mean;
use super::tree::{take_reserved, take_text};
use crate::policy::{ImageScope, Waiver};

const KEYS: &[&str] = &["rule", "images", "platforms", "reason", "expires"];

/// Reads one waiver. `instances` are the names it may be for.
pub(super) fn read(
    table: Spanned<DeTable<'_>>,
    instances: &[&str],
    sources: &Sources,
    mistakes: &mut Mistakes,
) -> Option<Waiver> {
    let header = table.span();
    let mut table = table.into_inner();
    miss(&table, &header, mistakes);
    take_reserved(&mut table, mistakes);
    let rule = take_text(&mut table, "rule", mistakes);
    let rule = rule.map(|rule| known(&rule, instances, mistakes));
    let scope = table.get_key_value("images").map(|(key, value)| super::tree::place(key, value));
    let images = take_images(&mut table, mistakes);
    let images = images.map(|images| named(images, scope, mistakes));
    let platforms = take_platforms(&mut table, mistakes);
    let reason = take_text(&mut table, "reason", mistakes).map(Spanned::into_inner);
    let expires = take_date(&mut table, "expires", "the last day on which it counts", mistakes);
    for (key, _) in &table {
        mistakes.add(unknown(key, "the waiver", KEYS).help("remove it"));
    }
    let origin = sources.origin(&header);
    Some(Waiver { rule: rule?, images: images?, platforms, reason: reason?, expires, origin })
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
    if !instances.contains(&name.as_str()) {
        let mistake =
            Mistake::at(rule.span(), format!("the waiver is for `{name}`, and no rule of the policy is named so"));
        let mistake = mistake.consequent().help_if(did_you_mean(name, instances));
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
