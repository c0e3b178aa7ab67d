//! The last lines: counts, what was judged, and what the exit status means.

use crate::oci::escape;
use crate::report::{BaselineDiff, ExitStatus, Tally};

use super::image::problems;
use super::{Human, Part};
use crate::output::paint::Word;
use crate::output::text::{count, size, wrap};

/// Fixed findings that are named; the JSON report has all.
const MOST_FIXED: usize = 20;

impl Human {
    pub(super) fn summary(&self, tally: &Tally) -> Part {
        if self.style.quiet {
            // Which images newly fail is shown, so the count of them is.
            let failing = tally.comparison.as_ref().is_some_and(|comparison| comparison.newly_failing > 0);
            let text = self.comparison(tally).filter(|_| failing).map(|text| text + "\n");
            return Part { text: text.unwrap_or_default(), is_line: false };
        }
        let lines = [
            self.images(tally),
            self.checks(tally),
            self.judged(tally),
            self.policies(),
            self.clock(),
            tally.baseline.as_ref().map(|diff| self.baseline(diff)),
            fetched(tally),
            self.comparison(tally),
            Some(self.exit(tally)),
        ];
        let mut text = String::new();
        for line in lines.into_iter().flatten() {
            text.push_str(&line);
            text.push('\n');
        }
        Part { text, is_line: false }
    }

    fn images(&self, tally: &Tally) -> Option<String> {
        let fates = tally.images;
        let parts = [
            (fates.failed, Word::Error, "failed"),
            (fates.unchecked, Word::Unknown, "could not be checked"),
            (fates.passed, Word::Passed, "passed"),
        ];
        let parts = parts.iter().filter(|(number, ..)| *number > 0);
        let parts: Vec<String> =
            parts.map(|(number, word, said)| self.paint.word(*word, &format!("{number} {said}"))).collect();
        (fates.total() > 0).then(|| format!("{}: {}", count(fates.total(), "image"), parts.join(", ")))
    }

    fn checks(&self, tally: &Tally) -> Option<String> {
        let counts = &tally.checks;
        let passed = (counts.passed > 0).then(|| format!("{} passed", counts.passed));
        let parts: Vec<String> = passed.into_iter().chain(problems(counts)).collect();
        let line = format!("{}: {}", count(counts.checks, "check"), parts.join(", "));
        (counts.checks > 0).then(|| wrap(&line, self.paint.style.width, false))
    }

    /// Of a single image, what to deploy; of several, their own lines say it.
    fn judged(&self, tally: &Tally) -> Option<String> {
        self.only.as_ref().filter(|_| tally.images.total() == 1).map(|name| format!("judged: {name}"))
    }

    fn policies(&self) -> Option<String> {
        let names: Vec<String> = self.run.policies.iter().map(|policy| escape(&policy.name)).collect();
        let fallback = if self.run.fallback { " (built in; none was named or found)" } else { "" };
        (!names.is_empty()).then(|| format!("policy: {}{fallback}", names.join(", ")))
    }

    /// The moment that was judged by, if it is not the present.
    fn clock(&self) -> Option<String> {
        (!self.run.is_present).then(|| format!("as of: {}", escape(&self.run.observed_at)))
    }

    /// `baseline: 12 known, 1 new, 2 fixed`, and which are fixed.
    fn baseline(&self, diff: &BaselineDiff) -> String {
        let BaselineDiff { known, new, frozen, fixed } = diff;
        let added = if *frozen == 0 { String::new() } else { format!(", {frozen} added") };
        let head = format!("baseline: {known} known, {new} new, {} fixed{added}", fixed.len());
        let more = fixed.len().saturating_sub(MOST_FIXED);
        let more = (more > 0).then(|| format!("  … and {more} more"));
        let named = fixed.iter().take(MOST_FIXED).map(|entry| {
            let on = if entry.subject == "root" { String::new() } else { format!(" on {}", escape(&entry.subject)) };
            let line =
                format!("  fixed: {}{on}: {}: {}", escape(&entry.image), escape(&entry.rule), escape(&entry.message));
            wrap(&line, self.paint.style.width, false)
        });
        std::iter::once(head).chain(named).chain(more).collect::<Vec<_>>().join("\n")
    }

    fn exit(&self, tally: &Tally) -> String {
        let exit = tally.exit_status();
        let (word, meaning) = match exit {
            ExitStatus::Clean if tally.baseline.is_some() => {
                (Word::Passed, "every check of level error was made, and passed, was waived or is in the baseline")
            }
            ExitStatus::Clean => (Word::Passed, "every check of level error was made, and passed or was waived"),
            ExitStatus::Violation => (Word::Error, "an image violates the policy"),
            ExitStatus::Unknown => (Word::Unknown, "a check of level error could not be made, which is not a pass"),
            ExitStatus::Usage => (Word::Error, "a target is wrong or no rule covers it"),
            ExitStatus::Internal => (Word::Error, "ocilint itself failed"),
        };
        let line = wrap(&format!("exit {}: {meaning}", exit.code()), self.paint.style.width, false);
        let code = format!("exit {}", exit.code());
        line.replacen(&code, &self.paint.word(word, &code), 1)
    }
}

fn fetched(tally: &Tally) -> Option<String> {
    let requests = usize::try_from(tally.fetched.requests).unwrap_or(usize::MAX);
    (requests > 0).then(|| format!("fetched: {}, {}", count(requests, "request"), size(tally.fetched.bytes)))
}
