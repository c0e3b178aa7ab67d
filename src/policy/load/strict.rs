//! TOML files of another kind, read as strictly as policies are: every mistake at its place, and all of them at once.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::file::parse;
use super::instances::COPIES;
use super::mistake::{Mistake, Mistakes, PolicyError, PolicyErrors};
use super::sources::{Place, Sources};
use super::suggest::{any_of, did_you_mean};
use super::tree::{self, cut, place, size};
use super::wording;
use crate::policy::PolicySource;

/// Bytes of the file.
pub(crate) type Span = std::ops::Range<usize>;

/// What is wrong with a file, as far as it was read.
#[derive(Debug)]
pub(crate) struct Strict {
    /// The file.
    pub(crate) source: Arc<PolicySource>,
    mistakes: Mistakes,
}

/// Reads a file, which is shown as `name`: `read` makes something of its tables and tells what is wrong with them. What it
/// makes counts only if nothing is.
pub(crate) fn read<T>(
    name: &str,
    text: &str,
    read: impl FnOnce(DeTable<'_>, &mut Strict) -> Option<T>,
) -> Result<T, PolicyErrors> {
    let sources = Sources::new();
    let place = Place::of_text(name, text, std::path::Path::new(""));
    let (kept, _) = sources.read(&place, None).map_err(|mistake| PolicyErrors(vec![mistake.resolve(&sources)]))?;
    let mut mistakes = Mistakes::default();
    let table = parse(kept, &mut mistakes);
    let source = sources.origin(&(0..0)).source;
    let mut strict = Strict { source, mistakes };
    let made = read(table, &mut strict);
    let errors = strict.mistakes.resolve(&sources);
    match made {
        Some(made) if errors.is_empty() => Ok(made),
        _ => Err(PolicyErrors(errors)),
    }
}

/// A mistake that has no place in any file.
pub(crate) fn nowhere(message: &str, help: Option<&str>) -> PolicyError {
    Mistake::nowhere(message).help_if(help.map(ToOwned::to_owned)).resolve(&Sources::new())
}

/// Where something is written that a path of keys leads to.
pub(crate) fn place_of(table: &DeTable<'_>, path: &[&str]) -> Option<Span> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.get_key_value(*first)?;
    match value.get_ref() {
        DeValue::Table(inner) if !rest.is_empty() => place_of(inner, rest).or_else(|| Some(place(key, value))),
        _ => Some(place(key, value)),
    }
}

/// The kind of a value, as a sentence names it.
pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
    tree::kind(value)
}

impl Strict {
    /// How many mistakes there are so far.
    pub(crate) fn count(&self) -> usize {
        self.mistakes.len()
    }

    /// Tells what is wrong at a place.
    pub(crate) fn tell(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.add(Mistake::at(span, message).help(help));
    }

    /// Tells what is wrong at a place, and where what it contradicts is written.
    pub(crate) fn tell_both(&mut self, span: Span, message: String, help: &str, other: Span, note: &str) {
        self.mistakes.add(Mistake::at(span, message).help(help).related(other, note));
    }

    /// Tells that a word is not one of those that are known, with the one that was probably meant.
    pub(crate) fn tell_unknown(&mut self, span: Span, message: String, word: &str, known: &[&str]) {
        let help = did_you_mean(word, known).unwrap_or_else(|| format!("expected {}", any_of(known)));
        self.mistakes.add(Mistake::at(span, message).help(help));
    }

    /// Tells that something is missing at a place, which it need not be if the text around could not be read.
    pub(crate) fn tell_missing(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.add(Mistake::at(span, message).consequent().help(help));
    }

    /// Tells what is wrong with the file as a whole.
    pub(crate) fn tell_whole(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.add(Mistake::file(0, message).consequent().help(help));
    }

    /// Makes something of a table, which is called `what`. What is wrong in it is told and taken out, and the rest is tried
    /// again.
    pub(crate) fn fill<T: DeserializeOwned>(
        &mut self,
        what: &str,
        header: &Span,
        table: &DeTable<'_>,
        help: &str,
    ) -> Option<T> {
        let before = self.mistakes.len();
        let mut table = Cow::Borrowed(table);
        for _ in 0..=COPIES / size(&table).max(1) {
            let value = Spanned::new(header.clone(), DeValue::Table(table.clone().into_owned()));
            let error = match T::deserialize(ValueDeserializer::from(value)) {
                Ok(made) => return Some(made),
                Err(error) => error,
            };
            let span = error.span().unwrap_or_else(|| header.clone());
            let own = table.keys().any(|key| key.span() == span);
            let cut = if span == *header { None } else { cut(table.to_mut(), &span) };
            let Some(cut) = cut else {
                // What is missing may be what was taken out.
                if self.mistakes.len() == before {
                    let missing = error.message().strip_prefix("missing field ");
                    let message = missing.map_or(error.message().to_owned(), |field| format!("{what} has no {field}"));
                    self.mistakes.add(Mistake::at(span, message).consequent().help(help));
                }
                return None;
            };
            let mistake = match wording::closed_set(error.message()) {
                Some((found, words)) if own && found == cut.key => {
                    let message = format!("unknown key `{found}` in {what}, expected {}", any_of(&words));
                    Mistake::at(span, message).consequent().help_if(did_you_mean(found, &words))
                }
                _ => {
                    let (message, near) = wording::of_parameter(&cut, error.message());
                    Mistake::at(span, message).help_if(near)
                }
            };
            self.mistakes.add(mistake.help(help));
        }
        None
    }
}
