//! Sealing: cells with everything they need once the graph is gone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::cells::Plan;
use super::waive::{Found, Waivers};
use super::{Judgement, Options, Outcome};
use crate::finding::{Concealed, Finding, Location, NodeRole, Verdict};
use crate::graph::{Graph, Nature, RootKind};
use crate::oci::{self, Digest, ImageText, Manifest};
use crate::policy::Level;
use crate::report::{
    Cell, CellVerdict, Excerpt, Fetched, ImageReport, JudgedPlatform, PolicyPlace, SealedFinding, SealedLocation,
    TargetFailure,
};
use crate::rules::sensitive::{may_hold, shown, veiled, veiled_pointer};

pub(super) fn seal(judgement: &Judgement<'_>, graph: &Graph) -> ImageReport {
    let name = graph.root.target.name.as_ref();
    let canonical = name.map(oci::Reference::canonical_name);
    let sealer = Sealer {
        graph,
        read: 0,
        last: None,
        identity: graph.root.target.identity(),
        options: judgement.options,
        concealed: concealed(judgement),
        waivers: Waivers::new(judgement.policy, canonical.as_deref(), &graph.root.digest, graph.observed_at),
        seen: BTreeMap::new(),
    };
    let (cells, waivers) = sealer.cells(judgement);
    let mut image = ImageReport {
        target: oci::escape(&graph.root.target.text),
        name: name.map(ToString::to_string),
        repository: name.map(oci::Reference::name),
        identity: graph.root.target.identity(),
        digest: Some(graph.root.digest.clone()),
        kind: Some(kind_of(graph)),
        media_type: Some(graph.root.media_type.clone()),
        platforms: judged_platforms(judgement, graph),
        error: None,
        cells,
        remarks: waivers.remarks(),
        waivers: waivers.uses(),
        fetched: Fetched::default(),
        before: None,
    };
    image.error = uncovered(judgement, &image);
    image
}

/// An image that no explicit rule covers, or to which none applies, was not judged.
fn uncovered(judgement: &Judgement<'_>, image: &ImageReport) -> Option<TargetFailure> {
    let explicit = |plan: &&Plan<'_>| plan.instance.is_explicit() && plan.instance.level != Level::Off;
    let rules: Vec<&str> = judgement.plans.iter().filter(explicit).map(|plan| plan.instance.name.as_str()).collect();
    let applies = |cell: &Cell| rules.contains(&cell.rule.as_str()) && cell.verdict != CellVerdict::NotApplicable;
    if image.cells.iter().any(applies) {
        return None;
    }
    // What is wrong with the image all the same is reason enough; nothing is added to it.
    if image.cells.iter().any(|cell| matches!(cell.verdict, CellVerdict::Violation | CellVerdict::Unknown))
        && rules.is_empty()
    {
        return None;
    }
    let (message, help) = if rules.is_empty() {
        ("no rule of the policy is for this image", "widen the `images` of a rule, or leave the image out")
    } else {
        ("none of the policy's rules applies to this image", "add rules that apply to it, or leave it out")
    };
    Some(TargetFailure::Usage { message: message.to_owned(), help: help.to_owned() })
}

fn kind_of(graph: &Graph) -> &'static str {
    if graph.root.kind == RootKind::SavedConfig {
        return "config";
    }
    if graph.root_is_index() { "index" } else { "manifest" }
}

fn judged_platforms(judgement: &Judgement<'_>, graph: &Graph) -> Vec<JudgedPlatform> {
    let Some(subjects) = judgement.subjects.as_ref().filter(|subjects| subjects.nature == Nature::Image) else {
        return Vec::new();
    };
    let asked = |label: &str| {
        judgement.options.platforms.is_empty() || judgement.plans.iter().any(|plan| *plan.label == *label)
    };
    let digest = |entry: &crate::graph::Entry| entry.digest().ok().cloned();
    let entries = subjects.entries.iter().filter(|entry| asked(&entry.label));
    let platforms = entries.map(|entry| JudgedPlatform { platform: oci::escape(&entry.label), digest: digest(entry) });
    // A classic archive has no manifest whose digest could be named.
    let saved = graph.root.kind == RootKind::SavedConfig;
    platforms.map(|platform| if saved { JudgedPlatform { digest: None, ..platform } } else { platform }).collect()
}

