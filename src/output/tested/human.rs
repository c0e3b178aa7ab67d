//! For people: a line for each file, and of each case that fails what was expected beside what came.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::oci::{escape, escape_lines};
use crate::output::Style;
use crate::output::paint::{Paint, Word};
use crate::output::text::{count, guard, wrap};
use crate::report::{CaseStatus, Difference, Facet, Tested, TestedCase, TestedFile};

/// Writes what came of the tests.
pub(super) fn write(tested: &Tested, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let human = Human { paint: Paint::new(style) };
    let mut text = String::new();
    for file in &tested.files {
        human.file(file, &mut text);
    }
    let passed = tested.count(CaseStatus::Passed);
    if !style.quiet || passed < tested.files.iter().map(|file| file.cases.len()).sum() {
        human.closing(tested, &mut text);
    }
    out.write_all(guard(&text, style.color, style.unicode).as_bytes())
}

struct Human {
    paint: Paint,
}

impl Human {
    fn file(&self, file: &TestedFile, text: &mut String) {
        let name = escape(&file.file);
        for case in file.cases.iter().filter(|case| case.status() == CaseStatus::Failed) {
            self.case(&name, case, text);
            text.push('\n');
        }
        let passed = file.count(CaseStatus::Passed);
        if passed > 0 && !self.paint.style.quiet {
            let noun = if passed == file.cases.len() { "case" } else { "other case" };
            let sign = self.sign(Word::Passed);
            let _ = writeln!(text, "{sign} {name}: {} passed", count(passed, noun));
            if passed < file.cases.len() {
                text.push('\n');
            }
        }
    }

    /// `✗`, or the word for it.
    fn sign(&self, word: Word) -> String {
        match (self.paint.style.narrated, word) {
            (true, Word::Passed) => "passed:".to_owned(),
            (true, _) => "failed:".to_owned(),
            (false, _) => self.paint.sign(word),
        }
    }

    fn case(&self, file: &str, case: &TestedCase, text: &mut String) {
        let name = self.paint.bold(&escape(&case.name));
        let _ = writeln!(text, "{} {file}:{}: {name}", self.sign(Word::Error), case.line);
        for difference in &case.differences {
            self.difference(file, difference, text);
        }
    }

    fn difference(&self, file: &str, difference: &Difference, text: &mut String) {
        let place = format!("{file}:{}:{}", difference.line, difference.column);
        let said = match (difference.expected.is_empty(), difference.got.is_empty()) {
            (true, _) => "not mentioned in the case".to_owned(),
            (false, true) => format!("no such cell, expected at {place}"),
            (false, false) => format!("expected at {place}"),
        };
        let _ = writeln!(text, "  {}: {said}", self.paint.bold(&escape(&difference.about)));
        let asked = |facet: &Facet| difference.expected.iter().any(|expected| expected.key == facet.key);
        for facet in &difference.expected {
            self.line(if facet.agrees { Side::Both } else { Side::Expected }, facet, text);
        }
        for facet in difference.got.iter().filter(|facet| !(facet.agrees && asked(facet))) {
            self.line(if facet.agrees { Side::Both } else { Side::Got }, facet, text);
        }
        if let Some(help) = &difference.help {
            let help = wrap(&escape_lines(help), self.paint.style.width.saturating_sub(10), true);
            let _ = writeln!(text, "    help: {}", help.replace('\n', "\n          "));
        }
    }

    /// One side of a difference: `-` only expected, `+` only got.
    fn line(&self, side: Side, facet: &Facet, text: &mut String) {
        let said = wrap(&escape_lines(&facet.to_string()), self.paint.style.width.saturating_sub(6), true);
        let (sign, word) = match side {
            Side::Both => (" ", "both"),
            Side::Expected => ("-", "expected"),
            Side::Got => ("+", "got"),
        };
        for line in said.lines() {
            let line = if self.paint.style.narrated { format!("{word}: {line}") } else { format!("{sign} {line}") };
            let painted = match side {
                Side::Both => line,
                Side::Expected => self.paint.word(Word::Passed, &line),
                Side::Got => self.paint.word(Word::Error, &line),
            };
            let _ = writeln!(text, "    {painted}");
        }
    }

    /// `12 cases passed, 2 failed`
    fn closing(&self, tested: &Tested, text: &mut String) {
        let parts = [
            (CaseStatus::Passed, Word::Passed, "passed"),
            (CaseStatus::Failed, Word::Error, "failed"),
            (CaseStatus::Mistaken, Word::Unknown, "could not be judged"),
        ];
        let counted = parts.map(|(status, word, said)| (tested.count(status), word, said));
        let said = counted.into_iter().filter(|(number, ..)| *number > 0).enumerate();
        let said = said.map(|(at, (number, word, said))| {
            let number = if at == 0 { count(number, "case") } else { number.to_string() };
            self.paint.word(word, &format!("{number} {said}"))
        });
        let _ = writeln!(text, "{}", said.collect::<Vec<_>>().join(", "));
    }
}

/// Which side of a difference says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Expected,
    Got,
}
