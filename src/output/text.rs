//! Text on its way out: what must never be in a line, how lines are broken, how sizes are written.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::oci::{escape, escape_lines, is_plain, is_unsafe};

/// Commands that a fix may begin with; such a line is never broken, so that it can be copied.
const TOOLS: [&str; 14] = [
    "docker", "podman", "buildah", "skopeo", "regctl", "crane", "cosign", "oras", "notation", "ocilint", "syft",
    "trivy", "nerdctl", "kubectl",
];

/// The last word on a text for people: nothing in it acts on the reader of a log, whatever it was made of.
///
/// GitHub's and Azure's runners take a line that begins with `::`, and `##[` or `##vso[` anywhere in a line, for commands;
/// so does `TeamCity` with `##teamcity[`. White space before it does not matter to them. `ansi` lets escape sequences
/// through, which are then our own: all foreign text has been escaped before.
pub(super) fn guard(text: &str, ansi: bool, unicode: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let at = line.trim_end_matches('\n').len() - line.trim_end_matches('\n').trim_start().len();
        let (indent, rest) = line.split_at(at);
        push_guarded(&mut out, indent, ansi, unicode);
        let rest = match rest.strip_prefix("::") {
            Some(rest) => {
                out.push_str("\\u{3a}:");
                rest
            }
            None => rest,
        };
        push_guarded(&mut out, rest, ansi, unicode);
    }
    out
}

/// A text that is one line of a log, or may stand in a comment: whatever it holds, it stays one line that nobody takes for a
/// command.
pub fn line(text: &str) -> String {
    guard(&escape(text), false, true)
}

/// The same of several lines, whose ends are the program's own.
pub fn lines(text: &str) -> String {
    guard(&escape_lines(text), false, true)
}

fn push_guarded(out: &mut String, text: &str, ansi: bool, unicode: bool) {
    for (at, c) in text.char_indices() {
        let ours = c == '\n' || (ansi && c == '\u{1b}');
        match c {
            '#' if starts_command(&text[at..]) => out.push_str("\\u{23}"),
            '…' if !unicode => out.push_str("..."),
            '–' | '—' if !unicode => out.push('-'),
            _ if !ours && (is_unsafe(c) || (!unicode && !c.is_ascii())) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
}

/// Whether a text begins with `##`, a word and `[`.
fn starts_command(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("##") else { return false };
    rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[')
}

/// Breaks a text at spaces, never inside of `code`; a line that is a command stays whole.
pub(super) fn wrap(text: &str, width: usize, break_words: bool) -> String {
    let width = width.max(20);
    let options = Options::new(width)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(break_words);
    let wrapped =
        text.lines().map(|line| if is_command(line) { line.to_owned() } else { textwrap::fill(line, &options) });
    wrapped.collect::<Vec<_>>().join("\n")
}

fn is_command(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(tool, _)| TOOLS.contains(&tool))
}

/// Words with the spaces that follow them; what stands between two backticks is one word.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        let (word, tail) = rest.split_at(word_end(rest));
        rest = tail;
        (!word.is_empty()).then(|| Word::from(word))
    }))
}

fn word_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c == ' ' {
            return at + text[at..].bytes().take_while(|&byte| byte == b' ').count();
        }
        at += c.len_utf8();
        if c == '`' {
            at += text[at..].find('`').map_or(0, |close| close + 1);
        }
    }
    at
}

/// A number of bytes for people: `812 B`, `3.2 KiB`, `84.2 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit_size: u128 = 1;
    let mut tenths = 0;
    let mut name = "";
    for unit in UNITS {
        unit_size *= 1024;
        tenths = (u128::from(bytes) * 10 + unit_size / 2) / unit_size;
        name = unit;
        if tenths < 10_240 {
            break;
        }
    }
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// A number and its noun: `1 check`, `2 checks`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// One indented document that is written as its parts come.
#[derive(Default)]
pub(super) struct JsonStream {
    formatter: SafeJson,
    /// Whether the object, and the list in it, have something yet.
    fields: bool,
    elements: bool,
}

impl JsonStream {
    pub(super) fn begin_object(&mut self, mut out: &mut dyn Write) -> io::Result<()> {
        self.formatter.begin_object(&mut out)
    }

    pub(super) fn field(
        &mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.name(name, out)?;
        self.value(value, out)?;
        self.formatter.end_object_value(&mut &mut *out)
    }

    pub(super) fn begin_list(&mut self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        self.name(name, out)?;
        self.elements = false;
        self.formatter.begin_array(&mut &mut *out)
    }

