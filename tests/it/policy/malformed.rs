//! Malformed policies, by class: every one is told what is wrong and where, all mistakes at once, before anything is read.
//!
//! A file of `malformed/` is one class. A case begins with `=== NAME`; then `policy.toml`; then other files, each behind
//! `--- FILE` (`--- FILE, named too` is a second `--policy`); then, behind `---`, what is told: a line for each mistake,
//! `the text pointed at | message | help`, and indented the other places that belong to it. A name may end with how the
//! files are encoded: `[UTF-16LE]`, or `[UTF-16LE: base.toml]` for one of them. `␀` and `␛` stand for the control characters,
//! `<text × 3>` for `texttexttext`. `UPDATE=1` writes what is told now.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use ocilint::policy::{PolicyError, PolicySource};
use tempfile::TempDir;

use super::load_in;

/// The classes, and how many cases each has.
const CLASSES: &[(&str, usize)] = &[
    ("bombs", 25),
    ("contradictions", 16),
    ("data", 12),
    ("dates", 16),
    ("duplicates", 12),
    ("empty", 11),
    ("encoding", 16),
    ("extends", 19),
    ("impossible", 51),
    ("locks", 23),
    ("syntax", 22),
    ("types", 44),
    ("unknown", 26),
    ("waivers", 17),
];
const TOO: &str = ", named too";
/// Length beyond which a text pointed at is cut.
const SHOWN: usize = 120;

struct Case {
    name: String,
    /// The case up to what is told.
    given: String,
    /// The files, by name.
    files: BTreeMap<String, Vec<u8>>,
    /// What `--policy` names.
    named: Vec<String>,
}

fn file_of(class: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/policy/malformed/{class}.txt"))
}

fn cases(class: &str) -> (String, Vec<Case>) {
    let text = fs::read_to_string(file_of(class)).unwrap();
    let cases = text.split("=== ").skip(1).map(case).collect();
    (text, cases)
}

fn case(text: &str) -> Case {
    let (name, rest) = text.split_once('\n').unwrap();
    let end = if rest.starts_with("---\n") { 0 } else { rest.find("\n---\n").unwrap() + 1 };
    let given = &rest[..end];
    let (encoding, only) = match name.strip_suffix(']').and_then(|name| name.rsplit_once(" [")) {
        Some((_, encoding)) => encoding.split_once(": ").map_or((encoding, None), |(code, file)| (code, Some(file))),
        None => ("UTF-8", None),
    };
    let mut texts = vec![("policy.toml", String::new())];
    let mut named = vec!["policy.toml".to_owned()];
    for line in given.split_inclusive('\n') {
        if let Some(file) = line.strip_prefix("--- ") {
            let file = file.trim_end();
            let (file, too) = file.strip_suffix(TOO).map_or((file, false), |file| (file, true));
            named.extend(too.then(|| file.to_owned()));
            texts.push((file, String::new()));
        } else {
            texts.last_mut().unwrap().1.push_str(line);
        }
    }
    let encoded = |(file, text): (&str, String)| {
        let encoding = if only.is_none_or(|only| only == file) { encoding } else { "UTF-8" };
        (file.to_owned(), encode(&written_out(&text), encoding))
    };
    Case { name: name.to_owned(), given: given.to_owned(), files: texts.into_iter().map(encoded).collect(), named }
}

/// The cases that are one text, by name.
pub(super) fn alone() -> impl Iterator<Item = (String, String)> {
    let cases = CLASSES.iter().flat_map(|(class, _)| cases(class).1).filter(|case| case.files.len() == 1);
    cases.filter_map(|case| Some((case.name, String::from_utf8(case.files.into_values().next()?).ok()?)))
}

/// Writes out `<text × 3>` and the control characters.
fn written_out(text: &str) -> String {
    let mut text = text.replace('␀', "\0").replace('␛', "\u{1b}");
    while let Some(times) = text.find(" × ") {
        let start = text[..times].rfind('<').unwrap();
        let end = times + text[times..].find('>').unwrap();
        let count: usize = text[times + " × ".len()..end].parse().unwrap();
        let repeated = text[start + 1..times].repeat(count);
        text.replace_range(start..=end, &repeated);
    }
    text
}

fn encode(text: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        "UTF-8" => text.as_bytes().to_vec(),
        "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "Latin-1" => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
        other => panic!("no encoding {other}"),
    }
}

impl Case {
    fn directory(&self) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (file, bytes) in &self.files {
            fs::write(directory.path().join(file), bytes).unwrap();
        }
        directory
    }

    fn told(&self) -> String {
        let directory = self.directory();
        let named: Vec<&str> = self.named.iter().map(String::as_str).collect();
        let errors = load_in(directory.path(), &named).err().unwrap_or_default();
        assert!(!errors.is_empty() || std::env::var_os("UPDATE").is_some(), "{} loads", self.name);
        errors.iter().map(told).collect()
    }
}

fn told(error: &PolicyError) -> String {
    let pointed = match (&error.source, &error.span) {
        (Some(source), Some(span)) => place(source, span),
        (Some(source), None) => format!("{}(the file)", prefix(source)),
        (None, _) => "(nothing)".to_owned(),
    };
    let mut told = format!("{pointed} | {} | {}\n", error.message, error.help.as_deref().unwrap_or("(no help)"));
    for (source, span, message) in &error.related {
        writeln!(told, "    {} | {message}", place(source, span)).unwrap();
    }
    told
}

fn place(source: &PolicySource, span: &Range<usize>) -> String {
    let text = source.text[span.clone()].replace('\n', "\\n").replace('\0', "␀").replace('\u{1b}', "␛");
    let text = match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    format!("{}{text}", prefix(source))
}

fn prefix(source: &PolicySource) -> String {
    if source.name == "policy.toml" { String::new() } else { format!("{}: ", source.name) }
}

#[test]
fn every_mistake_is_told_where_it_is() {
    assert!(CLASSES.iter().map(|class| class.1).sum::<usize>() >= 200);
    for &(class, count) in CLASSES {
        let (text, cases) = cases(class);
        assert_eq!(cases.len(), count, "cases of {class}");
        let mut now = String::new();
        for case in cases {
            write!(now, "=== {}\n{}---\n{}", case.name, case.given, case.told()).unwrap();
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(file_of(class), &now).unwrap();
        } else {
            assert_eq!(now, text, "{class}");
        }
    }
}

/// Where the user named a file that cannot be read there is no place to point at; everything else has one.
#[test]
fn every_mistake_has_a_place_and_a_line_of_help() {
    for &(class, _) in CLASSES {
        for line in cases(class).0.lines().filter(|line| line.contains(" | ")) {
            assert!(!line.starts_with("(nothing)") && !line.ends_with("(no help)"), "{class}: {line}");
        }
    }
}

/// Nothing connects to the registry that the target names.
#[test]
fn no_mistaken_policy_judges_or_asks_for_anything() {
    let registry = TcpListener::bind("127.0.0.1:0").unwrap();
    registry.set_nonblocking(true).unwrap();
    let target = format!("{}/acme/app:1", registry.local_addr().unwrap());
    for &(class, _) in CLASSES {
        for case in cases(class).1 {
            let directory = case.directory();
            let mut command = Command::new(env!("CARGO_BIN_EXE_ocilint"));
            command.current_dir(directory.path()).args(["check", "--plain-http", &target]);
            for named in &case.named {
                command.args(["--policy", named]);
            }
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{class}: {}: {output:?}", case.name);
            assert!(output.stdout.is_empty(), "{class}: {}: {output:?}", case.name);
        }
    }
    let error = registry.accept().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}
