//! Where commands and instructions give values to names.

use std::ops::Range;

use super::names::{Promise, promise};
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
    let declared = declared(text);
    let from = declared.as_ref().map_or(0, |declared| declared.end);
    let plain =
        |(name, value)| Some(Assigned { name: Some(name), promise: promise(name)?, value, manner: Manner::Plain });
    let mut found: Vec<Assigned<'_>> =
        declared.map(|declared| declared.values).unwrap_or_default().into_iter().filter_map(plain).collect();
    by_signs(text, from, &mut found);
    by_options(text, from, &mut found);
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
    let command = [" /bin/", " /usr/", " /busybox/", " cmd /", " cmd.exe", " powershell", " pwsh"];
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
        let header = !quoted && (name.contains('-') || name.eq_ignore_ascii_case("authorization"));
        let Some(promise) = promise(name).filter(|_| !expands && (bytes[sign] == b'=' || quoted || header)) else {
            continue;
        };
        let value = value_after(text, sign + 1, bytes[sign] == b':' || quoted, header);
        at = value.end.max(at);
        found.push(Assigned { name: Some(name), promise, value, manner: Manner::Code });
    }
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
    let words = text[from..].split_ascii_whitespace().flat_map(|word| word.split("\",\""));
    for given in given(words) {
        let start = given.value.as_ptr() as usize - text.as_ptr() as usize;
        let value = start..start + given.value.len();
        found.push(Assigned { name: given.name, promise: given.promise, value, manner: Manner::Code });
    }
}

/// A word that an option of a command takes.
pub(super) struct Given<'t> {
    /// Which word it is.
    pub(super) number: usize,
    /// As in [`Assigned`].
    pub(super) name: Option<&'t str>,
    pub(super) promise: Promise,
    /// What of the word is the value.
    pub(super) value: &'t str,
}

/// The values that the options of a command take, as far as they promise a secret.
pub(super) fn given<'t>(words: impl Iterator<Item = &'t str>) -> Vec<Given<'t>> {
    let mut found = Vec::new();
    let mut command = Command::default();
    let mut before: Option<&'t str> = None;
    for (number, word) in words.enumerate() {
        let is_option = bare(word).starts_with('-');
        if let Some(option) = before.take().filter(|_| !is_option) {
            found.extend(command.takes(option).map(|(name, promise)| {
                let value = bare(word);
                let skipped = if promise == Promise::Password && name.is_none() { command.user(value) } else { 0 };
                Given { number, name, promise, value: &value[skipped..] }
            }));
        }
        command.sees(word);
        before = is_option.then(|| bare(word)).filter(|word| !word.contains('='));
    }
    found
}

/// A word of a command without the quotes and signs around it.
fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\'', ';', ')', '`', ',', '[', ']'])
}

/// What of a command line tells what its options mean.
#[derive(Debug, Default)]
struct Command {
    takes_login: bool,
    takes_password: bool,
}

impl Command {
    fn sees(&mut self, word: &str) {
        match bare(word).rsplit('/').next().unwrap_or_default() {
            "curl" => self.takes_login = true,
            "sshpass" | "login" => self.takes_password = true,
            "" | "&&" | "||" | "|" => *self = Self::default(),
            _ if word.ends_with(';') => *self = Self::default(),
            _ => {}
        }
    }

    /// What the value after an option is.
    fn takes<'o>(&self, option: &'o str) -> Option<(Option<&'o str>, Promise)> {
        match option {
            "-u" | "--user" | "-U" | "--proxy-user" if self.takes_login => Some((None, Promise::Password)),
            "-p" if self.takes_password => Some((None, Promise::Password)),
            "--pass" => Some((Some("pass"), Promise::Password)),
            _ => {
                let name = option.strip_prefix("--")?;
                Some((Some(name), promise(name)?))
            }
        }
    }

    /// How many bytes of a login are the user's name; all of it if it has no password.
    fn user(&self, value: &str) -> usize {
        if self.takes_login { value.find(':').map_or(value.len(), |at| at + 1) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, &str)> {
        assigned(text).into_iter().map(|one| (one.name.unwrap_or_default(), &text[one.value])).collect()
    }

    #[test]
    fn instructions_give_values_without_quotes() {
        assert_eq!(found("ENV DB_PASSWORD=correct horse A=b"), [("DB_PASSWORD", "correct horse")]);
        assert_eq!(found("/bin/sh -c #(nop)  ENV API_KEY=a=b"), [("API_KEY", "a=b")]);
        assert_eq!(found("ARG NPM_TOKEN=abc"), [("NPM_TOKEN", "abc")]);
        assert_eq!(found("ENV DB_PASSWORD hunter2"), [("DB_PASSWORD", "hunter2")]);
        assert_eq!(found("ARG NPM_TOKEN"), []);
        assert_eq!(
            found("RUN |2 A=b NPM_TOKEN=x y z /bin/sh -c npm ci --token=q # buildkit"),
            [("NPM_TOKEN", "x y z"), ("token", "q")]
        );
        assert_eq!(found("|1 NPM_TOKEN=abc /bin/sh -c npm ci"), [("NPM_TOKEN", "abc")]);
        assert_eq!(found("|1 NPM_TOKEN=abc"), [("NPM_TOKEN", "abc")]);
    }

    #[test]
    fn commands_give_values_in_many_ways() {
        for (text, name, value) in [
            ("export TOKEN=abc; x", "TOKEN", "abc"),
            ("GITHUB_TOKEN='a b' make", "GITHUB_TOKEN", "a b"),
            ("app --password=abc -v", "password", "abc"),
            ("app --password abc", "password", "abc"),
            ("app --db-password \"abc\"", "db-password", "abc"),
            ("curl https://x/?api_key=abc&b=c", "api_key", "abc"),
            ("curl -u app:abc https://x", "", "abc"),
            ("/usr/bin/curl -fsSL --user 'app:abc' https://x", "", "abc"),
            ("sshpass -p abc ssh x", "", "abc"),
            ("docker login -u app -p abc x", "", "abc"),
            (r#"{"password": "abc"}"#, "password", "abc"),
            (r#"{\"password\":\"abc\"}"#, "password", "abc"),
            ("curl -H 'Authorization: Bearer abc'", "Authorization", "abc"),
            ("curl -H \"X-Api-Key: abc\"", "X-Api-Key", "abc"),
            ("Server=db;Password=abc;Port=1", "Password", "abc"),
        ] {
            assert_eq!(found(text), [(name, value)], "{text}");
        }
    }

    #[test]
    fn what_gives_no_value_is_passed_over() {
        for text in [
            "app --password-file /run/secrets/x",
            "app --password-stdin",
            "app --password --verbose",
            "curl -u app https://x && id -u root:root",
            "echo ${TOKEN=x} $TOKEN=x",
            "mkdir -p /app",
            "RUN --mount=type=secret,id=token,env=NPM_TOKEN npm ci",
            "cat /etc/password: nothing",
            "=",
            ":",
            "| x",
            "|",
            "ENV ",
        ] {
            assert_eq!(
                found(text).into_iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>(),
                [],
                "{text}"
            );
        }
    }

    #[test]
    fn floods_are_read_once() {
        for flood in ["password=", "a=", "\"token\":", "--password ", "ENV A=b ", "x-token: ", "-u ", "é="] {
            let text = flood.repeat((1 << 20) / flood.len());
            let _ = assigned(&text);
            let _ = assigned(&format!("ENV {text}"));
        }
    }
}
