//! Limits of numbers, dates, sizes and versions, and where values of a document stand to them.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use semver::{BuildMetadata, Prerelease, Version};
use serde_json::{Number, Value};

use super::super::prelude::*;
use super::super::value_type::ValueType;

/// Length beyond which a text is no number, date, size or version, in bytes.
const LENGTH: usize = 256;

/// What `min` and `max` compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Numbers, also as text: `3`, `"3"`.
    Number,
    /// Dates and times of RFC 3339: `2026-11-23T12:00:00Z`.
    Date,
    /// Numbers of bytes, and texts such as `500MiB`.
    Size,
    /// Semantic versions; a leading `v` does not count, and what is left out at the end is zero: `v1.2` is `1.2.0`.
    Version,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::Size => "size",
            Self::Version => "version",
        }
    }
}

/// `min` or `max` as the policy writes it.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Bound {
    Number(Number),
    Day(Date),
    Time(Timestamp),
    Text(String),
}

impl Bound {
    fn new(value: toml::Value) -> Result<Self, String> {
        let expected = "expected a number, a date, or a text such as \"500MiB\" or \"1.2.0\"";
        match value {
            toml::Value::Integer(number) => Ok(Self::Number(number.into())),
            toml::Value::Float(number) => {
                Number::from_f64(number).map(Self::Number).ok_or_else(|| "not a finite number".to_owned())
            }
            toml::Value::String(text) => Ok(Self::Text(text)),
            toml::Value::Datetime(date) => Self::date(&date.to_string()),
            _ => Err(expected.to_owned()),
        }
    }

    fn date(text: &str) -> Result<Self, String> {
        let day = || text.parse().ok().filter(|_| text.len() == 10).map(Self::Day);
        let time = || time(text).map(Self::Time);
        day()
            .or_else(time)
            .ok_or_else(|| "a date is a day (2026-11-23) or a time with its offset (2026-11-23T12:00:00Z)".to_owned())
    }

    /// What it compares if nothing else is said; a text could be any.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Number(_) => Some(Kind::Number),
            Self::Day(_) | Self::Time(_) => Some(Kind::Date),
            Self::Text(_) => None,
        }
    }

    /// The limit that it is, as the least or as the most.
    pub(super) fn limit(&self, kind: Kind, end: End) -> Result<Limit, String> {
        match (kind, self) {
            (Kind::Number, Self::Number(number)) => Ok(Limit::Number(number.clone())),
            (Kind::Size, Self::Number(number)) => {
                number.as_u64().map(Limit::Bytes).ok_or_else(|| "a size is a whole number of bytes".to_owned())
            }
            (Kind::Size, Self::Text(text)) => Size::new(text).map(|size| Limit::Bytes(size.bytes())),
            (Kind::Date, Self::Time(time)) => Ok(Limit::Time(*time)),
            (Kind::Date, Self::Day(day)) => whole_day(*day, end).map(Limit::Time),
            (Kind::Date, Self::Text(text)) => Self::date(text)?.limit(kind, end),
            (Kind::Version, Self::Text(text)) => version_limit(text, end).map(Limit::Version),
            (kind, bound) => Err(format!("{bound} is no {}", kind.as_str())),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Day(day) => day.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Which end of a range a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Min,
    Max,
}

/// The first or the last instant of a day, in UTC.
fn whole_day(day: Date, end: End) -> Result<Timestamp, String> {
    let midnight = |day: Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let instant = match end {
        End::Min => midnight(day),
        End::Max => {
            day.tomorrow().and_then(midnight).and_then(|next| next.checked_sub(jiff::Span::new().nanoseconds(1)))
        }
    };
    instant.map_err(|_| format!("{day} is out of range"))
}

/// A version in the policy. One that leaves out a number is no upper limit: 1.2 may mean 1.2.0 or all of 1.2.
fn version_limit(text: &str, end: End) -> Result<Version, String> {
    let found = version(text).ok_or("a version has up to three numbers: `1.2.0`, `1.2.0-rc.1`")?;
    if end == End::Max && text.split(['-', '+']).next().is_some_and(|core| core.split('.').count() < 3) {
        return Err(format!("`{text}` leaves open what comes after it: write all three numbers, such as `{found}`"));
    }
    Ok(found)
}

/// A limit that values are compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Limit {
    Number(Number),
    Time(Timestamp),
    Bytes(u64),
    Version(Version),
}

