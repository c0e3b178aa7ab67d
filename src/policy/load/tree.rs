//! Tables and values with their places.

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::mistake::{Mistake, Mistakes, Span};

/// A key with its place.
pub(super) type Key<'a> = Spanned<DeString<'a>>;
/// A value with its place.
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// The same table, its places moved on.
pub(super) fn moved(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    if by == 0 {
        return table;
    }
    let entries = table.into_iter().map(|(key, value)| (shifted(key, by), moved_value(value, by)));
    entries.collect()
}

fn moved_value(value: Value<'_>, by: usize) -> Value<'_> {
    let value = shifted(value, by);
    let span = value.span();
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved(table, by)),
        DeValue::Array(array) => DeValue::Array(array.into_iter().map(|value| moved_value(value, by)).collect()),
        scalar => scalar,
    };
    Spanned::new(span, inner)
}

fn shifted<T>(spanned: Spanned<T>, by: usize) -> Spanned<T> {
    let span = spanned.span();
    Spanned::new(span.start + by..span.end + by, spanned.into_inner())
}

/// The kind of a value, as a sentence names it.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Whether a table was made by a dot in a key (`a.b = 1` makes `a`): it has no place of its own but the key's.
fn is_dotted(key: &Key<'_>, value: &Value<'_>) -> bool {
    value.get_ref().is_table() && value.span() == key.span()
}

/// Where an entry stands: its header, or the key through the value.
pub(super) fn place(key: &Key<'_>, value: &Value<'_>) -> Span {
    let (key, value) = (key.span(), value.span());
    if value.start < key.end { value } else { key.start..value.end }
}

/// Keeps the entries of a table that are wanted.
pub(super) fn keep<'a>(table: &mut DeTable<'a>, mut wanted: impl FnMut(&Key<'a>, &Value<'a>) -> bool) {
    *table = std::mem::take(table).into_iter().filter(|(key, value)| wanted(key, value)).collect();
}

/// Whether a value stands for a list of `[data]`: `{ data = "name" }`.
pub(super) fn is_reference(value: &Value<'_>) -> bool {
    value.get_ref().as_table().is_some_and(|table| table.contains_key("data"))
}

/// A key with dots that was not quoted.
#[derive(Debug)]
pub(super) struct Dotted {
    /// Where it is written.
    pub(super) span: Span,
    /// The whole of it.
    pub(super) name: String,
}

/// Takes out the keys with dots that were not quoted within the value of a parameter.
pub(super) fn take_dotted(value: &mut Value<'_>) -> Vec<Dotted> {
    let DeValue::Table(table) = value.get_mut() else { return Vec::new() };
    let mut found = Vec::new();
    for (key, value) in std::mem::take(table) {
        if is_dotted(&key, &value) {
            let start = Dotted { span: key.span(), name: key.get_ref().to_string() };
            let from = found.len();
            leaves(&start, &value, &mut found);
            // The first part is kept once, where it was first: the keys after that one begin elsewhere.
            found[from..].sort_by_key(|dotted: &Dotted| dotted.span.end);
            for later in found.iter_mut().skip(from + 1) {
                later.span.start = later.span.end - later.name.rsplit('.').next().map_or(0, str::len);
            }
        } else {
            table.insert(key, value);
        }
    }
    found
}

/// The keys that lead to the values in a table made by dots.
fn leaves(from: &Dotted, value: &Value<'_>, found: &mut Vec<Dotted>) {
    let DeValue::Table(table) = value.get_ref() else { return };
    for (key, value) in table {
        let span = from.span.start.min(key.span().start)..key.span().end;
        let dotted = Dotted { span, name: format!("{}.{}", from.name, key.get_ref()) };
        if is_dotted(key, value) {
            leaves(&dotted, value, found);
        } else {
            found.push(dotted);
        }
    }
}

/// What was taken out of a table because it was to blame.
#[derive(Debug)]
pub(super) struct Cut {
    /// The entry of the table that it was in, or was.
    pub(super) key: String,
    /// What of it was.
    pub(super) blamed: Blamed,
}

/// What of an entry is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blamed {
    /// Its key, or something that is not there.
    Key,
    /// Its value, which is of this kind.
    Value(&'static str),
}

/// Takes out the smallest item that holds a place: an entry of the table, of a table in it, or an element of a list in it.
pub(super) fn cut(table: &mut DeTable<'_>, span: &Span) -> Option<Cut> {
    let (key, _) = table.iter().find(|(key, value)| within(span, &key.span()) || holds(value, span))?;
    let name = key.get_ref().to_string();
    cut_within(table, &name, span)
}

/// The same within one entry of the table.
pub(super) fn cut_within(table: &mut DeTable<'_>, name: &str, span: &Span) -> Option<Cut> {
    let on_key = within(span, &table.get_key_value(name)?.0.span());
    let value = table.get_mut(name)?;
    // A table made by dots has the place of its key.
    let is_key = on_key && value.span() != *span;
    if !is_key && let Some(blamed) = cut_inside(value, span) {
        return Some(Cut { key: name.to_owned(), blamed });
    }
    let value = table.remove(name)?;
    let blamed = if is_key { Blamed::Key } else { Blamed::Value(kind(value.get_ref())) };
    Some(Cut { key: name.to_owned(), blamed })
}

