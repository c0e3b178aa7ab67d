//! The order of Ruby's gems (`Gem::Version`).

use std::cmp::Ordering;

use super::{by_number, digits};

/// The order of two versions: numbers and words between dots; a word comes before any number.
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (segments(left)?, segments(right)?);
    let one = |position: usize| {
        let left = left.get(position).map_or("0", String::as_str);
        let right = right.get(position).map_or("0", String::as_str);
        match (digits(left), digits(right)) {
            (true, true) => by_number(left, right),
            (false, false) => left.cmp(right),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
        }
    };
    Some((0..left.len().max(right.len())).map(one).find(|order| order.is_ne()).unwrap_or(Ordering::Equal))
}

/// The segments without the zeros that say nothing: at the end, and before the first word.
fn segments(text: &str) -> Option<Vec<String>> {
    let text = text.replacen('-', ".pre.", 1).replace('-', ".");
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !text.starts_with(|first: char| first.is_ascii_digit()) || !text.split('.').all(plain) {
        return None;
    }
    let mut segments: Vec<String> = Vec::new();
    for part in text.split('.') {
        let mut last = None;
        for letter in part.chars() {
            let kind = letter.is_ascii_digit();
            match segments.last_mut().filter(|_| last == Some(kind)) {
                Some(segment) => segment.push(letter),
                None => segments.push(letter.to_string()),
            }
            last = Some(kind);
        }
    }
    let is_zero = |segment: &String| segment.bytes().all(|byte| byte == b'0');
    let word = segments.iter().position(|segment| !digits(segment)).unwrap_or(segments.len());
    let rest = segments.split_off(word);
    while segments.pop_if(|last| is_zero(last)).is_some() {}
    segments.extend(rest);
    while segments.pop_if(|last| is_zero(last)).is_some() {}
    Some(segments)
}