    pub(super) fn element(&mut self, value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
        self.formatter.begin_array_value(&mut &mut *out, !self.elements)?;
        self.elements = true;
        self.value(value, out)?;
        self.formatter.end_array_value(&mut &mut *out)
    }

    pub(super) fn end_list(&mut self, mut out: &mut dyn Write) -> io::Result<()> {
        self.formatter.end_array(&mut out)?;
        self.formatter.end_object_value(&mut out)
    }

    /// Ends the document, with a line feed.
    pub(super) fn end_object(&mut self, mut out: &mut dyn Write) -> io::Result<()> {
        self.formatter.end_object(&mut out)?;
        out.write_all(b"\n")
    }

    fn name(&mut self, name: &str, mut out: &mut dyn Write) -> io::Result<()> {
        self.formatter.begin_object_key(&mut out, !self.fields)?;
        self.fields = true;
        self.value(name, out)?;
        self.formatter.end_object_key(&mut &mut *out)?;
        self.formatter.begin_object_value(&mut &mut *out)
    }

    /// A value at the present depth, in one piece: it is made of very many small ones.
    fn value(&self, value: &(impl Serialize + ?Sized), out: &mut dyn Write) -> io::Result<()> {
        let mut written = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut written, self.formatter.clone());
        value.serialize(&mut serializer)?;
        out.write_all(&written)
    }
}

/// Indented JSON in which every unsafe character, and every `#` that follows another, is an escape sequence: a parser reads
/// the same text, a terminal or a log does not see it.
#[derive(Clone, Default)]
pub(super) struct SafeJson {
    pretty: PrettyFormatter<'static>,
}

impl SafeJson {
    /// Writes a value and a line feed.
    pub(super) fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Self::default());
        value.serialize(&mut serializer)?;
        out.write_all(b"\n")
    }
}

impl Formatter for SafeJson {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if is_plain(fragment) && !fragment.contains("##") {
            return writer.write_all(fragment.as_bytes());
        }
        let mut plain = 0;
        let mut before = None;
        for (at, c) in fragment.char_indices() {
            if is_unsafe(c) || (c == '#' && before == Some('#')) {
                writer.write_all(&fragment.as_bytes()[plain..at])?;
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                plain = at + c.len_utf8();
            }
            before = Some(c);
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        assert_eq!(guard("  ::error::x\n", false, true), "  \\u{3a}:error::x\n");
        assert_eq!(
            guard("a::b ##[error]c ##vso[x] ## [y]", false, true),
            "a::b \\u{23}#[error]c \\u{23}#vso[x] ## [y]"
        );
        assert_eq!(guard("\u{a0}::x\n\n", false, true), "\u{a0}\\u{3a}:x\n\n");
        assert_eq!(guard("\r\u{1b}[2J\u{85}", false, true), "\\u{d}\\u{1b}[2J\\u{85}");
        assert_eq!(guard("\u{1b}[31mé…", true, false), "\u{1b}[31m\\u{e9}...");
        assert_eq!(guard("###[x", false, true), "#\\u{23}#[x");
    }

    #[test]
    fn a_line_stays_one_whatever_it_holds() {
        assert_eq!(line("it says `\n::error::x`, ##vso[y"), "it says `\\u{a}::error::x`, \\u{23}#vso[y");
        assert_eq!(lines("a\n::error::b\u{1b}[2J"), "a\n\\u{3a}:error::b\\u{1b}[2J");
    }

    #[test]
    fn lines_break_at_spaces_outside_of_code() {
        assert_eq!(
            wrap("run `docker buildx build .` and look at what comes", 24, false),
            "run\n`docker buildx build .`\nand look at what comes"
        );
        assert_eq!(
            wrap("docker buildx build --push -t ghcr.io/acme/app .", 24, false),
            "docker buildx build --push -t ghcr.io/acme/app ."
        );
        assert_eq!(wrap("an ` that never closes breaks", 20, false), "an ` that never\ncloses breaks");
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(3 * 1024 + 205), "3.2 KiB");
        assert_eq!(size(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(size(88_290_099), "84.2 MiB");
        assert_eq!(size(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn counts_have_their_nouns() {
        assert_eq!((count(1, "check"), count(0, "check")), ("1 check".to_owned(), "0 checks".to_owned()));
    }

    #[test]
    fn json_hides_nothing_and_shows_nothing() {
        let text = "a\u{202e}b\u{7f}\u{85}##[error]\u{e0001}é";
        let mut out = Vec::new();
        SafeJson::write(&serde_json::json!({ "x": [text] }), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, "{\n  \"x\": [\n    \"a\\u202eb\\u007f\\u0085#\\u0023[error]\\udb40\\udc01é\"\n  ]\n}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["x"][0], text);
    }
}
