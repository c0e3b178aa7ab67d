//! The kinds of parameters that rules share.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind, Literal};
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Visitor};

use crate::oci::from_text;

/// Compiled size beyond which a regular expression is refused, in bytes.
const REGEX_SIZE: usize = 1 << 20;
/// Size that a state of a compiled regular expression does not exceed on the average, in bytes.
const STATE_SIZE: usize = 128;
/// Length beyond which a pattern or glob is refused, in bytes.
pub(super) const PATTERN_LENGTH: usize = 4_096;
/// Braces in a glob beyond which it is refused: they may nest, and expressions may not nest deeper than 250 levels.
const MAX_BRACES: usize = 50;

/// Something wrong with the parameters of a rule as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The parameter that is to blame, or `None` for the table as a whole.
    pub parameter: Option<&'static str>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    /// Something is missing from the table.
    pub fn missing(message: impl Into<String>) -> Self {
        Self { parameter: None, message: message.into() }
    }

    /// A parameter that cannot be as it is.
    pub fn with(parameter: &'static str, message: impl Into<String>) -> Self {
        Self { parameter: Some(parameter), message: message.into() }
    }
}

/// The problem of what is both allowed and denied, if anything is.
pub(super) fn allowed_and_denied(
    allow: impl IntoIterator<Item = String>,
    deny: impl IntoIterator<Item = String>,
) -> Option<Problem> {
    let allow: BTreeSet<String> = allow.into_iter().collect();
    let both = deny.into_iter().find(|denied| allow.contains(denied))?;
    Some(Problem::with("deny", format!("`{both}` is also in `allow`: take it out of one of the two")))
}

/// A regular expression, anchored at both ends and limited in size.
///
/// It is compiled at its first use, so that a policy of thousands of rules loads quickly and stays small; to be checked only if
/// it is so long that it may be too large.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: OnceLock<Regex>,
}

impl Pattern {
    /// Checks a pattern.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_LENGTH {
            return Err(format!("a regular expression is at most {PATTERN_LENGTH} bytes long"));
        }
        let unusable = |error: String| format!("not a usable regular expression: {}", last_line(&error));
        // The pattern is parsed alone first, so that an unbalanced `)` cannot escape the anchors.
        let parsed = regex_syntax::parse(text).map_err(|error| unusable(error.to_string()))?;
        // What is right alone may be wrong with them: they are one more level, and a comment at the end would swallow one.
        regex_syntax::parse(&with_anchors(text)).map_err(|error| {
            let comment = if text.contains('#') { "; a comment at its end needs a line break behind it" } else { "" };
            format!("{}{comment}", unusable(error.to_string()))
        })?;
        if most_states(&parsed).saturating_mul(STATE_SIZE) > REGEX_SIZE {
            anchored(text).map_err(|error| unusable(error.to_string()))?;
        }
        Ok(Self { text: text.to_owned(), regex: OnceLock::new() })
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let compiled = || anchored(&self.text).expect("invariant: it compiled when it was checked");
        self.regex.get_or_init(compiled).is_match(text)
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

fn anchored(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&with_anchors(text)).size_limit(REGEX_SIZE).build()
}

fn with_anchors(text: &str) -> String {
    format!("^(?:{text})$")
}

