//! Versions of a deploy target, as policies and the table of targets name them.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};

/// How versions are written, in a sentence.
pub(super) const SYNTAX: &str = "`>=20.10`, `<23`, `>=20.10,<23`, or `@20.10` for 20.10 with all its patches";

/// A version: three numbers, 0 where none is written.
type Version = [u32; 3];

/// A run of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Versions {
    from: Version,
    /// The first that is not among them; `None` without an end.
    before: Option<Version>,
}

impl Versions {
    pub(super) const ALL: Self = Self { from: [0; 3], before: None };

    /// Whether any version is in both.
    pub(super) fn meets(self, other: Self) -> bool {
        let ends_after = |run: Self, version: Version| run.before.is_none_or(|before| version < before);
        ends_after(self, other.from) && ends_after(other, self.from)
    }

    fn is_empty(self) -> bool {
        self.before.is_some_and(|before| before <= self.from)
    }
}

impl FromStr for Versions {
    type Err = String;

    /// Reads comparisons with `>=` and `<`, or one `@`. There is no `>` and no `<=`: whether 23.0.1 is `<=23` is anybody's guess.
    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("versions are written {SYNTAX}");
        if let Some(series) = text.strip_prefix('@') {
            let (from, written) = version(series.trim()).ok_or_else(malformed)?;
            let mut before = from;
            let last = &mut before[written - 1];
            *last = last.checked_add(1).ok_or_else(malformed)?;
            before[written..].fill(0);
            return Ok(Self { from, before: Some(before) });
        }
        let (mut from, mut before) = (None, None);
        for comparison in text.split(',').map(str::trim) {
            let (bound, number) = match (comparison.strip_prefix(">="), comparison.strip_prefix('<')) {
                (Some(number), _) => (&mut from, number),
                (_, Some(number)) => (&mut before, number),
                _ => return Err(malformed()),
            };
            let (version, _) = version(number.trim()).ok_or_else(malformed)?;
            if bound.replace(version).is_some() {
                return Err(malformed());
            }
        }
        let versions = Self { from: from.unwrap_or([0; 3]), before };
        if versions.is_empty() { Err(format!("no version is `{text}`")) } else { Ok(versions) }
    }
}

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// One to three numbers with points between, and how many of them are written.
fn version(text: &str) -> Option<(Version, usize)> {
    let mut version = [0; 3];
    let mut written = 0;
    for part in text.split('.') {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        *version.get_mut(written)? = part.parse().ok().filter(|_| is_number)?;
        written += 1;
    }
    Some((version, written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(one: &str, other: &str) -> bool {
        let versions = |text: &str| text.parse::<Versions>().unwrap();
        let met = versions(one).meets(versions(other));
        assert_eq!(met, versions(other).meets(versions(one)), "{one} {other}");
        met
    }

    #[test]
    fn versions_meet_where_one_is_in_both() {
        assert!(meets("<23", ">=20.10"));
        assert!(meets("<23", ">=22.0.9"));
        assert!(!meets("<23", ">=23"));
        assert!(!meets("<23", ">=23.0.0,<24"));
        assert!(meets("<23", "@20.10"));
        assert!(!meets("<1.5", "@1.5"));
        assert!(meets("<1.5", "@1"));
        assert!(meets(">=26", ">=20.10"));
        assert!(!meets(">=26", "<26"));
        assert!(meets("<7.11.1", "@7.11"));
        assert!(!meets("<7.11.1", "@7.11.1"));
        assert!(meets(">= 20.10 , < 23", "@22"));
    }

    #[test]
    fn what_can_be_misread_is_no_version() {
        for text in [
            "",
            "20",
            ">20",
            "<=23",
            "=20.10",
            ">=",
            "<v23",
            "<23,",
            "<23,<24",
            ">=1.2.3.4",
            "@",
            "@20,<21",
            "<2 3",
            "<+3",
        ] {
            assert!(text.parse::<Versions>().is_err(), "{text}");
        }
        assert!("@4294967295".parse::<Versions>().is_err());
        assert!("<99999999999".parse::<Versions>().is_err());
        for text in ["<0", ">=24,<23", ">=23,<23.0"] {
            assert_eq!(text.parse::<Versions>(), Err(format!("no version is `{text}`")));
        }
    }
}
