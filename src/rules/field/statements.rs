//! Fields of statements about the image.
//!
//! What is wanted is looked for until one statement meets it; what is refused is looked for in every home, as by the rule
//! `attestation`.

use super::super::carriers::{Content, Coverage, Sought, are_others};
use super::super::prelude::*;
use super::Quantifier;
use super::comparison::Comparison;
use super::documents::Documents;
use super::judge;
use super::selector::Selector;

/// Statements of a type, and what is wanted of a field of theirs.
pub(super) struct Statements<'p> {
    pub(super) of_type: &'p Glob,
    pub(super) coverage: Coverage,
    pub(super) selector: Selector<'p>,
    pub(super) comparison: &'p Comparison<'p>,
    pub(super) quantifier: Quantifier,
}

impl Statements<'_> {
    /// Judges what is about a subject.
    pub(super) fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let fix = || {
            Fix::new("attach a statement that says so, or remove the one that does not; what is attached:")
                .or(&words::about("regctl artifact tree {}", subject, view))
        };
        if !self.refuses() {
            return self.coverage.require(self, subject, view, fix);
        }
        let mut findings = Findings::new();
        let (found, doubt) = self.coverage.search(self, subject, view)?.all()?;
        for found in &found {
            findings.add_keyed(
                format!("{} ({})", found.what(), found.carrier()),
                found.location(),
                fix(),
                found.what(),
            );
        }
        if let Some(why) = doubt {
            findings.stop(why.into());
        }
        findings.verdict(|| format!("no statement of type '{}' says otherwise", self.of_type.as_str()))
    }

    /// Whether the policy says what must not be.
    fn refuses(&self) -> bool {
        self.quantifier == Quantifier::None || matches!(self.comparison, Comparison::Exists(false))
    }
}

impl Sought for Statements<'_> {
    fn noun(&self) -> String {
        let wanted = if self.refuses() { "that the rule refuses" } else { "that meets the rule" };
        format!("statement of type '{}' {wanted}", self.of_type.as_str())
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att"]
    }

    fn opens_statements(&self) -> bool {
        self.refuses()
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        matches!(content, Content::Statement { predicate_type, .. } if self.of_type.matches(predicate_type))
    }

    fn proven(&self) -> &'static str {
        "no signature was verified"
    }

    /// A statement is looked for that meets what is wanted, or does not meet what must not be.
    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let Content::Statement { layer, predicate_type } = content else { return Ok(Err(content.to_string())) };
        let text = view.statement_text(layer)?;
        if let Some(reason) = are_others(text.subjects(), about) {
            return Ok(Err(reason));
        }
        let documents = Documents::statement(text, layer)?;
        if let Some(reason) = documents.is_called_otherwise(predicate_type) {
            return Ok(Err(reason));
        }
        let verdict = judge::judge(&documents, self.selector, self.comparison, self.quantifier, &Fix::default)?;
        Ok(match verdict {
            Verdict::Pass(evidence) if self.refuses() => Err(evidence),
            Verdict::Pass(evidence) => Ok(evidence),
            Verdict::Violation { findings, .. } => {
                let first = findings.into_iter().next().map(|finding| finding.message).unwrap_or_default();
                if self.refuses() { Ok(first) } else { Err(first) }
            }
        })
    }
}
