//! What a run changes about a fleet: each image's outcome beside the one it had before.

use serde::Serialize;

use super::{CellVerdict, Fate, ImageReport};
use crate::oci::Digest;
use crate::policy::Level;

/// What images are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Where the other outcomes come from.
    pub against: Against,
    /// The policy files by which the images were judged there.
    pub policies: Vec<ReferencePolicy>,
}

/// Where the other outcomes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// What came of the images when the snapshots were taken.
    Record,
    /// Another policy, in this run (`--compare-to`).
    Policy,
}

/// A policy file, by name and content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReferencePolicy {
    /// The path as it was named, or `ocilint:NAME`.
    pub source: String,
    /// sha256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What came of an image, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it comes to.
    pub fate: Fate,
    /// The rules of level `error` that are violated; sorted.
    pub failing: Vec<String>,
    /// The rules of level `error` of which something is not known; sorted.
    pub unknown: Vec<String>,
}

/// How the images of a run differ from before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Where the other outcomes come from.
    pub against: Against,
    /// The policy files by which the images were judged there.
    pub policies: Vec<ReferencePolicy>,
    /// How many images were compared.
    pub images: usize,
    /// Those that fail and did not.
    pub newly_failing: usize,
    /// Those that pass and did not.
    pub newly_passing: usize,
    /// Those that cannot be checked and could.
    pub newly_unchecked: usize,
    /// Those that come to the same.
    pub unchanged: usize,
    /// Those of which nothing is known from before: a snapshot that could not be read.
    pub not_compared: usize,
    /// The images whose outcome or whose failing or unknown rules differ, in the order of the run.
    pub changes: Vec<Change>,
}

/// An image that differs from before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The target as it was written.
    pub target: String,
    /// The name it was judged under.
    pub name: Option<String>,
    /// The digest that was judged.
    pub digest: Option<Digest>,
    /// What it came to before.
    pub before: Fate,
    /// What it comes to now.
    pub after: Fate,
    /// The rules that are violated and were not.
    pub newly_failing: Vec<String>,
    /// The rules of which something is not known and was.
    pub newly_unknown: Vec<String>,
    /// The rules that were violated or unknown, and are neither.
    pub mended: Vec<String>,
}

impl Comparison {
    /// Nothing compared yet.
    pub fn new(reference: Reference) -> Self {
        Self {
            against: reference.against,
            policies: reference.policies,
            images: 0,
            newly_failing: 0,
            newly_passing: 0,
            newly_unchecked: 0,
            unchanged: 0,
            not_compared: 0,
            changes: Vec::new(),
        }
    }

    /// Adds an image.
    pub fn add(&mut self, image: &ImageReport) {
        let Some(before) = &image.before else {
            self.not_compared += 1;
            return;
        };
        let after = image.outcome();
        self.images += 1;
        *match after.fate {
            same if same == before.fate => &mut self.unchanged,
            Fate::Failed => &mut self.newly_failing,
            Fate::Passed => &mut self.newly_passing,
            Fate::Unchecked => &mut self.newly_unchecked,
        } += 1;
        if after != *before {
            self.changes.push(Change::between(image, before, &after));
        }
    }

    /// The images that fail and did not.
    pub fn newly_failing(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.after == Fate::Failed && change.before != Fate::Failed)
    }
}

impl Change {
    fn between(image: &ImageReport, before: &Outcome, after: &Outcome) -> Self {
        let but = |these: &[String], those: &[&[String]]| {
            let new = these.iter().filter(|rule| !those.iter().any(|those| those.contains(rule)));
            new.cloned().collect::<Vec<_>>()
        };
        let known: [&[String]; 2] = [&after.failing, &after.unknown];
        let mut mended = [but(&before.failing, &known), but(&before.unknown, &known)].concat();
        mended.sort();
        mended.dedup();
        Self {
            target: image.target.clone(),
            name: image.name.clone(),
            digest: image.digest.clone(),
            before: before.fate,
            after: after.fate,
            newly_failing: but(&after.failing, &[&before.failing]),
            newly_unknown: but(&after.unknown, &[&before.unknown]),
            mended,
        }
    }
}

impl ImageReport {
    /// What came of it, as far as it is compared.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            fate: self.fate(),
            failing: self.rules(CellVerdict::Violation),
            unknown: self.rules(CellVerdict::Unknown),
        }
    }

    /// The rules of level `error` with such a cell, by their names in the policy; sorted.
    fn rules(&self, verdict: CellVerdict) -> Vec<String> {
        let cells = self.cells.iter().filter(|cell| cell.level == Level::Error && cell.verdict == verdict);
        let mut rules: Vec<String> = cells.map(|cell| cell.rule.clone()).collect();
        rules.sort();
        rules.dedup();
        rules
    }
}
