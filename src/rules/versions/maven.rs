//! Maven's order (`ComparableVersion` of Maven 3.8).

use std::cmp::Ordering;

use super::by_number;

/// Qualifiers that have a place; the empty one is the release.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
/// The place of the release.
const RELEASE: usize = 5;
/// Hyphens of one version that are followed.
const DEEPEST: usize = 32;

#[derive(Debug, PartialEq, Eq)]
enum Item {
    Number(String),
    /// Its place, and the word itself where that is none of the known ones.
    Qualifier(usize, String),
    List(Vec<Item>),
}

/// The order of two versions; every text of letters, digits, dots and hyphens is one.
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    let sound = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte));
    let read = |text: &str| sound(text).then(|| list(&text.to_ascii_lowercase(), 0)).flatten();
    Some(compare_lists(&read(left)?, &read(right)?))
}

/// Items up to where a hyphen, or the change between letters and digits, opens a list within.
fn list(text: &str, depth: usize) -> Option<Vec<Item>> {
    if depth > DEEPEST {
        return None;
    }
    let mut items = Vec::new();
    let mut rest = text;
    loop {
        let is_number = rest.starts_with(|first: char| first.is_ascii_digit());
        let ends = |c: char| matches!(c, '.' | '-') || c.is_ascii_digit() != is_number;
        let end = rest.find(ends).unwrap_or(rest.len());
        let (token, after) = rest.split_at_checked(end)?;
        let next = after.chars().next();
        items.push(item(token, is_number, next.is_some_and(|next| next.is_ascii_digit())));
        let inner = match next {
            None => break,
            Some('.') => {
                rest = after.get(1..)?;
                if rest.is_empty() {
                    break;
                }
                continue;
            }
            Some('-') => after.get(1..)?,
            Some(_) => after,
        };
        if !inner.is_empty() {
            items.push(Item::List(list(inner, depth + 1)?));
        }
        break;
    }
    normalise(&mut items);
    Some(items)
}

fn item(token: &str, is_number: bool, before_digit: bool) -> Item {
    if is_number || token.is_empty() {
        return Item::Number(token.trim_start_matches('0').to_owned());
    }
    let word = match token {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "ga" | "final" | "release" => "",
        "cr" => "rc",
        word => word,
    };
    match QUALIFIERS.iter().position(|known| *known == word) {
        Some(place) => Item::Qualifier(place, String::new()),
        None => Item::Qualifier(QUALIFIERS.len(), word.to_owned()),
    }
}

/// Takes away what says nothing: zeros, releases and empty lists at the end, and before a list.
fn normalise(items: &mut Vec<Item>) {
    let mut position = items.len();
    while let Some(last) = position.checked_sub(1) {
        position = last;
        match items.get(last) {
            Some(item) if compare_to_nothing(item).is_eq() => {
                items.remove(last);
            }
            Some(Item::List(_)) => {}
            _ => break,
        }
    }
}

fn compare_to_nothing(item: &Item) -> Ordering {
    match item {
        Item::Number(number) => by_number(number, ""),
        Item::Qualifier(place, _) => place.cmp(&RELEASE),
        Item::List(items) => {
            items.iter().map(compare_to_nothing).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }
    }
}

fn compare_lists(left: &[Item], right: &[Item]) -> Ordering {
    let one = |position: usize| match (left.get(position), right.get(position)) {
        (Some(left), Some(right)) => compare_items(left, right),
        (Some(left), None) => compare_to_nothing(left),
        (None, Some(right)) => compare_to_nothing(right).reverse(),
        (None, None) => Ordering::Equal,
    };
    (0..left.len().max(right.len())).map(one).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// A number is after a list, and that after a qualifier.
fn compare_items(left: &Item, right: &Item) -> Ordering {
    match (left, right) {
        (Item::Number(left), Item::Number(right)) => by_number(left, right),
        (Item::Qualifier(place, word), Item::Qualifier(other_place, other)) => (place, word).cmp(&(other_place, other)),
        (Item::List(left), Item::List(right)) => compare_lists(left, right),
        (Item::Number(_), _) | (Item::List(_), Item::Qualifier(..)) => Ordering::Greater,
        (Item::Qualifier(..), _) | (Item::List(_), Item::Number(_)) => Ordering::Less,
    }
}
