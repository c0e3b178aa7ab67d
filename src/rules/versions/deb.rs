//! Debian's order (Debian Policy, §5.6.12; `verrevcmp` of dpkg).

use std::cmp::Ordering;

use super::{by_number, digits};

/// The order of two versions, `[epoch:]upstream[-revision]`.
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (parts(left)?, parts(right)?);
    let epochs = by_number(left.0, right.0);
    Some(epochs.then_with(|| compare_part(left.1, right.1)).then_with(|| compare_part(left.2, right.2)))
}

fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:".contains(&byte);
    let sound = digits(epoch) && !upstream.is_empty() && rest.bytes().all(plain);
    sound.then_some((epoch, upstream, revision))
}

fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (words, numbers) =
            (split(left, |byte| !byte.is_ascii_digit()), split(right, |byte| !byte.is_ascii_digit()));
        let order = compare_words(words.0, numbers.0);
        if order.is_ne() {
            return order;
        }
        let (left_number, right_number) =
            (split(words.1, |byte| byte.is_ascii_digit()), split(numbers.1, |byte| byte.is_ascii_digit()));
        let order = by_number(left_number.0, right_number.0);
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_number.1, right_number.1);
    }
    Ordering::Equal
}

fn split(text: &str, is: fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !is(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// `~` is before the end, the end before letters, letters before all else.
fn compare_words(left: &str, right: &str) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let longest = left.len().max(right.len());
    let weights = |position| weight(left.as_bytes().get(position)).cmp(&weight(right.as_bytes().get(position)));
    (0..longest).map(weights).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