/// A number of states that the compiled form of an expression does not exceed.
fn most_states(hir: &Hir) -> usize {
    let sum = |parts: &[Hir]| parts.iter().map(most_states).fold(2, usize::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 2,
        HirKind::Literal(Literal(bytes)) => bytes.len() + 2,
        // A range of characters is up to seven sequences of up to four bytes each.
        HirKind::Class(Class::Unicode(class)) => class.ranges().len().saturating_mul(28) + 2,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() + 2,
        HirKind::Repetition(repetition) => {
            // Without an end the last of them is compiled as a loop.
            let times = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            most_states(&repetition.sub).saturating_add(2).saturating_mul(times)
        }
        HirKind::Capture(capture) => most_states(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
    }
}

/// The last line of the regex crate's error says what is wrong; the lines before it draw the pattern.
fn last_line(error: &str) -> &str {
    error.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

/// A glob over names with `/`: `*` stays in a segment, `**` crosses. Like a [`Pattern`] it is compiled at its first use.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    matcher: OnceLock<Box<GlobMatcher>>,
}

impl Glob {
    /// Checks a glob.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_LENGTH {
            return Err(format!("a glob is at most {PATTERN_LENGTH} bytes long"));
        }
        if text.is_empty() {
            return Err("an empty glob matches nothing".to_owned());
        }
        if text.matches('{').count() > MAX_BRACES {
            return Err(format!("a glob has at most {MAX_BRACES} pairs of braces"));
        }
        parsed(text).map_err(|error| format!("not a usable glob: {}", error.kind()))?;
        Ok(Self { text: text.to_owned(), matcher: OnceLock::new() })
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        // Most names differ from most globs at the beginning, for which nothing need be compiled.
        let beginning = self.text.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default();
        if !name.starts_with(beginning) {
            return false;
        }
        let compiled = || {
            let glob = parsed(&self.text).expect("invariant: it was parsed when it was checked");
            Box::new(glob.compile_matcher())
        };
        self.matcher.get_or_init(compiled).is_match(name)
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn parsed(text: &str) -> Result<globset::Glob, globset::Error> {
    GlobBuilder::new(&crossing(text)).literal_separator(true).backslash_escape(true).build()
}

/// The glob with every `**` crossing segments. globset takes one that is not a segment of its own for a mere `*`, so that
/// `ghcr.io/acme**` would not be `ghcr.io/acme/app`.
fn crossing(text: &str) -> Cow<'_, str> {
    const ANYTHING: &str = "{*,*/**/*}";
    if !text.contains("**") {
        return Cow::Borrowed(text);
    }
    let mut glob = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['*', '[', '\\']) {
        glob.push_str(&rest[..at]);
        let (token, after) = rest[at..].split_at(token_length(&rest[at..]));
        let is_segment = (glob.is_empty() || glob.ends_with('/')) && (after.is_empty() || after.starts_with('/'));
        glob.push_str(match token.strip_prefix("**") {
            Some(_) if is_segment => "**",
            Some(_) => ANYTHING,
            None => token,
        });
        rest = after;
    }
    glob.push_str(rest);
    Cow::Owned(glob)
}

/// The length of what a glob begins with: all of its stars, a set of characters, or a character behind its backslash.
fn token_length(glob: &str) -> usize {
    let end = match glob.as_bytes().first() {
        Some(b'*') => glob.find(|c| c != '*'),
        Some(b'\\') => glob.char_indices().nth(2).map(|(at, _)| at),
        _ => {
            // The first character of a set is in it, a `]` too.
            let first = 1 + usize::from(glob[1..].starts_with(['!', '^']));
            glob.char_indices().find(|&(at, c)| at > first && c == ']').map(|(at, _)| at + 1)
        }
    };
    end.unwrap_or(glob.len())
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a regular expression", Self::new)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a glob", Self::new)
    }
}

