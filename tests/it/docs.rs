//! The book in `docs/`: its pages about rules and packs are the program's own, its policies load, its commands are understood and its
//! links lead somewhere.
//!
//! `UPDATE=1 cargo test --test it docs::` writes the parts that are the program's own.

mod packs;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ocilint::Policy;
use ocilint::rules::{Judges, RULES, Rule};

use crate::program;
use text::{Block, anchors, blocks, links, spans};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const NOTICE: &str = "<!-- Written by `UPDATE=1 cargo test --test it docs::`, from the rule's own file. -->\n";

fn source() -> PathBuf {
    Path::new(ROOT).join("docs/src")
}

/// Every page by its path below `docs/src`.
fn pages() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(source()).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// The pages that the program knows better, or parts of them.
fn own(pages: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut own: BTreeMap<String, String> = RULES.iter().map(|rule| (page_of(rule), rule_page(rule))).collect();
    own.insert("rules/index.md".to_owned(), rules_page());
    own.insert("SUMMARY.md".to_owned(), summary(&pages["SUMMARY.md"]));
    own.insert("packs.md".to_owned(), packs::page(&pages["packs.md"]));
    own
}

fn page_of(rule: &Rule) -> String {
    format!("rules/{}.md", rule.name)
}

/// The documentation of a rule, as the program prints it.
fn rule_page(rule: &Rule) -> String {
    let run = program::run(Path::new(ROOT), &["rules", rule.name]);
    assert_eq!(run.exit, 0, "{}", run.stderr);
    format!("{NOTICE}{}", run.stdout)
}

fn rules_page() -> String {
    let mut text = format!(
        "{NOTICE}# Rules\n\nOne page a rule, with the text of `ocilint rules NAME`. A rule judges the whole image (what the \
         reference points to), each\nplatform of it, or both.\n\n| rule | what it checks | judges |\n|---|---|---|\n"
    );
    let reference = Policy::load(&["policies/reference.toml".to_owned()], Path::new(ROOT)).unwrap();
    for rule in RULES {
        let instance = reference.instances.iter().find(|instance| instance.name == rule.name).unwrap();
        let judges = match instance.check.judges() {
            Judges::Root => "the whole",
            Judges::EachPlatform => "each platform",
            Judges::Both => "both",
        };
        let always = if rule.implicit.is_some() { " Always on." } else { "" };
        let _ = writeln!(text, "| [`{0}`]({0}.md) | {1}{always} | {judges} |", rule.name, rule.summary);
    }
    text
}

/// The table of contents with a line for each rule.
fn summary(written: &str) -> String {
    let mut text = String::new();
    for line in written.lines().filter(|line| !line.starts_with("  - [`")) {
        let _ = writeln!(text, "{line}");
        if line == "- [Rules](rules/index.md)" {
            for rule in RULES {
                let _ = writeln!(text, "  - [`{0}`](rules/{0}.md)", rule.name);
            }
        }
    }
    text
}

#[test]
fn what_the_program_knows_better_is_true() {
    let pages = pages();
    let own = own(&pages);
    let known: BTreeSet<String> = own.keys().cloned().collect();
    let left_over = pages.keys().filter(|name| name.starts_with("rules/") && !known.contains(*name));
    assert_eq!(left_over.collect::<Vec<_>>(), Vec::<&String>::new(), "pages of rules that are no more");
    for (name, wanted) in own {
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(source().join(&name), &wanted).unwrap();
        } else {
            let is = pages.get(&name).is_some_and(|written| *written == wanted);
            assert!(is, "run `UPDATE=1 cargo test --test it docs::`; docs/src/{name} is to be\n{wanted}");
        }
    }
}

#[test]
fn every_policy_loads() {
    let mut number = 0;
    for (name, block) in all_blocks().into_iter().filter(|(_, block)| block.kind == "toml") {
        number += 1;
        let directory = Path::new(ROOT).join("policies");
        if let Err(errors) = Policy::from_text(&name, &block.text, &directory) {
            let told: Vec<String> = errors.0.iter().map(|error| error.message.clone()).collect();
            panic!("{name}:\n{}\n{told:?}", block.text);
        }
    }
    assert!(number > RULES.len(), "{number}");
}

