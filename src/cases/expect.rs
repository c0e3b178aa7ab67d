//! What a case expects of its cells, and how it differs from what came.

use std::fmt::{self, Formatter};
use std::ops::Range;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::build::words;
use crate::finding::NodeRole;
use crate::policy::Level;
use crate::report::{Cell, CellVerdict, Facet, FacetKey, SealedFinding};

/// Findings of a cell that are shown besides the one that is nearest to what was expected.
const OTHERS: usize = 4;

/// What is expected of the cells of one rule, or of one of them.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    /// The rule's name in the policy.
    pub(super) rule: String,
    /// The one subject that is meant; `None` for all that are not named otherwise.
    pub(super) subject: Option<String>,
    expected: Expected,
    /// Where it is written.
    pub(super) span: Range<usize>,
}

/// A verdict, and what its finding says.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Expected {
    #[serde(deserialize_with = "verdict")]
    verdict: CellVerdict,
    /// How much a violation matters.
    level: Option<Level>,
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

/// How cases write a verdict.
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
        Ok(Expected {
            verdict: named(text)?,
            level: None,
            at: None,
            node: None,
            message: Vec::new(),
            fix: Vec::new(),
            count: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Expected, A::Error> {
        Expected::deserialize(MapAccessDeserializer::new(access))
    }
}

/// What was expected of a cell, and what came.
pub(super) type Sides = (Vec<Facet>, Vec<Facet>);

impl Expectation {
    /// An expectation of `rule` or `rule@subject`.
    pub(super) fn new(key: &str, expected: Expected, span: Range<usize>) -> Self {
        let (rule, subject) = key.split_once('@').map_or((key, None), |(rule, subject)| (rule, Some(subject)));
        Self { rule: rule.to_owned(), subject: subject.map(ToOwned::to_owned), expected, span }
    }

    /// Whether it is about this cell.
    pub(super) fn is_about(&self, cell: &Cell) -> bool {
        self.rule == cell.rule && self.subject.as_ref().is_none_or(|subject| *subject == cell.subject)
    }

    /// How it is written: `rule` or `rule@subject`.
    pub(super) fn about(&self) -> String {
        let subject = self.subject.as_ref().map(|subject| format!("@{subject}"));
        format!("{}{}", self.rule, subject.unwrap_or_default())
    }

    /// What is expected, without regard to what came.
    pub(super) fn facets(&self) -> Vec<Facet> {
        self.expected.facets(|_, _| false)
    }

    /// How the cell differs; nothing if it is as expected.
    pub(super) fn differs(&self, cell: &Cell) -> Option<Sides> {
        let expected = &self.expected;
        let compare = |finding: Option<&SealedFinding>| {
            let side = Side { cell, finding };
            expected.facets(|key, value| side.meets(key, value))
        };
        // Of several findings the one that is nearest to what was expected.
        let agreeing = |facets: &[Facet]| facets.iter().filter(|facet| facet.agrees).count();
        let sides = cell.findings.iter().map(|finding| (compare(Some(finding)), Some(finding)));
        // The first of those that are equally near.
        let nearest = sides.rev().max_by_key(|(facets, _)| agreeing(facets));
        let (facets, finding) = nearest.unwrap_or_else(|| (compare(None), None));
        if facets.iter().all(|facet| facet.agrees) {
            return None;
        }
        let got = got(cell, finding, &facets);
        Some((facets, got))
    }
}

impl Expected {
    /// Every side of it, and whether that agrees.
    fn facets(&self, agrees: impl Fn(FacetKey, &str) -> bool) -> Vec<Facet> {
        let one = |key, value: String| Facet { agrees: agrees(key, &value), key, value };
        let mut facets = vec![one(FacetKey::Verdict, word(self.verdict).to_owned())];
        facets.extend(self.level.map(|level| one(FacetKey::Level, level.to_string())));
        facets.extend(self.count.map(|count| one(FacetKey::Count, count.to_string())));
        facets.extend(self.node.map(|node| one(FacetKey::In, node.role().as_str().to_owned())));
        facets.extend(self.at.iter().map(|at| one(FacetKey::At, at.clone())));
        facets.extend(self.message.iter().map(|text| one(FacetKey::Message, text.clone())));
        facets.extend(self.fix.iter().map(|text| one(FacetKey::Fix, text.clone())));
        facets
    }
}

/// A cell and one of its findings.
struct Side<'c> {
    cell: &'c Cell,
    finding: Option<&'c SealedFinding>,
}

