//! What a run comes to, added up one image at a time: a run over ten thousand images keeps none of them.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    BaselineDiff, Cell, CellVerdict, Comparison, Diagnostic, ExitStatus, Fetched, ImageReport, PolicyPlace, Run,
    TargetFailure,
};
use crate::policy::Level;

/// The sums of a run so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The images by what came of them.
    pub images: Fates,
    /// The cells by what came of them.
    pub checks: Counts,
    /// What was fetched.
    pub fetched: Fetched,
    /// How the run compares with its baseline, once it has ended.
    pub baseline: Option<BaselineDiff>,
    diagnostics: Vec<Diagnostic>,
    /// Remarks on waivers that some image does not need.
    unneeded: Vec<Diagnostic>,
    /// How the images differ from before, in a run that compares them.
    pub comparison: Option<Comparison>,
    said: HashSet<Diagnostic>,
    /// The waivers that some image needs.
    needed: HashSet<PolicyPlace>,
    status: Option<ExitStatus>,
    incomplete: bool,
}

/// What came of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It violates the policy, or its target is wrong.
    Failed,
    /// Something of level `error` could not be known.
    Unchecked,
    /// Every check of level `error` was made, and passed, was waived or is in the baseline.
    Passed,
}

/// How many images came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates {
    /// Failed.
    pub failed: usize,
    /// Could not be checked.
    pub unchecked: usize,
    /// Passed.
    pub passed: usize,
}

/// How many cells came to what; those that do not apply are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub checks: usize,
    /// Passed.
    pub passed: usize,
    /// Violations of level `error`.
    pub errors: usize,
    /// Violations of level `warning`.
    pub warnings: usize,
    /// Violations of level `note`.
    pub notes: usize,
    /// Not known.
    pub unknown: usize,
    /// Waived.
    pub waived: usize,
    /// In the baseline.
    pub baselined: usize,
}

impl Tally {
    /// Of a run that has judged nothing yet.
    pub fn new(run: &Run) -> Self {
        let comparison = run.reference.clone().map(Comparison::new);
        let mut tally = Self { comparison, ..Self::default() };
        if run.fallback {
            tally.remark(&Diagnostic {
                level: Level::Warning,
                message: "no policy was named and no `ocilint.toml` was found: the built-in `baseline` was used"
                    .to_owned(),
                help: Some("name one with `--policy FILE`, or `--policy ocilint:strict` for a built-in one; `ocilint init` writes one to begin with".to_owned()),
                place: None,
            });
        }
        run.remarks.iter().for_each(|remark| tally.remark(remark));
        tally
    }

    /// Adds an image.
    pub fn add(&mut self, image: &ImageReport) {
        self.images.add(image.fate());
        self.checks.add(&image.cells);
        self.fetched.requests += image.fetched.requests;
        self.fetched.bytes += image.fetched.bytes;
        self.status = self.status.max(Some(image.exit_status()));
        self.incomplete |= !image.is_complete();
        if let Some(comparison) = &mut self.comparison {
            comparison.add(image);
        }
        for remark in &image.remarks {
            self.remark(remark);
        }
        self.needed.extend(image.waivers.needed.iter().cloned());
        for remark in &image.waivers.unneeded {
            if self.said.insert(remark.clone()) {
                self.unneeded.push(remark.clone());
            }
        }
    }

    /// Remarks about the run, each once, in the order in which they came up; those on waivers that no image needs come last.
    pub fn remarks(&self) -> impl Iterator<Item = &Diagnostic> {
        let is_needed = |remark: &Diagnostic| remark.place.as_ref().is_some_and(|place| self.needed.contains(place));
        let unneeded = self.unneeded.iter().filter(move |remark| !is_needed(remark));
        self.diagnostics.iter().chain(unneeded)
    }

    /// Adds a remark about the run, unless it was made before.
    pub fn remark(&mut self, remark: &Diagnostic) {
        if self.said.insert(remark.clone()) {
            self.diagnostics.push(remark.clone());
        }
    }

    /// The exit status of the judging. A run without images is a usage error: nothing checked is never clean.
    pub fn exit_status(&self) -> ExitStatus {
        self.status.unwrap_or(ExitStatus::Usage)
    }

    /// Whether no cell of any level is unknown and every target could be judged.
    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }
}

impl Fates {
    /// How many images there are.
    pub fn total(self) -> usize {
        self.failed + self.unchecked + self.passed
    }

    fn add(&mut self, fate: Fate) {
        *match fate {
            Fate::Failed => &mut self.failed,
            Fate::Unchecked => &mut self.unchecked,
            Fate::Passed => &mut self.passed,
        } += 1;
    }
}

impl Counts {
    /// Of some cells.
    pub fn of(cells: &[Cell]) -> Self {
        let mut counts = Self::default();
        counts.add(cells);
        counts
    }

    fn add(&mut self, cells: &[Cell]) {
        for cell in cells.iter().filter(|cell| cell.verdict != CellVerdict::NotApplicable) {
            self.checks += 1;
            *match (cell.verdict, cell.level) {
                (CellVerdict::Pass | CellVerdict::NotApplicable, _) => &mut self.passed,
                (CellVerdict::Unknown, _) => &mut self.unknown,
                (CellVerdict::Waived, _) => &mut self.waived,
                (CellVerdict::Baselined, _) => &mut self.baselined,
                (CellVerdict::Violation, Level::Error) => &mut self.errors,
                (CellVerdict::Violation, Level::Warning) => &mut self.warnings,
                (CellVerdict::Violation, Level::Note | Level::Off) => &mut self.notes,
            } += 1;
        }
    }
}

impl ImageReport {
    /// What came of it.
    pub fn fate(&self) -> Fate {
        let failed =
            |verdict: CellVerdict| self.cells.iter().any(|cell| cell.level == Level::Error && cell.verdict == verdict);
        match &self.error {
            Some(TargetFailure::Usage { .. }) => Fate::Failed,
            _ if failed(CellVerdict::Violation) => Fate::Failed,
            Some(TargetFailure::Unread(_)) => Fate::Unchecked,
            None if failed(CellVerdict::Unknown) || self.cells.is_empty() => Fate::Unchecked,
            None => Fate::Passed,
        }
    }
}
