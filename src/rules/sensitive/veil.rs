//! Text for reports, without the values that must not be in them.

use std::borrow::Cow;
use std::ops::Range;

use super::Criteria;
use super::commands::declared;
use crate::oci::pointer_unescape;

/// What stands for a hidden value, whatever its length.
pub(crate) const HIDDEN: &str = "…";
/// A text without the secrets in it.
pub(crate) fn veiled(text: &str) -> Cow<'_, str> {
    let found = Criteria::default().in_text(text);
    cut(text, found.into_iter().map(|secret| secret.range))
}

/// A value for a message, or what stands for it where it is a secret under this name.
pub(crate) fn shown<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    let whole = Criteria::default().in_value(name, value).iter().any(|secret| secret.range == (0..value.len()));
    if whole { Cow::Borrowed(HIDDEN) } else { veiled(value) }
}

/// A text of a config for an excerpt: `name` is that of its member, of an element of a list there is none.
///
/// The values of variables and build arguments are hidden whatever they are, all else where it looks like a secret.
pub(crate) fn veiled_text<'v>(name: Option<&str>, text: &'v str) -> Cow<'v, str> {
    if let Some(name) = name.filter(|name| !matches!(*name, "created_by" | "comment")) {
        return shown(name, text);
    }
    if let Some(declared) = declared(text) {
        let head = declared.values.iter().map(|(_, value)| value.clone());
        let without = cut(&text[..declared.end], head).into_owned();
        return Cow::Owned(without + &veiled_text(name, &text[declared.end..]));
    }
    let variable = text.split_once('=').filter(|(name, _)| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) && !name.starts_with('-')
    });
    if let (None, Some((variable, _))) = (name, variable) {
        return Cow::Owned(format!("{variable}={HIDDEN}"));
    }
    let found = Criteria::default().in_text(text).into_iter().map(|secret| secret.range).chain(variables(text));
    let mut found: Vec<Range<usize>> = found.collect();
    found.sort_by_key(|range| (range.start, usize::MAX - range.end));
    cut(text, found)
}

/// The words of a command, each as an element of a list is shown.
pub(crate) fn veiled_words(words: &[String]) -> Vec<String> {
    let found = Criteria::default().in_words(words);
    let veiled = |(number, word): (usize, &String)| {
        let own = found.iter().filter(|(of, _)| *of == number).map(|(_, secret)| secret.range.clone());
        let given = cut(word, own);
        if given == *word { veiled_text(None, word).into_owned() } else { given.into_owned() }
    };
    words.iter().enumerate().map(veiled).collect()
}

/// An element of a list of variables: its name at most.
pub(crate) fn veiled_entry(entry: &str) -> String {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let name = entry.split_once('=').map(|(name, _)| name).filter(|name| plain(name));
    name.map_or_else(|| HIDDEN.to_owned(), |name| format!("{}={HIDDEN}", veiled(name)))
}

/// Whether the member of this name, of an object that is the value of `outer`, holds variables or build arguments, whatever its type.
///
/// A label or annotation may have such a name, and is none.
pub(crate) fn holds_values(outer: Option<&str>, name: &str) -> bool {
    let within = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let values = within(&["Env", "environment", "args", "buildArgs"], name) || name.starts_with("build-arg:");
    values && !outer.is_some_and(|outer| within(&["Labels", "annotations"], outer))
}

/// A JSON pointer without the secrets in the names that it leads through.
pub(crate) fn veiled_pointer(pointer: &str) -> Cow<'_, str> {
    let plain = pointer_unescape(pointer);
    if matches!(veiled(&plain), Cow::Borrowed(_)) {
        return Cow::Borrowed(pointer);
    }
    let veiled = |segment: &str| {
        let name = pointer_unescape(segment);
        if matches!(veiled(&name), Cow::Borrowed(_)) { segment.to_owned() } else { HIDDEN.to_owned() }
    };
    Cow::Owned(pointer.split('/').map(veiled).collect::<Vec<_>>().join("/"))
}

/// The values of variables that a command sets: `A=b command`, `export A=b`.
fn variables(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for word in text.split_ascii_whitespace() {
        let Some((name, value)) = word.split_once('=') else { continue };
        let name = name.trim_start_matches(['"', '\'', '(', '`']);
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let start = value.as_ptr() as usize - text.as_ptr() as usize;
            let quote = value.chars().next().filter(|c| "\"'".contains(*c));
            let quoted = quote.and_then(|quote| text[start + 1..].find(quote)).map(|length| start + length + 2);
            found.push(start..quoted.unwrap_or(start + value.trim_end_matches(';').len()));
        }
    }
    found
}

/// The text with each range, in their order, replaced; one that reaches into an earlier one belongs to it.
fn cut(text: &str, ranges: impl IntoIterator<Item = Range<usize>>) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        if range.start >= done {
            out.push_str(&text[done..range.start]);
            out.push_str(HIDDEN);
        }
        done = done.max(range.end);
    }
    if done == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[done..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_build_arguments_are_hidden_whatever_they_are() {
        for (text, wanted) in [
            ("PATH=/usr/bin", "PATH=…"),
            ("A=", "A=…"),
            ("ENV A=b c D=e", "ENV A=… D=…"),
            ("/bin/sh -c #(nop)  ENV A=b", "/bin/sh -c #(nop)  ENV A=…"),
            ("RUN |2 A=b C=d e /bin/sh -c make B=f # buildkit", "RUN |2 A=… C=… /bin/sh -c make B=… # buildkit"),
            ("export A='b c'; make", "export A=…; make"),
            ("curl -u app:hunter2 https://x", "curl -u app:… https://x"),
            ("--listen=:80", "--listen=:80"),
            ("--password=hunter2", "--password=…"),
            ("make install", "make install"),
        ] {
            assert_eq!(veiled_text(None, text), wanted, "{text}");
        }
        assert_eq!(veiled_text(Some("created_by"), "ENV A=b"), "ENV A=…");
        assert_eq!(veiled_text(Some("url"), "a=b"), "a=b");
        assert_eq!(veiled_text(Some("db.password"), "hunter2"), "…");
    }

    #[test]
    fn words_are_hidden_by_what_stands_before_them() {
        let veiled =
            |words: &[&str]| veiled_words(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).join(" ");
        assert_eq!(veiled(&["app", "--password", "hunter2", "serve"]), "app --password … serve");
        assert_eq!(veiled(&["redis-cli", "--pass", "hunter2", "ping"]), "redis-cli --pass … ping");
        assert_eq!(veiled(&["curl", "-u", "app:hunter2", "x"]), "curl -u app:… x");
        assert_eq!(veiled(&["sh", "-c", "A=b make"]), "sh -c A=…");
        assert_eq!(super::veiled(r#"Cmd ["app","--password","hunter2"]"#), r#"Cmd ["app","--password","…"]"#);
        assert_eq!(super::veiled(r#"CMD ["app", "--password", "hunter2"]"#), r#"CMD ["app", "--password", "…"]"#);
    }

    #[test]
    fn a_pointer_tells_no_secret() {
        assert_eq!(veiled_pointer("/config/Labels/a~1b"), "/config/Labels/a~1b");
        assert_eq!(veiled_pointer("/config/Labels/pg:~1~1app:hunter2@db~1"), "/config/Labels/…");
    }
}
