//! What there is to say about an image: findings, what could not be known, what was waived; alike ones together.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::NodeRole;
use crate::oci::{Untrusted, escape, escape_lines};
use crate::policy::Level;
use crate::report::{
    Cell, CellVerdict, ImageReport, InstanceNote, Run, SealedFinding, SealedLocation, TargetFailure, WaiverNote,
};

use super::block::Block;
use super::snippet::Snippet;
use crate::output::paint::Word;
use crate::output::text::count;

/// Everything to say about an image, the gravest first; the order is otherwise that of the cells.
pub(super) fn problems(run: &Run, image: &ImageReport) -> impl Iterator<Item = Block> {
    let mut blocks: Vec<Block> = image.error.iter().map(failure).collect();
    blocks.extend(violations(run, image));
    blocks.extend(unknowns(image));
    blocks.extend(waived(image));
    // A stable sort: within a rank the order stays.
    blocks.sort_by_key(|block| (!block.fails, block.word));
    blocks.into_iter()
}

/// Puts together what has the same key, in the order of the first of each.
fn gathered<K: Ord, T>(items: impl Iterator<Item = (K, T)>) -> Vec<Vec<T>> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<T>> = Vec::new();
    for (key, item) in items {
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(item),
            None => groups.push(vec![item]),
        }
    }
    groups
}

fn cells(image: &ImageReport, verdict: CellVerdict) -> impl Iterator<Item = &Cell> {
    image.cells.iter().filter(move |cell| cell.verdict == verdict)
}

fn failure(failure: &TargetFailure) -> Block {
    let (word, message, help) = match failure {
        TargetFailure::Unread(why) => (Word::Unknown, why.to_string(), why.help().to_owned()),
        TargetFailure::Usage { message, help } => (Word::Error, message.clone(), help.clone()),
    };
    Block {
        word,
        rules: Vec::new(),
        url: None,
        scope: "about this target".to_owned(),
        message: escape(&message),
        help: Some(escape_lines(&help)),
        snippets: Vec::new(),
        fails: true,
    }
}

/// Alike findings of several platforms are one block; several of one platform never are, wherever they stand.
fn violations(run: &Run, image: &ImageReport) -> Vec<Block> {
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    let findings =
        cells(image, CellVerdict::Violation).flat_map(|cell| cell.counting().map(move |finding| (cell, finding)));
    let keyed = findings.map(|(cell, finding)| {
        let place = (finding.location.node, positionless(&finding.location.pointer));
        let key = (&cell.rule, cell.level, &cell.effective_from, &finding.message, &finding.fix, place);
        let nth = seen.entry((&cell.subject, key.clone())).or_default();
        *nth += 1;
        ((key, *nth), (cell, finding))
    });
    let groups = gathered(keyed);
    groups.iter().map(|group| violation(run, image, group)).collect()
}

