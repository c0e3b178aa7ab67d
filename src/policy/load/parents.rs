//! Policies that cannot be read from here: they have to be fetched first.

use std::collections::BTreeMap;
use std::path::Path;

use super::mistake::{Mistake, Span};
use super::sources::Sources;
use super::{Loader, PolicyErrors, places};
use crate::policy::{Origin, Policy};

/// The bytes of policies that were fetched, by the names that policies give them.
pub type Fetched = BTreeMap<String, Vec<u8>>;

/// How far loading came.
#[derive(Debug)]
pub enum Loading {
    /// To the end.
    Loaded(Box<Policy>),
    /// To policies that have to be fetched; what was read is without mistakes.
    Wants(Vec<Parent>),
}

/// A policy that has to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// What names it: `oci://REGISTRY/REPOSITORY:TAG`.
    pub name: String,
    /// Where a policy names it; `None` for what the user named.
    pub origin: Option<Origin>,
}

/// The same, while loading.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) named_at: Option<Span>,
}

impl Policy {
    /// Loads a policy like [`Policy::load`], or says what has to be fetched for it. Whoever fetches that calls again with all
    /// that was fetched so far, until the policy is loaded. Mistakes in what is there come before anything is fetched.
    pub fn load_with(arguments: &[String], start_dir: &Path, fetched: &Fetched) -> Result<Loading, PolicyErrors> {
        let (places, fallback) = places(arguments, start_dir);
        let sources = Sources::new();
        let mut loader = Loader::new(&sources, Some(fetched));
        let mut policy = loader.load(places);
        policy.fallback = fallback;
        let mut wanted: Vec<Parent> = Vec::new();
        for Wanted { name, named_at } in std::mem::take(&mut loader.parents) {
            if wanted.iter().all(|parent| parent.name != name) {
                wanted.push(Parent { name, origin: named_at.map(|span| sources.origin(&span)) });
            }
        }
        let policy = loader.finish(policy)?;
        Ok(if wanted.is_empty() { Loading::Loaded(Box::new(policy)) } else { Loading::Wants(wanted) })
    }
}

/// The mistake where nobody fetches.
pub(super) fn unfetched(parent: Wanted) -> Mistake {
    let message = format!("the policy `{}` is in a registry, and cannot be read from there", parent.name);
    let mistake = Mistake::nowhere(message).named_at(parent.named_at);
    mistake.help("fetch it into a file, as with `oras pull`, and name the file")
}
