//! By how much an image may have grown.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::super::prelude::*;
use super::super::size::Bytes;
use crate::oci::from_text;

/// The most by which something may grow: a size, a percentage, or whichever of the two is larger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Growth {
    size: Option<Size>,
    percent: Option<u32>,
    text: String,
}

impl Growth {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut growth = Self { size: None, percent: None, text: text.to_owned() };
        let wrong = || format!("`{text}` is no growth: expected `50MiB`, `10%`, or both as `50MiB or 10%`");
        for part in text.split(" or ") {
            match part.trim().strip_suffix('%') {
                Some(digits) if growth.percent.is_none() => {
                    let plain = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
                    growth.percent = Some(digits.parse().ok().filter(|_| plain).ok_or_else(wrong)?);
                }
                None if growth.size.is_none() => growth.size = Some(Size::new(part.trim()).map_err(|_| wrong())?),
                _ => return Err(wrong()),
            }
        }
        Ok(growth)
    }

    /// Whether something may grow from one size to another, both in bytes.
    pub(super) fn admits(&self, was: u128, now: u128) -> bool {
        let grown = now.saturating_sub(was);
        let by_size = self.size.as_ref().is_some_and(|size| grown <= u128::from(size.bytes()));
        let percent = |percent: u32| grown.saturating_mul(100) <= was.saturating_mul(percent.into());
        by_size || self.percent.is_some_and(percent)
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A growth that was found: `grew by 12.0 MiB (34 %) to 47.1 MiB`.
pub(super) struct Shown {
    pub(super) was: u128,
    pub(super) now: u128,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { was, now } = *self;
        let (by, verb) = if now >= was { (now - was, "grew") } else { (was - now, "shrank") };
        write!(f, "{verb} by {}", Bytes(by))?;
        if let Some(percent) = by.saturating_mul(100).checked_div(was) {
            write!(f, " ({percent} %)")?;
        }
        write!(f, " to {}", Bytes(now))
    }
}

pub(super) fn fix(entry: &Entry, view: &View<'_>) -> Fix {
    Fix::new("see which layers are new or larger, here and in the earlier image:").or(&Fix::new(
        "crane manifest --platform {} {} | jq '.layers[].size'",
    )
    .with(entry)
    .with(&image_name(view)))
}

impl<'de> Deserialize<'de> for Growth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a growth such as \"10%\" or \"50MiB or 10%\"", Self::new)
    }
}

impl JsonSchema for Growth {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Growth".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let size = r"[0-9]{1,18}(\.[0-9]{1,18})?\s*([kKMG]?B|[KMGT]iB)";
        let percent = "[0-9]{1,6}%";
        let pattern = format!("^({size}|{percent}|{size} or {percent}|{percent} or {size})$");
        json_schema!({ "type": "string", "pattern": pattern })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growth_is_a_size_or_a_percentage_or_the_larger_of_both() {
        let admits = |text, was, now| Growth::new(text).unwrap().admits(was, now);
        assert!(admits("10B", 100, 110) && !admits("10B", 100, 111) && admits("10B", 100, 1));
        assert!(admits("10%", 100, 110) && !admits("10%", 100, 111) && !admits("10%", 0, 1));
        assert!(admits("10% or 20B", 100, 120) && admits("20B or 10%", 1_000, 1_100));
        assert!(!admits("10% or 20B", 100, 121));
        for wrong in ["", "10", "%", "-1%", "1.5%", "10% or", "10% or 5%", "1B or 2B", "10% and 5MiB", "9999999%"] {
            assert!(Growth::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_growth_is_shown_with_its_share() {
        assert_eq!(Shown { was: 100, now: 134 }.to_string(), "grew by 34 B (34 %) to 134 B");
        assert_eq!(Shown { was: 0, now: 1 }.to_string(), "grew by 1 B to 1 B");
        assert_eq!(Shown { was: 2_048, now: 1_024 }.to_string(), "shrank by 1.0 KiB (50 %) to 1.0 KiB");
    }
}
