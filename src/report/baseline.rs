//! The baseline: findings that were there when it was made, so that only new ones count.
//!
//! A finding is known again by its fingerprint, which holds no tag, digest, message or line. An entry also says of which image,
//! rule and subject it is, for whoever reviews the file; these have to agree, so that it covers nothing else than it says. Only
//! the message is free.

mod file;
mod ratchet;

use std::collections::{BTreeMap, BTreeSet};

pub use file::BaselineError;
pub use ratchet::{BaselineDiff, Ratchet};

use crate::policy::Policy;

/// Findings that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The policies that it was made with, by the names of their files.
    policies: Vec<String>,
    /// By fingerprint.
    entries: BTreeMap<String, Entry>,
}

/// One known finding. The order is that of the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What identifies the image across versions: registry and repository, or the path.
    pub image: String,
    /// The rule's name in the policy.
    pub rule: String,
    /// `root`, or the platform's name.
    pub subject: String,
    /// The finding's.
    pub fingerprint: String,
    /// What was wrong when it was frozen.
    pub message: String,
}

impl Baseline {
    /// One that knows nothing.
    pub fn new(policy: &Policy) -> Self {
        Self { policies: names(policy), entries: BTreeMap::new() }
    }

    /// Whether a finding is known.
    pub fn knows(&self, image: &str, rule: &str, subject: &str, fingerprint: &str) -> bool {
        let agrees = |entry: &Entry| entry.image == image && entry.rule == rule && entry.subject == subject;
        self.entries.get(fingerprint).is_some_and(agrees)
    }

    /// The findings, in the order of the file.
    pub fn entries(&self) -> BTreeSet<&Entry> {
        self.entries.values().collect()
    }

    /// What speaks against judging by this policy with it: its findings would mean something else.
    pub fn differs_from(&self, policy: &Policy) -> Option<String> {
        let wanted = names(policy);
        if self.policies != wanted {
            let (made, now) = (self.policies.join(", "), wanted.join(", "));
            return Some(format!("it was made with the policy {made}, and this run judges by {now}"));
        }
        None
    }
}

/// The files that were named as policies; without their directories, which depend on where the program is run.
fn names(policy: &Policy) -> Vec<String> {
    let file = |name: &String| name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
    policy.named.iter().map(file).collect()
}
