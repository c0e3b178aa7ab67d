//! What a case expects of its cells, and how it differs from what came.

use std::fmt::{self, Display, Formatter};

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::build::words;
use crate::finding::NodeRole;
use crate::report::{Cell, CellVerdict, SealedFinding};

/// What is expected of the cells of one rule, or of one of them.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    /// The rule's name in the policy.
    pub(super) rule: String,
    /// The one subject that is meant; `None` for all that are not named otherwise.
    pub(super) subject: Option<String>,
    expected: Expected,
}

/// A verdict, and what its finding says.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Expected {
    #[serde(deserialize_with = "verdict")]
    verdict: CellVerdict,
    /// The JSON pointer of a finding.
    at: Option<String>,
    /// The kind of document that the finding is in.
    #[serde(rename = "in")]
    node: Option<Node>,
    /// What the finding's message holds; of other verdicts the reason or the evidence.
    #[serde(default, deserialize_with = "words")]
    message: Vec<String>,
    /// What the fix holds.
    #[serde(default, deserialize_with = "words")]
    fix: Vec<String>,
    /// How many findings there are.
    count: Option<usize>,
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Node {
    Reference,
    Index,
    Manifest,
    Config,
    Layer,
    Referrer,
    Statement,
}

/// The verdicts, as cases and reports write them.
const VERDICTS: [(&str, CellVerdict); 5] = [
    ("pass", CellVerdict::Pass),
    ("violation", CellVerdict::Violation),
    ("unknown", CellVerdict::Unknown),
    ("waived", CellVerdict::Waived),
    ("not-applicable", CellVerdict::NotApplicable),
];

fn verdict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CellVerdict, D::Error> {
    let text = String::deserialize(deserializer)?;
    named(&text)
}

fn named<E: de::Error>(text: &str) -> Result<CellVerdict, E> {
    let found = VERDICTS.iter().find(|(name, _)| *name == text).map(|(_, verdict)| *verdict);
    let expected = || VERDICTS.map(|(name, _)| name).join(", ");
    found.ok_or_else(|| E::custom(format!("`{text}` is no verdict; expected one of {}", expected())))
}

fn word(verdict: CellVerdict) -> &'static str {
    VERDICTS.iter().find(|(_, known)| *known == verdict).map_or("?", |(name, _)| name)
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectedVisitor)
    }
}

struct ExpectedVisitor;

impl<'de> Visitor<'de> for ExpectedVisitor {
    type Value = Expected;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a verdict, or a table with `verdict`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Expected, E> {
        Ok(Expected { verdict: named(text)?, at: None, node: None, message: Vec::new(), fix: Vec::new(), count: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Expected, A::Error> {
        Expected::deserialize(MapAccessDeserializer::new(access))
    }
}

impl Expectation {
    /// An expectation of `rule` or `rule@subject`.
    pub(super) fn new(key: &str, expected: Expected) -> Self {
        match key.split_once('@') {
            Some((rule, subject)) => Self { rule: rule.to_owned(), subject: Some(subject.to_owned()), expected },
            None => Self { rule: key.to_owned(), subject: None, expected },
        }
    }

    /// Whether it is about this cell.
    pub(super) fn is_about(&self, cell: &Cell) -> bool {
        self.rule == cell.rule && self.subject.as_ref().is_none_or(|subject| *subject == cell.subject)
    }

    /// How the cell differs; nothing if it is as expected.
    pub(super) fn differs(&self, cell: &Cell) -> Option<String> {
        let expected = &self.expected;
        if expected.verdict != cell.verdict {
            return Some(format!("{}: expected {}, got {}", name(cell), word(expected.verdict), shown(cell)));
        }
        if expected.count.is_some_and(|count| count != cell.findings.len()) {
            return Some(format!(
                "{}: expected {expected}, got {} findings: {}",
                name(cell),
                cell.findings.len(),
                shown(cell)
            ));
        }
        let met =
            if cell.findings.is_empty() { expected.is_met_by_words(cell) } else { expected.is_met_by_finding(cell) };
        (!met).then(|| format!("{}: expected {expected}, got {}", name(cell), shown(cell)))
    }
}

impl Expected {
    fn is_met_by_finding(&self, cell: &Cell) -> bool {
        let holds = |text: &str, wanted: &[String]| wanted.iter().all(|wanted| text.contains(wanted));
        let meets = |finding: &SealedFinding| {
            self.at.as_ref().is_none_or(|at| *at == finding.location.pointer)
                && self.node.is_none_or(|node| node.role() == finding.location.node)
                && holds(&finding.message, &self.message)
                && holds(&finding.fix, &self.fix)
        };
        cell.findings.iter().any(meets)
    }

    fn is_met_by_words(&self, cell: &Cell) -> bool {
        let said =
            [&cell.reason, &cell.evidence].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n");
        let help = cell.help.as_deref().unwrap_or_default();
        self.at.is_none()
            && self.node.is_none()
            && self.message.iter().all(|wanted| said.contains(wanted))
            && self.fix.iter().all(|wanted| help.contains(wanted))
    }
}

impl Node {
    fn role(self) -> NodeRole {
        match self {
            Self::Reference => NodeRole::Reference,
            Self::Index => NodeRole::Index,
            Self::Manifest => NodeRole::Manifest,
            Self::Config => NodeRole::Config,
            Self::Layer => NodeRole::Layer,
            Self::Referrer => NodeRole::Referrer,
            Self::Statement => NodeRole::Statement,
        }
    }
}

impl Display for Expected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(word(self.verdict))?;
        self.count.iter().try_for_each(|count| write!(f, " with {count} findings"))?;
        self.node.iter().try_for_each(|node| write!(f, " in {}", node.role().as_str()))?;
        self.at.iter().try_for_each(|at| write!(f, " at `{at}`"))?;
        self.message.iter().try_for_each(|text| write!(f, " saying `{text}`"))?;
        self.fix.iter().try_for_each(|text| write!(f, " with the fix `{text}`"))
    }
}

/// `rule@subject`
pub(super) fn name(cell: &Cell) -> String {
    format!("{}@{}", cell.rule, cell.subject)
}

/// A cell's verdict with everything it says.
pub(super) fn shown(cell: &Cell) -> String {
    let said = [&cell.reason, &cell.evidence, &cell.help].into_iter().flatten().map(|text| format!("\n        {text}"));
    let found = cell.findings.iter().map(|finding| {
        let place = format!("{} `{}`", finding.location.node.as_str(), finding.location.pointer);
        format!("\n        {place}: {}\n          fix: {}", finding.message, finding.fix.replace('\n', " | "))
    });
    format!("{}{}", word(cell.verdict), said.chain(found).collect::<String>())
}
