//! The table `[defaults]`: what the rules of a file have where neither they nor what the file extends say it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::unknown;
use super::instances::take_level;
use super::mistake::{Mistake, Mistakes};
use super::scopes::{take_images, take_platforms};
use super::tree::{Value, is_reference, keep};
use crate::policy::keys::DEFAULTS;

/// The keys of `[defaults]`, each usable.
#[derive(Debug, Default, Clone)]
pub(super) struct Defaults<'a>(DeTable<'a>);

impl<'a> Defaults<'a> {
    /// Reads the table. What is wrong with it is told once, and not again of every rule that would take it.
    pub(super) fn read(value: Value<'a>, mistakes: &mut Mistakes) -> Self {
        let span = value.span();
        let DeValue::Table(mut table) = value.into_inner() else {
            let mistake = Mistake::at(span, "`defaults`: expected a table");
            mistakes.add(mistake.help("write `[defaults]`, and `level = \"…\"`, `images` or `platforms` below it"));
            return Self::default();
        };
        for (key, _) in table.iter().filter(|(key, _)| !DEFAULTS.contains(&key.get_ref().as_ref())) {
            mistakes.add(unknown(key, "`[defaults]`", DEFAULTS).help("all other keys are written in the rules"));
        }
        keep(&mut table, |key, _| DEFAULTS.contains(&key.get_ref().as_ref()));
        for key in DEFAULTS {
            let before = mistakes.len();
            let mut probe: DeTable<'a> = table.iter().filter(|(name, _)| name.get_ref() == key).map(cloned).collect();
            // A list of `[data]` is looked at where it is put in.
            if probe.values().any(is_reference) {
                continue;
            }
            take_level(&mut probe, mistakes);
            take_images(&mut probe, mistakes);
            take_platforms(&mut probe, mistakes);
            if mistakes.len() > before {
                table.remove(*key);
            }
        }
        Self(table)
    }

    /// Puts in what a rule does not say.
    pub(super) fn fill(&self, keys: &mut DeTable<'a>) {
        for (key, value) in &self.0 {
            if !keys.contains_key(key.get_ref().as_ref()) {
                keys.insert(key.clone(), value.clone());
            }
        }
    }

    /// The keys.
    pub(super) fn keys(&self) -> &DeTable<'a> {
        &self.0
    }
}

fn cloned<'a>((key, value): (&super::tree::Key<'a>, &Value<'a>)) -> (super::tree::Key<'a>, Value<'a>) {
    (Spanned::clone(key), Spanned::clone(value))
}
