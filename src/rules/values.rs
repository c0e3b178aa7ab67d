//! What is wanted of named values: annotations and labels.

use std::cell::LazyCell;
use std::fmt::Write;

use super::prelude::*;
use super::sensitive::shown;
use super::value_type::ValueType;
use crate::oci::pointer;

/// What a policy says of named values, and what they are called.
#[derive(Debug)]
pub(super) struct Wanted<'p> {
    /// `annotation` or `label`.
    pub(super) noun: &'static str,
    pub(super) require: &'p [String],
    pub(super) matches: &'p BTreeMap<String, Pattern>,
    pub(super) types: &'p BTreeMap<String, ValueType>,
    pub(super) deny: &'p [Glob],
    pub(super) deprecated: &'p BTreeMap<String, String>,
}

/// One place where values stand.
#[derive(Debug)]
pub(super) struct Held<'g> {
    /// The place in a sentence: `the manifest`.
    pub(super) name: &'static str,
    pub(super) values: &'g Annotations,
    /// The document that they stand in.
    pub(super) role: NodeRole,
    pub(super) digest: Digest,
    /// The JSON pointer of the object that holds them.
    pub(super) pointer: String,
}

impl Held<'_> {
    fn at(&self, name: &str) -> Location {
        Location::new(self.role, &self.digest, format!("{}{}", self.pointer, pointer(&[&name])))
    }
}

impl Wanted<'_> {
    /// What is wrong with the policy.
    pub(super) fn problems(&self) -> Vec<Problem> {
        if self.names().is_empty() && !self.forbids() {
            let example = "`require = [\"org.opencontainers.image.source\"]`";
            return vec![Problem::missing(format!(
                "nothing is required: name the {}s that are wanted, such as {example}",
                self.noun
            ))];
        }
        self.contradictions()
    }

    /// What in the policy contradicts itself.
    pub(super) fn contradictions(&self) -> Vec<Problem> {
        let denied = |name: &&str| self.deny.iter().any(|glob| glob.matches(name));
        let wanted = self.require.iter().chain(self.matches.keys()).chain(self.deprecated.values()).map(String::as_str);
        let contradiction = wanted
            .into_iter()
            .find(denied)
            .map(|name| Problem::with("deny", format!("`{name}` is wanted and denied: take it out of one of the two")));
        let same = self
            .deprecated
            .iter()
            .find(|(old, new)| old == new)
            .map(|(old, _)| Problem::with("deprecated", format!("`{old}` is named as its own successor")));
        contradiction.into_iter().chain(same).collect()
    }

    /// Whether any name is denied or deprecated.
    pub(super) fn forbids(&self) -> bool {
        !self.deny.is_empty() || !self.deprecated.is_empty()
    }

    /// The names of which something is wanted.
    fn names(&self) -> BTreeSet<&str> {
        let named = self.require.iter().chain(self.matches.keys()).chain(self.types.keys());
        named.map(String::as_str).collect()
    }

    /// Whether a value must be there; a type alone is a condition only on what is there.
    fn is_required(&self, name: &str) -> bool {
        self.matches.contains_key(name) || self.require.iter().any(|required| required == name)
    }

    /// Whether each wanted name has a value in one of the places that is as wanted. A name with a type alone is never
    /// met by places where it is absent, since another place may hold it.
    pub(super) fn is_met(&self, places: &[Held<'_>]) -> bool {
        self.names().into_iter().all(|name| self.place_of(name, places).is_some())
    }

    fn place_of<'h, 'g>(&self, name: &str, places: &'h [Held<'g>]) -> Option<&'h Held<'g>> {
        places.iter().find(|held| held.values.get(name).is_some_and(|value| self.fault(name, value).is_none()))
    }

    /// What is wrong with a value.
    fn fault(&self, name: &str, value: &str) -> Option<String> {
        let shown = || ImageText(&shown(name, value)).to_string();
        if value.trim().is_empty() && self.require.iter().any(|required| required == name) {
            return Some(if value.is_empty() { "is empty" } else { "is blank" }.to_owned());
        }
        if let Some(pattern) = self.matches.get(name).filter(|pattern| !pattern.matches(value)) {
            return Some(format!("is '{}', wanted a match of '{}'", shown(), pattern.as_str()));
        }
        let form = self.types.get(name).filter(|form| !form.admits(value))?;
        Some(format!("is '{}', wanted {form}", shown()))
    }

    /// Adds a finding for each name of which no place has a value as wanted; says where the others were found.
    ///
    /// `absent` is where a missing one is reported.
    pub(super) fn require(
        &self,
        places: &[Held<'_>],
        absent: &Location,
        findings: &mut Findings,
        fix: impl Fn(&str) -> Fix,
    ) -> String {
        let looked = LazyCell::new(|| match places {
            [] => "the image has no place for it".to_owned(),
            places => format!("looked in {}", words::either(places.iter().map(|held| held.name))),
        });
        let mut evidence = String::new();
        for name in self.names() {
            if let Some(held) = self.place_of(name, places) {
                let _ = write!(evidence, "{}{name} in {}", if evidence.is_empty() { "" } else { ", " }, held.name);
                continue;
            }
            let faulty = places.iter().find_map(|held| Some((held, self.fault(name, held.values.get(name)?)?)));
            match faulty {
                Some((held, fault)) => {
                    let message = format!("the {} '{name}' in {} {fault}", self.noun, held.name);
                    findings.add_keyed(message, held.at(name), fix(name), name);
                }
                None if self.is_required(name) => {
                    let message = format!("the {} '{}' is missing: {}", self.noun, ImageText(name), *looked);
                    findings.add_keyed(message, absent.clone(), fix(name), name);
                }
                None => {}
            }
        }
        if evidence.is_empty() { format!("no {} that is denied or of another form", self.noun) } else { evidence }
    }

    /// Adds a finding for each value that must not be there.
    pub(super) fn forbid(&self, held: &Held<'_>, findings: &mut Findings, fix: impl Fn() -> Fix) {
        for name in held.values.keys() {
            let shown = ImageText(name);
            if let Some(glob) = self.deny.iter().find(|glob| glob.matches(name)) {
                let message =
                    format!("the {} '{shown}' in {} is refused by `deny` ('{}')", self.noun, held.name, glob.as_str());
                findings.add_keyed(message, held.at(name), fix(), format!("denied {name}"));
            }
            if let Some(new) = self.deprecated.get(name) {
                let there = if held.values.contains_key(new) { ", which is there as well" } else { "" };
                let message =
                    format!("the {} '{shown}' in {} is deprecated, wanted '{new}'{there}", self.noun, held.name);
                findings.add_keyed(message, held.at(name), fix(), format!("deprecated {name}"));
            }
        }
    }
}
