//! What serde says about parameters, in the words of a policy.

use super::suggest::{any_of, did_you_mean};
use super::tree::{Blamed, Cut};

/// What is wrong with one parameter, and what to do about it.
pub(super) fn of_parameter(cut: &Cut, message: &str) -> (String, Option<String>) {
    let key = &cut.key;
    if let Some((found, words)) = closed_set(message) {
        let help = did_you_mean(found, &words);
        return (format!("`{key}`: `{found}` is not known, expected {}", any_of(&words)), help);
    }
    let message = match (expected(message), cut.blamed) {
        (Some(expected), Blamed::Value(found)) => differs(in_toml(expected), found),
        (Some(expected), Blamed::Key) => format!("expected {}", in_toml(expected)),
        (None, _) => missing(message),
    };
    let help = listed(&message);
    (format!("`{key}`: {message}"), help)
}

fn differs(expected: &str, found: &str) -> String {
    if expected.starts_with(found) {
        format!("out of range, expected {expected}")
    } else {
        format!("expected {expected}, found {found}")
    }
}

/// What was probably meant, of a message like `` `x` is no class of layers: expected one of gzip, zstd ``.
fn listed(message: &str) -> Option<String> {
    let (text, words) = message.split_once(" expected one of ")?;
    let words: Vec<&str> = words.split(", ").collect();
    did_you_mean(text.split('`').nth(1)?, &words)
}

/// What is wrong with the table of a rule as a whole.
pub(super) fn of_table(rule: &str, message: &str) -> String {
    format!("`{rule}`: {}", missing(message))
}

/// The word found and the words wanted, of a message about an unknown variant or field.
pub(super) fn closed_set(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown variant `").or_else(|| message.strip_prefix("unknown field `"))?;
    // The word found may hold anything; the words wanted are ours.
    let (found, wanted) = rest.rsplit_once("`, expected ")?;
    let words = wanted.split('`').skip(1).step_by(2).collect();
    Some((found, words))
}

/// What was wanted, of a message about a value of the wrong type, length or range.
fn expected(message: &str) -> Option<&str> {
    if message == "wanted string or table" {
        return Some("a string");
    }
    let about_value = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    let (_, expected) = message.rsplit_once(", expected ").filter(|_| about_value)?;
    Some(expected)
}

fn in_toml(expected: &str) -> &str {
    match expected {
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "a table",
        "a boolean" => "`true` or `false`",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

fn missing(message: &str) -> String {
    match message.strip_prefix("missing field ") {
        Some(field) => format!("{field} is missing"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worded(message: &str, blamed: Blamed) -> String {
        of_parameter(&Cut { key: "k".into(), blamed }, message).0
    }

    #[test]
    fn serde_speaks_of_lists_and_tables() {
        let number = Blamed::Value("a whole number");
        assert_eq!(
            worded("invalid type: integer `3`, expected a sequence", number),
            "`k`: expected a list, found a whole number"
        );
        assert_eq!(
            worded("invalid type: map, expected a string", Blamed::Value("a date or time")),
            "`k`: expected a string, found a date or time"
        );
        assert_eq!(
            worded("invalid value: integer `-1`, expected u64", number),
            "`k`: out of range, expected a whole number, not negative"
        );
        assert_eq!(
            worded("unknown variant `a`, expected x`, expected `b` or `c`", Blamed::Key),
            "`k`: `a`, expected x` is not known, expected `b` or `c`"
        );
        assert_eq!(worded("missing field `purl`", Blamed::Key), "`k`: `purl` is missing");
    }
}
