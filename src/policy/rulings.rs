//! What a policy demands of the waivers that are laid on it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Origin;

/// What the keys of `[policy]` demand of waivers. Over several files the strictest holds, so that a file can only tighten
/// what it extends.
#[derive(Debug, Clone)]
pub struct Rulings<P = Origin> {
    /// Where `require-waiver-expiry` is on: a waiver names its last day.
    pub require_expiry: Option<P>,
    /// `max-waiver-days`: the most days that a waiver may run.
    pub max_days: Option<Ruling<u32, P>>,
    /// Where `forbid-waivers` is `true`: there may be none.
    pub forbid_all: Option<P>,
    /// The instances that `forbid-waivers` lists, each with its place in the list.
    pub forbidden: BTreeMap<String, P>,
    /// `waiver-scope`: how narrow the images of a waiver are named.
    pub scope: Option<Ruling<WaiverScope, P>>,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling<T, P = Origin> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub origin: P,
}

/// How narrow the images of a waiver must be named, the loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverScope {
    /// However one likes.
    Any,
    /// Every pattern names one repository, without wildcards.
    Repository,
    /// Every pattern names one repository and a digest.
    Digest,
}

impl WaiverScope {
    /// Every scope, the loosest first.
    pub const ALL: [Self; 3] = [Self::Any, Self::Repository, Self::Digest];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Repository => "repository",
            Self::Digest => "digest",
        }
    }
}

impl<P> Default for Rulings<P> {
    fn default() -> Self {
        Self { require_expiry: None, max_days: None, forbid_all: None, forbidden: BTreeMap::new(), scope: None }
    }
}

impl<P> Rulings<P> {
    /// Adds what another file demands; of two demands alike the first stays.
    pub fn tighten(&mut self, other: Self) {
        self.require_expiry = self.require_expiry.take().or(other.require_expiry);
        self.forbid_all = self.forbid_all.take().or(other.forbid_all);
        self.max_days = stricter(self.max_days.take(), other.max_days, |new, old| new < old);
        self.scope = stricter(self.scope.take(), other.scope, |new, old| new > old);
        for (name, place) in other.forbidden {
            self.forbidden.entry(name).or_insert(place);
        }
    }

    /// Where waivers for an instance are forbidden, if they are.
    pub fn forbids(&self, instance: &str) -> Option<&P> {
        self.forbidden.get(instance).or(self.forbid_all.as_ref())
    }

    /// The same with places of another kind.
    pub(super) fn map<Q>(self, place: impl Fn(P) -> Q) -> Rulings<Q> {
        Rulings {
            require_expiry: self.require_expiry.map(&place),
            max_days: self.max_days.map(|ruling| Ruling { value: ruling.value, origin: place(ruling.origin) }),
            forbid_all: self.forbid_all.map(&place),
            forbidden: self.forbidden.into_iter().map(|(name, at)| (name, place(at))).collect(),
            scope: self.scope.map(|ruling| Ruling { value: ruling.value, origin: place(ruling.origin) }),
        }
    }
}

fn stricter<T, P>(
    old: Option<Ruling<T, P>>,
    new: Option<Ruling<T, P>>,
    is_stricter: impl Fn(&T, &T) -> bool,
) -> Option<Ruling<T, P>> {
    match (old, new) {
        (Some(old), Some(new)) => Some(if is_stricter(&new.value, &old.value) { new } else { old }),
        (old, new) => old.or(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rulings(days: Option<u32>, scope: Option<WaiverScope>, forbidden: &[&str], place: u8) -> Rulings<u8> {
        Rulings {
            max_days: days.map(|value| Ruling { value, origin: place }),
            scope: scope.map(|value| Ruling { value, origin: place }),
            forbidden: forbidden.iter().map(|name| ((*name).to_owned(), place)).collect(),
            ..Rulings::default()
        }
    }

    #[test]
    fn the_strictest_of_several_files_holds() {
        let mut one = rulings(Some(90), Some(WaiverScope::Digest), &["sbom"], 1);
        one.tighten(rulings(Some(30), Some(WaiverScope::Any), &["sbom", "user"], 2));
        one.tighten(Rulings { require_expiry: Some(3), ..rulings(Some(60), None, &[], 3) });
        assert_eq!(one.max_days, Some(Ruling { value: 30, origin: 2 }));
        assert_eq!(one.scope, Some(Ruling { value: WaiverScope::Digest, origin: 1 }));
        assert_eq!((one.forbids("sbom"), one.forbids("user"), one.forbids("labels")), (Some(&1), Some(&2), None));
        assert_eq!((one.require_expiry, one.forbid_all), (Some(3), None));
        one.tighten(Rulings { forbid_all: Some(4), ..Rulings::default() });
        assert_eq!(one.forbids("labels"), Some(&4));
    }
}
