//! Labels that we do not agree with, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    difference: Vec<Difference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// Which comparison.
    check: String,
    /// What is labelled.
    inputs: Vec<String>,
    /// Why we say something else.
    reason: String,
}

/// One comparison of labels with what we say.
pub(crate) struct Comparison {
    check: &'static str,
    compared: usize,
    differs: BTreeMap<String, String>,
    /// What is listed to differ.
    listed: BTreeSet<String>,
}

impl Comparison {
    pub(crate) fn new(check: &'static str) -> Self {
        let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/accuracy/differences.toml")).unwrap();
        let file: File = toml::from_str(&text).unwrap();
        let mut listed = BTreeSet::new();
        for difference in file.difference.into_iter().filter(|difference| difference.check == check) {
            assert!(!difference.reason.trim().is_empty(), "a difference has a reason");
            listed.extend(difference.inputs);
        }
        Self { check, compared: 0, differs: BTreeMap::new(), listed }
    }

    /// Whether a difference is listed.
    pub(crate) fn is_listed(&self, input: &str) -> bool {
        self.listed.contains(input)
    }

    /// Compares one label with what we say.
    pub(crate) fn compare<T: PartialEq + std::fmt::Debug>(&mut self, input: &str, label: &T, ours: &T) {
        self.compared += 1;
        if label != ours {
            let said = self.differs.entry(input.to_owned()).or_default();
            let _ = write!(said, "the label says {label:?}, we say {ours:?}; ");
        }
    }

    /// Fails on a difference that is not listed, and on one that is listed and is none.
    pub(crate) fn settle(self) {
        let unlisted: Vec<_> = self.differs.iter().filter(|(input, _)| !self.is_listed(input)).collect();
        let stale: Vec<_> = self.listed.iter().filter(|input| !self.differs.contains_key(*input)).collect();
        println!("{}: {} compared, {} differ, all listed", self.check, self.compared, self.differs.len());
        assert!(self.compared > 0, "{}: nothing was compared", self.check);
        assert!(unlisted.is_empty(), "{}: not listed: {unlisted:#?}", self.check);
        assert!(stale.is_empty(), "{}: listed, and no difference: {stale:#?}", self.check);
    }
}
