//! What is promised of what `docker save` wrote before it wrote image layouts.

use ocilint::oci::Digest;
use ocilint::source::Part;
use ocilint::source::archive::ArchiveKind::{Docker, Oci};
use ocilint::target::Select;
use serde_json::{Value, json};

use crate::local_support::{Ask, Files, Saved, config, gzip, hold};

fn tag(tag: &str) -> Select {
    Select::Tag(tag.to_owned())
}

/// A classic `docker save` archive: configs named by their digests, and the list of them.
fn docker_save(images: &[(&str, Value)]) -> Files {
    let mut files = Files::default();
    let mut list = Vec::new();
    for (seed, tags) in images {
        let path = format!("{}.json", config_digest(seed).hex());
        files.put(&path, config(seed));
        files.put(&format!("{seed}/layer.tar"), *b"layer");
        list.push(json!({ "Config": path, "RepoTags": tags, "Layers": [format!("{seed}/layer.tar")] }));
    }
    files.put("manifest.json", json!(list).to_string());
    files
}

fn config_digest(seed: &str) -> Digest {
    Digest::sha256(config(seed).as_bytes())
}

#[tokio::test]
async fn a_classic_archive_is_known_by_its_config() {
    let (one, two) = (config_digest("one"), config_digest("two"));
    let single = docker_save(&[("one", json!(["app:v1", "app:latest"]))]);
    let unnamed = docker_save(&[("one", Value::Null)]);
    let both = docker_save(&[("one", json!(["app:v1"])), ("two", json!(["localhost:5000/app:v2", "other"]))]);
    let nameless = docker_save(&[("one", Value::Null), ("two", json!([]))]);
    let clash = docker_save(&[("one", json!(["a:v1"])), ("two", json!(["b:v1"]))]);
    let first = format!("config {}", one.short());
    let second = format!("config {}", two.short());
    for (case, files, select, wanted) in [
        ("the only one", &single, Select::Only, &*first),
        ("without a name", &unnamed, Select::Only, &first),
        ("by its tag", &single, tag("latest"), &first),
        ("by its full name", &single, tag("app:latest"), &first),
        ("the second by its tag", &both, tag("v2"), &second),
        ("the second by a name without a tag", &both, tag("other"), &second),
        ("the second by its digest", &both, Select::Digest(two.clone()), &second),
        ("none named of two", &both, Select::Only, "not-found: it has app:v1, localhost:5000/app:v2, other"),
        ("none named of two without names", &nameless, Select::Only, "not-found: none has a name"),
        ("a tag that is not there", &both, tag("v3"), "not-found: names no `v3`; it has app:v1"),
        (
            "a digest that is not there",
            &both,
            Select::Digest(Digest::sha256(b"absent")),
            "not-found: lists no config sha256:",
        ),
        ("one tag in two repositories", &clash, tag("v1"), "ambiguous: `v1` is both"),
        ("one of these by its full name", &clash, tag("b:v1"), &second),
    ] {
        for bytes in [files.tar().end(), gzip(&files.tar().end())] {
            hold(case, &Saved::new(&bytes).ask(Docker, select.clone(), Ask::Resolve).await, wanted);
        }
    }
}

