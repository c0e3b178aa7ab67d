//! Sets what came of a case against what it expects.

use std::collections::BTreeSet;
use std::ops::Range;

use super::build::{Asked, Names};
use super::expect::{Expectation, name, shown};
use super::format::{Case, Others};
use crate::policy::{Level, Policy, PolicyError};
use crate::report::{Cell, CellVerdict, Difference, Facet, FacetKey, ImageReport, TargetFailure, TestedCase};

/// Cells that are named as the reason of an exit status.
const REASONS: usize = 5;

/// What came of judging.
pub(super) struct Judged<'p> {
    pub(super) policy: &'p Policy,
    pub(super) report: ImageReport,
    pub(super) asked: Vec<Asked>,
    pub(super) names: Names,
}

impl Case {
    /// Notes every difference; a mistake is one of the case itself.
    pub(super) fn compare(&self, judged: &Judged<'_>, outcome: &mut TestedCase) -> Result<(), PolicyError> {
        self.compare_questions(judged, outcome)?;
        let report = &judged.report;
        let refusal = report.error.as_ref().map(refusal);
        self.compare_refusal(refusal.as_deref(), outcome);
        // Of an image that could not be read there are no cells, which has been said.
        if refusal.is_none() || !report.cells.is_empty() {
            self.compare_cells(judged.policy, report, outcome);
        }
        self.compare_exit(report.exit_status().code(), &report.cells, outcome);
        Ok(())
    }

    /// A difference that is not about a cell.
    fn other(&self, about: &str, span: &Range<usize>, expected: String, got: String) -> Difference {
        let (line, column) = self.place(span);
        let side = |value| vec![Facet { key: FacetKey::Other, value, agrees: false }];
        Difference { about: about.to_owned(), line, column, expected: side(expected), got: side(got), help: None }
    }

    /// Counts what was asked of the source.
    fn compare_questions(&self, judged: &Judged<'_>, outcome: &mut TestedCase) -> Result<(), PolicyError> {
        for ask in &self.asks {
            let (words, wanted) = &ask.value;
            let meant = judged.names.find(words);
            if meant.is_empty() {
                let message = format!("`asks` names `{words}`, and nothing is called so");
                return Err(self.nameless(&ask.span, &message, &judged.names));
            }
            let got = judged.asked.iter().filter(|asked| meant.contains(asked)).count();
            if got != *wanted {
                let expected = format!("{wanted} questions for `{words}`");
                outcome.differences.push(self.other("asks", &ask.span, expected, got.to_string()));
            }
        }
        Ok(())
    }

    pub(super) fn compare_exit(&self, code: u8, cells: &[Cell], outcome: &mut TestedCase) {
        let Some(exit) = self.exit.as_ref().filter(|exit| exit.value != code) else { return };
        let mut difference =
            self.other("exit", &exit.span, format!("exit status {}", exit.value), format!("exit status {code}"));
        let bad = |cell: &&Cell| {
            cell.level == Level::Error && matches!(cell.verdict, CellVerdict::Violation | CellVerdict::Unknown)
        };
        let reasons: Vec<String> = cells.iter().filter(bad).take(REASONS).map(reason).collect();
        difference.help = (!reasons.is_empty()).then(|| format!("because of {}", reasons.join("; ")));
        outcome.differences.push(difference);
    }

    pub(super) fn compare_refusal(&self, refusal: Option<&str>, outcome: &mut TestedCase) {
        let wanted = self.refused.as_ref();
        let difference = match (wanted, refusal) {
            (None, None) => return,
            (Some(wanted), Some(got)) if got.contains(&wanted.value) => return,
            // A target that cannot be read is a result that an exit status expects.
            (None, Some(_)) if self.exit.is_some() && self.expect.is_empty() => return,
            (None, Some(got)) => {
                let expected = "that it is judged".to_owned();
                let difference = self.other("the image", &self.span, expected, format!("a refusal: {got}"));
                let help = "if that is meant, say `exit = …` and expect no rule, or `refused = \"…\"`".to_owned();
                Difference { help: Some(help), ..difference }
            }
            (Some(wanted), got) => {
                let expected = format!("a refusal saying `{}`", wanted.value);
                let got = got.map_or_else(|| "that it was judged".to_owned(), |got| format!("a refusal: {got}"));
                self.other("refused", &wanted.span, expected, got)
            }
        };
        outcome.differences.push(difference);
    }

