//! What a rule finds about one subject, gathered to a verdict.

use std::fmt::Display;

use super::{Concealed, Finding, Fix, Location};
use crate::graph::{Fact, Stop, Why};
use crate::oci::{Algorithm, Hasher};

/// The most findings of one rule about one subject that are told one by one: an image of a hundred thousand labels may break a rule
/// with each of them, and nobody reads that.
const MOST: usize = 250;

/// Gathers what a rule finds about one subject, and ends as its verdict.
///
/// A violation outweighs what could not be known, and what could not be known outweighs a pass; nothing is decided while
/// a fact is still pending.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    stop: Option<Stop>,
}

/// What a rule says about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The subject meets the rule; with the evidence.
    Pass(String),
    /// It does not.
    Violation {
        /// What was found; at least one.
        findings: Vec<Finding>,
        /// What could not be known beside it: accepting the findings does not make a pass.
        unknown: Option<Why>,
    },
}

impl Findings {
    /// Nothing found so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding.
    pub fn add(&mut self, message: impl Display, location: Location, fix: Fix) {
        self.add_keyed(message, location, fix, "");
    }

    /// Adds a finding with a key that tells it from others at the same place.
    pub fn add_keyed(&mut self, message: impl Display, location: Location, fix: Fix, key: impl Into<String>) {
        self.push(message, location, fix, key.into());
    }

    /// Adds a finding that no level lowers and no waiver covers unless it names the digest.
    pub fn add_grave(&mut self, message: impl Display, location: Location, fix: Fix, key: impl Into<String>) {
        self.push(message, location, fix, key.into()).grave = true;
    }

    /// Adds a finding about values that no report may show.
    pub fn add_concealed(
        &mut self,
        message: impl Display,
        location: Location,
        fix: Fix,
        key: impl Into<String>,
        values: Concealed,
    ) {
        self.push(message, location, fix, key.into()).concealed = values;
    }

    fn push(&mut self, message: impl Display, location: Location, fix: Fix, key: String) -> &mut Finding {
        let (message, grave, concealed) = (message.to_string(), false, Concealed::default());
        self.found.push(Finding { message, location, fix, key, grave, concealed });
        self.found.last_mut().expect("invariant: it was just added")
    }

    /// The fact, or `None` after noting that it is pending or could not be known; the rule goes on with the rest.
    pub fn note<T>(&mut self, fact: Fact<T>) -> Option<T> {
        match fact {
            Ok(fact) => Some(fact),
            Err(stop) => {
                self.stop(stop);
                None
            }
        }
    }

    /// Notes that something is pending or could not be known.
    pub fn stop(&mut self, stop: Stop) {
        let outweighs = self.stop.as_ref().is_none_or(|known| weight(known) < weight(&stop));
        if outweighs {
            self.stop = Some(stop);
        }
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The verdict: pending first, then violation, then unknown, then pass with the evidence.
    pub fn verdict(self, evidence: impl FnOnce() -> String) -> Fact<Verdict> {
        match self.stop {
            Some(Stop::Pending) => Err(Stop::Pending),
            stop if !self.found.is_empty() => {
                let unknown = match stop {
                    Some(Stop::Unknown(why)) => Some(why),
                    _ => None,
                };
                Ok(Verdict::Violation { findings: bounded(self.found), unknown })
            }
            Some(stop) => Err(stop),
            None => Ok(Verdict::Pass(evidence())),
        }
    }
}

/// The first findings, and one that stands for all the others. What is grave is always told.
fn bounded(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut told = 0;
    let beyond = |finding: &mut Finding| {
        told += usize::from(!finding.grave);
        !finding.grave && told > MOST
    };
    let rest: Vec<Finding> = findings.extract_if(.., beyond).collect();
    if let [first, ..] = &rest[..] {
        let mut concealed = Concealed::default();
        for finding in &rest {
            concealed.add(&finding.concealed);
        }
        findings.push(Finding {
            message: format!("and {} more findings of this rule; the first {MOST} are told", rest.len()),
            location: Location { pointer: String::new(), ..first.location.clone() },
            fix: first.fix.clone(),
            key: others(&rest),
            grave: false,
            concealed,
        });
    }
    findings
}

/// What tells findings that are not told one by one from any others: no baseline or waiver for them covers one that takes the
/// place of another.
fn others(rest: &[Finding]) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for Finding { location, key, .. } in rest {
        for part in [&location.pointer, key] {
            hasher.update(&part.len().to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finish().hex().to_owned()
}

/// What may still change outweighs what could not be known, and that outweighs what does not apply.
fn weight(stop: &Stop) -> u8 {
    match stop {
        Stop::NotApplicable(_) => 0,
        Stop::Unknown(_) => 1,
        Stop::Pending => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(number: usize) -> Vec<Finding> {
        let mut findings = Findings::new();
        for number in 0..number {
            findings.add_keyed("a label", Location::reference(), Fix::new("mend it"), number.to_string());
        }
        findings.add_grave("ambiguous", Location::reference(), Fix::new("mend it"), "");
        let Ok(Verdict::Violation { findings, .. }) = findings.verdict(String::new) else { panic!("a violation") };
        findings
    }

    #[test]
    fn many_findings_are_told_by_their_number() {
        assert_eq!(gathered(MOST).len(), MOST + 1);
        let findings = gathered(MOST + 7);
        assert_eq!(findings.len(), MOST + 2);
        assert!(findings.iter().any(|finding| finding.grave), "what is grave is always told");
        assert_eq!(findings.last().unwrap().message, "and 7 more findings of this rule; the first 250 are told");
    }

    #[test]
    fn what_is_not_told_is_known_again_only_as_a_whole() {
        let findings = gathered(MOST + 7);
        let key = |findings: &[Finding]| others(&findings[..7]);
        let mut swapped = findings.clone();
        swapped[3].key = "another label".to_owned();
        assert_eq!(key(&findings), key(&gathered(MOST + 7)));
        assert_ne!(key(&findings), key(&swapped));
        assert_ne!(others(&findings[..7]), others(&findings[..6]));
    }
}
