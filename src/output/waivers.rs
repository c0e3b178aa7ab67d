//! The waivers of policies: who owes what, and until when.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use textwrap::core::display_width;

use super::Style;
use super::paint::{Paint, Word};
use super::text::{SafeJson, count, guard, wrap};
use crate::oci::escape;
use crate::policy::{Due, EXPIRING_DAYS, PlatformScope};
use crate::report::PolicyPlace;

/// The JSON Schema of the waivers.
pub const JSON_SCHEMA: &str = include_str!("waivers-v1.schema.json");

/// Writes waivers as one JSON document ([`JSON_SCHEMA`]): fields are added, never changed.
pub fn write_json(dues: &[Due<'_>], observed_at: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let list = List {
        schema: "ocilint/waivers/v1",
        observed_at: observed_at.to_string(),
        waivers: dues.iter().map(Entry::from).collect(),
    };
    SafeJson::write(&list, out)
}

/// Writes waivers for people: a line for each, and below it what it is for and why.
pub fn write_human(dues: &[Due<'_>], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(style);
    let rows: Vec<[String; 4]> = dues.iter().map(row).collect();
    let mut text = String::new();
    if style.narrated {
        rows.iter().zip(dues).for_each(|(row, due)| narrate(row, due, &mut text));
    } else if !rows.is_empty() {
        draw(&rows, dues, &paint, &mut text);
    }
    text.push_str(&wrap(&summary(dues), paint.style.width, false));
    text.push('\n');
    out.write_all(guard(&text, style.color || style.hyperlinks, style.unicode).as_bytes())
}

const TITLES: [&str; 4] = ["ends", "rule", "owner", "written"];

/// What stands in the line of a waiver: when it ends, its rule, its owner, its place.
fn row(due: &Due<'_>) -> [String; 4] {
    let place = PolicyPlace::from(&due.waiver.origin);
    let owner = due.waiver.owner.as_deref().map_or_else(|| "nobody".to_owned(), escape);
    [end(due), escape(&due.waiver.rule), owner, format!("{}:{}", escape(&place.file), place.line)]
}

/// `2027-01-31, 69 days left`.
fn end(due: &Due<'_>) -> String {
    let Some((date, days)) = due.waiver.expires.zip(due.days_left) else { return "never".to_owned() };
    let number = |days: i32| count(usize::try_from(days.unsigned_abs()).unwrap_or(usize::MAX), "day");
    match days {
        days if days < 0 => format!("{date}, expired {} ago", number(days)),
        0 => format!("{date}, today"),
        days => format!("{date}, {} left", number(days)),
    }
}

fn draw(rows: &[[String; 4]], dues: &[Due<'_>], paint: &Paint, text: &mut String) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str()).chain([TITLES[column]]);
        cells.map(display_width).max().unwrap_or_default()
    };
    let widths: [usize; 4] = std::array::from_fn(width);
    let line = |cells: [&str; 4]| {
        let padded = |(cell, width): (&str, usize)| format!("{cell}{}", " ".repeat(width - display_width(cell)));
        let cells: Vec<String> = cells.into_iter().zip(widths).map(padded).collect();
        cells.join("  ").trim_end().to_owned()
    };
    text.extend([&paint.faint(&line(TITLES)), "\n"]);
    for (row, due) in rows.iter().zip(dues) {
        let plain = line(row.each_ref().map(String::as_str));
        text.extend([&plain.replacen(&row[0], &painted(&row[0], due, paint), 1), "\n"]);
        for detail in details(due) {
            let wrapped = wrap(&detail, paint.style.width.saturating_sub(4), false);
            wrapped.lines().for_each(|line| text.extend(["    ", line, "\n"]));
        }
    }
    text.push('\n');
}

fn painted(end: &str, due: &Due<'_>, paint: &Paint) -> String {
    match due {
        due if due.is_expired() => paint.word(Word::Error, end),
        due if due.is_expiring() => paint.word(Word::Warning, end),
        _ => end.to_owned(),
    }
}

/// What a waiver is for, why, and where to read on.
fn details(due: &Due<'_>) -> Vec<String> {
    let waiver = due.waiver;
    let platforms = waiver.platforms.as_ref().map(|scope| format!(" on {}", platforms(scope).join(", ")));
    let findings = match waiver.fingerprints.len() {
        0 => String::new(),
        number => format!(", {} only", count(number, "finding")),
    };
    let images = waiver.images.patterns().map(escape).collect::<Vec<_>>().join(", ");
    let mut details = vec![format!("{images}{}{findings}", platforms.unwrap_or_default()), escape(&waiver.reason)];
    details.extend(waiver.link.as_deref().map(escape));
    if due.is_dead {
        details.push("it covers nothing: the rule is off".to_owned());
    }
    details
}

fn narrate([end, rule, owner, place]: &[String; 4], due: &Due<'_>, text: &mut String) {
    text.extend(["Waiver for rule ", rule, ". Ends: ", end, ". Owner: ", owner, ". Written in: ", place, ".\n"]);
    for detail in details(due) {
        text.extend(["    ", &detail, "\n"]);
    }
    text.push('\n');
}

/// `4 waivers: 1 expired, 2 end within 30 days, 1 never ends`.
fn summary(dues: &[Due<'_>]) -> String {
    if dues.is_empty() {
        return "no waivers".to_owned();
    }
    let verb = |number: usize, verb: &str| if number == 1 { format!("{verb}s") } else { verb.to_owned() };
    let expired = dues.iter().filter(|due| due.is_expired()).count();
    let soon = dues.iter().filter(|due| due.is_expiring()).count();
    let never = dues.iter().filter(|due| due.days_left.is_none()).count();
    let dead = dues.iter().filter(|due| due.is_dead).count();
    let parts = [
        (expired, format!("{expired} expired")),
        (soon, format!("{soon} {} within {EXPIRING_DAYS} days", verb(soon, "end"))),
        (never, format!("{never} never {}", verb(never, "end"))),
        (dead, format!("{dead} for a rule that is off")),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, part)| part).collect();
    let joint = if parts.is_empty() { "" } else { ": " };
    format!("{}{joint}{}", count(dues.len(), "waiver"), parts.join(", "))
}

fn platforms(scope: &PlatformScope) -> Vec<String> {
    scope.0.iter().map(|pattern| escape(&pattern.to_string())).collect()
}

#[derive(Serialize)]
struct List<'p> {
    schema: &'static str,
    observed_at: String,
    waivers: Vec<Entry<'p>>,
}

#[derive(Serialize)]
struct Entry<'p> {
    rule: &'p str,
    images: Vec<&'p str>,
    platforms: Option<Vec<String>>,
    fingerprints: &'p [String],
    reason: &'p str,
    owner: Option<&'p str>,
    link: Option<&'p str>,
    expires: Option<String>,
    days_left: Option<i32>,
    expired: bool,
    dead: bool,
    policy: PolicyPlace,
}

impl<'p> From<&Due<'p>> for Entry<'p> {
    fn from(due: &Due<'p>) -> Self {
        let waiver = due.waiver;
        Self {
            rule: &waiver.rule,
            images: waiver.images.patterns().collect(),
            platforms: waiver.platforms.as_ref().map(platforms),
            fingerprints: &waiver.fingerprints,
            reason: &waiver.reason,
            owner: waiver.owner.as_deref(),
            link: waiver.link.as_deref(),
            expires: waiver.expires.map(|date| date.to_string()),
            days_left: due.days_left,
            expired: due.is_expired(),
            dead: due.is_dead,
            policy: PolicyPlace::from(&waiver.origin),
        }
    }
}