    fn compare_cells(&self, policy: &Policy, report: &ImageReport, outcome: &mut TestedCase) {
        let mut met = vec![false; self.expect.len()];
        for cell in &report.cells {
            let about = || self.expect.iter().enumerate().filter(|(_, expectation)| expectation.is_about(cell));
            let by_subject = about().find(|(_, expectation)| expectation.subject.is_some());
            match by_subject.or_else(|| about().next()) {
                Some((at, expectation)) => {
                    met[at] = true;
                    self.compare_cell(expectation, cell, outcome);
                }
                None => outcome.differences.extend(self.unmentioned(policy, cell)),
            }
        }
        let missing = self.expect.iter().zip(met).filter(|(_, met)| !met);
        outcome.differences.extend(missing.map(|(expectation, _)| self.missing(expectation, policy, report)));
    }

    fn compare_cell(&self, expectation: &Expectation, cell: &Cell, outcome: &mut TestedCase) {
        let Some((expected, got)) = expectation.differs(cell) else {
            outcome.shown.insert((cell.kind, cell.verdict));
            return;
        };
        let (line, column) = self.place(&expectation.span);
        outcome.differences.push(Difference { about: name(cell), line, column, expected, got, help: None });
    }

    /// An expectation of a cell that there is not.
    fn missing(&self, expectation: &Expectation, policy: &Policy, report: &ImageReport) -> Difference {
        let (line, column) = self.place(&expectation.span);
        let instance = policy.instances.iter().find(|instance| instance.name == expectation.rule);
        let cells = report.cells.iter().filter(|cell| cell.rule == expectation.rule);
        let cells: Vec<String> = cells.map(name).collect();
        let help = match instance {
            _ if !cells.is_empty() && expectation.subject.is_none() => {
                format!("each is expected by itself already: {}", cells.join(", "))
            }
            _ if !cells.is_empty() => format!("there are: {}", cells.join(", ")),
            Some(instance) if instance.level == Level::Off => "the rule is off".to_owned(),
            Some(instance) if instance.images.is_some() => format!(
                "the rule is for certain images, and this one is `{}`: name it with `target = \"…\"`",
                report.name.as_deref().unwrap_or(&report.target)
            ),
            _ => {
                let rules: BTreeSet<&str> = report.cells.iter().map(|cell| cell.rule.as_str()).collect();
                format!("there are cells of: {}", rules.into_iter().collect::<Vec<_>>().join(", "))
            }
        };
        let (about, expected) = (expectation.about(), expectation.facets());
        Difference { about, line, column, expected, got: Vec::new(), help: Some(help) }
    }

    /// What is wrong with a cell that the case does not mention: it must, unless it says `others = "any"`. A rule that no
    /// policy names is always on; it has to be mentioned where it finds something.
    fn unmentioned(&self, policy: &Policy, cell: &Cell) -> Option<Difference> {
        let explicit = policy.instances.iter().any(|instance| instance.name == cell.rule && instance.is_explicit());
        let silent = self.others == Others::Any || (!explicit && cell.verdict != CellVerdict::Violation);
        let (line, column) = self.place(&self.span);
        let help = "mention it below `expect`, or say `others = \"any\"`".to_owned();
        (!silent).then(|| Difference {
            about: name(cell),
            line,
            column,
            expected: Vec::new(),
            got: shown(cell),
            help: Some(help),
        })
    }
}

/// Why a cell fails a run.
fn reason(cell: &Cell) -> String {
    let found = cell.findings.first().map(|finding| finding.message.as_str());
    let said = found.or(cell.reason.as_deref()).unwrap_or_default();
    format!("{}: {said}", name(cell))
}

fn refusal(failure: &TargetFailure) -> String {
    match failure {
        TargetFailure::Unread(why) => why.to_string(),
        TargetFailure::Usage { message, help } => format!("{message} ({help})"),
    }
}
