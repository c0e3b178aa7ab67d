//! Versions of packages: each ecosystem has its own order, and none is guessed.

mod apk;
mod deb;
mod gem;
mod maven;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

/// Length beyond which no text is a version, in bytes.
const LENGTH: usize = 256;

/// How the versions of an ecosystem are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Alpine's, as apk-tools 3 orders them.
    Apk,
    /// Debian's (Debian Policy, §5.6.12).
    Deb,
    /// That of Ruby's gems.
    Gem,
    /// That of Go modules: Semantic Versioning, with or without a `v`.
    Go,
    /// Maven's (`ComparableVersion`).
    Maven,
    /// `NuGet`'s: Semantic Versioning of up to four numbers.
    NuGet,
    /// Python's (PEP 440).
    Python,
    /// RPM's, with epoch and release.
    Rpm,
    /// Semantic Versioning 2.0.0.
    Semver,
}

/// The types of package URLs whose order is known.
const SCHEMES: [(&str, Scheme); 10] = [
    ("apk", Scheme::Apk),
    ("cargo", Scheme::Semver),
    ("deb", Scheme::Deb),
    ("gem", Scheme::Gem),
    ("golang", Scheme::Go),
    ("maven", Scheme::Maven),
    ("npm", Scheme::Semver),
    ("nuget", Scheme::NuGet),
    ("pypi", Scheme::Python),
    ("rpm", Scheme::Rpm),
];

impl Scheme {
    /// The order of the packages of that type, if it is known.
    pub(super) fn of(purl_type: &str) -> Option<Self> {
        SCHEMES.iter().find(|(known, _)| *known == purl_type).map(|(_, scheme)| *scheme)
    }

    /// The types of which the order is known.
    pub(super) fn types() -> impl Iterator<Item = &'static str> {
        SCHEMES.iter().map(|(known, _)| *known)
    }

    /// The order of two versions; `None` if one of them is no version of the ecosystem.
    pub(super) fn compare(self, left: &str, right: &str) -> Option<Ordering> {
        let sound = |text: &str| (1..=LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !sound(left) || !sound(right) {
            return None;
        }
        match self {
            Self::Apk => apk::compare(left, right),
            Self::Deb => deb::compare(left, right),
            Self::Gem => gem::compare(left, right),
            Self::Go => Some(go(left)?.cmp_precedence(&go(right)?)),
            Self::Maven => maven::compare(left, right),
            Self::NuGet => Some(nuget(left)?.cmp(&nuget(right)?)),
            Self::Python => Some(python(left)?.cmp(&python(right)?)),
            Self::Rpm => (is_rpm(left) && is_rpm(right)).then(|| rpm_version::rpm_evr_compare(left, right)),
            Self::Semver => Some(semantic(left)?.cmp_precedence(&semantic(right)?)),
        }
    }

    /// A version as far as a bound looks at it. `2.0+cu117` is a build of Python's `2.0`, and counts as that where the bound names
    /// no such label (PEP 440, "version specifiers").
    fn as_far_as<'v>(self, version: &'v str, bound: &str) -> &'v str {
        match version.split_once('+') {
            Some((public, _)) if self == Self::Python && !bound.contains('+') && python(version).is_some() => public,
            _ => version,
        }
    }
}

/// Missing numbers are zeros: `1.2` is `1.2.0`, as people write bounds and Go its own versions.
fn semantic(text: &str) -> Option<semver::Version> {
    let padded = match text.bytes().filter(|byte| *byte == b'.').count() {
        0 if digits(text) => format!("{text}.0.0"),
        1 if text.split('.').all(digits) => format!("{text}.0"),
        _ => return text.parse().ok(),
    };
    padded.parse().ok()
}

fn go(text: &str) -> Option<semver::Version> {
    semantic(text.strip_prefix('v').unwrap_or(text))
}

/// Four numbers, whether it is released, and the labels of what is before.
fn nuget(text: &str) -> Option<([u64; 4], bool, semver::Prerelease)> {
    let text = text.split('+').next()?;
    let (numbers, labels) = text.split_once('-').map_or((text, None), |(numbers, labels)| (numbers, Some(labels)));
    let mut parts = [0; 4];
    for (position, number) in numbers.split('.').enumerate() {
        *parts.get_mut(position)? = number.parse().ok().filter(|_| digits(number))?;
    }
    let before = semver::Prerelease::new(&labels.unwrap_or_default().to_ascii_lowercase()).ok()?;
    Some((parts, before.is_empty(), before))
}

fn python(text: &str) -> Option<pep440_rs::Version> {
    text.parse().ok()
}

/// `[epoch:]version[-release]`, of the characters that RPM allows.
fn is_rpm(text: &str) -> bool {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~^%{}-".contains(&byte);
    digits(epoch) && rest.starts_with(|first: char| first.is_ascii_alphanumeric()) && rest.bytes().all(plain)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The order of two numbers of any length.
fn by_number(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Versions between bounds: `<3.0.11`, `>=1.0, <1.2.5`, `=1.1 || >=2, <2.3`.
#[derive(Debug)]
pub(super) struct Range {
    scheme: Scheme,
    alternatives: Vec<Vec<Bound>>,
    text: String,
}

/// Whether a version that is so ordered to a bound is within it.
type Admits = fn(Ordering) -> bool;

#[derive(Debug)]
struct Bound {
    admits: Admits,
    version: String,
}

/// The operators; of two that begin alike the longer first.
const OPERATORS: [(&str, Admits); 6] = [
    ("<=", Ordering::is_le),
    (">=", Ordering::is_ge),
    ("!=", Ordering::is_ne),
    ("<", Ordering::is_lt),
    (">", Ordering::is_gt),
    ("=", Ordering::is_eq),
];

impl Range {
    /// Reads a range of versions that are ordered so.
    pub(super) fn new(scheme: Scheme, text: &str) -> Result<Self, String> {
        let alternative = |part: &str| part.split(',').map(|part| Bound::new(scheme, part.trim())).collect();
        let alternatives = text.split("||").map(alternative).collect::<Result<_, _>>()?;
        Ok(Self { scheme, alternatives, text: text.to_owned() })
    }

    /// Whether a version is in the range; `None` if it is no version of the ecosystem.
    pub(super) fn contains(&self, version: &str) -> Option<bool> {
        let within = |bound: &Bound| {
            let version = self.scheme.as_far_as(version, &bound.version);
            self.scheme.compare(version, &bound.version).map(bound.admits)
        };
        // A version that cannot be compared with one bound can be compared with none.
        let within_all = |bounds: &Vec<Bound>| bounds.iter().map(within).try_fold(true, |all, one| Some(all & one?));
        self.alternatives.iter().map(within_all).try_fold(false, |any, one| Some(any | one?))
    }
}

impl Bound {
    fn new(scheme: Scheme, text: &str) -> Result<Self, String> {
        let known = OPERATORS.iter().find_map(|(sign, admits)| Some((text.strip_prefix(sign)?, admits)));
        let Some((version, admits)) = known else {
            let wanted = "bounds are written as `<1.2`, `<=`, `>`, `>=`, `=` or `!=`, with `,` for and, `||` for or";
            return Err(format!("`{text}` has no operator: {wanted}"));
        };
        let version = version.trim();
        if scheme.compare(version, version).is_none() {
            return Err(format!("`{version}` is no version of this kind of package"));
        }
        Ok(Self { admits: *admits, version: version.to_owned() })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
