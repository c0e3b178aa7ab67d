//! What looks like a secret: names that promise one, the forms of known credentials, addresses with passwords, and how random a
//! value is.
//!
//! Nothing here ever gives a value away: what was found is a name, a kind and a place.

mod addresses;
mod commands;
mod formats;
mod hints;
mod names;
mod options;
mod values;
mod veil;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::Pattern;
use commands::assigned;
pub(crate) use formats::{Format, ids};
pub(crate) use hints::may_hold;
pub(crate) use names::promise;
use options::given;
use values::{Manner, is_secret};
pub(crate) use veil::{HIDDEN, holds_values, shown, veiled, veiled_entry, veiled_pointer, veiled_text, veiled_words};

/// What counts as a secret.
#[derive(Debug, Clone)]
pub(crate) struct Criteria<'p> {
    /// Forms of the policy's own, by name; each must match a whole word.
    pub(crate) patterns: Option<&'p BTreeMap<String, Pattern>>,
    /// How random a value is that its name calls a token, in bits a character.
    pub(crate) min_entropy: f64,
    /// Whether passwords that software is delivered with are taken for none.
    pub(crate) allow_defaults: bool,
}

impl Default for Criteria<'_> {
    fn default() -> Self {
        Self { patterns: None, min_entropy: MIN_ENTROPY, allow_defaults: false }
    }
}

/// How random a token is by default, in bits a character: 16 hexadecimal digits have about 3.5, English words 2 to 3.
pub(crate) const MIN_ENTROPY: f64 = 3.0;

/// What a secret was taken for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind<'p> {
    /// A known form.
    Format(&'static Format),
    /// A form of the policy's own.
    Pattern(&'p str),
    /// A password in an address.
    Address,
    /// A value whose name promises a secret.
    Named,
}

impl Kind<'_> {
    /// Its name in policies.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Format(format) => format.id,
            Self::Pattern(name) => name,
            Self::Address => "address",
            Self::Named => "value",
        }
    }
}

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(format) => f.write_str(format.what),
            Self::Pattern(name) => write!(f, "what `patterns` calls '{name}'"),
            Self::Address => f.write_str("an address with a password"),
            Self::Named => f.write_str("a literal value"),
        }
    }
}

/// A secret in a text.
#[derive(Debug, Clone)]
pub(crate) struct Secret<'t, 'p> {
    /// The name that the text gives it.
    pub(crate) name: Option<&'t str>,
    /// What it was taken for.
    pub(crate) kind: Kind<'p>,
    /// Its bytes in the text.
    pub(crate) range: Range<usize>,
}

impl<'p> Criteria<'p> {
    /// The secrets in a command, an instruction, or any other text; in their order, none over another.
    pub(crate) fn in_text<'t>(&self, text: &'t str) -> Vec<Secret<'t, 'p>> {
        self.within(text, Manner::Code)
    }

    fn within<'t>(&self, text: &'t str, manner: Manner) -> Vec<Secret<'t, 'p>> {
        if self.patterns.is_none_or(BTreeMap::is_empty) && !may_hold(text) {
            return Vec::new();
        }
        let mut found: Vec<Secret<'t, 'p>> = Vec::new();
        let mut add = |kind: Kind<'p>, range: Range<usize>| found.push(Secret { name: None, kind, range });
        formats::find(text).for_each(|(format, range)| add(Kind::Format(format), range));
        for range in addresses::find(text, manner, self) {
            add(Kind::Address, range);
        }
        self.by_patterns(text, add);
        let mut found = apart(found);
        let mut named = Vec::new();
        for one in assigned(text) {
            let within = found.partition_point(|secret| secret.range.end <= one.value.start);
            let first = found.get_mut(within).filter(|secret| secret.range.start < one.value.end);
            match first {
                Some(secret) => secret.name = secret.name.or(one.name),
                None if is_secret(one.promise, &text[one.value.clone()], one.manner, self) => {
                    named.push(Secret { name: one.name, kind: Kind::Named, range: one.value });
                }
                None => {}
            }
        }
        found.extend(named);
        apart(found)
    }

    /// The secrets in a value that a document gives to a name: a variable, a label.
    pub(crate) fn in_value<'t>(&self, name: &'t str, value: &'t str) -> Vec<Secret<'t, 'p>> {
        let mut found = self.within(value, Manner::Plain);
        if found.is_empty() {
            let kept = promise(name).is_some_and(|promise| is_secret(promise, value, Manner::Plain, self));
            found.extend(kept.then_some(Secret { name: None, kind: Kind::Named, range: 0..value.len() }));
        }
        for secret in &mut found {
            secret.name = Some(name);
        }
        found
    }

    /// The secrets in the words of a command, each with the number of its word.
    pub(crate) fn in_words<'t>(&self, words: &'t [String]) -> Vec<(usize, Secret<'t, 'p>)> {
        let mut found = Vec::new();
        let mut given = given(words.iter().map(String::as_str)).into_iter().peekable();
        for (number, word) in words.iter().enumerate() {
            let own = self.in_text(word);
            let given = given.next_if(|given| given.number == number).filter(|_| own.is_empty());
            found.extend(own.into_iter().map(|secret| (number, secret)));
            found.extend(given.filter(|given| is_secret(given.promise, given.value, Manner::Code, self)).map(
                |given| {
                    let start = given.value.as_ptr() as usize - word.as_ptr() as usize;
                    let range = start..start + given.value.len();
                    (number, Secret { name: given.name, kind: Kind::Named, range })
                },
            ));
        }
        found
    }

    /// Matches of the policy's own patterns: of the whole text, or of a word in it.
    fn by_patterns(&self, text: &str, mut add: impl FnMut(Kind<'p>, Range<usize>)) {
        let Some(patterns) = self.patterns.filter(|patterns| !patterns.is_empty()) else { return };
        let is_end = |c: char| c.is_whitespace() || "\"'`=:,;|&()<>@".contains(c);
        let words = text.split(is_end).filter(|word| !word.is_empty());
        for word in words.chain((!text.is_empty() && text.contains(is_end)).then_some(text)) {
            if let Some((name, _)) = patterns.iter().find(|(_, pattern)| pattern.matches(word)) {
                let start = word.as_ptr() as usize - text.as_ptr() as usize;
                add(Kind::Pattern(name), start..start + word.len());
            }
        }
    }
}

/// In their order, without those that reach into an earlier one.
fn apart<'t, 'p>(mut found: Vec<Secret<'t, 'p>>) -> Vec<Secret<'t, 'p>> {
    found.sort_by_key(|secret| (secret.range.start, usize::MAX - secret.range.end));
    let mut end = 0;
    found.retain(|secret| {
        let free = secret.range.start >= end;
        if free {
            end = secret.range.end;
        }
        free
    });
    found
}

#[cfg(test)]
mod tests;
