//! What a run says about its baseline: what is known, what is new, what is gone; and the baseline that comes of it.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use super::{Baseline, Entry};
use crate::report::{Cell, CellVerdict, ImageReport};

/// Compares the images of a run with a baseline, one at a time.
#[derive(Debug)]
pub struct Ratchet {
    baseline: Arc<Baseline>,
    /// Only some platforms were judged: what was found on the others is not gone.
    narrowed: bool,
    /// Whether new findings are frozen too.
    grows: bool,
    frozen: Vec<Entry>,
    known: usize,
    new: usize,
    /// Known findings that are still there.
    found: HashSet<String>,
    /// Images that were judged.
    images: HashSet<String>,
    /// Rules of images of which not everything could be known.
    open: HashSet<(String, String)>,
    /// What was judged, where that matters.
    subjects: HashSet<(String, String)>,
}

/// How a run compares with its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaselineDiff {
    /// Findings of this run that are in the baseline.
    pub known: usize,
    /// Findings of this run that are not, and count.
    pub new: usize,
    /// Findings that were added to the baseline.
    pub frozen: usize,
    /// Findings in the baseline that its images do not have any more, in the order of the file.
    pub fixed: Vec<Entry>,
}

impl Ratchet {
    /// Nothing compared yet. `narrowed` says that only some platforms of the images are judged, `grows` that what is new is
    /// frozen too.
    pub fn new(baseline: Arc<Baseline>, narrowed: bool, grows: bool) -> Self {
        Self {
            baseline,
            narrowed,
            grows,
            frozen: Vec::new(),
            known: 0,
            new: 0,
            found: HashSet::new(),
            images: HashSet::new(),
            open: HashSet::new(),
            subjects: HashSet::new(),
        }
    }

    /// Compares an image.
    pub fn add(&mut self, image: &ImageReport) {
        if image.error.is_some() {
            return;
        }
        self.images.insert(image.identity.clone());
        for cell in &image.cells {
            self.subjects.insert((image.identity.clone(), cell.subject.clone()));
            if is_open(cell) {
                self.open.insert((image.identity.clone(), cell.rule.clone()));
            }
            let counting = cell.verdict == CellVerdict::Violation;
            for finding in &cell.findings {
                let known = self.baseline.knows(&image.identity, &cell.rule, &cell.subject, &finding.fingerprint);
                if known {
                    self.found.insert(finding.fingerprint.clone());
                }
                if finding.baselined {
                    self.known += 1;
                } else if finding.waiver.is_none() && counting {
                    self.new += 1;
                }
                if finding.baselined && self.grows && !known {
                    self.frozen.push(entry(image, cell, &finding.fingerprint, &finding.message));
                }
            }
        }
    }

    /// How the run compares, and the baseline that comes of it: without what is fixed, and with what was frozen.
    pub fn end(self) -> (BaselineDiff, Baseline) {
        let fixed: Vec<Entry> =
            self.baseline.entries().into_iter().filter(|entry| self.is_fixed(entry)).cloned().collect();
        let mut next = Baseline::clone(&self.baseline);
        for entry in &fixed {
            next.entries.remove(&entry.fingerprint);
        }
        let frozen: Vec<Entry> = self.frozen;
        let before = next.entries.len();
        next.entries.extend(frozen.into_iter().map(|entry| (entry.fingerprint.clone(), entry)));
        let frozen = next.entries.len() - before;
        (BaselineDiff { known: self.known, new: self.new, frozen, fixed }, next)
    }

    /// Whether a finding is gone for certain: its image was judged, and whether it is still there could be known.
    fn is_fixed(&self, entry: &Entry) -> bool {
        let judged = self.images.contains(&entry.image)
            && (!self.narrowed || self.subjects.contains(&(entry.image.clone(), entry.subject.clone())));
        let open = self.open.contains(&(entry.image.clone(), entry.rule.clone()));
        judged && !open && !self.found.contains(&entry.fingerprint)
    }
}

/// Whether a cell may have findings that nobody saw.
fn is_open(cell: &Cell) -> bool {
    match cell.verdict {
        CellVerdict::Unknown | CellVerdict::NotApplicable => true,
        CellVerdict::Waived => cell.findings.is_empty(),
        CellVerdict::Pass | CellVerdict::Violation | CellVerdict::Baselined => false,
    }
}

fn entry(image: &ImageReport, cell: &Cell, fingerprint: &str, message: &str) -> Entry {
    Entry {
        image: image.identity.clone(),
        rule: cell.rule.clone(),
        subject: cell.subject.clone(),
        fingerprint: fingerprint.to_owned(),
        message: message.to_owned(),
    }
}
