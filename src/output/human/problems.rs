//! What there is to say about an image: findings, what could not be known, what was waived; alike ones together.

use crate::finding::NodeRole;
use crate::oci::{Untrusted, escape, escape_lines};
use crate::policy::Level;
use crate::report::{
    Cell, CellVerdict, Diagnostic, ImageReport, InstanceNote, PolicyPlace, Report, SealedFinding, SealedLocation, TargetFailure,
};

use super::block::Block;
use super::paint::Word;
use super::snippet::Snippet;

/// Everything to say about an image, the gravest first; the order is otherwise that of the cells.
pub(super) fn problems(report: &Report, image: &ImageReport) -> impl Iterator<Item = Block> {
    let mut blocks: Vec<Block> = image.error.iter().map(failure).collect();
    blocks.extend(violations(image).iter().map(|group| group.block(report, image)));
    blocks.extend(unknowns(image).iter().map(|group| group.block(image)));
    blocks.extend(waived(image).iter().map(|group| group.block(image)));
    blocks.extend(image.remarks.iter().map(Block::remark as fn(&Diagnostic) -> Block));
    // A stable sort: within a rank the order stays.
    blocks.sort_by_key(|block| (!block.fails, block.word));
    blocks.into_iter()
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

/// One finding, and every subject that has it.
struct Violation<'r> {
    cell: &'r Cell,
    finding: &'r SealedFinding,
    subjects: Vec<&'r str>,
}

fn violations(image: &ImageReport) -> Vec<Violation<'_>> {
    let mut groups: Vec<Violation<'_>> = Vec::new();
    let cells = image.cells.iter().filter(|cell| cell.verdict == CellVerdict::Violation);
    for (cell, finding) in cells.flat_map(|cell| cell.findings.iter().map(move |finding| (cell, finding))) {
        // Cells are sorted by rule, so alike ones are near: nothing is gained by looking farther back.
        let same_rule = groups.iter_mut().rev().take_while(|group| group.cell.rule == cell.rule);
        match same_rule.into_iter().find(|group| group.is_same(cell, finding)) {
            Some(group) => group.subjects.push(&cell.subject),
            None => groups.push(Violation { cell, finding, subjects: vec![&cell.subject] }),
        }
    }
    groups
}

impl Violation<'_> {
    fn is_same(&self, cell: &Cell, finding: &SealedFinding) -> bool {
        let key = |cell: &Cell, finding: &SealedFinding| {
            (cell.level, finding.message.clone(), finding.fix.clone(), finding.location.node, finding.location.pointer.clone())
        };
        key(self.cell, self.finding) == key(cell, finding)
    }

    fn block(&self, report: &Report, image: &ImageReport) -> Block {
        let instance = report.instances.iter().find(|instance| instance.name == self.cell.rule);
        let location = &self.finding.location;
        let place = place(location, self.subjects.len() > 1);
        let excerpt = location.excerpt.as_ref().and_then(|excerpt| Snippet::excerpt(place.clone(), excerpt));
        let message = escape(&self.finding.message);
        let message = match &excerpt {
            None if location.node != NodeRole::Reference => format!("{message}\nin {place}"),
            _ => message,
        };
        let policy = self.finding.policy.as_ref().and_then(|place: &PolicyPlace| Snippet::policy(place));
        Block {
            word: word(self.cell.level),
            rules: vec![escape(&self.cell.rule)],
            url: instance.and_then(|instance| instance.url.as_deref()).map(escape),
            scope: on(&self.subjects, image),
            message,
            help: Some(help(&self.finding.fix, instance)),
            snippets: excerpt.into_iter().chain(policy).collect(),
            fails: self.cell.level == Level::Error,
        }
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
        text += &format!(" {}", digest.short());
    }
    if let Some(platform) = location.platform.as_deref().filter(|_| name_platform) {
        text += &format!(" of {}", Untrusted(platform));
    }
    if !location.pointer.is_empty() {
        text += &format!(" at {}", Untrusted(&location.pointer));
    }
    text
}

