//! SARIF 2.1.0 for code scanning: one run, one rule descriptor a rule of the policy, one result a finding.
//!
//! Alerts live by what is left out as much as by what is written: a result that is missing counts as fixed. So what could
//! not be checked is a result too, a run that is not complete says that it was not successful, and passes and waived
//! findings, which GitHub would open as alerts, are not there.

mod model;
mod place;
mod results;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use crate::oci::escape;
use crate::policy::Level;
use crate::report::{CellVerdict, ImageReport, Run, Tally, TargetFailure};

use super::Writer;
use super::text::SafeJson;
use model::{AutomationDetails, Driver, Invocation, Log, Message, Notification, Tool, UriBase};
use place::Places;
pub use place::{Place, SarifOptions, repository_root};
use results::Results;

/// The base of all URIs: the root of the repository.
const ROOT: &str = "%SRCROOT%";

/// Gathers what code scanning takes of a run, which is bounded, and writes it at the end.
pub(super) struct Sarif {
    run: Arc<Run>,
    places: Places,
    category: Option<String>,
    results: Results,
    /// What could not be read, each reason once an image.
    unread: Vec<Notification>,
    /// Rules that say something although they are turned off.
    speaking: BTreeSet<String>,
}

impl Sarif {
    pub(super) fn new(run: Arc<Run>, options: &SarifOptions) -> Self {
        let places = Places::new(options, run.policies.first().map(|policy| policy.name.as_str()));
        Self {
            run,
            places,
            category: options.category.clone(),
            results: Results::default(),
            unread: Vec::new(),
            speaking: BTreeSet::new(),
        }
    }
}

impl Writer for Sarif {
    fn begin(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn image(&mut self, image: &ImageReport, _: &mut dyn Write) -> io::Result<()> {
        self.results.add(image, &self.run, &self.places);
        if self.unread.len() < results::MOST {
            self.unread.extend(unread(image));
        }
        let off = self.run.instances.iter().filter(|instance| instance.level == Level::Off);
        let speaking = off.filter(|instance| image.cells.iter().any(|cell| cell.rule == instance.name));
        self.speaking.extend(speaking.map(|instance| instance.name.clone()));
        Ok(())
    }

    fn end(&mut self, tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
        let mut rules = rules::descriptors(&self.run, &self.speaking);
        let results = std::mem::take(&mut self.results).end(&self.places, &mut rules);
        let repository = env!("CARGO_PKG_REPOSITORY");
        let run = model::Run {
            tool: Tool {
                driver: Driver {
                    name: env!("CARGO_PKG_NAME"),
                    full_name: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
                    version: env!("CARGO_PKG_VERSION"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: (!repository.is_empty()).then_some(repository),
                    rules,
                },
            },
            automation_details: self
                .category
                .as_ref()
                .map(|category| AutomationDetails { id: format!("ocilint/{}/", escape(category)) }),
            invocations: [invocation(std::mem::take(&mut self.unread), tally)],
            original_uri_base_ids: BTreeMap::from([(
                ROOT,
                UriBase { description: message("The root of the repository.") },
            )]),
            column_kind: "unicodeCodePoints",
            results,
        };
        let schema = "https://json.schemastore.org/sarif-2.1.0.json";
        SafeJson::write(&Log { schema, version: "2.1.0", runs: [run] }, out)
    }
}

fn invocation(mut unread: Vec<Notification>, tally: &Tally) -> Invocation {
    let successful = !unread.iter().any(|note| note.level == level_word(Level::Error)) && tally.images.total() > 0;
    unread.truncate(results::MOST);
    Invocation {
        execution_successful: successful,
        exit_code: tally.exit_status().code(),
        tool_execution_notifications: unread,
        tool_configuration_notifications: tally
            .remarks()
            .map(|remark| notification(remark.level, &remark.message))
            .collect(),
    }
}

/// What could not be read of an image, each reason once, the gravest first.
fn unread(image: &ImageReport) -> Vec<Notification> {
    let target = foreign(&image.target);
    let failure = image.error.iter().map(|error| {
        let why = match error {
            TargetFailure::Unread(why) => why.to_string(),
            TargetFailure::Usage { message, .. } => message.clone(),
        };
        notification(Level::Error, &format!("Target '{target}' was not judged: {why}"))
    });
    let unknown = image.cells.iter().filter(|cell| cell.verdict == CellVerdict::Unknown);
    let reasons: BTreeSet<(std::cmp::Reverse<Level>, &str)> = unknown
        .map(|cell| (std::cmp::Reverse(cell.level), cell.reason.as_deref().unwrap_or("no reason given")))
        .collect();
    let reasons = reasons.iter().map(|(level, reason)| {
        notification(level.0, &format!("Not everything of '{target}' could be checked: {reason}"))
    });
    failure.chain(reasons).collect()
}

fn notification(level: Level, text: &str) -> Notification {
    Notification { level: level_word(level), message: sentence(text) }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
        Level::Off => "none",
    }
}

fn message(text: impl Into<String>) -> Message {
    Message { text: text.into() }
}

/// A message of one line that ends with a full stop, its text safe to show.
fn sentence(text: &str) -> Message {
    let text = foreign(text);
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) { message(text) } else { message(format!("{text}.")) }
}

/// Text that is not ours: escaped, and without the form of a link, which viewers of SARIF look for in plain text too
/// (section 3.11.6 of the standard).
fn foreign(text: &str) -> String {
    escape(text).replace("](", "]\\u{28}")
}

#[cfg(test)]
mod tests;
