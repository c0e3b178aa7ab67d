//! What came of testing policies: cases, and how what came differs from what was expected.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};

use super::{CellVerdict, ExitStatus};
use crate::policy::PolicyError;

/// What came of the files of tests that were named.
#[derive(Debug, Clone, Default)]
pub struct Tested {
    /// The files, in the order named.
    pub files: Vec<TestedFile>,
}

/// What came of one file.
#[derive(Debug, Clone, Serialize)]
pub struct TestedFile {
    /// The file as it was named.
    pub file: String,
    /// Its cases, in their order.
    pub cases: Vec<TestedCase>,
}

/// What came of one case.
#[derive(Debug, Clone)]
pub struct TestedCase {
    /// What it shows.
    pub name: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// How what came differs from what was expected.
    pub differences: Vec<Difference>,
    /// What is wrong with the case itself, so that it could not be judged.
    pub mistake: Option<Box<PolicyError>>,
    /// The verdicts that it expected and got, by the rule itself (not its name in the policy).
    pub shown: BTreeSet<(&'static str, CellVerdict)>,
}

/// What a case amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseStatus {
    /// Everything came as expected.
    Passed,
    /// Something else came.
    Failed,
    /// It could not be judged.
    Mistaken,
}

/// One thing that was expected, and what came instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is about: `user@linux/amd64`, `exit`, `refused`, `asks`.
    pub about: String,
    /// The line of the test file on which it is expected, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    /// What was expected; nothing if the case does not mention it.
    pub expected: Vec<Facet>,
    /// What came; nothing if there is no such cell.
    pub got: Vec<Facet>,
    /// What else is to be said.
    pub help: Option<String>,
}

/// One side of what was expected or came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facet {
    /// Which.
    pub key: FacetKey,
    /// What it is.
    pub value: String,
    /// Whether what was expected and what came agree on it.
    pub agrees: bool,
}

/// The sides of an expectation, named as the keys of test files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FacetKey {
    /// The verdict of a cell.
    Verdict,
    /// The level of a cell.
    Level,
    /// The number of findings.
    Count,
    /// The kind of document of a finding.
    In,
    /// The JSON pointer of a finding.
    At,
    /// What a finding, a reason or an evidence says.
    Message,
    /// What mends it.
    Fix,
    /// Something that is no cell: the exit status, a refusal, a number of questions.
    Other,
}

impl Tested {
    /// How many cases there are of a status.
    pub fn count(&self, status: CaseStatus) -> usize {
        self.files.iter().map(|file| file.count(status)).sum()
    }

    /// How the run ends. Nothing tested is never clean.
    pub fn exit_status(&self) -> ExitStatus {
        let cases = self.files.iter().flat_map(|file| &file.cases);
        let status = |case: &TestedCase| match case.status() {
            CaseStatus::Passed => ExitStatus::Clean,
            CaseStatus::Failed => ExitStatus::Violation,
            CaseStatus::Mistaken => ExitStatus::Usage,
        };
        cases.map(status).max().unwrap_or(ExitStatus::Usage)
    }
}

impl TestedFile {
    /// How many cases there are of a status.
    pub fn count(&self, status: CaseStatus) -> usize {
        self.cases.iter().filter(|case| case.status() == status).count()
    }
}

impl TestedCase {
    /// What it amounts to.
    pub fn status(&self) -> CaseStatus {
        match (&self.mistake, self.differences.is_empty()) {
            (Some(_), _) => CaseStatus::Mistaken,
            (None, true) => CaseStatus::Passed,
            (None, false) => CaseStatus::Failed,
        }
    }

    /// Everything that is wrong, a text for each.
    pub fn problems(&self) -> Vec<String> {
        let mistakes = self.mistake.iter().map(ToString::to_string);
        mistakes.chain(self.differences.iter().map(ToString::to_string)).collect()
    }
}

impl Serialize for TestedCase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'c> {
            name: &'c str,
            line: usize,
            status: CaseStatus,
            differences: &'c [Difference],
            mistake: Option<String>,
        }
        let mistake = self.mistake.as_ref().map(ToString::to_string);
        let shape =
            Shape { name: &self.name, line: self.line, status: self.status(), differences: &self.differences, mistake };
        shape.serialize(serializer)
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let said = |facets: &[Facet]| facets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        write!(f, "{}: ", self.about)?;
        match (self.expected.is_empty(), self.got.is_empty()) {
            (true, _) => write!(f, "not mentioned, got {}", said(&self.got))?,
            (false, true) => write!(f, "expected {}, and there is no such cell", said(&self.expected))?,
            (false, false) => write!(f, "expected {}, got {}", said(&self.expected), said(&self.got))?,
        }
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl Display for Facet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let value = &self.value;
        match self.key {
            FacetKey::Verdict | FacetKey::Other => f.write_str(value),
            FacetKey::Level => write!(f, "of level {value}"),
            FacetKey::Count => write!(f, "with {value} findings"),
            FacetKey::In => write!(f, "in {value}"),
            FacetKey::At => write!(f, "at `{value}`"),
            FacetKey::Message => write!(f, "saying `{value}`"),
            FacetKey::Fix => write!(f, "with the fix `{value}`"),
        }
    }
}
