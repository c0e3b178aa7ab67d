//! Spans of time in whole hours: as policies write them, and as messages show them.

use std::fmt::{self, Display};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use crate::oci::from_text;

/// The units that a policy may use, and their length in hours.
const UNITS: [(char, i64); 3] = [('h', 1), ('d', 24), ('w', 7 * 24)];
/// The longest span, in hours: a hundred years.
const LONGEST: i64 = 100 * 366 * 24;

/// A span of time as a policy writes it: `180d`, `12h`, `26w`. A day has 24 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duration {
    hours: i64,
    text: String,
}

impl Duration {
    /// Reads a whole number and a unit; zero is a span.
    pub fn new(text: &str) -> Result<Self, String> {
        let known = UNITS.iter().find_map(|&(unit, hours)| Some((text.strip_suffix(unit)?, hours)));
        let plain = known.filter(|(number, _)| {
            (1..=9).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
        });
        let Some((number, scale)) = plain else {
            return Err(
                "a time span is a whole number and a unit: `180d`, `12h`, `26w` (hours, days, weeks)".to_owned()
            );
        };
        let hours = number.parse::<i64>().ok().and_then(|number| number.checked_mul(scale));
        let hours = hours.filter(|hours| *hours <= LONGEST).ok_or("a time span is at most a hundred years")?;
        Ok(Self { hours, text: text.to_owned() })
    }

    /// The span.
    pub fn length(&self) -> SignedDuration {
        SignedDuration::from_hours(self.hours)
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a time span such as \"180d\"", Self::new)
    }
}

/// How old something is, for people: `5 hours`, `212 days`. Rounded down, so that no age is shown beyond what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age(SignedDuration);

impl Age {
    /// The time from `made` to `now`; negative where `made` is in the future.
    pub(super) fn of(made: Timestamp, now: Timestamp) -> Self {
        Self(now.duration_since(made))
    }

    /// Whether it lies in the future, beyond what clocks differ by (five minutes).
    pub(super) fn is_future(self) -> bool {
        self.0 < SignedDuration::from_mins(-5)
    }

    /// Whether it is younger than the span.
    pub(super) fn is_below(self, span: &Duration) -> bool {
        self.0 < span.length()
    }

    /// Whether it is older than the span.
    pub(super) fn exceeds(self, span: &Duration) -> bool {
        self.0 > span.length()
    }
}

impl Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.0.as_hours().max(0);
        let (number, unit) = if hours < 48 { (hours, "hour") } else { (hours / 24, "day") };
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_whole_number_and_a_unit() {
        let hours = |text| Duration::new(text).map(|span| span.length().as_hours()).ok();
        assert_eq!(hours("12h"), Some(12));
        assert_eq!(hours("180d"), Some(4_320));
        assert_eq!(hours("2w"), Some(336));
        assert_eq!(hours("0d"), Some(0));
        for wrong in [
            "",
            "d",
            "180",
            "-1d",
            "+1d",
            "1.5d",
            "1 d",
            "1D",
            "5m",
            "1d12h",
            "36601d",
            "999999999w",
            "9999999999h",
            "é",
        ] {
            assert_eq!(hours(wrong), None, "{wrong}");
        }
        assert_eq!(Duration::new("26w").unwrap().to_string(), "26w");
    }

    #[test]
    fn an_age_is_judged_to_the_second_and_shown_roughly() {
        let now: Timestamp = "2026-07-01T00:00:00Z".parse().unwrap();
        let age = |made: &str| Age::of(made.parse().unwrap(), now);
        let month = Duration::new("30d").unwrap();
        assert!(!age("2026-06-01T00:00:00Z").is_below(&month) && age("2026-06-01T00:00:01Z").is_below(&month));
        assert!(!age("2026-06-01T00:00:00Z").exceeds(&month) && age("2026-05-31T23:59:59Z").exceeds(&month));
        assert!(age("2026-07-01T00:05:01Z").is_future() && !age("2026-07-01T00:05:00Z").is_future());
        assert_eq!(age("2026-06-29T00:00:01Z").to_string(), "47 hours");
        assert_eq!(age("2026-06-30T22:30:00Z").to_string(), "1 hour");
        assert_eq!(age("2025-07-01T00:00:00Z").to_string(), "365 days");
        assert_eq!(age("2026-07-01T00:01:00Z").to_string(), "0 hours");
    }
}
