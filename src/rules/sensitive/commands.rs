//! Where commands and instructions give values to names.

use std::ops::Range;

use super::hints::may_promise;
use super::names::{Promise, promise};
use super::options::{bare, given, may_give};
use super::values::Manner;

/// Bytes of a name.
const NAME: usize = 128;

/// A value that a text gives to a name which promises a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned<'t> {
    /// The name; `None` where the command alone tells what it is.
    pub(super) name: Option<&'t str>,
    pub(super) promise: Promise,
    pub(super) value: Range<usize>,
    pub(super) manner: Manner,
}

/// Every such value of a text: of instructions, `NAME=value`, `"name": "value"`, `--name value`, `Header: value`.
pub(super) fn assigned(text: &str) -> Vec<Assigned<'_>> {
    if !may_promise(text) {
        return Vec::new();
    }
    let declared = declared(text);
    let from = declared.as_ref().map_or(0, |declared| declared.end);
    let plain = |(name, value): (_, Range<usize>)| {
        let promise = promise(name)?;
        // A token is one word: what follows to the end may be a command that was not known for one.
        let word = text[value.clone()].split_whitespace().next().unwrap_or_default();
        let open = promise == Promise::Token && text[value.end..].trim_end().is_empty();
        let end = if open { value.start + word.len() } else { value.end };
        Some(Assigned { name: Some(name), promise, value: value.start..end, manner: Manner::Plain })
    };
    let mut found: Vec<Assigned<'_>> =
        declared.map(|declared| declared.values).unwrap_or_default().into_iter().filter_map(plain).collect();
    by_signs(text, from, &mut found);
    if may_give(text) {
        by_options(text, from, &mut found);
    }
    by_chpasswd(text, from, &mut found);
    found
}

/// The values that an instruction `ENV` or `ARG` gives, or that the build arguments before a command have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declared<'t> {
    pub(super) values: Vec<(&'t str, Range<usize>)>,
    /// Where the command begins that follows them.
    pub(super) end: usize,
}

/// Reads `ENV A=b`, `ARG A=b` and `|1 A=b /bin/sh -c …`, as builders write them into the history: without quotes, so that a value
/// ends only where the next name begins.
pub(super) fn declared(text: &str) -> Option<Declared<'_>> {
    let plain = text.trim_start();
    let plain = plain.strip_prefix("/bin/sh -c #(nop)").unwrap_or(plain).trim_start();
    let plain = plain.strip_prefix("ONBUILD ").unwrap_or(plain).trim_start();
    let at = text.len() - plain.len();
    let instruction =
        ["ENV ", "ARG "].into_iter().find(|word| plain.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    if instruction.is_some() {
        return Some(values_between(text, at + 4, text.len()));
    }
    let counted = plain.strip_prefix("RUN ").unwrap_or(plain).trim_start();
    let digits = counted.strip_prefix('|')?.bytes().take_while(u8::is_ascii_digit).count();
    let begin = text.len() - counted.len() + 1 + digits;
    let command = [
        " /bin/",
        " /usr/",
        " /busybox/",
        " sh -",
        " ash -",
        " bash -",
        " zsh -",
        " cmd /",
        " cmd.exe",
        " powershell",
        " pwsh",
    ];
    let end =
        command.iter().filter_map(|shell| text[begin..].find(shell)).min().map_or(text.len(), |found| begin + found);
    (digits > 0).then(|| values_between(text, begin, end))
}

fn values_between(text: &str, start: usize, end: usize) -> Declared<'_> {
    let region = &text[start..end];
    let mut values: Vec<(&str, Range<usize>)> = Vec::new();
    for (sign, _) in region.match_indices('=') {
        let name = name_before(region, sign);
        let begins = region[..sign - name.len()].chars().next_back().is_none_or(|c| c.is_whitespace() || c == '[');
        if name.is_empty() || !begins {
            continue;
        }
        if let Some((_, value)) = values.last_mut() {
            value.end = start + sign - name.len();
        }
        values.push((name, start + sign + 1..end));
    }
    // `ENV NAME value`, as some builders write it.
    if values.is_empty() {
        let words = region.trim_start();
        let name = words.split_ascii_whitespace().next().unwrap_or_default();
        let begin = end - words.len() + name.len();
        values.extend((begin < end && !name.is_empty()).then_some((name, begin..end)));
    }
    for (_, value) in &mut values {
        *value = trimmed(text, value.clone());
    }
    Declared { values, end }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let value = &text[range.clone()];
    let start = range.start + value.len() - value.trim_start().len();
    start..(start + value.trim().len())
}

/// The name that ends at `end`.
fn name_before(text: &str, end: usize) -> &str {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let length = text.as_bytes()[..end].iter().rev().take(NAME).take_while(is_name).count();
    text[end - length..end].trim_start_matches('-')
}

