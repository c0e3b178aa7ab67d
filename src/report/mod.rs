//! What came of a run: cells, one report an image, the whole report, and the exit status.

mod baseline;
mod comparison;
mod excerpt;
mod exit;
mod tally;
mod tested;
mod waivers;

pub use baseline::{Baseline, BaselineDiff, BaselineError, Entry, Ratchet};
pub use comparison::{Against, Change, Comparison, Outcome, Reference, ReferencePolicy};
pub use excerpt::{Excerpt, ExcerptLine};
pub use exit::ExitStatus;
pub use tally::{Counts, Fate, Fates, Tally};
pub use tested::{CaseStatus, Difference, Facet, FacetKey, Tested, TestedCase, TestedFile};
pub use waivers::dead_waivers;

use std::sync::Arc;

use serde::Serialize;

use crate::finding::NodeRole;
pub use crate::graph::Fetched;
use crate::graph::Why;
use crate::oci::{Digest, MediaType};
use crate::policy::{Level, PolicySource};

/// What is known of a run before its first image.
#[derive(Debug, Clone)]
pub struct Run {
    /// The one clock of the run, RFC 3339.
    pub observed_at: String,
    /// Whether that is the present, and not a moment that was asked for.
    pub is_present: bool,
    /// The policy files.
    pub policies: Vec<Arc<PolicySource>>,
    /// Whether the policy is the built-in `baseline` because none was named or found.
    pub fallback: bool,
    /// Every use of a rule that was active, for descriptions of rules in reports.
    pub instances: Vec<InstanceNote>,
    /// What is to be said about the policy whatever the images are.
    pub remarks: Vec<Diagnostic>,
    /// What the images are compared with, if they are.
    pub reference: Option<Reference>,
}

/// A run that is held as a whole: for few images. Of many, each goes to the writers and into the [`Tally`] as it comes.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was known before the first image.
    pub run: Arc<Run>,
    /// One for each target, in the order named.
    pub images: Vec<ImageReport>,
}

/// A use of a rule, as reports describe it.
#[derive(Debug, Clone)]
pub struct InstanceNote {
    /// Its name in the policy.
    pub name: String,
    /// The rule it uses.
    pub rule: &'static str,
    /// One line: what the rule checks.
    pub summary: &'static str,
    /// The rule's documentation, Markdown.
    pub docs: &'static str,
    /// How much a violation matters.
    pub level: Level,
    /// The policy author's own words of help.
    pub help: Option<String>,
    /// The policy author's own page.
    pub url: Option<String>,
    /// Where it was written; `None` for an always-on rule that no policy names.
    pub place: Option<PolicyPlace>,
}

/// A remark about the run itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Diagnostic {
    /// How much it matters; none fails a run.
    pub level: Level,
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where in a policy.
    pub place: Option<PolicyPlace>,
}

/// One image, sealed: everything owned, nothing of the graph left.
#[derive(Debug, Clone)]
pub struct ImageReport {
    /// The target as the user wrote it.
    pub target: String,
    /// The name it was judged under, with tag and digest as written.
    pub name: Option<String>,
    /// Registry and repository of that name, as it is deployed by digest.
    pub repository: Option<String>,
    /// What identifies it across versions: registry and repository, or the path.
    pub identity: String,
    /// The digest that was judged.
    pub digest: Option<Digest>,
    /// `index`, `manifest`, or `config` (a classic `docker save` archive).
    pub kind: Option<&'static str>,
    /// The root's media type.
    pub media_type: Option<MediaType>,
    /// The platforms that were judged.
    pub platforms: Vec<JudgedPlatform>,
    /// Why the target could not be judged at all.
    pub error: Option<TargetFailure>,
    /// Every cell, sorted by rule and then in the order of the platforms.
    pub cells: Vec<Cell>,
    /// What is to be said about the waivers that are for it.
    pub remarks: Vec<Diagnostic>,
    /// Which of them it needs.
    pub waivers: WaiverUse,
    /// What was fetched for it.
    pub fetched: Fetched,
    /// What it is compared with: what came of it when the snapshot was taken, or comes of it under another policy.
    pub before: Option<Outcome>,
}

/// Which waivers an image needs, of those that are for it and still count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaiverUse {
    /// Where those are written that it needs, or may need: something could not be known.
    pub needed: Vec<PolicyPlace>,
    /// Remarks on the others. They are worth saying of a run only if none of its images needs the waiver.
    pub unneeded: Vec<Diagnostic>,
}