impl Limit {
    /// How a value compares with the limit; `None` when it is nothing of that kind.
    pub(super) fn compare(&self, value: &Value) -> Option<Ordering> {
        let text = value.as_str().filter(|text| text.len() <= LENGTH);
        match self {
            Self::Number(limit) => {
                let written = || {
                    text.filter(|text| text.trim() == *text).and_then(|text| serde_json::from_str::<Number>(text).ok())
                };
                order(&value.as_number().cloned().or_else(written)?, limit)
            }
            Self::Time(limit) => Some(time(text?)?.cmp(limit)),
            Self::Bytes(limit) => {
                let written = || Some(Size::new(text?).ok()?.bytes());
                Some(value.as_u64().or_else(written)?.cmp(limit))
            }
            Self::Version(limit) => Some(version(text?)?.cmp_precedence(limit)),
        }
    }

    /// How a limit of the same kind compares with this one.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => order(a, b),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Version(a), Self::Version(b)) => Some(a.cmp_precedence(b)),
            _ => None,
        }
    }
}

/// Compares numbers, whole ones exactly, however they are written.
pub(super) fn order(a: &Number, b: &Number) -> Option<Ordering> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// A number without a fraction, unless it is of more digits than anybody writes.
fn whole(number: &Number) -> Option<i128> {
    const BEYOND: f64 = 1e38;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is within the bounds of the type")]
    let of_float = || number.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < BEYOND).map(|it| it as i128);
    number.as_i128().or_else(of_float)
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|_| ValueType::Rfc3339.admits(text))
}

/// Reads a version as loosely as images write them: a leading `v`, one to three numbers, leading zeros (`22.04`).
fn version(text: &str) -> Option<Version> {
    let text = Some(text).filter(|text| text.len() <= LENGTH)?;
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (text, build) = text.split_once('+').unwrap_or((text, ""));
    let (numbers, pre) = text.split_once('-').map_or((text, None), |(numbers, pre)| (numbers, Some(pre)));
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let numbers = numbers.split('.').map(number).collect::<Option<Vec<u64>>>()?;
    let [major, minor, patch] = match numbers[..] {
        [major] => [major, 0, 0],
        [major, minor] => [major, minor, 0],
        [major, minor, patch] => [major, minor, patch],
        _ => return None,
    };
    let pre = match pre {
        Some("") => return None,
        Some(pre) => Prerelease::new(pre).ok()?,
        None => Prerelease::EMPTY,
    };
    Some(Version { major, minor, patch, pre, build: BuildMetadata::new(build).ok()? })
}

/// A text, number or boolean that the policy compares with.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Scalar {
    Text(String),
    Number(Number),
    Boolean(bool),
}

impl Scalar {
    fn new(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::String(text) => Ok(Self::Text(text)),
            toml::Value::Boolean(value) => Ok(Self::Boolean(value)),
            toml::Value::Integer(number) => Ok(Self::Number(number.into())),
            toml::Value::Float(number) => {
                Number::from_f64(number).map(Self::Number).ok_or_else(|| "not a finite number".to_owned())
            }
            toml::Value::Datetime(date) => {
                Err(format!("documents hold dates as text: write \"{date}\", or compare with `min` and `max`"))
            }
            _ => Err("expected a text, a number or a boolean".to_owned()),
        }
    }

    /// Whether a value of a document is the same: a number is never equal to a text.
    pub(super) fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => text == value,
            (Self::Number(number), Value::Number(value)) => order(number, value) == Some(Ordering::Equal),
            (Self::Boolean(flag), Value::Bool(value)) => flag == value,
            _ => false,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(value) => value.fmt(f),
        }
    }
}

