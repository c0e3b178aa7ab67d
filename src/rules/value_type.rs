//! The forms that a text may be asked to have.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::oci::Digest;

/// Length beyond which no text has any of the forms, in bytes.
const LENGTH: usize = 4_096;

/// The form that the value of an annotation or label must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ValueType {
    /// A date and time of RFC 3339: `2026-11-23T12:00:00Z`.
    Rfc3339,
    /// A version of Semantic Versioning 2.0.0, without a leading `v`.
    Semver,
    /// An absolute URL with a host.
    Url,
    /// An SPDX license expression with identifiers of the license list or `LicenseRef-…`.
    Spdx,
    /// A digest of an algorithm that registries use: `sha256:…`, `sha512:…`.
    Digest,
    /// A mail address, alone: `team@example.org`.
    Email,
}

impl ValueType {
    /// Whether the text has the form.
    pub(super) fn admits(self, text: &str) -> bool {
        text.len() <= LENGTH
            && match self {
                Self::Rfc3339 => is_rfc3339(text),
                Self::Semver => semver::Version::parse(text).is_ok(),
                Self::Url => !text.contains(char::is_whitespace) && Url::parse(text).is_ok_and(|url| url.has_host()),
                Self::Spdx => spdx::Expression::parse_mode(text, LICENSES).is_ok(),
                Self::Digest => text.parse::<Digest>().is_ok(),
                Self::Email => is_email(text),
            }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc3339 => "an RFC 3339 date and time such as 2026-11-23T12:00:00Z",
            Self::Semver => "a semantic version such as 1.2.3",
            Self::Url => "an absolute URL",
            Self::Spdx => "an SPDX license expression such as Apache-2.0 OR MIT",
            Self::Digest => "a digest such as sha256:…",
            Self::Email => "a mail address",
        })
    }
}

/// Identifiers that the license list still holds as deprecated (`GPL-2.0+`) are identifiers.
pub(super) const LICENSES: spdx::ParseMode =
    spdx::ParseMode { allow_deprecated: true, allow_postfix_plus_on_gpl: true, ..spdx::ParseMode::STRICT };

/// The moment that an RFC 3339 date and time names; one of the last hours of the year 9999 is the last that can be computed with.
pub(super) fn moment(text: &str) -> Option<jiff::Timestamp> {
    ValueType::Rfc3339.admits(text).then(|| text.parse().unwrap_or(jiff::Timestamp::MAX))
}

/// Whether a date says only that there is none: no image is older than the first year of Docker. ko, Jib and Bazel write the
/// beginning of 1970, buildpacks that of 1980, Go's zero time is in the year 1.
pub(super) fn stands_for_none(date: jiff::Timestamp) -> bool {
    /// 2013-01-01T00:00:00Z
    const FIRST: jiff::Timestamp = jiff::Timestamp::constant(1_356_998_400, 0);
    date < FIRST
}

/// jiff reads many forms of ISO 8601; RFC 3339 is the one with all its parts, of which the layout is checked here.
fn is_rfc3339(text: &str) -> bool {
    let layout = |byte: (usize, u8)| match byte {
        (4 | 7, byte) => byte == b'-',
        (10, byte) => byte.eq_ignore_ascii_case(&b'T'),
        (13 | 16, byte) => byte == b':',
        (_, byte) => byte.is_ascii_digit(),
    };
    let Some((start, rest)) = text.split_at_checked(19) else { return false };
    let fraction = rest.strip_prefix('.').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let zone = fraction.filter(|zone| rest.len() > zone.len() + 1).or_else(|| fraction.is_none().then_some(rest));
    start.bytes().enumerate().all(layout)
        && zone.is_some_and(|zone| {
            let time = text.strip_suffix(zone).unwrap_or_default();
            is_zone(zone) && time.parse::<jiff::civil::DateTime>().is_ok()
        })
}