impl Side<'_> {
    /// Whether a side of what was expected is so.
    fn meets(&self, key: FacetKey, value: &str) -> bool {
        match key {
            FacetKey::Verdict => word(self.cell.verdict) == value,
            FacetKey::Level => self.cell.level.as_str() == value,
            FacetKey::Count => self.cell.findings.len().to_string() == value,
            FacetKey::In => self.finding.is_some_and(|finding| finding.location.node.as_str() == value),
            FacetKey::At => self.finding.is_some_and(|finding| finding.location.pointer == value),
            FacetKey::Message => self.message().contains(value),
            FacetKey::Fix => self.fix().contains(value),
            FacetKey::Other => false,
        }
    }

    /// What the finding says; the reason or the evidence; and why it is waived.
    fn message(&self) -> String {
        let waiver = self.cell.waiver.as_ref().map(|waiver| &waiver.reason);
        let found = self.finding.map(|finding| &finding.message);
        let said = [found, self.cell.reason.as_ref(), self.cell.evidence.as_ref(), waiver];
        said.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn fix(&self) -> &str {
        self.finding.map_or_else(|| self.cell.help.as_deref().unwrap_or_default(), |finding| &finding.fix)
    }
}

/// Everything that came of a cell, as far as it can be set against what was expected.
fn got(cell: &Cell, finding: Option<&SealedFinding>, expected: &[Facet]) -> Vec<Facet> {
    let asked = |key: FacetKey| expected.iter().filter(move |facet| facet.key == key);
    let is_verdict = asked(FacetKey::Verdict).all(|facet| facet.agrees);
    let one = |key: FacetKey, value: String| {
        let agrees =
            if key == FacetKey::Verdict { is_verdict } else { is_verdict && asked(key).all(|facet| facet.agrees) };
        Facet { key, value, agrees }
    };
    let side = Side { cell, finding };
    let mut got = vec![one(FacetKey::Verdict, word(cell.verdict).to_owned())];
    if asked(FacetKey::Level).next().is_some() {
        got.push(one(FacetKey::Level, cell.level.to_string()));
    }
    if asked(FacetKey::Count).next().is_some() || cell.findings.len() > 1 {
        got.push(one(FacetKey::Count, cell.findings.len().to_string()));
    }
    if let Some(finding) = finding {
        got.push(one(FacetKey::In, finding.location.node.as_str().to_owned()));
        let pointer = &finding.location.pointer;
        let said = !pointer.is_empty() || asked(FacetKey::At).next().is_some();
        got.extend(said.then(|| one(FacetKey::At, pointer.clone())));
    }
    got.extend(Some(side.message()).filter(|text| !text.is_empty()).map(|text| one(FacetKey::Message, text)));
    if asked(FacetKey::Fix).next().is_some() && !side.fix().is_empty() {
        got.push(one(FacetKey::Fix, side.fix().to_owned()));
    }
    let others = cell.findings.iter().filter(|other| !finding.is_some_and(|finding| std::ptr::eq(finding, *other)));
    got.extend(others.take(OTHERS).map(|other| one(FacetKey::Message, other.message.clone())));
    got
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

/// `rule@subject`
pub(super) fn name(cell: &Cell) -> String {
    format!("{}@{}", cell.rule, cell.subject)
}

/// A cell's verdict with everything it says.
pub(super) fn shown(cell: &Cell) -> Vec<Facet> {
    got(cell, cell.findings.first(), &[])
}
