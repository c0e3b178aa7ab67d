//! Results: one for each finding, and one for each cell that could not be known.

use std::collections::BTreeMap;

use crate::oci::{Digest, escape};
use crate::policy::Level;
use crate::report::{Cell, CellVerdict, ImageReport, PolicyPlace, Run, SealedFinding};

use super::model::{Fingerprints, Location, LogicalLocation, Message, ResultProperties, RuleDescriptor, SarifResult};
use super::place::Places;
use super::{foreign, level_word, message, rules};

/// How many results code scanning takes of a run; more are refused or dropped silently.
pub(super) const MOST: usize = 5_000;
/// The rule of the result that says how many were left out.
const OVERFLOW: &str = "ocilint-more-results";

/// The results of a run so far: all of them while they are few, else the gravest.
#[derive(Default)]
pub(super) struct Results {
    kept: Vec<SarifResult>,
    total: usize,
}

impl Results {
    pub(super) fn add(&mut self, image: &ImageReport, run: &Run, places: &Places) {
        let results = Writer { run, places }.image(image);
        self.total += results.len();
        self.kept.extend(results);
        if self.kept.len() > 2 * MOST {
            self.keep_the_gravest(MOST);
        }
    }

    /// All results; `rules` grows by one when there are too many.
    pub(super) fn end(mut self, places: &Places, rules: &mut Vec<RuleDescriptor>) -> Vec<SarifResult> {
        if self.total > MOST {
            self.keep_the_gravest(MOST - 1);
            self.kept.push(overflow(self.total - (MOST - 1), places));
            rules.push(rules::own(
                OVERFLOW,
                "There are more results than code scanning takes.",
                "The exit status and the JSON report count them all. Mend the first ones, or check fewer images in one run.",
            ));
        }
        let indices: BTreeMap<&str, usize> =
            rules.iter().enumerate().map(|(index, rule)| (rule.id.as_str(), index)).collect();
        for result in &mut self.kept {
            result.rule_index = indices.get(result.rule_id.as_str()).copied();
        }
        number_alike(&mut self.kept);
        self.kept
    }

    /// A stable sort keeps the order otherwise.
    fn keep_the_gravest(&mut self, most: usize) {
        self.kept.sort_by_key(|result| ["error", "warning", "note"].iter().position(|level| *level == result.level));
        self.kept.truncate(most);
    }
}

/// Equal fingerprints (two tags of one repository with the same problem) are numbered, so that each is an alert of its own.
fn number_alike(results: &mut [SarifResult]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for result in results {
        let fingerprints = &mut result.partial_fingerprints;
        let number = seen.entry(fingerprints.ocilint.clone()).or_default();
        *number += 1;
        fingerprints.primary_location_line_hash = format!("{}:{number}", fingerprints.ocilint);
    }
}

struct Writer<'r> {
    run: &'r Run,
    places: &'r Places,
}

