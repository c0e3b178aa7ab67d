//! How the images of snapshots differ from before.

use std::fmt::Write as _;

use super::image::shown;
use super::{Human, Part};
use crate::oci::escape;
use crate::output::paint::Word;
use crate::output::text::{count, wrap};
use crate::report::{Against, Change, Comparison, Tally};

/// Images that are named; JSON names all of them.
const MAX_NAMED: usize = 20;

impl Human {
    /// The images that fail and did not, with the rules that do it.
    pub(super) fn newly_failing(&self, tally: &Tally) -> Part {
        let changes: Vec<&Change> = tally.comparison.iter().flat_map(Comparison::newly_failing).collect();
        let mut text = String::new();
        for change in changes.iter().take(MAX_NAMED) {
            let rules: Vec<String> = change.newly_failing.iter().map(|rule| escape(rule)).collect();
            let rules = if rules.is_empty() { "no rule applies to it".to_owned() } else { rules.join(", ") };
            let name = shown(&change.target, change.name.as_deref());
            let line = format!("{} {name}: {rules}", self.paint.word(Word::Error, "newly fails"));
            text.push_str(&wrap(&line, self.paint.style.width, false));
            text.push('\n');
        }
        if changes.len() > MAX_NAMED {
            let _ = writeln!(text, "and {} more", changes.len() - MAX_NAMED);
        }
        Part { text, is_line: false }
    }

    /// `would newly fail 14 of 212 images (newly pass 3, unchanged 195)`, and what that is compared with.
    pub(super) fn comparison(&self, tally: &Tally) -> Option<String> {
        let comparison = tally.comparison.as_ref()?;
        let some = |number: usize, what: &str| (number > 0).then(|| format!("{what} {number}"));
        let parts = [
            some(comparison.newly_passing, "newly pass"),
            some(comparison.newly_unchecked, "newly unchecked"),
            Some(format!("unchanged {}", comparison.unchanged)),
            some(comparison.not_compared, "not compared"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let failing = comparison.newly_failing;
        let word = if failing > 0 { Word::Error } else { Word::Passed };
        let fail = self.paint.word(word, &format!("would newly fail {failing}"));
        let line = format!("{fail} of {} ({})", count(comparison.images, "image"), parts.join(", "));
        let policies: Vec<String> = comparison.policies.iter().map(|policy| escape(&policy.source)).collect();
        let against = match comparison.against {
            Against::Record => "what the snapshots were taken with",
            Against::Policy => "policy",
        };
        let against = format!("compared with {against}: {}", policies.join(", "));
        let against = (!policies.is_empty()).then_some(against);
        let width = self.paint.style.width;
        let lines: Vec<String> =
            [Some(line), against].into_iter().flatten().map(|line| wrap(&line, width, false)).collect();
        Some(lines.join("\n"))
    }
}