/// Finds `NAME=value` and `"name": "value"`.
fn by_signs<'t>(text: &'t str, from: usize, found: &mut Vec<Assigned<'t>>) {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(sign) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| b"=:".contains(byte))) {
        let sign = at + sign;
        at = sign + 1;
        let before = text[..sign].trim_end_matches([' ', ':']);
        let quoted = before.ends_with(['"', '\'']);
        let before = if quoted { before[..before.len() - 1].trim_end_matches('\\') } else { &text[..sign] };
        let name = name_before(before, before.len());
        let expands = before[..before.len() - name.len()].ends_with(['$', '{']);
        if let Some(line) = (!quoted).then(|| by_line(text, sign)).flatten() {
            at = line.value.end.max(at);
            found.push(line);
            continue;
        }
        let header = !quoted && (name.contains('-') || name.eq_ignore_ascii_case("authorization"));
        let Some(promise) = promise(name).filter(|_| !expands && (bytes[sign] == b'=' || quoted || header)) else {
            continue;
        };
        let value = value_after(text, sign + 1, bytes[sign] == b':' || quoted, header);
        at = value.end.max(at);
        found.push(Assigned { name: Some(name), promise, value, manner: Manner::Code });
    }
}

/// Bytes before a name that are looked at for the beginning of its line.
const INDENT: usize = 64;

/// Bytes of a line that are looked at.
const LINE: usize = 4096;

/// A line of a file of settings: `password = value`, `password: value`, its sign at `sign`.
fn by_line(text: &str, sign: usize) -> Option<Assigned<'_>> {
    let yaml = text[sign..].starts_with(": ");
    let before = text[..sign].trim_end_matches(' ');
    if !yaml && (before.len() == sign || !text[sign..].starts_with("= ")) {
        return None;
    }
    let name = name_before(before, before.len());
    let promise = promise(name)?;
    let lead = &before[..before.len() - name.len()];
    let indent = lead.bytes().rev().take(INDENT).take_while(|byte| b" \t-".contains(byte)).count();
    let lead = &lead[..lead.len() - indent];
    if !(lead.is_empty() || lead.ends_with(['\n', '"', '\'']) || lead.ends_with("\\n")) {
        return None;
    }
    let rest = text[sign + 1..].trim_start_matches(' ');
    let quote = rest.chars().next().filter(|c| "\"'".contains(*c));
    let inner = quote.map_or(rest, |quote| &rest[quote.len_utf8()..]);
    let line = (0..=LINE.min(inner.len())).rev().find_map(|end| inner.get(..end)).unwrap_or_default();
    let line = line.lines().next().unwrap_or_default();
    let value = line.split("\\n").next().unwrap_or_default().split(['"', '\'']).next().unwrap_or_default().trim_end();
    // Prose and names of things are no tokens.
    let fit = !value.contains(char::is_whitespace)
        && (promise != Promise::Token || value.bytes().any(|byte| byte.is_ascii_digit()));
    let start = text.len() - inner.len();
    fit.then(|| Assigned { name: Some(name), promise, value: start..start + value.len(), manner: Manner::Code })
}

/// The value that begins at `start`, without quotes.
fn value_after(text: &str, start: usize, spaced: bool, header: bool) -> Range<usize> {
    let rest = &text[start..];
    let rest = if spaced { rest.trim_start_matches([' ', '\t']) } else { rest };
    let rest = if header { without_scheme(rest) } else { rest };
    let open = ["\\\"", "\\'", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote));
    let inner = open.map_or(rest, |quote| &rest[quote.len()..]);
    let length = match open {
        Some(quote) => inner.find(quote),
        None => inner.find(|c: char| c.is_whitespace() || ";&|)\"'<>,`".contains(c)),
    };
    let begin = text.len() - inner.len();
    begin..begin + length.unwrap_or(inner.len())
}

fn without_scheme(value: &str) -> &str {
    let scheme = ["Bearer ", "Basic ", "Token ", "token ", "bearer ", "basic "];
    scheme.into_iter().find_map(|scheme| value.strip_prefix(scheme)).unwrap_or(value).trim_start()
}

/// Finds `--password value`, `curl -u user:password`, `sshpass -p password`, also in a list that JSON writes.
fn by_options<'t>(text: &'t str, from: usize, found: &mut Vec<Assigned<'t>>) {
    let words = text[from..].split_ascii_whitespace();
    let words = words.flat_map(|word| word.split("\",\"")).flat_map(|word| word.split("\\n"));
    for given in given(words) {
        let start = given.value.as_ptr() as usize - text.as_ptr() as usize;
        let value = start..start + given.value.len();
        found.push(Assigned { name: given.name, promise: given.promise, value, manner: Manner::Code });
    }
}

/// Bytes before `| chpasswd` that are looked at.
const LOGINS: usize = 256;

/// Finds `echo user:password | chpasswd`.
fn by_chpasswd<'t>(text: &'t str, from: usize, found: &mut Vec<Assigned<'t>>) {
    for (at, _) in text.match_indices("chpasswd").filter(|(at, _)| *at >= from) {
        let start = (from.max(at.saturating_sub(LOGINS))..at).find(|start| text.is_char_boundary(*start));
        let before = &text[start.unwrap_or(at)..at];
        // `sudo /usr/sbin/chpasswd`
        let before = before.trim_end_matches(|c: char| c.is_ascii_lowercase() || c == '/' || c == ' ');
        let Some(before) = before.strip_suffix('|') else { continue };
        let command = before.rsplit(['|', ';', '&', '\n']).next().unwrap_or_default();
        for word in command.split_ascii_whitespace().flat_map(|word| word.split("\\n")) {
            if let Some((_, value)) = bare(word).split_once(':') {
                let start = value.as_ptr() as usize - text.as_ptr() as usize;
                let value = start..start + value.len();
                found.push(Assigned { name: None, promise: Promise::Password, value, manner: Manner::Code });
            }
        }
    }
}

#[cfg(test)]
mod tests;