/// The same within a value; `None` if the value itself is to blame.
fn cut_inside(value: &mut Value<'_>, span: &Span) -> Option<Blamed> {
    if value.span() == *span {
        return None;
    }
    match value.get_mut() {
        DeValue::Table(table) => cut(table, span).map(|cut| cut.blamed),
        DeValue::Array(array) => {
            let at = array.iter().position(|element| holds(element, span))?;
            let (mut blamed, mut kept) = (Blamed::Key, DeArray::new());
            for (number, element) in std::mem::replace(array, DeArray::new()).into_iter().enumerate() {
                if number != at {
                    kept.push(element);
                } else if element.span() == *span {
                    blamed = Blamed::Value(kind(element.get_ref()));
                }
            }
            *array = kept;
            Some(blamed)
        }
        _ => None,
    }
}

/// Whether a place is within a value.
pub(super) fn holds(value: &Value<'_>, span: &Span) -> bool {
    within(span, &value.span())
        || match value.get_ref() {
            DeValue::Table(table) => table.iter().any(|(key, value)| within(span, &key.span()) || holds(value, span)),
            DeValue::Array(array) => array.iter().any(|element| holds(element, span)),
            _ => false,
        }
}

fn within(inner: &Span, outer: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// How many values a table holds, at all depths.
pub(super) fn size(table: &DeTable<'_>) -> usize {
    fn of(value: &Value<'_>) -> usize {
        match value.get_ref() {
            DeValue::Table(table) => 1 + size(table),
            DeValue::Array(array) => 1 + array.iter().map(of).sum::<usize>(),
            _ => 1,
        }
    }
    table.iter().map(|(_, value)| of(value)).sum()
}

/// Takes the text of a key out of a table; a value that is none, or blank, is a mistake.
pub(super) fn take_text(table: &mut DeTable<'_>, key: &str, mistakes: &mut Mistakes) -> Option<Spanned<String>> {
    text(key, table.remove(key)?, &format!("write `{key} = \"…\"`"), mistakes)
}

/// Takes the list of texts of a key out of a table; anything else, or nothing in it, is a mistake.
pub(super) fn take_texts(table: &mut DeTable<'_>, key: &str, mistakes: &mut Mistakes) -> Option<Vec<Spanned<String>>> {
    texts(key, table.remove(key)?, mistakes)
}

/// The texts of a list; anything else, or nothing in it, is a mistake.
pub(super) fn texts(key: &str, value: Value<'_>, mistakes: &mut Mistakes) -> Option<Vec<Spanned<String>>> {
    let span = value.span();
    let array = match value.into_inner() {
        DeValue::Array(array) if array.is_empty() => {
            let mistake = Mistake::at(span, format!("`{key}` is empty, expected at least one"));
            mistakes.add(mistake.help("leave the key out if nothing is meant"));
            return None;
        }
        DeValue::Array(array) => array,
        other => {
            let message = format!("`{key}`: expected a list of strings, found {}", kind(&other));
            let mistake = Mistake::at(span, message);
            mistakes.add(mistake.help(format!("write `{key} = [\"…\"]`")));
            return None;
        }
    };
    let help = format!("write `{key} = [\"…\"]`");
    let texts: Vec<_> = array.into_iter().map(|element| text(key, element, &help, mistakes)).collect();
    texts.into_iter().collect()
}

/// Takes the address of a page out of a table; anything but one of http or https is a mistake.
pub(super) fn take_address(table: &mut DeTable<'_>, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let written = take_text(table, key, mistakes)?;
    let address = url::Url::parse(written.get_ref()).ok();
    if address.is_none_or(|address| !matches!(address.scheme(), "https" | "http")) {
        let message = format!("`{key}`: `{}` is no address of a page", written.get_ref());
        mistakes.add(Mistake::at(written.span(), message).help("write it in full: `https://…`"));
    }
    Some(written.into_inner())
}

fn text(key: &str, value: Value<'_>, help: &str, mistakes: &mut Mistakes) -> Option<Spanned<String>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::String(text) if text.trim().is_empty() => {
            let mistake = Mistake::at(span, format!("`{key}` is blank, expected a text"));
            mistakes.add(mistake.help(help));
            None
        }
        DeValue::String(text) => Some(Spanned::new(span, text.into_owned())),
        other => {
            let message = format!("`{key}`: expected a string, found {}", kind(&other));
            mistakes.add(Mistake::at(span, message).help(help));
            None
        }
    }
}

/// Takes `true` or `false` of a key out of a table, and where the entry stands; anything else is a mistake.
pub(super) fn take_flag(table: &mut DeTable<'_>, key: &str, mistakes: &mut Mistakes) -> Option<(bool, Span)> {
    let (name, value) = table.remove_entry(key)?;
    if let DeValue::Boolean(flag) = value.get_ref() {
        return Some((*flag, place(&name, &value)));
    }
    let message = format!("`{key}`: expected `true` or `false`, found {}", kind(value.get_ref()));
    mistakes.add(Mistake::at(value.span(), message).help(format!("write `{key} = true`, without quotes")));
    None
}

/// Keys that a later version of the policy language gives a meaning to.
const RESERVED: &[&str] = &["owner", "link", "tags"];

/// Takes the reserved keys out of a table; each is a mistake.
pub(super) fn take_reserved(table: &mut DeTable<'_>, mistakes: &mut Mistakes) {
    for &name in RESERVED {
        if let Some((key, _)) = table.remove_entry(name) {
            let message = format!("`{name}` is reserved for a later version of the policy language");
            mistakes.add(Mistake::at(key.span(), message).help("remove it"));
        }
    }
}