/// `Z`, or an offset of less than a day.
fn is_zone(zone: &str) -> bool {
    let below = |number: &[u8], end: &[u8]| number.iter().all(u8::is_ascii_digit) && number < end;
    match zone.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hours @ .., b':', m, n] => hours.len() == 2 && below(hours, b"24") && below(&[*m, *n], b"60"),
        _ => false,
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let in_local = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let is_label = |label: &str| {
        let inside = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        !label.is_empty() && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    !local.is_empty() && local.chars().all(in_local) && domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::ValueType::{self, Digest, Email, Rfc3339, Semver, Spdx, Url};

    fn all(form: ValueType, admits: bool, texts: &[&str]) {
        for text in texts {
            assert_eq!(form.admits(text), admits, "{form:?} {text:?}");
        }
    }

    #[test]
    fn dates() {
        all(
            Rfc3339,
            true,
            &[
                "2026-11-23T12:00:00Z",
                "2026-11-23t12:00:00z",
                "2024-02-29T23:59:60.123456789+05:30",
                "1970-01-01T00:00:00-00:00",
                "2016-12-31T23:59:60Z",
                "0000-01-01T00:00:00+23:59",
                "9999-12-31T23:59:59.999999999-23:59",
            ],
        );
        all(
            Rfc3339,
            false,
            &[
                "",
                "2026-11-23",
                "2026-11-23T12:00:00",
                "2026-11-23 12:00:00Z",
                "20261123T120000Z",
                "2026-02-29T00:00:00Z",
                "2026-11-23T12:00:00.Z",
                "2026-11-23T12:00:00+0100",
                "2026-11-23T12:00:00+25:00",
                "2026-11-23T12:00:00+01:60",
                "2026-11-23T12:00:00+1a:00",
                "2026-11-23T24:00:00Z",
                "2026-11-23T12:00:00Z[UTC]",
                "2026-11-23T12:00:00Z ",
                "１０26-11-23T12:00:00Z",
            ],
        );
    }

    #[test]
    fn versions() {
        all(Semver, true, &["1.2.3", "0.0.0", "1.0.0-rc.1+build.5"]);
        all(Semver, false, &["", "v1.2.3", "1.2", "01.2.3", "1.2.3-01", "latest"]);
    }

    #[test]
    fn urls() {
        all(Url, true, &["https://github.com/acme/app", "http://[::1]:8080/", "git://example.org/app.git"]);
        let none = [
            "",
            "github.com/acme/app",
            "git@github.com:acme/app.git",
            "https://",
            "mailto:a@example.org",
            "https://a b/",
            "/path",
        ];
        all(Url, false, &none);
    }

    #[test]
    fn licenses() {
        let composed = "(GPL-2.0-only WITH Classpath-exception-2.0) AND BSD-3-Clause";
        all(Spdx, true, &["MIT", "Apache-2.0 OR MIT", composed, "GPL-2.0+", "LicenseRef-acme"]);
        all(Spdx, false, &["", "Apache 2", "MIT/Apache-2.0", "MIT OR", "Proprietary", "mit license"]);
    }

    #[test]
    fn digests() {
        all(Digest, true, &["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]);
        all(
            Digest,
            false,
            &[
                "",
                "e3b0c442",
                "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
                "md5:d41d8cd98f00b204e9800998ecf8427e",
            ],
        );
    }

    #[test]
    fn addresses() {
        all(Email, true, &["team@example.org", "a.b+c@sub.example.co"]);
        all(
            Email,
            false,
            &[
                "",
                "team",
                "@example.org",
                "team@",
                "team@localhost",
                "Team <team@example.org>",
                "a b@example.org",
                "a@-x.org",
                "a@b..c",
            ],
        );
    }

    #[test]
    fn hostile_lengths_have_no_form() {
        let nested = "(".repeat(1 << 20);
        for form in [Rfc3339, Semver, Url, Spdx, Digest, Email] {
            assert!(!form.admits(&nested));
        }
    }
}
