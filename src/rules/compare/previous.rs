//! The release before a tag.

use std::cmp::Ordering;

use crate::rules::pre_release::is_pre_release_word;

/// What is built to be tried is no release either.
const TEST: &str = "test";
/// The most numbers of a version, and the longest of them in digits.
const NUMBERS: usize = 4;
const DIGITS: usize = 18;

/// A tag that is a version: `v1.2.3-rc.1-alpine3.20-r2`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version<'t> {
    /// What stands before the numbers: `v`, `release-`, nothing.
    before: &'t str,
    numbers: Vec<u64>,
    /// The words and numbers of a version that is not released yet.
    pre_release: Option<Vec<Word<'t>>>,
    /// What it is a variant of the release of: `alpine3.20`.
    variant: Vec<&'t str>,
    /// The numbers of later builds of the same: `-1`, `-r2`, a date.
    revision: Vec<u64>,
}

/// A part of a pre-release. Numbers come before words, as in semantic versioning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Word<'t> {
    Number(u64),
    Text(&'t str),
}

/// Whether a tag is a version, so that there may be one before it.
pub(super) fn is_version(tag: &str) -> bool {
    Version::read(tag).is_some()
}

/// The tag of the release before a tag: of the same line and variant the highest below it, and of a release only a release.
pub(super) fn of<'t>(tag: &str, tags: &'t [String]) -> Option<&'t str> {
    let own = Version::read(tag)?;
    let earlier = tags.iter().filter_map(|tag| Some((Version::read(tag)?, tag.as_str())));
    let earlier: Vec<_> = earlier.filter(|(version, _)| version.is_before(&own)).collect();
    let highest = |same: &dyn Fn(&Version<'_>) -> bool| {
        let found = earlier.iter().filter(|(version, _)| same(version));
        found.max_by(|(one, _), (other, _)| one.order(other)).map(|(_, tag)| *tag)
    };
    highest(&|version| version.is_written_as(&own) && version.variant == own.variant)
        // Where the variant itself has a version, another one of it will do if there is none of the same.
        .or_else(|| highest(&|version| version.is_written_as(&own) && version.has_shape_of(&own)))
        // Nobody becomes a first release by writing his versions in another way.
        .or_else(|| highest(&|version| version.variant == own.variant))
}