impl Writer<'_> {
    fn image(&self, image: &ImageReport) -> Vec<SarifResult> {
        let cell = |cell: &Cell| match cell.verdict {
            CellVerdict::Violation => cell.counting().map(|finding| self.finding(image, cell, finding)).collect(),
            CellVerdict::Unknown => vec![self.unknown(image, cell)],
            CellVerdict::Pass | CellVerdict::Waived | CellVerdict::Baselined | CellVerdict::NotApplicable => Vec::new(),
        };
        image.cells.iter().flat_map(cell).collect()
    }

    fn finding(&self, image: &ImageReport, cell: &Cell, finding: &SealedFinding) -> SarifResult {
        let location = &finding.location;
        let mut text = format!("Image '{}'{}: {}.", name(image), subject(cell), stopped(&foreign(&finding.message)));
        if let Some(digest) = &location.digest {
            let at = if location.pointer.is_empty() {
                String::new()
            } else {
                format!(" at '{}'", foreign(&location.pointer))
            };
            text.extend([" See ", location.node.as_str(), " '", digest.as_str(), "'", &at, "."]);
        }
        text.push_str(&later(cell));
        let hash = finding.fingerprint.rsplit(':').next().unwrap_or_default().to_owned();
        let advice = if finding.fix.is_empty() { String::new() } else { format!("\n\nTo mend it: {}", finding.fix) };
        let pointer = Some(location.pointer.as_str()).filter(|pointer| !pointer.is_empty());
        self.result(image, cell, &Said { text, advice }, finding.policy.as_ref(), hash, pointer)
    }

    fn unknown(&self, image: &ImageReport, cell: &Cell) -> SarifResult {
        let reason = stopped(&foreign(cell.reason.as_deref().unwrap_or("no reason given"))).to_owned();
        let text = format!("Image '{}'{} could not be checked: {reason}.{}", name(image), subject(cell), later(cell));
        let advice = cell.help.as_ref().map(|help| format!("\n\nWhat to do: {}.", stopped(help))).unwrap_or_default();
        let parts = ["unknown", &cell.rule, &image.identity, &cell.subject].join("\0");
        let hash = Digest::sha256(parts.as_bytes()).hex()[..16].to_owned();
        let instance = self.run.instances.iter().find(|instance| instance.name == cell.rule);
        self.result(
            image,
            cell,
            &Said { text, advice },
            instance.and_then(|instance| instance.place.as_ref()),
            hash,
            None,
        )
    }

    fn result(
        &self,
        image: &ImageReport,
        cell: &Cell,
        said: &Said,
        policy: Option<&PolicyPlace>,
        hash: String,
        pointer: Option<&str>,
    ) -> SarifResult {
        let link = if policy.is_some() { "The policy asks for it [here](1)." } else { "The policy asks for it." };
        // Line feeds are ours in the advice only. Its last line may be a command, which no full stop may follow.
        let advice = said.advice.lines().map(foreign).collect::<Vec<_>>().join("\n");
        let joint = if advice.is_empty() { " " } else { "\n\n" };
        let text = format!("{}{advice}{joint}{link}", said.text);
        let platform = Some(cell.subject.as_str()).filter(|subject| *subject != "root");
        SarifResult {
            rule_index: None,
            rule_id: escape(&cell.rule),
            kind: "fail",
            level: level_word(cell.level),
            message: message(text),
            locations: [Location {
                id: None,
                message: None,
                physical: self.places.primary(policy),
                logical: vec![logical(image, platform, pointer)],
            }],
            related_locations: policy.map(|place| self.related(place)).into_iter().collect(),
            partial_fingerprints: fingerprints(hash),
            properties: ResultProperties {
                image: Some(name(image)),
                digest: image.digest.as_ref().map(ToString::to_string),
                platform: platform.map(escape),
                pointer: pointer.map(escape),
            },
        }
    }

    fn related(&self, place: &PolicyPlace) -> Location {
        Location {
            id: Some(1),
            message: Some(Message { text: "The rule in the policy.".to_owned() }),
            physical: self.places.policy(place),
            logical: Vec::new(),
        }
    }
}

fn overflow(left_out: usize, places: &Places) -> SarifResult {
    let text = format!("{left_out} more results are left out here: code scanning takes {MOST} of a run.");
    SarifResult {
        rule_id: OVERFLOW.to_owned(),
        rule_index: None,
        kind: "fail",
        level: level_word(Level::Error),
        message: message(text),
        locations: [Location { id: None, message: None, physical: places.primary(None), logical: Vec::new() }],
        related_locations: Vec::new(),
        partial_fingerprints: fingerprints(Digest::sha256(OVERFLOW.as_bytes()).hex()[..16].to_owned()),
        properties: ResultProperties { image: None, digest: None, platform: None, pointer: None },
    }
}

/// What is said in a message: sentences, and advice whose lines are kept.
struct Said {
    text: String,
    advice: String,
}

fn fingerprints(hash: String) -> Fingerprints {
    Fingerprints { primary_location_line_hash: format!("{hash}:1"), ocilint: hash }
}

/// The field, else the platform, else the image; with the whole way to it.
fn logical(image: &ImageReport, platform: Option<&str>, pointer: Option<&str>) -> LogicalLocation {
    let mut place = LogicalLocation { name: name(image), full_name: name(image), kind: "resource" };
    if let Some(platform) = platform.map(escape) {
        place.full_name.extend(["!", &platform]);
        place.name = platform;
    }
    if let Some(pointer) = pointer.map(escape) {
        place.full_name.extend(["#", &pointer]);
        place.name = pointer;
        place.kind = "property";
    }
    place
}

fn name(image: &ImageReport) -> String {
    foreign(image.name.as_deref().unwrap_or(&image.target))
}

fn subject(cell: &Cell) -> String {
    if cell.subject == "root" { String::new() } else { format!(" ({})", foreign(&cell.subject)) }
}

/// When it starts to count, of a rule that is yet to take effect.
fn later(cell: &Cell) -> String {
    let from = cell.effective_from.as_ref().filter(|_| cell.level != Level::Error);
    from.map(|date| format!(" It counts as an error from {}.", foreign(date))).unwrap_or_default()
}

/// Without the full stop that the sentence around it brings.
fn stopped(text: &str) -> &str {
    text.trim_end_matches('.')
}
