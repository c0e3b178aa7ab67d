//! What is promised of `oci:` targets, above all of those that somebody made to be read wrongly.

use std::fs;
use std::os::unix::fs::symlink;

use ocilint::oci::{Digest, MediaType, known};
use ocilint::source::Part;
use ocilint::target::Select;
use serde_json::json;

use crate::local_support::{Ask, Files, Table, blob_path, entry, fifo, open_layout, replace, socket};

#[tokio::test]
async fn what_is_no_layout_says_what_it_is() {
    let mut table = Table::new();
    table.case("no directory", "file: there is no such directory", |layout| fs::remove_dir_all(layout).unwrap());
    table.case("a file", "file: write `oci-archive:", |layout| replace(layout, |path| fs::write(path, "x").unwrap()));
    table.case("a named pipe", "file: this is a file", |layout| replace(layout, fifo));
    table.case("an empty directory", "file: neither `index.json` nor `oci-layout`", |layout| {
        replace(layout, |path| fs::create_dir(path).unwrap());
    });
    table.case("no index.json", "file: no `index.json` to list the images", |layout| {
        fs::remove_file(layout.join("index.json")).unwrap();
    });
    let image = format!("manifest {}", table.image.short());
    table
        .case("no oci-layout, which is forgiven", &image, |layout| fs::remove_file(layout.join("oci-layout")).unwrap());
    table.with("a newer version", "oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#, "unreadable: `2.0.0`");
    table.with("no version", "oci-layout", "{}", "unreadable: no imageLayoutVersion");
    table.with(
        "a version of another type",
        "oci-layout",
        r#"{"imageLayoutVersion":1}"#,
        "unreadable: no imageLayoutVersion",
    );
    table.with("an empty version file", "oci-layout", "", "unreadable: oci-layout");
    let twice = r#"{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"2.0.0"}"#;
    table.with("two versions", "oci-layout", twice, "ambiguous: oci-layout");
    table.with("a huge version file", "oci-layout", vec![b' '; 5000], "too-large: 4096 bytes");
    table.run().await;
}

#[tokio::test]
async fn an_index_that_cannot_be_trusted_is_refused() {
    let mut table = Table::new();
    let image = table.image.clone();
    let good = String::from_utf8(table.files.0["index.json"].clone()).unwrap();
    let mut huge = good.clone().into_bytes();
    huge.resize((4 << 20) + 1, b' ');
    table.with("huge", "index.json", huge, "too-large: larger than the 4 MiB");
    let mut large = good.clone().into_bytes();
    large.resize(4 << 20, b' ');
    table.with("as large as may be", "index.json", large, &format!("manifest {}", image.short()));
    table.with("empty", "index.json", "", "unreadable: index.json");
    table.with("no JSON", "index.json", "<html>", "unreadable: index.json");
    table.with("a byte order mark", "index.json", format!("\u{feff}{good}"), "unreadable: index.json");
    table.with("something behind", "index.json", format!("{good}{{}}"), "unreadable: index.json");
    table.with("deep", "index.json", "[".repeat(100), "unreadable: index.json");
    table.with("a list", "index.json", "[]", "unreadable: index.json");
    table.with(
        "another kind",
        "index.json",
        r#"{"config":{},"layers":[]}"#,
        "unreadable: found a manifest, expected an index",
    );
    let twice = good.replacen("\"manifests\"", "\"manifests\":[],\"manifests\"", 1);
    table.with("two lists", "index.json", twice, "ambiguous: \"manifests\" occurs more than once");
    let folded = good.replacen("\"manifests\"", "\"Manifests\":[],\"manifests\"", 1);
    table.with("two lists to those who ignore case", "index.json", folded, "ambiguous: index.json");
    let kinds = good.replacen('{', "{\"layers\":[],", 1);
    table.with("two kinds at once", "index.json", kinds, "ambiguous: two kinds");
    table.with("no image", "index.json", r#"{"schemaVersion":2,"manifests":[]}"#, "not-found: lists no image");
    table.run().await;
}

#[tokio::test]
async fn a_digest_never_becomes_a_path_before_it_is_one() {
    let mut table = Table::new();
    for (name, digest, wanted) in [
        ("upwards", "sha256:../../../outside/index.json".to_owned(), "bad-digest"),
        ("absolute", "sha256:/etc/passwd".to_owned(), "bad-digest"),
        ("upper case", format!("sha256:{}", "A".repeat(64)), "bad-digest"),
        ("too short", "sha256:12".to_owned(), "bad-digest"),
        ("an algorithm that leads elsewhere", format!("../outside:{}", "a".repeat(64)), "bad-digest"),
        (
            "an algorithm that is not computed",
            "md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            "bad-digest: unsupported",
        ),
        ("empty", String::new(), "bad-digest"),
    ] {
        let entry = json!({ "mediaType": known::OCI_MANIFEST, "digest": digest, "size": 2 });
        let index = json!({ "schemaVersion": 2, "manifests": [entry] });
        table.with(name, "index.json", index.to_string(), wanted);
    }
    table.run().await;
}

#[tokio::test]
async fn nothing_outside_is_read_and_nothing_but_regular_files() {
    let mut table = Table::new();
    let image = table.image.clone();
    let blob = blob_path(&image);
    let served = format!("manifest {}", image.short());
    let outside = "file: outside of the filesystem";
    for (name, path, target) in [
        ("index.json leads out", "index.json", "../outside/index.json"),
        ("oci-layout leads out", "oci-layout", "../outside/oci-layout"),
        ("the blobs lead out", "blobs", "../outside/blobs"),
        ("the blobs of an algorithm lead out", "blobs/sha256", "../../outside/blobs/sha256"),
        ("index.json leads to a device", "index.json", "/dev/zero"),
    ] {
        table.case(name, outside, move |layout| replace(&layout.join(path), |path| symlink(target, path).unwrap()));
    }
    let (path, target) = (blob.clone(), format!("../../../outside/{blob}"));
    table.case("a blob leads out", outside, move |layout| {
        replace(&layout.join(&path), |path| symlink(&target, path).unwrap());
    });
    let path = blob.clone();
    table.case("a blob leads out by an absolute path", outside, move |layout| {
        let target = layout.parent().unwrap().join("outside").join(&path);
        replace(&layout.join(&path), |path| symlink(target, path).unwrap());
    });
    let path = blob.clone();
    table.case("a blob leads out through the layout and back", outside, move |layout| {
        let target = format!("../../../layout/../outside/{path}");
        replace(&layout.join(&path), |path| symlink(target, path).unwrap());
    });
    let path = blob.clone();
    table.case("a link that stays inside", &served, move |layout| {
        fs::rename(layout.join(&path), layout.join("blobs/elsewhere")).unwrap();
        symlink("../elsewhere", layout.join(&path)).unwrap();
    });
    let path = blob.clone();
    table.case("a link to itself", "file: blobs/sha256/", move |layout| {
        replace(&layout.join(&path), |path| symlink(path.file_name().unwrap(), path).unwrap());
    });
    let path = blob.clone();
    table.case("a link to nothing", "not-found: there is no file blobs/sha256/", move |layout| {
        replace(&layout.join(&path), |path| symlink("nothing", path).unwrap());
    });
    let irregular = "file: is no regular file";
    table.case("index.json is a named pipe", irregular, |layout| replace(&layout.join("index.json"), fifo));
    table.case("oci-layout is a named pipe", irregular, |layout| replace(&layout.join("oci-layout"), fifo));
    table.case("index.json is a socket", irregular, |layout| replace(&layout.join("index.json"), socket));
    table.case("index.json is a directory", irregular, |layout| {
        replace(&layout.join("index.json"), |path| fs::create_dir(path).unwrap());
    });
    let path = blob.clone();
    table.case("a blob is a named pipe", irregular, move |layout| replace(&layout.join(&path), fifo));
    let path = blob.clone();
    table.case("a blob is a socket", irregular, move |layout| replace(&layout.join(&path), socket));
    let path = blob.clone();
    table.case("a blob is a directory", irregular, move |layout| {
        replace(&layout.join(&path), |path| fs::create_dir(path).unwrap());
    });
    let start = Ask::Blob(image, Part::Start { length: 16, size: 0 });
    table.asking("the start of a named pipe", Select::Only, start, irregular, move |layout| {
        replace(&layout.join(&blob), fifo);
    });
    table.run().await;
}

#[tokio::test]
async fn what_is_read_is_what_was_described() {
    let mut table = Table::new();
    let image = table.image.clone();
    let blob = blob_path(&image);
    let size = table.files.0[&blob].len();
    table.case("the manifest is missing", "not-found: there is no file blobs/sha256/", {
        let blob = blob.clone();
        move |layout| fs::remove_file(layout.join(&blob)).unwrap()
    });
    table.with("other bytes", &blob, "{}", &format!("digest-mismatch: asked for {image}, got sha256:44136fa3"));
    table.with("no bytes", &blob, "", &format!("digest-mismatch: asked for {image}, got sha256:e3b0c442"));
    table.with("a huge manifest", &blob, vec![b' '; (4 << 20) + 1], "too-large: larger than the 4 MiB");
    for (name, described) in [("too large a size", size + 1), ("too small a size", 1)] {
        let index = json!({ "schemaVersion": 2, "manifests": [entry(&image, described, "v1")] }).to_string();
        let wanted = format!("size-mismatch: says {described} bytes, the document has {size}");
        table.with(name, "index.json", index.clone(), &wanted);
        table.asking(name, Select::Only, Ask::Manifest(image.clone()), &wanted, move |layout| {
            fs::write(layout.join("index.json"), &index).unwrap();
        });
    }
    let length = size as u64;
    for (name, part, wanted) in [
        ("whole", Part::Whole { cap: length }, format!("{size} bytes")),
        ("over the cap", Part::Whole { cap: length - 1 }, format!("too-large: {} bytes", length - 1)),
        ("a start", Part::Start { length: 10, size: length }, "10 bytes".to_owned()),
        ("a start longer than all", Part::Start { length: length + 10, size: 0 }, format!("{size} bytes")),
        (
            "a start of another size",
            Part::Start { length: 10, size: 7 },
            format!("size-mismatch: says 7 bytes, the document has {size}"),
        ),
    ] {
        table.asking(name, Select::Only, Ask::Blob(image.clone(), part), &wanted, |_| {});
    }
    let absent = Digest::sha256(b"absent");
    let missing = "not-found: there is no file blobs/sha256/";
    table.asking(
        "a blob that is missing",
        Select::Only,
        Ask::Blob(absent.clone(), Part::Whole { cap: 9 }),
        missing,
        |_| {},
    );
    let start = Part::Start { length: 9, size: 9 };
    table.asking(
        "the start of a blob that is missing",
        Select::Only,
        Ask::Blob(absent.clone(), start),
        missing,
        |_| {},
    );
    table.asking("a manifest that is missing", Select::Only, Ask::Manifest(absent), missing, |_| {});
    table.run().await;
}

#[tokio::test]
async fn an_image_is_found_by_its_name() {
    let mut table = Table::new();
    let app = table.image.clone();
    let size = table.files.0[&blob_path(&app)].len();
    let other = table.files.manifest("other", &json!({}));
    let named = |digest: &Digest, size, annotations| json!({ "mediaType": known::OCI_MANIFEST, "digest": digest, "size": size, "annotations": annotations });
    let containerd = "io.containerd.image.name";
    let ref_name = "org.opencontainers.image.ref.name";
    let one = vec![entry(&app, size, "")];
    let unnamed = vec![entry(&app, size, ""), entry(&other.0, other.1, "")];
    let two = vec![entry(&app, size, "v1"), entry(&other.0, other.1, "v2")];
    let clash = vec![entry(&app, size, "v1"), entry(&other.0, other.1, "v1")];
    let twice = vec![entry(&app, size, "v1"), entry(&app, size, "latest"), entry(&app, size, "v1")];
    let full = vec![
        named(&app, size, json!({ containerd: "docker.io/library/app:v1" })),
        named(&other.0, other.1, json!({ containerd: "localhost:5000/other" })),
    ];
    let saved = vec![
        named(&app, size, json!({ ref_name: "latest", containerd: "docker.io/library/app:latest" })),
        named(&other.0, other.1, json!({ ref_name: "latest", containerd: "docker.io/library/other:latest" })),
    ];
    let exact = vec![entry(&app, size, "app:v1"), entry(&other.0, other.1, "v1")];
    let partly = vec![entry(&app, size, ""), entry(&other.0, other.1, "v2")];
    let hostile = vec![entry(&app, size, "a\u{1b}[31m"), entry(&other.0, other.1, "\u{202e}b")];
    let image = format!("manifest {}", app.short());
    let second = format!("manifest {}", other.0.short());
    let tag = |tag: &str| Select::Tag(tag.to_owned());
    for (name, entries, select, wanted) in [
        ("the only one, unnamed", &one, Select::Only, image.clone()),
        ("the only one under several names", &twice, Select::Only, image.clone()),
        ("one name twice for one image", &twice, tag("v1"), image.clone()),
        ("one of two", &two, tag("v2"), second.clone()),
        (
            "two with names and none given",
            &two,
            Select::Only,
            "not-found: write `oci:DIR:TAG` or `oci:DIR@DIGEST`; it has v1, v2".to_owned(),
        ),
        ("a name for one of two only", &partly, Select::Only, "not-found: it has v2".to_owned()),
        ("a name that is not there", &two, tag("v3"), "not-found: index.json names no `v3`; it has v1, v2".to_owned()),
        (
            "a name where there are none",
            &unnamed,
            tag("v3"),
            "not-found: gives no names, so not `v3` either".to_owned(),
        ),
        ("one name for two images", &clash, tag("v1"), format!("ambiguous: `v1` is both {app} and {}", other.0)),
        (
            "two of one tag in two repositories",
            &saved,
            tag("latest"),
            format!("ambiguous: `latest` is both {app} and {}", other.0),
        ),
        ("by containerd's tag", &full, tag("v1"), image.clone()),
        ("by containerd's full name", &full, tag("docker.io/library/app:v1"), image.clone()),
        (
            "a port is no tag",
            &full,
            tag("5000/other"),
            "not-found: it has docker.io/library/app:v1, localhost:5000/other".to_owned(),
        ),
        ("the name itself stands before a name that ends so", &exact, tag("v1"), second.clone()),
        ("by digest", &clash, Select::Digest(other.0.clone()), second),
        (
            "by a digest that is not there",
            &two,
            Select::Digest(Digest::sha256(b"absent")),
            "not-found: there is no file".to_owned(),
        ),
        (
            "names that would act on a terminal",
            &hostile,
            Select::Only,
            "not-found: it has a\\u{1b}[31m, \\u{202e}b".to_owned(),
        ),
    ] {
        let index = json!({ "schemaVersion": 2, "manifests": entries }).to_string();
        table.asking(name, select, Ask::Resolve, &wanted, move |layout| {
            fs::write(layout.join("index.json"), &index).unwrap();
        });
    }
    let index = json!({ "schemaVersion": 2, "manifests": unnamed }).to_string();
    let whole = Digest::sha256(index.as_bytes());
    let wanted = format!("manifest {}", whole.short());
    for (name, select) in [("the whole index", Select::Only), ("the whole index by its digest", Select::Digest(whole))]
    {
        let index = index.clone();
        table.asking(name, select, Ask::Resolve, &wanted, move |layout| {
            fs::write(layout.join("index.json"), &index).unwrap();
        });
    }
    table.asking("a tag", Select::Only, Ask::Tag("v1"), &app.short(), |_| {});
    table.asking("no such tag", Select::Only, Ask::Tag("v2"), "none", |_| {});
    table.run().await;
}

#[tokio::test]
async fn the_type_served_is_the_descriptors() {
    let (mut files, image) = Files::image();
    let size = files.0[&blob_path(&image)].len();
    for (described, wanted) in [("application/vnd.example", Some("application/vnd.example")), ("", None)] {
        let mut entry = entry(&image, size, "v1");
        entry["mediaType"] = json!(described);
        files.index(&[entry]);
        let directory = tempfile::tempdir().unwrap();
        files.write(directory.path());
        let source = open_layout(directory.path(), Select::Only).await.unwrap();
        let served = source.tag("v1").await.unwrap().unwrap();
        assert_eq!(served.media_type.as_ref().map(MediaType::as_str), wanted);
        assert_eq!(Digest::sha256(&served.bytes), image);
        assert_eq!(source.tags().await.unwrap(), ["v1"]);
    }
}