#[tokio::test]
async fn a_classic_archive_has_no_manifest() {
    let saved = Saved::new(&docker_save(&[("one", json!(["app:v1"]))]).tar().end());
    let (digest, size) = (config_digest("one"), config("one").len() as u64);
    let absent = Digest::sha256(b"absent");
    let whole = Part::Whole { cap: size };
    for (what, wanted) in [
        (Ask::Manifest(digest.clone()), "no-manifest".to_owned()),
        (Ask::Referrers(digest.clone()), "no-manifest".to_owned()),
        (Ask::Tag("v1"), "no-manifest".to_owned()),
        (Ask::Blob(absent, whole), "no-manifest".to_owned()),
        (Ask::Blob(digest.clone(), whole), format!("{size} bytes")),
        (Ask::Blob(digest.clone(), Part::Whole { cap: 1 }), "too-large: 1 bytes".to_owned()),
        (Ask::Blob(digest.clone(), Part::Start { length: 5, size }), "5 bytes".to_owned()),
        (Ask::Blob(digest, Part::Start { length: 5, size: 6 }), "size-mismatch".to_owned()),
    ] {
        hold(&format!("{what:?}"), &saved.ask(Docker, Select::Only, what).await, &wanted);
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_trusted_is_refused() {
    let good = docker_save(&[("one", json!(["app:v1"]))]);
    let path = format!("{}.json", config_digest("one").hex());
    let listed = |text: String| {
        let mut files = good.clone();
        files.put("manifest.json", text);
        files
    };
    let first = format!("config {}", config_digest("one").short());
    let mut other_bytes = good.clone();
    other_bytes.put(&path, "{}");
    let mut prefixed = listed(json!([{ "Config": config_digest("one") }]).to_string());
    prefixed.put(config_digest("one").as_str(), config("one"));
    let mut unnamed = listed(r#"[{"config":"config.json","repoTags":null,"layers":[]}]"#.to_owned());
    unnamed.put("config.json", config("one"));
    let mut lying = listed(json!([{ "Config": format!("blobs/sha256/{}", "0".repeat(64)) }]).to_string());
    lying.put(&format!("blobs/sha256/{}", "0".repeat(64)), config("one"));
    for (case, files, wanted) in [
        ("a config of other bytes", other_bytes, "digest-mismatch"),
        ("a config of other bytes under blobs", lying, "digest-mismatch"),
        ("a config named by its digest in full", prefixed, &*first),
        ("a config of another name, in lower case, as Jib writes it", unnamed, &first),
        (
            "a config that is missing",
            listed(r#"[{"Config":"absent.json"}]"#.to_owned()),
            "not-found: `absent.json`, which is not there",
        ),
        (
            "a config elsewhere",
            listed(r#"[{"Config":"../../etc/passwd"}]"#.to_owned()),
            "not-found: `../../etc/passwd`",
        ),
        (
            "two configs",
            listed(format!(r#"[{{"Config":"x","Config":"{path}"}}]"#)),
            "ambiguous: \"Config\" occurs more than once",
        ),
        (
            "two configs in different case",
            listed(format!(r#"[{{"Config":"x","config":"{path}"}}]"#)),
            "ambiguous: `Config`, in different case",
        ),
        (
            "two lists of names with a long s",
            listed(format!(r#"[{{"Config":"{path}","RepoTags":[],"RepoTagſ":["a"]}}]"#)),
            "ambiguous: `RepoTags`",
        ),
        ("no config", listed(r#"[{"RepoTags":[]}]"#.to_owned()), "unreadable: without `Config`"),
        (
            "names that are no strings",
            listed(format!(r#"[{{"Config":"{path}","RepoTags":[1]}}]"#)),
            "unreadable: `RepoTags`",
        ),
        (
            "names that are no list",
            listed(format!(r#"[{{"Config":"{path}","RepoTags":"a"}}]"#)),
            "unreadable: `RepoTags`",
        ),
        ("no list", listed("{}".to_owned()), "unreadable: expected a list"),
        ("no objects", listed("[1]".to_owned()), "unreadable: expected an object"),
        ("no image", listed("[]".to_owned()), "not-found: lists no image"),
        ("no JSON", listed("nonsense".to_owned()), "unreadable: manifest.json"),
        ("huge", listed(" ".repeat((4 << 20) + 1)), "too-large: larger than the 4 MiB"),
    ] {
        let saved = Saved::new(&files.tar().end());
        hold(case, &saved.ask(Docker, Select::Only, Ask::Resolve).await, wanted);
    }
}

#[tokio::test]
async fn the_wrong_kind_says_what_to_write() {
    let (layout, image) = Files::image();
    let classic = docker_save(&[("one", json!(["app:v1"]))]);
    let mut modern = layout.clone();
    modern.0.extend(classic.0.clone());
    let manifest = format!("manifest {}", image.short());
    for (case, files, kind, wanted) in [
        ("a layout as docker-archive", &layout, Docker, "file: not what `docker save` writes: write `oci-archive:"),
        (
            "a classic archive as oci-archive",
            &classic,
            Oci,
            "file: older versions of `docker save` write: write `docker-archive:",
        ),
        ("what docker writes today", &modern, Docker, &*manifest),
        ("what docker writes today, as a layout", &modern, Oci, &manifest),
    ] {
        let saved = Saved::new(&files.tar().end());
        hold(case, &saved.ask(kind, Select::Only, Ask::Resolve).await, wanted);
    }
}