/// One platform that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgedPlatform {
    /// Its name.
    pub platform: String,
    /// The manifest's digest.
    pub digest: Option<Digest>,
}

/// Why a target could not be judged at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetFailure {
    /// Learnt by reading: network, authentication, unknown tag, missing file …
    Unread(Why),
    /// The target's text is wrong, or no rule covers it; known without reading.
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
}

/// One (image, rule instance, subject).
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The instance: the rule's name in the policy.
    pub rule: String,
    /// The rule it uses.
    pub kind: &'static str,
    /// How much a violation matters; no more than `warning` before the rule takes effect.
    pub level: Level,
    /// The first day on which it counts as an error, while that is still to come.
    pub effective_from: Option<String>,
    /// `root`, or the platform's name.
    pub subject: String,
    /// What came of it.
    pub verdict: CellVerdict,
    /// Why it is unknown or not applicable.
    pub reason: Option<String>,
    /// What to do about an unknown.
    pub help: Option<String>,
    /// What a pass rests on.
    pub evidence: Option<String>,
    /// The waiver that covers it.
    pub waiver: Option<WaiverNote>,
    /// What was found; also of a waived cell. In a violation only those count that no waiver covers and the
    /// baseline does not hold.
    pub findings: Vec<SealedFinding>,
}

/// What came of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellVerdict {
    /// The subject meets the rule.
    Pass,
    /// It does not.
    Violation,
    /// It could not be known.
    Unknown,
    /// A waiver covers a violation or an unknown.
    Waived,
    /// All that was found is in the baseline (or waived).
    Baselined,
    /// The rule does not apply to the subject.
    NotApplicable,
}

/// The waiver that covers a cell or a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaiverNote {
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// A page about it.
    pub link: Option<String>,
    /// Where it was written.
    #[serde(rename = "policy")]
    pub place: PolicyPlace,
}

/// A finding with everything it needs once the graph is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealedFinding {
    /// What is wrong. Text from the image in it is already escaped.
    pub message: String,
    /// How to mend it.
    pub fix: String,
    /// `v1:` and 16 hexadecimal digits; stable across tags, digests, messages and lines.
    pub fingerprint: String,
    /// Where in the image.
    pub location: SealedLocation,
    /// The waiver that covers it, so that it does not count.
    pub waiver: Option<WaiverNote>,
    /// Whether the baseline holds it, so that it does not count.
    pub baselined: bool,
    /// Where in the policy.
    pub policy: Option<PolicyPlace>,
}

/// A place in a document, with the excerpt that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealedLocation {
    /// What kind of document.
    pub node: NodeRole,
    /// Its digest.
    pub digest: Option<Digest>,
    /// The platform it belongs to.
    pub platform: Option<String>,
    /// The JSON pointer in it.
    pub pointer: String,
    /// The raw byte range of the value there.
    pub bytes: Option<[usize; 2]>,
    /// The lines around it, re-indented and escaped; for people only.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// A place in a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct PolicyPlace {
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The line's text.
    #[serde(skip)]
    pub text: String,
}

impl From<&crate::policy::Origin> for PolicyPlace {
    fn from(origin: &crate::policy::Origin) -> Self {
        let (line, column) = origin.line_column();
        Self { file: origin.source.name.clone(), line, column, text: origin.line_text().to_owned() }
    }
}

impl Report {
    /// What the run comes to.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::new(&self.run);
        for image in &self.images {
            tally.add(image);
        }
        tally
    }

    /// The exit status of the judging.
    pub fn exit_status(&self) -> ExitStatus {
        self.tally().exit_status()
    }
}

impl Cell {
    /// The findings that count: those that no waiver covers and the baseline does not hold.
    pub fn counting(&self) -> impl Iterator<Item = &SealedFinding> {
        self.findings.iter().filter(|finding| finding.counts())
    }
}

impl SealedFinding {
    /// Whether no waiver covers it and the baseline does not hold it.
    pub fn counts(&self) -> bool {
        self.waiver.is_none() && !self.baselined
    }
}

impl ImageReport {
    /// Whether every cell is known.
    pub fn is_complete(&self) -> bool {
        self.error.is_none() && self.cells.iter().all(|cell| cell.verdict != CellVerdict::Unknown)
    }
}
