//! What is wanted of one value.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use super::super::prelude::*;
use super::limit::{Kind, Limit, Scalar};

/// What a value is compared with.
#[derive(Debug)]
pub(super) enum Comparison<'p> {
    Equals(&'p Scalar),
    OneOf(&'p [Scalar]),
    Match(&'p Pattern),
    NotMatch(&'p Pattern),
    Exists(bool),
    Range(Range),
}

/// What lies between two limits, themselves included; at least one is given.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) kind: Kind,
    /// The limits, with the texts of the policy.
    pub(super) min: Option<(Limit, String)>,
    pub(super) max: Option<(Limit, String)>,
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Met,
    Failed,
    /// The value is nothing that could be compared: what would have been.
    NoSuch(&'static str),
}

impl Comparison<'_> {
    /// Compares a value that is there.
    pub(super) fn of(&self, value: &Value) -> Outcome {
        let text = |test: &dyn Fn(&str) -> bool| value.as_str().map_or(Outcome::NoSuch("text"), |text| met(test(text)));
        match self {
            Self::Equals(wanted) => met(wanted.equals(value)),
            Self::OneOf(wanted) => met(wanted.iter().any(|wanted| wanted.equals(value))),
            Self::Match(pattern) => text(&|text| pattern.matches(text)),
            Self::NotMatch(pattern) => text(&|text| !pattern.matches(text)),
            Self::Exists(wanted) => met(*wanted),
            Self::Range(range) => range.of(value),
        }
    }
}

fn met(met: bool) -> Outcome {
    if met { Outcome::Met } else { Outcome::Failed }
}

impl Range {
    fn of(&self, value: &Value) -> Outcome {
        let below = self.min.as_ref().map(|(min, _)| min.compare(value).map(Ordering::is_lt));
        let above = self.max.as_ref().map(|(max, _)| max.compare(value).map(Ordering::is_gt));
        match [below, above].into_iter().flatten().collect::<Option<Vec<bool>>>() {
            None => Outcome::NoSuch(self.kind.as_str()),
            Some(outside) => met(!outside.contains(&true)),
        }
    }
}

/// What is wanted, as it follows "wanted".
impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(wanted) => wanted.fmt(f),
            Self::OneOf(wanted) => f.write_str(&words::either(*wanted)),
            Self::Match(pattern) => write!(f, "a match of '{}'", pattern.as_str()),
            Self::NotMatch(pattern) => write!(f, "no match of '{}'", pattern.as_str()),
            Self::Exists(true) => f.write_str("a value there"),
            Self::Exists(false) => f.write_str("none there"),
            Self::Range(Range { min, max, .. }) => {
                let parts = [("at least", min), ("at most", max)].into_iter();
                let parts: Vec<String> =
                    parts.filter_map(|(word, limit)| Some(format!("{word} {}", limit.as_ref()?.1))).collect();
                f.write_str(&parts.join(" and "))
            }
        }
    }
}
