//! Labels that we do not agree with, and why.

use std::collections::BTreeMap;
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
}

impl Comparison {
    pub(crate) fn new(check: &'static str) -> Self {
        Self { check, compared: 0, differs: BTreeMap::new() }
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
        let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/accuracy/differences.toml")).unwrap();
        let file: File = toml::from_str(&text).unwrap();
        let mut listed = BTreeMap::new();
        for difference in file.difference.iter().filter(|difference| difference.check == self.check) {
            assert!(!difference.reason.trim().is_empty(), "a difference has a reason");
            listed.extend(difference.inputs.iter().map(|input| (input.clone(), &difference.reason)));
        }
        let unlisted: Vec<_> = self.differs.iter().filter(|(input, _)| !listed.contains_key(*input)).collect();
        let stale: Vec<_> = listed.keys().filter(|input| !self.differs.contains_key(*input)).collect();
        println!("{}: {} compared, {} differ, all listed", self.check, self.compared, self.differs.len());
        assert!(self.compared > 0, "{}: nothing was compared", self.check);
        assert!(unlisted.is_empty(), "{}: not listed: {unlisted:#?}", self.check);
        assert!(stale.is_empty(), "{}: listed, and no difference: {stale:#?}", self.check);
    }
}
