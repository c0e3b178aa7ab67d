//! Alpine's order, as apk-tools 3 has it (`src/version.c`).

use std::cmp::Ordering;

use super::{by_number, digits};

/// The suffixes in their order; those before `none` come before the version without a suffix.
const SUFFIXES: [&str; 10] = ["alpha", "beta", "pre", "rc", "none", "cvs", "svn", "git", "hg", "p"];
/// The place of no suffix.
const NONE: usize = 4;

/// `1.2.3a_rc1~hash-r4`
struct Version<'t> {
    numbers: Vec<&'t str>,
    letter: Option<u8>,
    suffixes: Vec<(usize, &'t str)>,
    hash: Option<&'t str>,
    revision: Option<&'t str>,
}

/// The order of two versions.
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (Version::new(left)?, Version::new(right)?);
    let order = compare_numbers(&left.numbers, &right.numbers)
        .then_with(|| left.letter.cmp(&right.letter))
        .then_with(|| compare_suffixes(&left.suffixes, &right.suffixes))
        .then_with(|| left.hash.cmp(&right.hash))
        .then_with(|| optional(left.revision, right.revision));
    Some(order)
}

impl<'t> Version<'t> {
    fn new(text: &'t str) -> Option<Self> {
        let (text, revision) = match text.split_once("-r") {
            Some((text, revision)) => (text, Some(revision).filter(|revision| digits(revision)).map(Some)?),
            None => (text, None),
        };
        let (text, hash) = text.split_once('~').map_or((text, None), |(text, hash)| (text, Some(hash)));
        let mut suffixes = text.split('_');
        let numbers = suffixes.next()?;
        let letter = numbers.bytes().last().filter(u8::is_ascii_lowercase);
        let numbers = numbers.strip_suffix(|last: char| last.is_ascii_lowercase()).unwrap_or(numbers);
        let numbers: Vec<&str> = numbers.split('.').collect();
        let suffixes = suffixes.map(suffix).collect::<Option<_>>()?;
        let sound = numbers.iter().all(|number| digits(number))
            && hash.is_none_or(|hash| !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        sound.then_some(Self { numbers, letter, suffixes, hash, revision })
    }
}

fn suffix(text: &str) -> Option<(usize, &str)> {
    let word = text.trim_end_matches(|last: char| last.is_ascii_digit());
    let place = SUFFIXES.iter().position(|known| *known == word).filter(|place| *place != NONE)?;
    Some((place, text.strip_prefix(word)?))
}

/// The first number is a number; a later one with a leading zero is a fraction.
fn compare_numbers(left: &[&str], right: &[&str]) -> Ordering {
    let one = |(position, (left, right)): (usize, (&&str, &&str))| {
        if position > 0 && (left.starts_with('0') || right.starts_with('0')) {
            left.cmp(right)
        } else {
            by_number(left, right)
        }
    };
    let differs = left.iter().zip(right).enumerate().map(one).find(|order| order.is_ne());
    differs.unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// A version that has no more suffixes is where no suffix is.
fn compare_suffixes(left: &[(usize, &str)], right: &[(usize, &str)]) -> Ordering {
    let at = |position: usize, suffixes: &[(usize, &str)]| suffixes.get(position).map_or(NONE, |(place, _)| *place);
    let number = |(_, number): &(usize, &str)| !number.is_empty();
    let one = |position: usize| {
        at(position, left).cmp(&at(position, right)).then_with(|| {
            let (Some(left), Some(right)) = (left.get(position), right.get(position)) else { return Ordering::Equal };
            number(left).cmp(&number(right)).then_with(|| by_number(left.1, right.1))
        })
    };
    (0..left.len().max(right.len())).map(one).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn optional(left: Option<&str>, right: Option<&str>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => by_number(left, right),
        _ => left.is_some().cmp(&right.is_some()),
    }
}