/// Cells that could not be known for one reason: rules × subjects.
struct Unknowns<'r> {
    cell: &'r Cell,
    rules: Vec<&'r str>,
    subjects: Vec<&'r str>,
}

/// One failed request often leaves many cells unknown: it is said once.
fn unknowns(image: &ImageReport) -> Vec<Unknowns<'_>> {
    let mut by_rule: Vec<Unknowns<'_>> = Vec::new();
    for cell in image.cells.iter().filter(|cell| cell.verdict == CellVerdict::Unknown) {
        let same_rule = by_rule.iter_mut().rev().take_while(|group| group.cell.rule == cell.rule);
        match same_rule.into_iter().find(|group| group.is_same(cell)) {
            Some(group) => group.subjects.push(&cell.subject),
            None => by_rule.push(Unknowns { cell, rules: vec![&cell.rule], subjects: vec![&cell.subject] }),
        }
    }
    let mut groups: Vec<Unknowns<'_>> = Vec::new();
    for group in by_rule {
        match groups.iter_mut().find(|other| other.is_same(group.cell) && other.subjects == group.subjects) {
            Some(other) => other.rules.extend(group.rules),
            None => groups.push(group),
        }
    }
    groups
}

impl Unknowns<'_> {
    fn is_same(&self, cell: &Cell) -> bool {
        (self.cell.level, &self.cell.reason, &self.cell.help) == (cell.level, &cell.reason, &cell.help)
    }

    fn block(&self, image: &ImageReport) -> Block {
        let level = self.cell.level;
        Block {
            word: Word::Unknown,
            rules: self.rules.iter().map(|rule| escape(rule)).collect(),
            url: None,
            scope: format!("at level {level} {}", on(&self.subjects, image)),
            message: escape(self.cell.reason.as_deref().unwrap_or("it could not be checked")),
            help: self.cell.help.as_deref().map(escape_lines),
            snippets: Vec::new(),
            fails: level == Level::Error,
        }
    }
}

/// Cells of a rule that one waiver covers.
struct Waived<'r> {
    cell: &'r Cell,
    subjects: Vec<&'r str>,
}

fn waived(image: &ImageReport) -> Vec<Waived<'_>> {
    let mut groups: Vec<Waived<'_>> = Vec::new();
    for cell in image.cells.iter().filter(|cell| cell.verdict == CellVerdict::Waived) {
        match groups.last_mut().filter(|group| group.cell.rule == cell.rule && group.cell.waiver == cell.waiver) {
            Some(group) => group.subjects.push(&cell.subject),
            None => groups.push(Waived { cell, subjects: vec![&cell.subject] }),
        }
    }
    groups
}

impl Waived<'_> {
    fn block(&self, image: &ImageReport) -> Block {
        let waiver = self.cell.waiver.as_ref();
        let reason = waiver.map_or("no reason given", |waiver| waiver.reason.as_str());
        let until = waiver.and_then(|waiver| waiver.expires.as_ref()).map(|date| format!("until {date}, "));
        let place = waiver.map(|waiver| format!("{}:{}", waiver.place.file, waiver.place.line));
        let origin = format!("{}{}", until.unwrap_or_default(), place.unwrap_or_default());
        Block {
            word: Word::Waived,
            rules: vec![escape(&self.cell.rule)],
            url: None,
            scope: on(&self.subjects, image),
            message: escape(&format!("{reason} ({origin})")),
            help: None,
            snippets: Vec::new(),
            fails: false,
        }
    }
}

/// `on linux/amd64, linux/arm64`; nothing for the image as a whole.
fn on(subjects: &[&str], image: &ImageReport) -> String {
    let mut names: Vec<String> = Vec::new();
    for subject in subjects {
        let name = if *subject == "root" { "the image as a whole".to_owned() } else { escape(subject) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let all = names.len() > 2 && names.len() == image.platforms.len() && !subjects.contains(&"root");
    match names.as_slice() {
        [_] if subjects.contains(&"root") => String::new(),
        _ if all => format!("on all {} platforms: {}", names.len(), names.join(", ")),
        _ => format!("on {}", names.join(", ")),
    }
}