impl<'t> Version<'t> {
    fn read(tag: &'t str) -> Option<Self> {
        let digit = tag.find(|c: char| c.is_ascii_digit())?;
        let (before, rest) = tag.split_at(digit);
        // `sha-12ab` and `sha256-…` are no versions.
        if !(before.is_empty() || before == "v" || before.ends_with(['-', '_']) && !before.starts_with("sha")) {
            return None;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (numbers, rest) = rest.split_at(end);
        let numbers = numbers.trim_end_matches('.').split('.').map(number).collect::<Option<Vec<u64>>>()?;
        if numbers.len() > NUMBERS || !(rest.is_empty() || rest.starts_with(['-', '_']) || is_pre_release(rest)) {
            return None;
        }
        let mut parts: Vec<&str> = rest.split(['-', '_']).filter(|part| !part.is_empty()).collect();
        let pre_release = parts.first().filter(|part| is_pre_release(part)).map(|part| words(part));
        if pre_release.is_some() {
            parts.remove(0);
        }
        let mut revision = Vec::new();
        while let Some(build) = parts.last().and_then(|part| number(part.strip_prefix('r').unwrap_or(part))) {
            revision.insert(0, build);
            parts.pop();
        }
        Some(Self { before, numbers, pre_release, variant: parts, revision })
    }

    fn is_before(&self, own: &Self) -> bool {
        let name = |version: &Self| if version.before == "v" { "" } else { version.before };
        name(self) == name(own)
            && (self.pre_release.is_none() || own.pre_release.is_some())
            && self.order(own) == Ordering::Less
    }

    /// Whether it has as many numbers, and a `v` if the other has one.
    fn is_written_as(&self, own: &Self) -> bool {
        self.before == own.before && self.numbers.len() == own.numbers.len()
    }

    fn order(&self, other: &Self) -> Ordering {
        let released = |version: &Self| version.pre_release.is_none();
        let key = |version: &Self| (version.numbers.clone(), released(version), version.pre_release.clone());
        key(self).cmp(&key(other)).then_with(|| self.revision.cmp(&other.revision))
    }

    /// Whether the variants differ in their numbers alone.
    fn has_shape_of(&self, other: &Self) -> bool {
        let shape = |variant: &[&str]| {
            let letters = variant.iter().map(|part| part.replace(|c: char| c.is_ascii_digit() || c == '.', ""));
            letters.collect::<Vec<_>>()
        };
        shape(&self.variant) == shape(&other.variant) && self.numbers != other.numbers
    }
}

fn number(text: &str) -> Option<u64> {
    let plain = (1..=DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Whether a part begins with a word for what is not released, alone or before a number: `rc.1`, `b2`, `SNAPSHOT`.
fn is_pre_release(part: &str) -> bool {
    let word = part.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(part.len());
    let (word, rest) = part.split_at(word);
    let rest = rest.split(['-', '_']).next().unwrap_or_default();
    (is_pre_release_word(word) || word.eq_ignore_ascii_case(TEST))
        && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The words and numbers of a pre-release.
fn words(part: &str) -> Vec<Word<'_>> {
    let digit = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
    let (word, numbers) = part.split_at(digit);
    let numbers = numbers.split('.').filter_map(number).map(Word::Number);
    [Word::Text(word.trim_end_matches('.'))].into_iter().chain(numbers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(tag: &str, tags: &str) -> String {
        let tags: Vec<String> = tags.split(' ').map(str::to_owned).collect();
        of(tag, &tags).unwrap_or("none").to_owned()
    }

    #[test]
    fn the_release_before_is_the_highest_below() {
        let tags =
            "1 1.2 1.2.3 1.2.9 1.2.10 1.3.0 2.0.0 latest sha256-00.sig sha-1a2b v1.2.11 1.2.12-rc.1 1.2.10-alpine";
        assert_eq!(before("1.3.0", tags), "1.2.10");
        assert_eq!(before("1.2.10", tags), "1.2.9");
        assert_eq!(before("1.2.4", tags), "1.2.3");
        assert_eq!(before("2.1.0", tags), "2.0.0");
        assert_eq!(before("1.2.3", tags), "1.2");
        assert_eq!(before("1.2.3", "1.2.3 1.2.4 1.3"), "none");
        assert_eq!(before("v1.3.0", tags), "v1.2.11");
        assert_eq!(before("1.3", tags), "1.2");
    }

    #[test]
    fn what_is_not_released_counts_for_its_like_alone() {
        let tags = "1.2.0 1.3.0-rc.1 1.3.0-rc.2 1.3.0-rc.10 1.3.0-beta.9 3.13.0b2 3.13.0rc1 3.12.0 1.3.0-SNAPSHOT";
        assert_eq!(before("1.3.0", tags), "1.2.0");
        assert_eq!(before("1.3.0-rc.10", tags), "1.3.0-rc.2");
        assert_eq!(before("1.3.0-rc.1", tags), "1.3.0-beta.9");
        assert_eq!(before("3.13.0rc2", tags), "3.13.0rc1");
        assert_eq!(before("3.13.0rc1", tags), "3.13.0b2");
        assert_eq!(before("3.13.0", tags), "3.12.0");
        assert_eq!(before("1.3.0", "1.2.0 1.3.0-milestone1 1.3.0-test2"), "1.2.0");
    }

    #[test]
    fn variants_have_releases_of_their_own() {
        let tags = "1.2.3 1.2.3-alpine 1.2.3-alpine3.19 1.2.3-slim 1.2.4 1.2.3-debian-11-r4 1.2.3-debian-11-r5";
        assert_eq!(before("1.2.5-alpine", tags), "1.2.3-alpine");
        assert_eq!(before("1.2.5-alpine3.20", tags), "1.2.3-alpine3.19");
        assert_eq!(before("1.2.3-alpine3.20", tags), "none");
        assert_eq!(before("1.2.3-debian-11-r6", tags), "1.2.3-debian-11-r5");
        assert_eq!(before("1.2.4-debian-11-r0", tags), "1.2.3-debian-11-r5");
        assert_eq!(before("1.2.5-bookworm", tags), "none");
    }

    #[test]
    fn versions_that_are_written_in_another_way_are_earlier_ones_too() {
        assert_eq!(before("1.3.0", "v1.2.0 v1.2.9 v1.4.0"), "v1.2.9");
        assert_eq!(before("v1.3.0", "1.2.0 v1.1.0"), "v1.1.0");
        assert_eq!(before("1.3", "1.2.9 1.3.1 1.2.8-alpine"), "1.2.9");
        assert_eq!(before("1.3.1", "1.3 1.4"), "1.3");
        assert_eq!(before("1.3.0", "release-1.2.0 v1.2.0-rc.1"), "none");
    }

    #[test]
    fn dates_are_versions() {
        let tags = "2024-01-15 2024-01-31 20240101 22.04 24.04 bookworm-20240101 bookworm-20240201";
        assert_eq!(before("2024-02-01", tags), "2024-01-31");
        assert_eq!(before("20240301", tags), "20240101");
        assert_eq!(before("24.04", tags), "22.04");
        assert_eq!(before("bookworm-20240301", tags), "bookworm-20240201");
    }

    #[test]
    fn other_tags_are_none() {
        for tag in
            ["latest", "main", "sha-1234567", "sha256-00.sig", "pr", "alpine3.20", "1.2.x", "99999999999999999999"]
        {
            assert!(!is_version(tag), "{tag}");
        }
        for tag in ["1", "v1", "1.2.3-rc1-alpine", "release-1.2", "3.13.0rc1-slim"] {
            assert!(is_version(tag), "{tag}");
        }
    }
}