/// The names of the fields of a parameter struct, as serde sees them.
pub(super) fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Names<'a>(&'a mut &'static [&'static str]);
    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(de::Error::custom("only the names are wanted"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
            seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(Names(&mut fields));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_and_bounded() {
        let pattern = Pattern::new(r"https://github\.com/acme/.+").unwrap();
        assert!(pattern.matches("https://github.com/acme/app"));
        assert!(!pattern.matches("x https://github.com/acme/app"));
        assert!(!Pattern::new("a|b").unwrap().matches("ab"));
        assert!(Pattern::new("a)(b").is_err());
        assert!(Pattern::new("(a{1000}){1000}").is_err());
    }

    #[test]
    fn what_the_anchors_would_break_is_refused() {
        let nested = |levels| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
        assert!(Pattern::new(&nested(100)).unwrap().matches("a"));
        for levels in 200..300 {
            assert!(Pattern::new(&nested(levels)).is_ok_and(|pattern| pattern.matches("a")) || levels > 240);
        }
        assert!(Pattern::new("(?x) a # a comment").unwrap_err().contains("line break"));
        assert!(Pattern::new("(?x) a # a comment\n").unwrap().matches("a"));
        assert!(Pattern::new("a#").unwrap().matches("a#"));
    }

    /// What is taken without being compiled compiles.
    #[test]
    fn what_is_thought_small_is_small() {
        for unit in [
            "a",
            "é",
            ".",
            r"\w",
            r"\W",
            r"\d",
            r"\p{L}",
            r"\s",
            "[^a]",
            "(?i:k)",
            "(?i:ſtraße)",
            r"\b",
            "(a|bc|d)",
            "[a-zA-Z0-9]",
            "(?s:.)",
            r"[\w.]",
            r"(?:\p{Greek}|x)*",
            "(?:a?){3}",
        ] {
            let parts =
                (0..8).map(|power| 10usize.pow(power) / 2 + 1).take_while(|&times| times * unit.len() < PATTERN_LENGTH);
            let repeated = parts.map(|times| unit.repeat(times));
            let counted = [2, 50, 200, 500, 900].map(|times| format!("(?:{unit}){{{times}}}"));
            for text in repeated.chain(counted).filter(|text| text.len() <= PATTERN_LENGTH) {
                let small = most_states(&regex_syntax::parse(&text).unwrap()) * STATE_SIZE <= REGEX_SIZE;
                assert!(!small || anchored(&text).is_ok(), "{text}");
            }
        }
        let usual = regex_syntax::parse(r"https://github\.com/acme/[a-z-]+/\d+(-.+)?").unwrap();
        assert!(most_states(&usual) * STATE_SIZE < REGEX_SIZE / 2, "{}", most_states(&usual));
    }

    #[test]
    fn a_star_stays_in_its_segment() {
        let glob = |text| Glob::new(text).unwrap();
        assert!(!glob("ghcr.io/*").matches("ghcr.io/acme/app"));
        assert!(glob("ghcr.io/**").matches("ghcr.io/acme/app"));
        assert!(glob("ghcr.io/*/app").matches("ghcr.io/acme/app"));
        assert!(glob("ghcr.io/**/app").matches("ghcr.io/app"));
        assert!(glob("**/app").matches("app") && glob("{a,b}/c").matches("b/c") && glob(r"a\*").matches("a*"));
        assert!(!glob("ghcr.io/acme/**").matches("quay.io/acme/app"));
        assert!(Glob::new("").is_err());
    }

    #[test]
    fn two_stars_cross_wherever_they_stand() {
        let glob = |text| Glob::new(text).unwrap();
        for name in ["a/b", "a/bc", "a/bc/d", "a/b/c/d"] {
            assert!(
                glob("a/b**").matches(name) && glob("a/**b**").matches(name) && glob("{a/b**,x}").matches(name),
                "{name}"
            );
        }
        assert!(glob("**+zstd").matches("application/vnd.oci+zstd") && glob("a/***").matches("a/b/c"));
        assert!(!glob("a/b**").matches("a/c/b") && !glob("**+zstd").matches("a/b+gzip"));
        // Neither an escaped star nor one in a set is one of two.
        assert!(glob(r"a\**").matches("a*b") && !glob(r"a\**").matches("a*/b"));
        assert!(glob("a[]**]*").matches("a*b") && glob("a[!]**]*").matches("axb") && !glob("a[**]").matches("a/b"));
    }

    #[test]
    fn braces_are_bounded() {
        let nested = |levels| format!("{}a,b{}", "{".repeat(levels), "}".repeat(levels));
        assert!(Glob::new(&nested(MAX_BRACES)).unwrap().matches("b"));
        assert!(Glob::new(&nested(MAX_BRACES + 1)).is_err());
        assert!(Glob::new(&"a**".repeat(PATTERN_LENGTH / 3)).unwrap().matches(&"a".repeat(PATTERN_LENGTH / 3)));
    }
}
