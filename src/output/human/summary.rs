//! The last lines: counts, what was judged, and what the exit status means.

use crate::oci::escape;
use crate::report::{ExitStatus, exit_status};

use super::image::{Counts, fate, pinned};
use super::{Human, Part};
use crate::output::paint::Word;
use crate::output::text::{count, size, wrap};

impl Human<'_> {
    pub(super) fn summary(&self) -> Part {
        if self.style.quiet {
            return Part { text: String::new(), is_line: false };
        }
        let exit = exit_status(self.report);
        let lines =
            [self.images(), self.checks(), self.judged(), self.policies(), self.fetched(), Some(self.exit(exit))];
        let mut text = String::new();
        for line in lines.into_iter().flatten() {
            text.push_str(&line);
            text.push('\n');
        }
        Part { text, is_line: false }
    }

    fn images(&self) -> Option<String> {
        let images = &self.report.images;
        let fates: Vec<Word> = images.iter().map(fate).collect();
        let of = |word: Word| fates.iter().filter(|fate| **fate == word).count();
        let parts = [(Word::Error, "failed"), (Word::Unknown, "could not be checked"), (Word::Passed, "passed")];
        let parts = parts.iter().map(|(word, said)| (of(*word), *word, *said)).filter(|(number, ..)| *number > 0);
        let parts: Vec<String> =
            parts.map(|(number, word, said)| self.paint.word(word, &format!("{number} {said}"))).collect();
        (!images.is_empty()).then(|| format!("{}: {}", count(images.len(), "image"), parts.join(", ")))
    }

    fn checks(&self) -> Option<String> {
        let counts = Counts::of(self.report.images.iter().flat_map(|image| &image.cells));
        let passed = (counts.passed > 0).then(|| format!("{} passed", counts.passed));
        let parts: Vec<String> = passed.into_iter().chain(counts.problems()).collect();
        let line = format!("{}: {}", count(counts.checks, "check"), parts.join(", "));
        (counts.checks > 0).then(|| wrap(&line, self.paint.style.width, false))
    }

    fn fetched(&self) -> Option<String> {
        let fetched = self.report.fetched;
        let requests = usize::try_from(fetched.requests).unwrap_or(usize::MAX);
        (requests > 0).then(|| format!("fetched: {}, {}", count(requests, "request"), size(fetched.bytes)))
    }

    /// Of a single image, what to deploy; of several, their own lines say it.
    fn judged(&self) -> Option<String> {
        match self.report.images.as_slice() {
            [image] => image.digest.as_ref().map(|_| format!("judged: {}", pinned(image))),
            _ => None,
        }
    }

    fn policies(&self) -> Option<String> {
        let names: Vec<String> = self.report.policies.iter().map(|policy| escape(&policy.name)).collect();
        let fallback = if self.report.fallback { " (built in; none was named or found)" } else { "" };
        (!names.is_empty()).then(|| format!("policy: {}{fallback}", names.join(", ")))
    }

    fn exit(&self, exit: ExitStatus) -> String {
        let (word, meaning) = match exit {
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
