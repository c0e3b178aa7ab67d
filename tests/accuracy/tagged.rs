//! References and tags: how real ones are written, and what the tags of official images name.

use std::collections::BTreeMap;
use std::fs;

use ocilint::Target;
use ocilint::cases::build::{Built, Image, Names, Store, build};
use ocilint::judge::Options;
use ocilint::oci::{Digest, Reference};
use serde_json::Value;

use super::labels::subjects;
use super::rules::{engine, judge, runtime};
use super::tally::{Table, verdict};
use super::{corpus, rows, text};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(super) fn compare(table: &mut Table) {
    references(table);
    tags(table);
    versions(table);
}

/// The tables of the library that most registries parse references with.
fn references(table: &mut Table) {
    let image = build(&Image::default()).expect("an image");
    for row in rows("references/references.jsonl") {
        let normal = text(&row, "source").starts_with("distribution/") && text(&row, "api") == "ParseNormalizedNamed";
        let (domain, path) = (text(&row, "domain"), text(&row, "path"));
        // A name in brackets would have to be escaped in a glob, and a bare word in capitals is a host for this library alone.
        let is_host = domain.contains(['.', ':']) || domain == "localhost";
        if !normal || row["valid"] != true || !is_host || domain.contains('[') {
            continue;
        }
        let input = text(&row, "input");
        let questions = [
            ("reference", "require = ['digest']".to_owned(), row["digest"].is_string()),
            ("reference", "require = ['tag']".to_owned(), row["tag"].is_string()),
            ("registries", format!("allow = ['{}/{path}']", domain.to_lowercase()), true),
            ("registries", format!("deny = ['{}/**']", domain.to_lowercase()), false),
            ("registries", format!("allow = ['example.invalid/{path}']"), false),
        ];
        let asked = questions.iter().map(|(rule, parameters, _)| (*rule, parameters.as_str()));
        let report = judge(&image, &Target::parse(input).expect("a valid reference"), asked);
        for (number, (rule, parameters, meets)) in questions.iter().enumerate() {
            let input = format!("references/{input} with {parameters}");
            table.count(rule, &input, *meets, verdict(&report, &format!("probe-{number}")));
        }
    }
}

/// The tags of a repository, and what each is to name.
type Tags = BTreeMap<String, Digest>;

/// The indexes of official images under all the tags that they were pushed with, and then with one tag left behind.
fn tags(table: &mut Table) {
    let mut repositories: BTreeMap<String, (Tags, Store)> = BTreeMap::new();
    for row in rows("official-images/expectations.jsonl").iter().filter(|row| text(row, "file").starts_with("deploy/"))
    {
        let bytes =
            fs::read(corpus().join("official-images").join(text(row, "file"))).expect("a labelled file is there");
        for name in row["upstream"]["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let (repository, tag) = name.split_once(':').expect("a tag");
            let (tags, store) = repositories.entry(repository.to_owned()).or_default();
            tags.insert(tag.to_owned(), store.put_manifest(bytes.clone(), INDEX));
        }
    }
    for (repository, (tags, store)) in repositories {
        let older = build(&Image::default()).expect("an image");
        for (tag, digest) in tags.iter().filter(|(tag, _)| tag.starts_with(|c: char| c.is_ascii_digit())) {
            let target = Target::parse(&format!("{repository}:{tag}")).expect("a reference");
            let pinned = Target::parse(&format!("{repository}:{tag}@{digest}")).expect("a reference");
            let mut moved = tags.clone();
            moved.insert(tag.clone(), older.root.clone());
            let aliases = tags.iter().filter(|(other, named)| *named == digest && is_alias(tag, other)).count();
            for (tags, agree) in [(&tags, true), (&moved, false)] {
                let mut store = store.clone();
                store.tags.clone_from(tags);
                store.manifests.extend(older.store.manifests.clone());
                let input = format!("official-images/{repository}:{tag}{}", if agree { "" } else { " left behind" });
                let image = of(store.clone(), digest.clone());
                let report = judge(&image, &pinned, [("tag-digest", "")].into_iter());
                table.count("tag-digest", &input, agree, verdict(&report, "probe-0"));
                if aliases > 0 {
                    let image = of(store, tags[tag].clone());
                    let report = judge(&image, &target, [("tag-alias", "")].into_iter());
                    table.count("tag-alias", &input, agree, verdict(&report, "probe-0"));
                }
            }
        }
    }
}

/// Whether two tags are one version written longer and shorter: `1.36.1` and `1.36`, `24-dind` and `24.0-dind`.
fn is_alias(one: &str, other: &str) -> bool {
    let parts = |tag: &str| {
        let (numbers, variant) = tag.split_once('-').unwrap_or((tag, ""));
        (numbers.to_owned(), variant.to_owned())
    };
    let ((one, variant), (other, other_variant)) = (parts(one), parts(other));
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let is_version = |text: &str| text.split('.').all(|part| part.parse::<u32>().is_ok());
    variant == other_variant && is_version(&long) && long.strip_prefix(&short).is_some_and(|rest| rest.starts_with('.'))
}

fn of(store: Store, root: Digest) -> Built {
    let served_as = store.manifests[&root].media_type.clone();
    Built { store, root, served_as, saved: false, names: Names::default() }
}

/// The versions that real images say they have, under a tag that says the same and under another.
fn versions(table: &mut Table) {
    let engine = engine([("version-label", "on = ['annotation', 'label']")].into_iter(), Options::default());
    let runtime = runtime();
    for subject in subjects() {
        let Some(platforms) = subject.labels.platforms() else { continue };
        let version = |platform: &super::raw::RawPlatform| {
            let said = |value: &Value| value["org.opencontainers.image.version"].as_str().map(str::to_owned);
            match (said(&platform.manifest["annotations"]), said(platform.member("Labels"))) {
                (Some(one), Some(other)) => (one == other).then_some(one),
                (one, other) => one.or(other),
            }
        };
        let versions: Vec<Option<String>> = platforms.iter().map(version).collect();
        let Some(Some(version)) = versions.first().filter(|first| versions.iter().all(|other| other == *first)) else {
            continue;
        };
        if !version.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        for (tag, meets) in [(version.as_str(), true), ("999.9.9", false)] {
            let name = Reference::parse(&format!("registry.example/app:{tag}")).expect("a reference");
            let report = runtime.block_on(engine.judge(&subject.target.clone().named(name)));
            table.count("version-label", &format!("{} as {tag}", subject.name), meets, verdict(&report, "probe-0"));
        }
    }
}