/// Bytes of documents, each counted once for every finding in it, beyond which further findings are shown without excerpt: a
/// document of megabytes with hundreds of findings would take minutes.
const MAX_READ: usize = 16 << 20;

/// Members of documents whose own members have whatever names the image gives them.
const FREELY_NAMED: [&str; 5] = ["Labels", "Volumes", "ExposedPorts", "annotations", "args"];

struct Sealer<'g, 'p> {
    graph: &'g Graph,
    /// Of [`MAX_READ`].
    read: usize,
    identity: String,
    options: &'p Options,
    /// The last place that was looked up, and what is shown of it.
    last: Option<(Location, Shown)>,
    /// What no text of the report may hold.
    concealed: Concealed,
    waivers: Waivers<'p>,
    /// How often each fingerprint's text has occurred in this image.
    seen: BTreeMap<String, usize>,
}

/// What a report shows of a place in a document.
#[derive(Debug, Clone, Default)]
struct Shown {
    bytes: Option<[usize; 2]>,
    excerpt: Option<Excerpt>,
}

impl<'g, 'p> Sealer<'g, 'p> {
    fn cells(mut self, judgement: &Judgement<'p>) -> (Vec<Cell>, Waivers<'p>) {
        let mut cells = Vec::with_capacity(judgement.plans.len());
        assert!(
            judgement.plans.len() == judgement.outcomes.len(),
            "invariant: every cell has an outcome, and no other has"
        );
        for (plan, outcome) in judgement.plans.iter().zip(&judgement.outcomes) {
            let outcome = outcome.as_ref().expect("invariant: every planned cell has ended");
            cells.extend(self.cell(plan, outcome));
        }
        (cells, self.waivers)
    }

    fn cell(&mut self, plan: &Plan<'p>, outcome: &Outcome) -> Option<Cell> {
        let off = plan.instance.level == Level::Off;
        let found = self.found(outcome, off);
        if off && found.findings.is_empty() {
            return None;
        }
        let today = self.waivers.today();
        let origin = plan.instance.origin.as_ref().filter(|_| !found.findings.is_empty());
        let place = origin.map(PolicyPlace::from);
        let mut cell = Cell {
            rule: plan.instance.name.clone(),
            kind: plan.instance.rule.name,
            level: self.raised(plan.instance.level_on(today)),
            effective_from: plan.instance.takes_effect_after(today).map(|date| date.to_string()),
            subject: oci::escape(&plan.label),
            verdict: CellVerdict::Pass,
            reason: None,
            help: None,
            evidence: None,
            waiver: None,
            findings: found.findings.iter().map(|finding| self.finding(plan, finding, place.as_ref())).collect(),
        };
        match outcome {
            Outcome::Judged(Verdict::Pass(evidence)) => cell.evidence = Some(self.safe(evidence)),
            Outcome::Judged(Verdict::Violation { .. }) => cell.verdict = CellVerdict::Violation,
            Outcome::Unknown(why) => {
                cell.verdict = CellVerdict::Unknown;
                cell.reason = Some(self.safe(&why.to_string()));
                cell.help = Some(why.help().to_owned());
            }
            Outcome::NotApplicable(reason) => {
                cell.verdict = CellVerdict::NotApplicable;
                cell.reason = Some(self.safe(reason));
            }
        }
        self.freeze(&mut cell, &found);
        self.waivers.cover(plan, &mut cell, &found);
        if is_grave(&cell, &found.findings) {
            cell.level = Level::Error;
            cell.effective_from = None;
        }
        Some(cell)
    }

    /// Marks what the baseline holds. What is grave is not to be got used to: only a waiver for the digest covers it.
    fn freeze(&self, cell: &mut Cell, found: &Found<'_>) {
        let Some(baseline) = &self.options.baseline else { return };
        let held = |(sealed, finding): (&SealedFinding, &&Finding)| {
            !finding.grave && baseline.holds(&self.identity, cell, &sealed.fingerprint)
        };
        let held: Vec<bool> = cell.findings.iter().zip(&found.findings).map(held).collect();
        for (sealed, held) in cell.findings.iter_mut().zip(held) {
            sealed.baselined = held;
        }
    }

