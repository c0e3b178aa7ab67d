//! Text that is no TOML.

use toml::de::{DeTable, DeValue, Error};

use super::mistake::{Mistake, Mistakes, Span};
use super::sources::Kept;
use super::tree::Value;

/// Tells the syntax errors of a file. Of a list or table that is never closed, only that is told: everything behind it is
/// read as part of it.
pub(super) fn tell(kept: &Kept, table: &DeTable<'_>, errors: &[Error], mistakes: &mut Mistakes) {
    let place = |error: &Error| error.span().unwrap_or(0..0);
    let text = kept.text();
    let never_closed = errors.iter().any(|error| {
        error.message().starts_with("unclosed ")
            && text.get(place(error).end..).is_none_or(|rest| rest.trim().is_empty())
    });
    let open = never_closed.then(|| open_at_the_end(table, text)).flatten();
    for error in errors {
        let span = place(error);
        if open.as_ref().is_none_or(|open| span.start < open.start) {
            mistakes.add(mistake(kept, error, &span));
        }
    }
    if let Some(open) = open {
        let (what, bracket) = if text[open.start..].starts_with('[') { ("list", ']') } else { ("table", '}') };
        let start = kept.base() + open.start;
        let message = format!("not valid TOML: this {what} is never closed, expected `{bracket}`");
        let mistake = Mistake::at(start..start + 1, message).unreadable_until(kept.base() + text.len());
        mistakes.add(mistake.help(format!("add the `{bracket}`")));
    }
}

/// The outermost list or inline table that reaches to the end of the text.
fn open_at_the_end(table: &DeTable<'_>, text: &str) -> Option<Span> {
    table.iter().find_map(|(_, value)| open_value(value, text))
}

fn open_value(value: &Value<'_>, text: &str) -> Option<Span> {
    let span = value.span();
    let inline = text.get(span.clone()).is_some_and(|text| text.starts_with(['[', '{']) && text.len() > 1);
    let header = inline && is_header(value, text);
    if inline && !header && text.get(span.end..).is_some_and(|rest| rest.trim().is_empty()) {
        return Some(span);
    }
    match value.get_ref() {
        DeValue::Table(table) => open_at_the_end(table, text),
        DeValue::Array(array) => array.iter().find_map(|value| open_value(value, text)),
        _ => None,
    }
}

/// Whether the place of a table or of a list of tables is its header: that begins its line.
fn is_header(value: &Value<'_>, text: &str) -> bool {
    let before = text.get(..value.span().start).unwrap_or_default();
    before.trim_end_matches([' ', '\t']).chars().next_back().is_none_or(|c| c == '\n')
}

fn mistake(kept: &Kept, error: &Error, local: &Span) -> Mistake {
    let text = kept.text().get(local.clone()).unwrap_or_default();
    let span = local.start + kept.base()..local.end + kept.base();
    if error.message() == "duplicate key" {
        let mistake = Mistake::at(span, format!("`{text}` is written twice"));
        return mistake.help("a key or a table is written once: put the two together");
    }
    let invalid =
        error.message().starts_with("invalid ") || error.message().starts_with("string values must be quoted");
    if invalid && is_word(text) && follows_equals(kept.text(), local.start) {
        let mistake = Mistake::at(span, format!("not valid TOML: the string `{text}` has no quotes"));
        return mistake.unreadable().help(format!("write `\"{text}\"`"));
    }
    let mistake = Mistake::at(span, format!("not valid TOML: {}", error.message())).unreadable();
    mistake.help("TOML is lines `key = value` below a `[table]`; see https://toml.io")
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:*".contains(c))
}

fn follows_equals(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|before| before.trim_end().ends_with(['=', '[', ',']))
}