/// A pointer without positions: two platforms stand at two positions of one index.
fn positionless(pointer: &str) -> String {
    let is_position = |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let segments = pointer.split('/').map(|segment| if is_position(segment) { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn violation(run: &Run, image: &ImageReport, group: &[(&Cell, &SealedFinding)]) -> Block {
    let (cell, finding) = group[0];
    let subjects: Vec<&str> = group.iter().map(|(cell, _)| cell.subject.as_str()).collect();
    let instance = run.instances.iter().find(|instance| instance.name == cell.rule);
    let location = &finding.location;
    let place = place(location, subjects.len() > 1);
    let excerpt = location.excerpt.as_ref().and_then(|excerpt| Snippet::excerpt(place.clone(), excerpt));
    let message = escape(&finding.message);
    let message = match &excerpt {
        None if location.node != NodeRole::Reference => format!("{message}\nin {place}"),
        _ => message,
    };
    let policy = finding.policy.as_ref().and_then(Snippet::policy);
    Block {
        word: word(cell.level),
        rules: vec![escape(&cell.rule)],
        url: instance.and_then(|instance| instance.url.as_deref()).map(escape),
        scope: scope(cell, on(&subjects, image)),
        message,
        help: Some(help(&finding.fix, instance)),
        snippets: excerpt.into_iter().chain(policy).collect(),
        fails: cell.level == Level::Error,
    }
}

fn word(level: Level) -> Word {
    match level {
        Level::Error => Word::Error,
        Level::Warning => Word::Warning,
        Level::Note | Level::Off => Word::Note,
    }
}

/// The fix, then what the policy's author has to say.
fn help(fix: &str, instance: Option<&InstanceNote>) -> String {
    let author = instance.into_iter().flat_map(|instance| [&instance.help, &instance.url]).flatten();
    let parts = std::iter::once(fix).chain(author.map(String::as_str)).filter(|part| !part.is_empty());
    escape_lines(&parts.collect::<Vec<_>>().join("\n"))
}

/// `config sha256:77ab34567890 of linux/amd64 at /config/User`.
fn place(location: &SealedLocation, name_platform: bool) -> String {
    let mut text = location.node.as_str().to_owned();
    if let Some(digest) = &location.digest {
        text.extend([" ", &digest.short()]);
    }
    if let Some(platform) = location.platform.as_deref().filter(|_| name_platform) {
        text.extend([" of ", &Untrusted(platform).to_string()]);
    }
    if !location.pointer.is_empty() {
        text.extend([" at ", &Untrusted(&location.pointer).to_string()]);
    }
    text
}

/// One failed request often leaves many cells unknown, of several rules on several platforms: it is said once.
fn unknowns(image: &ImageReport) -> Vec<Block> {
    let why = |cell: &'_ Cell| (cell.level, cell.effective_from.clone(), cell.reason.clone(), cell.help.clone());
    let by_rule = gathered(cells(image, CellVerdict::Unknown).map(|cell| ((&cell.rule, why(cell)), cell)));
    let keyed = by_rule.into_iter().map(|group| {
        let subjects: Vec<&str> = group.iter().map(|cell| cell.subject.as_str()).collect();
        ((why(group[0]), subjects.clone()), (group[0], subjects))
    });
    gathered(keyed).iter().map(|rules| unknown(image, rules)).collect()
}

fn unknown(image: &ImageReport, rules: &[(&Cell, Vec<&str>)]) -> Block {
    let (cell, subjects) = &rules[0];
    Block {
        word: Word::Unknown,
        rules: rules.iter().map(|(cell, _)| escape(&cell.rule)).collect(),
        url: None,
        scope: scope(cell, format!("at level {} {}", cell.level, on(subjects, image)).trim_end().to_owned()),
        message: escape(cell.reason.as_deref().unwrap_or("it could not be checked")),
        help: cell.help.as_deref().map(escape_lines),
        snippets: Vec::new(),
        fails: cell.level == Level::Error,
    }
}

/// What one waiver covers of a rule: cells, or findings in cells that count all the same.
fn waived(image: &ImageReport) -> Vec<Block> {
    let keyed = image.cells.iter().flat_map(covering).map(|(cell, waiver, part)| {
        ((&cell.rule, &waiver.place.file, waiver.place.line, &waiver.reason, part), (cell, waiver, part))
    });
    gathered(keyed).iter().map(|group| waiver(image, group)).collect()
}

/// How many findings of a cell a waiver covers, of how many; `None` for a cell that is waived as a whole.
type Part = Option<(usize, usize)>;

/// The waivers of a cell, each once.
fn covering(cell: &Cell) -> Vec<(&Cell, &WaiverNote, Part)> {
    let of_findings = || cell.findings.iter().filter_map(|finding| finding.waiver.as_ref());
    let mut waivers: Vec<&WaiverNote> = Vec::new();
    for waiver in cell.waiver.iter().chain(of_findings()) {
        if !waivers.contains(&waiver) {
            waivers.push(waiver);
        }
    }
    let part = |waiver: &WaiverNote| {
        let covered = of_findings().filter(|other| *other == waiver).count();
        (cell.verdict != CellVerdict::Waived).then_some((covered, cell.findings.len()))
    };
    waivers.into_iter().map(|waiver| (cell, waiver, part(waiver))).collect()
}

fn waiver(image: &ImageReport, group: &[(&Cell, &WaiverNote, Part)]) -> Block {
    let subjects: Vec<&str> = group.iter().map(|(cell, ..)| cell.subject.as_str()).collect();
    let (cell, waiver, part) = group[0];
    let part = part.map(|(covered, all)| format!("{covered} of {}: ", count(all, "finding"))).unwrap_or_default();
    let until = waiver.expires.as_ref().map(|date| format!("until {date}, ")).unwrap_or_default();
    let owner = waiver.owner.as_ref().map(|owner| format!("{owner}, ")).unwrap_or_default();
    let link = waiver.link.as_ref().map(|link| format!("{link}, ")).unwrap_or_default();
    let message = format!("{part}{} ({until}{owner}{link}{}:{})", waiver.reason, waiver.place.file, waiver.place.line);
    Block {
        word: Word::Waived,
        rules: vec![escape(&cell.rule)],
        url: None,
        scope: on(&subjects, image),
        message: escape(&message),
        help: None,
        snippets: Vec::new(),
        fails: false,
    }
}

/// Where it is, and when it starts to count, of a rule that is yet to take effect.
fn scope(cell: &Cell, place: String) -> String {
    let Some(date) = cell.effective_from.as_ref().filter(|_| cell.level != Level::Error) else { return place };
    let joint = if place.is_empty() { "" } else { "; " };
    format!("{place}{joint}counts as an error from {}", escape(date))
}

/// `on linux/amd64, linux/arm64`; nothing for the image as a whole.
fn on(subjects: &[&str], image: &ImageReport) -> String {
    let mut seen = BTreeSet::new();
    let subjects: Vec<&str> = subjects.iter().copied().filter(|subject| seen.insert(*subject)).collect();
    let name = |subject: &&str| if *subject == "root" { "the image as a whole".to_owned() } else { escape(subject) };
    let names: Vec<String> = subjects.iter().map(name).collect();
    let all = names.len() > 2 && names.len() == image.platforms.len() && !subjects.contains(&"root");
    match names.as_slice() {
        [_] if subjects.contains(&"root") => String::new(),
        _ if all => format!("on all {} platforms: {}", names.len(), names.join(", ")),
        _ => format!("on {}", names.join(", ")),
    }
}
