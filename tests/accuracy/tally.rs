//! What came of every rule over labelled data.

use std::collections::{BTreeMap, BTreeSet};

use ocilint::report::{CellVerdict, ImageReport};
use ocilint::rules::RULES;

use super::differences::Comparison;

/// What came of one rule.
#[derive(Default)]
struct Tally {
    right: usize,
    unknown: usize,
    /// Otherwise than the label, for a reason that is listed: a label that is wrong, or means something else.
    listed: usize,
    false_alarms: usize,
    missed: usize,
}

/// What came of every rule; each verdict is compared with its label.
pub(crate) struct Table {
    tallies: BTreeMap<String, Tally>,
    comparison: Comparison,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { tallies: BTreeMap::new(), comparison: Comparison::new("rules") }
    }

    /// Counts the verdict of an instance: `meets` is what the label says.
    pub(crate) fn count(&mut self, rule: &str, input: &str, meets: bool, said: Option<bool>) {
        let tally = self.tallies.entry(rule.to_owned()).or_default();
        let Some(said) = said else {
            tally.unknown += 1;
            return;
        };
        let input = format!("{rule}: {input}");
        match (meets, said) {
            _ if meets == said => tally.right += 1,
            _ if self.comparison.is_listed(&input) => tally.listed += 1,
            (false, true) => tally.missed += 1,
            _ => tally.false_alarms += 1,
        }
        self.comparison.compare(&input, &meets, &said);
    }

    /// Prints the table; fails where a verdict differs from a label and no reason is listed, and where a rule was not compared.
    pub(crate) fn settle(self) {
        println!(
            "{:<18} {:>8} {:>8} {:>8} {:>8} {:>12} {:>8}",
            "rule", "decided", "right", "listed", "unknown", "false alarm", "missed"
        );
        for (rule, tally) in &self.tallies {
            let decided = tally.right + tally.listed + tally.false_alarms + tally.missed;
            println!(
                "{rule:<18} {decided:>8} {:>8} {:>8} {:>8} {:>12} {:>8}",
                tally.right, tally.listed, tally.unknown, tally.false_alarms, tally.missed
            );
        }
        let undecided: BTreeSet<&str> = RULES
            .iter()
            .map(|rule| rule.name)
            .filter(|name| self.tallies.get(*name).is_none_or(|tally| tally.right == 0))
            .collect();
        assert!(undecided.is_empty(), "no label was met by {undecided:?}");
        self.comparison.settle();
    }
}

/// What an instance says of an image as a whole: violated anywhere, passed everywhere, or neither.
pub(crate) fn verdict(report: &ImageReport, instance: &str) -> Option<bool> {
    let cells = report.cells.iter().filter(|cell| cell.rule == instance);
    let verdicts: Vec<CellVerdict> = cells.map(|cell| cell.verdict).collect();
    if verdicts.contains(&CellVerdict::Violation) {
        return Some(false);
    }
    (!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == CellVerdict::Pass)).then_some(true)
}
