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

use crate::oci::escape;
use crate::policy::Level;
use crate::report::{CellVerdict, Report, TargetFailure, exit_status};

use super::text::SafeJson;
use model::{AutomationDetails, Driver, Invocation, Log, Message, Notification, Run, Tool, UriBase};
use place::Places;
pub use place::{Place, SarifOptions, repository_root};

/// The base of all URIs: the root of the repository.
const ROOT: &str = "%SRCROOT%";

/// Writes a report.
pub(super) fn write(report: &Report, options: &SarifOptions, out: &mut dyn Write) -> io::Result<()> {
    let log =
        Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run(report, options)] };
    SafeJson::write(&log, out)
}

fn run(report: &Report, options: &SarifOptions) -> Run {
    let places = Places::new(options, report.policies.first().map(|policy| policy.name.as_str()));
    let mut rules = rules::descriptors(report);
    let results = results::results(report, &places, &mut rules);
    let repository = env!("CARGO_PKG_REPOSITORY");
    Run {
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
        automation_details: options
            .category
            .as_ref()
            .map(|category| AutomationDetails { id: format!("ocilint/{}/", escape(category)) }),
        invocations: [invocation(report)],
        original_uri_base_ids: BTreeMap::from([(
            ROOT,
            UriBase { description: message("The root of the repository.") },
        )]),
        column_kind: "unicodeCodePoints",
        results,
    }
}

fn invocation(report: &Report) -> Invocation {
    let decides = |level: Level| level == Level::Error;
    let unread = report.images.iter().any(|image| {
        let unknown = image.cells.iter().any(|cell| cell.verdict == CellVerdict::Unknown && decides(cell.level));
        image.error.is_some() || unknown
    });
    let remarks = report.diagnostics.iter().chain(report.images.iter().flat_map(|image| &image.remarks));
    Invocation {
        execution_successful: !unread && !report.images.is_empty(),
        exit_code: exit_status(report).code(),
        tool_execution_notifications: notifications(report),
        tool_configuration_notifications: remarks.map(|remark| notification(remark.level, &remark.message)).collect(),
    }
}

/// What could not be read, each reason once an image.
fn notifications(report: &Report) -> Vec<Notification> {
    let mut notes = Vec::new();
    for image in &report.images {
        let target = foreign(&image.target);
        notes.extend(image.error.iter().map(|error| {
            let why = match error {
                TargetFailure::Unread(why) => why.to_string(),
                TargetFailure::Usage { message, .. } => message.clone(),
            };
            notification(Level::Error, &format!("Target '{target}' was not judged: {why}"))
        }));
        let unknown = image.cells.iter().filter(|cell| cell.verdict == CellVerdict::Unknown);
        let reasons: BTreeSet<(std::cmp::Reverse<Level>, &str)> = unknown
            .map(|cell| (std::cmp::Reverse(cell.level), cell.reason.as_deref().unwrap_or("no reason given")))
            .collect();
        notes.extend(reasons.iter().map(|(level, reason)| {
            notification(level.0, &format!("Not everything of '{target}' could be checked: {reason}"))
        }));
    }
    notes.truncate(results::MOST);
    notes
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
    ended(&foreign(text))
}

fn ended(text: &str) -> Message {
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