    fn raised(&self, level: Level) -> Level {
        if self.options.deny_warnings && level == Level::Warning { Level::Error } else { level }
    }

    fn finding(&mut self, plan: &Plan<'_>, finding: &Finding, place: Option<&PolicyPlace>) -> SealedFinding {
        let location = &finding.location;
        let Shown { bytes, excerpt } =
            if finding.concealed.is_empty() { self.shown(location) } else { Shown::default() };
        SealedFinding {
            message: self.safe(&finding.message),
            fix: oci::escape_lines(finding.fix.as_str()),
            fingerprint: self.fingerprint(plan, finding),
            location: SealedLocation {
                node: location.role,
                digest: location.digest.clone(),
                platform: plan.entry.map(|_| oci::escape(&plan.label)),
                pointer: self.pointer(finding),
                bytes,
                excerpt,
            },
            waiver: None,
            baselined: false,
            policy: place.cloned(),
        }
    }

    /// What was found in a cell; of a rule that is off only what is grave.
    fn found<'o>(&self, outcome: &'o Outcome, off: bool) -> Found<'o> {
        let Outcome::Judged(Verdict::Violation { findings, unknown }) = outcome else {
            return Found { findings: Vec::new(), unknown: None };
        };
        let unknown = unknown.as_ref().filter(|_| !off);
        Found {
            findings: findings.iter().filter(|finding| finding.grave || !off).collect(),
            unknown: unknown.map(|why| (self.safe(&why.to_string()), why.help().to_owned())),
        }
    }

    /// A rule's text, fit to be shown: nothing in it acts on its reader, and no secret is in it.
    fn safe(&self, text: &str) -> String {
        if self.concealed.is_empty() {
            let text = ImageText::plain(text);
            // Nearly every sentence of nearly every image.
            if !may_hold(&text) {
                return oci::escape(&text);
            }
        }
        oci::escape(&self.concealed.hide(text, veiled))
    }

    /// The place of a finding. The names in it are the image's own; that of a secret is shown.
    fn pointer(&self, finding: &Finding) -> String {
        let pointer = veiled_pointer(&finding.location.pointer);
        if self.concealed.is_empty() || !finding.concealed.is_empty() {
            return oci::escape(&pointer);
        }
        let mut free = false;
        let segments = pointer.split('/').map(|segment| {
            let name = oci::pointer_unescape(segment);
            let hidden = if free { self.concealed.hide_in_image(&name) } else { Cow::Borrowed(&*name) };
            free = FREELY_NAMED.contains(&segment);
            hidden.replace('~', "~0").replace('/', "~1")
        });
        oci::escape(&segments.collect::<Vec<_>>().join("/"))
    }

    /// What is shown of a place: found once for all the findings in a row that are there.
    fn shown(&mut self, location: &Location) -> Shown {
        if let Some((_, shown)) = self.last.as_ref().filter(|(last, _)| last == location) {
            return shown.clone();
        }
        let found = self.locate(location);
        let telling = |text: &str, span: &oci::Span| {
            is_variable(location) || holds_secret(text, span, location) || self.conceals(&text[span.value.clone()])
        };
        let bytes = found.as_ref().filter(|(text, span)| !telling(text, span));
        let bytes = bytes.map(|(_, span)| [span.value.start, span.value.end]);
        let excerpt = found.map(|(text, span)| Excerpt::at(text, span).without(&self.concealed));
        let shown = Shown { bytes, excerpt };
        self.last = Some((location.clone(), shown.clone()));
        shown
    }

    /// Whether a value is a text that holds what another finding conceals.
    fn conceals(&self, value: &str) -> bool {
        value.starts_with('"') && matches!(self.concealed.hide_in_image(value), Cow::Owned(_))
    }

    /// Finds a place in its document, as long as that does not take too much reading in all.
    fn locate(&mut self, location: &Location) -> Option<(&'g str, oci::Span)> {
        let text = str::from_utf8(self.graph.bytes(location.digest.as_ref()?)?).ok()?;
        self.read = self.read.saturating_add(text.len());
        if self.read > MAX_READ {
            return None;
        }
        Some((text, oci::locate(text, &location.pointer)?))
    }

    /// Stable across tags, digests, messages and lines: instance, identity, subject, node role, normalised place and the
    /// finding's own key. Equal ones in one image are numbered.
    fn fingerprint(&mut self, plan: &Plan<'_>, finding: &Finding) -> String {
        let role = finding.location.role.as_str();
        let place = self.stable_place(finding);
        let key = ImageText::plain(&finding.key);
        let parts = [plan.instance.name.as_str(), &self.identity, &plan.label, role, &place, &key];
        let text = parts.join("\0");
        let number = self.seen.entry(text.clone()).or_default();
        *number += 1;
        let numbered = if *number == 1 { text } else { format!("{text}\0{number}") };
        format!("v1:{}", &Digest::sha256(numbered.as_bytes()).hex()[..16])
    }

    /// The pointer with the position in an index replaced by the platform there, and every other position left out.
    fn stable_place(&self, finding: &Finding) -> String {
        let segments = finding.location.pointer.split('/').skip(1);
        let mut place = String::new();
        let mut in_manifests = false;
        for segment in segments {
            place.push('/');
            match segment.parse::<usize>() {
                Ok(position) if in_manifests => place.push_str(&self.platform_at(finding, position)),
                Ok(_) => place.push('*'),
                Err(_) => place.push_str(segment),
            }
            in_manifests = segment == "manifests";
        }
        place
    }

    fn platform_at(&self, finding: &Finding, position: usize) -> String {
        let index = finding.location.digest.as_ref().and_then(|digest| self.graph.index(digest));
        let descriptor = index.and_then(|index| index.manifests.get(position));
        let platform = descriptor.and_then(|descriptor| descriptor.platform.as_ref());
        platform.map_or_else(|| "*".to_owned(), ToString::to_string)
    }
}