macro_rules! deserialized_from_toml {
    ($($type:ty),*) => { $(impl<'de> Deserialize<'de> for $type {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::new(toml::Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
        }
    })* };
}
deserialized_from_toml!(Bound, Scalar);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limit(kind: Kind, bound: impl Into<toml::Value>, end: End) -> Result<Limit, String> {
        Bound::new(bound.into())?.limit(kind, end)
    }

    fn compared(kind: Kind, bound: impl Into<toml::Value>, value: &Value) -> Option<Ordering> {
        limit(kind, bound, End::Max).unwrap().compare(value)
    }

    #[test]
    fn numbers_are_compared_exactly_and_also_as_text() {
        use Ordering::{Equal, Greater, Less};
        let of = |value| compared(Kind::Number, 9_007_199_254_740_993_i64, &value);
        assert_eq!(of(json!(9_007_199_254_740_992_i64)), Some(Less));
        assert_eq!(of(json!(u64::MAX)), Some(Greater));
        assert_eq!(of(json!("9007199254740993")), Some(Equal));
        assert_eq!(of(json!(1.5)), Some(Less));
        assert_eq!(of(json!(9_007_199_254_740_992.0)), Some(Less));
        assert_eq!(of(json!(9_007_199_254_740_994.0)), Some(Greater));
        assert_eq!(of(json!(-1e300)), Some(Less));
        for none in [json!("3 "), json!("0x3"), json!(""), json!(true), json!([3]), json!("1e999"), json!("NaN")] {
            assert_eq!(of(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn a_day_is_the_whole_day() {
        let day = toml::Value::Datetime("2026-11-23".parse().unwrap());
        let order = |end, text: &str| limit(Kind::Date, day.clone(), end).unwrap().compare(&json!(text));
        assert_eq!(order(End::Max, "2026-11-23T23:59:59.999Z"), Some(Ordering::Less));
        assert_eq!(order(End::Max, "2026-11-24T00:00:00Z"), Some(Ordering::Greater));
        assert_eq!(order(End::Min, "2026-11-23T00:00:00Z"), Some(Ordering::Equal));
        assert_eq!(order(End::Min, "2026-11-23T00:30:00+01:00"), Some(Ordering::Less));
        assert_eq!(order(End::Min, "2026-11-23"), None);
        assert!(limit(Kind::Date, "2026-11-23T12:00:00", End::Min).is_err());
        assert!(limit(Kind::Date, "9999-12-31", End::Max).is_err());
    }

    #[test]
    fn versions_are_read_loosely_and_ordered_by_precedence() {
        use Ordering::{Equal, Greater, Less};
        let of = |text: &str| compared(Kind::Version, "22.4.0", &json!(text));
        for (text, order) in [
            ("22.04", Equal),
            ("v22.4", Equal),
            ("22.4.0+build.7", Equal),
            ("22.4.0-rc.1", Less),
            ("22", Less),
            ("22.10", Greater),
            ("22.4.1", Greater),
        ] {
            assert_eq!(of(text), Some(order), "{text}");
        }
        for none in ["", "latest", "1.2.3.4", "1..2", "1.-2", "+1", "1.2.3-", "v", "99999999999999999999", "１.2"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert!(limit(Kind::Version, "1.2", End::Min).is_ok());
        assert!(limit(Kind::Version, "1.2", End::Max).unwrap_err().contains("all three numbers, such as `1.2.0`"));
    }

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        let of = |value| compared(Kind::Size, "1KiB", &value);
        assert_eq!(of(json!(1_024)), Some(Ordering::Equal));
        assert_eq!(of(json!("2 kB")), Some(Ordering::Greater));
        assert_eq!(of(json!("1024")), None);
        assert_eq!(of(json!(-1)), None);
    }

    #[test]
    fn a_number_never_equals_a_text() {
        assert!(Scalar::Number(3.into()).equals(&json!(3.0)) && !Scalar::Number(3.into()).equals(&json!("3")));
        assert!(!Scalar::Text("true".to_owned()).equals(&json!(true)) && Scalar::Boolean(true).equals(&json!(true)));
    }
}
