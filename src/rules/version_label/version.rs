//! Versions as tags and labels write them.

use crate::rules::pre_release::is_pre_release_word;

/// Digits beyond which a number alone is a date, a build or a commit, and no version.
const LONGEST_ALONE: usize = 5;

/// A version: its numbers, and what follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'t> {
    /// The numbers without leading zeros.
    numbers: Vec<&'t str>,
    /// The words and numbers of the pre-release, in lower case; empty for a release.
    pre_release: Vec<String>,
}

impl<'t> Version<'t> {
    /// The version that a tag begins with; `None` where it names none.
    pub(super) fn of_tag(tag: &'t str) -> Option<Self> {
        let version = Self::at_start(tag)?;
        let alone = version.numbers.len() == 1 && version.numbers.iter().any(|number| number.len() > LONGEST_ALONE);
        (!alone).then_some(version)
    }

    /// Reads a version with or without a `v` before it; what follows must be set off by a sign.
    fn at_start(text: &'t str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let mut rest = text;
        let mut numbers = Vec::new();
        loop {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, behind) = rest.split_at_checked(end).filter(|(number, _)| !number.is_empty())?;
            numbers.push(number.trim_start_matches('0'));
            rest = behind;
            match behind.strip_prefix('.') {
                Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
                _ => break,
            }
        }
        // `1.2.3rc1` is how Python writes it; `7e3a1b2` is a commit.
        let set_off = rest.is_empty() || rest.starts_with(['-', '_', '+', '.', '~']);
        let words = words(rest);
        let pre_release = if words.first().is_some_and(|word| is_pre_release_word(word)) { words } else { Vec::new() };
        let attached = !pre_release.is_empty() && numbers.len() > 1;
        (set_off || attached).then_some(Self { numbers, pre_release })
    }

    /// Whether a label names a version that a tag of this one may stand for.
    pub(super) fn agrees_with(&self, label: &str) -> bool {
        let label = label.trim();
        let at_word = |at: usize| {
            let before = label.get(..at).and_then(|before| before.chars().next_back());
            before.is_none_or(|c| !c.is_alphanumeric() && c != '.')
        };
        // A name may stand before it: `jdk-17.0.1`, `release/1.2.3`.
        let starts =
            label.char_indices().filter(|(_, c)| c.is_ascii_digit() || matches!(c, 'v' | 'V')).map(|(at, _)| at);
        starts
            .filter(|at| at_word(*at))
            .take(8)
            // What follows the first one is a revision, or a version of something else.
            .find_map(|at| Version::at_start(label.get(at..)?))
            .is_some_and(|version| self.stands_for(&version))
    }

    fn stands_for(&self, version: &Version<'_>) -> bool {
        let longest = self.numbers.len().max(version.numbers.len());
        let number =
            |numbers: &[&'_ str], position: usize| numbers.get(position).map_or_else(String::new, |n| (*n).to_owned());
        let same = |position| number(&self.numbers, position) == number(&version.numbers, position);
        if !(0..self.numbers.len()).all(same) {
            return false;
        }
        let moving = self.numbers.len() < longest && self.pre_release.is_empty();
        let both = self.pre_release.iter().zip(&version.pre_release).all(|(a, b)| a == b);
        moving || (both && self.pre_release.is_empty() == version.pre_release.is_empty())
    }
}

/// The words and numbers of a text: `-rc.1` and `rc1` are `rc` and `1`.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for c in text.chars() {
        let kind = c.is_alphanumeric().then(|| c.is_numeric());
        if kind.is_some() && kind != last {
            words.push(String::new());
        }
        if let (Some(_), Some(word)) = (kind, words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        last = kind;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::Version;

    fn agree(tag: &str, label: &str) -> bool {
        Version::of_tag(tag).unwrap().agrees_with(label)
    }

    #[test]
    fn a_tag_names_a_version_or_none() {
        for tag in ["1", "v1", "1.2.3", "18-alpine", "24.04", "3.12.0rc1", "1.2.3_build5", "2024.1", "9.3-1610"] {
            assert!(Version::of_tag(tag).is_some(), "{tag}");
        }
        for tag in [
            "latest",
            "main",
            "v",
            "nightly-1.2",
            "7e3a1b2",
            "1234567",
            "20240101",
            "sha-7e3a1b2",
            "1a",
            "jammy",
            "3rd",
        ] {
            assert_eq!(Version::of_tag(tag), None, "{tag}");
        }
    }

    #[test]
    fn what_agrees() {
        for (tag, label) in [
            ("1.2.3", "1.2.3"),
            ("v1.2.3", "1.2.3"),
            ("1.2.3", "v1.2.3"),
            ("1.2", "1.2.3"),
            ("1", "1.2.3-alpine"),
            ("1.2.3-alpine", "1.2.3"),
            ("1.2.3-alpine3.20", "1.2.3-slim"),
            ("1.2.0", "1.2"),
            ("24.04", "24.04"),
            ("9.3-1610", "9.3"),
            ("1.2.3", "1.2.3+build.5"),
            ("1.2.3", "1.2.3-r0"),
            ("1.2.3-rc.1", "1.2.3-rc1"),
            ("1.2.3-rc.1-alpine", "1.2.3-rc.1"),
            ("3.12.0rc1", "3.12.0-rc.1"),
            ("17.0.1-jre", "jdk-17.0.1+12"),
            ("1.2", "1.2.3-rc.1"),
            ("1.2.3", " 1.2.3\n"),
        ] {
            assert!(agree(tag, label), "{tag} {label}");
        }
    }

    #[test]
    fn what_does_not() {
        for (tag, label) in [
            ("1.2.3", "22.04"),
            ("1.2.3", "1.2.4"),
            ("1.2.3", "1.2"),
            ("1.2", "1.20.3"),
            ("1", "11"),
            ("1.2.3", "main"),
            ("1.2.3", ""),
            ("1.2.3", "${VERSION}"),
            ("1.2.3", "1.2.3-rc.1"),
            ("1.2.3-rc.1", "1.2.3"),
            ("1.2.3-rc.1", "1.2.3-rc.10"),
            ("1.2.3", "0.1.2.3"),
            ("1", "2.4.0-1"),
            ("11", "15.4.0-debian-11-r5"),
            ("1.2.3", "1.2.4 (was 1.2.3)"),
        ] {
            assert!(!agree(tag, label), "{tag} {label}");
        }
    }
}