#[test]
fn every_test_of_a_policy_passes() {
    let mut number = 0;
    for (name, block) in all_blocks().into_iter().filter(|(_, block)| block.kind == "toml,cases") {
        number += 1;
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(Path::new(ROOT).join("examples/policies/production.toml"), folder.path().join("production.toml"))
            .unwrap();
        std::fs::write(folder.path().join("production.test.toml"), &block.text).unwrap();
        let run = program::run(folder.path(), &["policy", "test", "."]);
        assert_eq!(run.exit, 0, "{name}: {}{}", run.stdout, run.stderr);
    }
    assert!(number > 0);
}

#[test]
fn every_command_is_understood() {
    let mut commands = BTreeMap::new();
    for (name, text) in pages() {
        let listings =
            blocks(&text).into_iter().filter(|block| ["sh", "console", "yaml"].contains(&block.kind.as_str()));
        let lines: Vec<String> =
            listings.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let spans: Vec<String> = spans(&text).map(str::to_owned).collect();
        for line in lines.iter().chain(&spans) {
            commands.extend(arguments(line).map(|arguments| (arguments, name.clone())));
        }
    }
    assert!(commands.len() > 20, "{commands:?}");
    for (arguments, name) in commands {
        let words: Vec<&str> = arguments.split_whitespace().chain(["--help"]).collect();
        let run = program::run(Path::new(ROOT), &words);
        assert_eq!(run.exit, 0, "{name}: `ocilint {arguments}`: {}", run.stderr);
    }
}

/// The arguments of a line that runs the program, with what a build server would put into them.
fn arguments(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("- ").trim_start_matches("run: ").trim_start_matches("$ ");
    let own = line.strip_prefix("ocilint ")?;
    let own = own.split(" # ").next().unwrap_or_default();
    let digest = format!("sha256:{}", "0".repeat(64));
    Some(own.replace("${{ steps.build.outputs.digest }}", &digest).replace("$IMAGE", "alpine").replace('"', ""))
}

#[test]
fn every_flag_in_the_prose_is_one_of_the_program() {
    let commands =
        ["check", "graph", "init", "snapshot", "policy check", "policy test", "policy waivers", "policy show"];
    let help = commands.map(|command| {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        program::run(Path::new(ROOT), &words).stdout
    });
    let help = help.concat();
    let known: BTreeSet<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    // The pages of rules name flags of the tools that mend images.
    for (name, text) in pages().into_iter().filter(|(name, _)| !name.starts_with("rules/")) {
        for flag in spans(&text).filter(|span| span.starts_with("--")) {
            let flag = flag.split([' ', '=']).next().unwrap_or_default();
            assert!(known.contains(flag), "{name}: {flag}");
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut number = 0;
    for (name, text) in &pages {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in links(text).filter(|link| !link.starts_with("https://")) {
            number += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { name.clone() } else { joined(folder, path) };
            let page = pages.get(&target).unwrap_or_else(|| panic!("{name}: there is no {link}"));
            assert!(anchor.is_empty() || anchors(page).any(|known| known == anchor), "{name}: there is no {link}");
            // mdBook writes such a page as `index.html`, and leaves links to it as they are.
            assert!(!target.ends_with("README.md"), "{name}: {link} leads nowhere in the book");
        }
    }
    assert!(number > RULES.len(), "{number}");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let pages = pages();
    let listed: BTreeSet<&str> = links(&pages["SUMMARY.md"]).collect();
    let written: BTreeSet<&str> = pages.keys().map(String::as_str).filter(|name| *name != "SUMMARY.md").collect();
    assert_eq!(listed, written);
}

/// A path as it is seen from a folder.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn all_blocks() -> Vec<(String, Block)> {
    let pages = pages().into_iter();
    pages.flat_map(|(name, text)| blocks(&text).into_iter().map(move |block| (name.clone(), block))).collect()
}