/// What the findings of an image conceal, whichever report they end in.
fn concealed(judgement: &Judgement<'_>) -> Concealed {
    let mut all = Concealed::default();
    for outcome in judgement.outcomes.iter().flatten() {
        if let Outcome::Judged(Verdict::Violation { findings, .. }) = outcome {
            for finding in findings {
                all.add(&finding.concealed);
            }
        }
    }
    all
}

/// Whether a place is the value of a variable or a step of the history, whose length is nobody's business.
fn is_variable(location: &Location) -> bool {
    let inside = ["/config/Env/", "/container_config/Env/", "/history/"];
    location.role == NodeRole::Config && inside.iter().any(|outer| location.pointer.starts_with(outer))
}

/// Whether the value at a place is a text that holds a secret, whose length is nobody's business either.
fn holds_secret(text: &str, span: &oci::Span, location: &Location) -> bool {
    let name = oci::pointer_unescape(location.pointer.rsplit('/').next().unwrap_or_default());
    let value = &text[span.value.clone()];
    let value = value.starts_with('"').then(|| serde_json::from_str::<String>(value));
    value.is_some_and(|value| value.is_ok_and(|value| shown(&name, &value) != value))
}

/// Whether a cell counts as an error whatever its level: by a grave finding that no waiver covers, or one of those that are
/// waived.
fn is_grave(cell: &Cell, findings: &[&Finding]) -> bool {
    let violates = cell.verdict == CellVerdict::Violation;
    let counts = |sealed: &SealedFinding| sealed.waiver.is_none() || !violates;
    cell.findings.iter().zip(findings).any(|(sealed, finding)| finding.grave && counts(sealed))
}

impl Graph {
    /// An index that was read.
    fn index(&self, digest: &Digest) -> Option<&oci::Index> {
        match self.read_manifest(digest)?.value() {
            Manifest::Index(index) => Some(index),
            _ => None,
        }
    }

    fn root_is_index(&self) -> bool {
        self.index(&self.root.digest).is_some()
    }
}
