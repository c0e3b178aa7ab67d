//! Forms of tags: text, and numbers that stand for a version.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::oci::from_text;

/// How numbers are written, by how many there are.
const NUMBERS: [&str; 3] = ["{major}", "{major}.{minor}", "{major}.{minor}.{patch}"];
/// The longest number, in digits.
const DIGITS: usize = 18;

/// A tag in which numbers are left open: `v{major}.{minor}-alpine`, or none of them: `latest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    before: String,
    /// How many numbers there are.
    pub(super) parts: usize,
    after: String,
}

/// What a tag holds where its form leaves it open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit<'t> {
    /// Whether a `v` stands before the numbers that the form does not have; not said by a tag without numbers.
    pub(super) v: Option<&'t str>,
    pub(super) numbers: Vec<Number<'t>>,
    /// What follows, with its hyphen.
    pub(super) variant: &'t str,
}

/// A number as it is written. Ordered by its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number<'t> {
    value: u64,
    text: &'t str,
}

impl Number<'_> {
    pub(super) fn is(self, other: Number<'_>) -> bool {
        self.value == other.value
    }
}

impl Form {
    /// Reads a form.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let begin = text.find('{').unwrap_or(text.len());
        let (before, rest) = text.split_at(begin);
        let numbers =
            NUMBERS.into_iter().enumerate().rev().find_map(|(n, form)| Some((n + 1, rest.strip_prefix(form)?)));
        let (parts, after) = numbers.unwrap_or((0, rest));
        let is_tag = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if text.is_empty() || text.len() > 128 || !before.chars().chain(after.chars()).all(is_tag) {
            let forms = "`{major}`, `{major}.{minor}` or `{major}.{minor}.{patch}`";
            return Err(format!("`{text}` is no tag: expected letters, digits and one of {forms}"));
        }
        Ok(Self { before: before.to_owned(), parts, after: after.to_owned() })
    }

    /// What a tag of this form holds; `None` of any other.
    pub(super) fn fit<'t>(&self, tag: &'t str) -> Option<Fit<'t>> {
        let rest = tag.strip_prefix(self.before.as_str())?;
        if self.parts == 0 {
            let variant = rest.strip_prefix(self.after.as_str()).filter(|rest| is_variant(rest))?;
            return Some(Fit { v: None, numbers: Vec::new(), variant });
        }
        let (v, mut rest) = match rest.strip_prefix('v') {
            Some(stripped) if self.before.is_empty() => ("v", stripped),
            _ => ("", rest),
        };
        let mut numbers = Vec::with_capacity(self.parts);
        for part in 0..self.parts {
            if part > 0 {
                rest = rest.strip_prefix('.')?;
            }
            let (number, behind) = number(rest)?;
            numbers.push(number);
            rest = behind;
        }
        let variant = rest.strip_prefix(self.after.as_str()).filter(|rest| is_variant(rest))?;
        Some(Fit { v: Some(v), numbers, variant })
    }

    /// The tag of this form with the first of the numbers, and a variant.
    pub(super) fn tag(&self, fit: &Fit<'_>) -> Option<String> {
        let numbers: Vec<&str> = fit.numbers.get(..self.parts)?.iter().map(|number| number.text).collect();
        let v = fit.v.filter(|_| self.parts > 0).unwrap_or_default();
        Some(format!("{}{v}{}{}{}", self.before, numbers.join("."), self.after, fit.variant))
    }
}

fn is_variant(text: &str) -> bool {
    text.is_empty() || text.starts_with('-')
}

fn number(text: &str) -> Option<(Number<'_>, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if !(1..=DIGITS).contains(&digits.len()) {
        return None;
    }
    Some((Number { value: digits.parse().ok()?, text: digits }, rest))
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a tag such as \"{major}.{minor}\" or \"latest\"", Self::new)
    }
}

impl JsonSchema for Form {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Form".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = r"^[A-Za-z0-9_.-]*(\{major\}(\.\{minor\}(\.\{patch\})?)?)?[A-Za-z0-9_.-]*$";
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": pattern })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(form: &str, tag: &str) -> Option<String> {
        let fit = Form::new(form).unwrap().fit(tag)?;
        let numbers: Vec<&str> = fit.numbers.iter().map(|number| number.text).collect();
        Some(format!("{}|{}|{}", fit.v.unwrap_or("?"), numbers.join(" "), fit.variant))
    }

    #[test]
    fn a_tag_fits_a_form_wholly() {
        let full = "{major}.{minor}.{patch}";
        assert_eq!(fits(full, "1.2.3").unwrap(), "|1 2 3|");
        assert_eq!(fits(full, "v1.02.3-alpine3.20").unwrap(), "v|1 02 3|-alpine3.20");
        assert_eq!(fits("{major}", "22").unwrap(), "|22|");
        assert_eq!(fits("release-{major}.{minor}", "release-1.2").unwrap(), "|1 2|");
        assert_eq!(fits("{major}-alpine", "1-alpine").unwrap(), "|1|");
        assert_eq!(fits("latest", "latest-slim").unwrap(), "?||-slim");
        for tag in ["1.2", "1.2.3.4", "1.2.3rc1", "V1.2.3", "1..3", "1.2.x", "", "1.2.9999999999999999999", "x1.2.3"] {
            assert_eq!(fits(full, tag), None, "{tag}");
        }
        assert_eq!(fits("{major}-alpine", "1"), None);
        assert_eq!(fits("latest", "latest2"), None);
    }

    #[test]
    fn a_form_makes_the_tags_that_fit_it() {
        let full = Form::new("{major}.{minor}.{patch}").unwrap();
        let fit = full.fit("v1.02.3-slim").unwrap();
        let made = |form| Form::new(form).unwrap().tag(&fit).unwrap();
        assert_eq!(made("{major}.{minor}"), "v1.02-slim");
        assert_eq!(made("latest"), "latest-slim");
    }

    #[test]
    fn forms_are_tags_with_numbers_in_their_order() {
        for wrong in
            ["", "{minor}", "{major}-{minor}", "{major}{major}", "{ma", "a b", "a/b", "{major}.{minor}.{patch}.{x}"]
        {
            assert!(Form::new(wrong).is_err(), "{wrong}");
        }
    }
}
