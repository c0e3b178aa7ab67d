//! Values as TOML writes them, with nothing in them that acts on who reads them.

use std::fmt::Write;

use crate::oci::is_unsafe;

/// A value on one line.
pub(super) fn literal(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text_of(text),
        toml::Value::Array(array) => format!("[{}]", joined(array.iter().map(literal))),
        toml::Value::Table(table) if table.is_empty() => "{}".to_owned(),
        toml::Value::Table(table) => {
            let entries = table.iter().map(|(key, value)| format!("{} = {}", key_of(key), literal(value)));
            format!("{{ {} }}", joined(entries))
        }
        other => other.to_string(),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn key_of(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { text_of(key) }
}

/// A string: as it is between `'` where that spares escapes, which regular expressions are full of, else between `"`.
pub(super) fn text_of(text: &str) -> String {
    let needs_escape = text.contains(is_unsafe) || text.contains("##");
    if text.contains(['\\', '"']) && !text.contains('\'') && !needs_escape {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    let mut before = None;
    for c in text.chars() {
        let after_hash = c == '#' && before == Some('#');
        before = Some(c);
        let _ = match c {
            '\\' | '"' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            c if is_unsafe(c) || after_hash => write!(out, "\\U{:08X}", u32::from(c)),
            c => write!(out, "{c}"),
        };
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> toml::Value {
        toml::from_str::<toml::Table>(&format!("x = {text}")).unwrap().remove("x").unwrap()
    }

    #[test]
    fn regular_expressions_stay_as_they_are_written() {
        assert_eq!(text_of(r"https://github\.com/acme/.+"), r"'https://github\.com/acme/.+'");
        assert_eq!(text_of(r"it's\."), r#""it's\\.""#);
        assert_eq!(text_of("##[error]\u{202e}\u{1b}"), r##""#\U00000023[error]\U0000202E\U0000001B""##);
    }

    #[test]
    fn dates_and_tables_are_written() {
        let table = read("{ \"a.b\" = 'x', c = [1, true], d = 2027-01-31 }");
        assert_eq!(literal(&table), r#"{ "a.b" = "x", c = [1, true], d = 2027-01-31 }"#);
    }

    proptest! {
        #[test]
        fn every_string_is_read_back(text in any::<String>(), key in any::<String>()) {
            let value = toml::Value::String(text.clone());
            prop_assert_eq!(read(&literal(&value)), value.clone());
            let shown = literal(&toml::Value::Table([(key, value)].into_iter().collect()));
            prop_assert!(!shown.contains(is_unsafe) && !shown.contains("##"), "{}", shown);
            prop_assert_eq!(literal(&read(&shown)), shown);
        }
    }
}
