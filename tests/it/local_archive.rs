//! What is promised of `oci-archive:` and `docker-archive:` targets, above all of those made to be read wrongly.

use std::fs;
use std::process::Command;
use std::time::Duration;

use ocilint::graph::Cause;
use ocilint::oci::Digest;
use ocilint::source::Part;
use ocilint::source::archive::ArchiveKind::Oci;
use ocilint::target::Select;
use tar::EntryType;

use crate::local_support::{Ask, Files, Saved, Tar, ask, blob_path, entry, gzip, hold, open_archive, told, zstd};

/// Holds what an archive resolves to, as an OCI archive.
async fn resolves(case: &str, bytes: &[u8], wanted: &str) {
    hold(case, &Saved::new(bytes).ask(Oci, Select::Only, Ask::Resolve).await, wanted);
}

#[tokio::test]
async fn an_archive_is_read_however_it_is_packed() {
    let (files, image) = Files::image();
    let plain = files.tar().end();
    let wanted = format!("manifest {}", image.short());
    let (front, back) = plain.split_at(1000);
    let mut skippable = vec![0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    skippable.extend(zstd(front));
    skippable.extend([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    skippable.extend(zstd(back));
    for (case, bytes) in [
        ("plain", plain.clone()),
        ("gzip", gzip(&plain)),
        ("gzip in two members", [gzip(front), gzip(back)].concat()),
        ("zstd", zstd(&plain)),
        ("zstd in two frames", [zstd(front), zstd(back)].concat()),
        ("zstd with frames to skip", skippable),
        ("without an end", files.tar().0),
        (
            "a global header in front",
            Tar::default().member(b"g", EntryType::XGlobalHeader, "", b"19 comment=abcdefg\n").end(),
        ),
    ] {
        let bytes = if case.starts_with("a global") { [&bytes[..1024], &plain].concat() } else { bytes };
        resolves(case, &bytes, &wanted).await;
    }
    let dotted =
        files.0.iter().fold(Tar::default().member(b"./", EntryType::Directory, "", b""), |tar, (path, content)| {
            tar.file(&format!("./{}", path.replace('/', "//./")), content)
        });
    resolves("names that start with ./", &dotted.end(), &wanted).await;
}

#[tokio::test]
async fn what_is_no_archive_says_what_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    for (name, wanted) in [
        ("absent", "file: there is no such file"),
        ("directory", "file: this is a directory: write `oci:"),
        ("fifo", "file: no regular file"),
    ] {
        let path = at(name);
        let opened = open_archive(&path, Select::Only, Oci);
        let opened = tokio::time::timeout(Duration::from_secs(10), opened).await.expect(name);
        hold(name, &ask(opened, Ask::Resolve).await, wanted);
    }
    let text = b"a text is no archive ".repeat(100);
    for (case, bytes, wanted) in [
        ("empty", &b""[..], "truncated: 0 bytes"),
        ("a text", &text, "unreadable: this is no tar file"),
        ("a short text", b"<html>", "truncated: 6 bytes"),
        ("xz", b"\xfd7zXZ\0\0\0", "unreadable: packed with xz"),
        ("bzip2", b"BZh91AY&", "unreadable: packed with bzip2"),
        ("zip", b"PK\x03\x04\0\0\0\0", "unreadable: packed with zip"),
        ("only an end", &[0; 1024], "file: neither index.json nor manifest.json"),
        ("other files", &Tar::default().file("README", b"x").end(), "file: neither index.json nor manifest.json"),
        ("gzip of nothing", &gzip(b""), "truncated: 0 bytes"),
        ("no gzip after all", b"\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "unreadable"),
        ("no zstd after all", &[&[0x28, 0xb5, 0x2f, 0xfd][..], &[0xff; 100]].concat(), "unreadable"),
    ] {
        resolves(case, bytes, wanted).await;
    }
}

#[tokio::test]
async fn members_that_no_image_archive_has_are_refused() {
    let (files, image) = Files::image();
    let tar = || files.tar();
    let wanted = format!("manifest {}", image.short());
    let path = blob_path(&image);
    let sparse = || Tar::default().member(b"sparse", EntryType::GNUSparse, "", b"");
    for (case, tar, wanted) in [
        ("an absolute name", tar().file("/etc/passwd", b"x"), "unreadable: `/etc/passwd` is an absolute path"),
        ("upwards", tar().file("../index.json", b"x"), "unreadable: leads upwards"),
        ("upwards in the middle", tar().file("blobs/../index.json", b"x"), "unreadable: leads upwards"),
        (
            "upwards as a directory",
            tar().member(b"blobs/../..", EntryType::Directory, "", b""),
            "unreadable: leads upwards",
        ),
        ("a blob twice", tar().file(&path, b"{}"), "unreadable: is there twice"),
        ("index.json twice", tar().file("index.json", b"{}"), "unreadable: `index.json` is there twice"),
        ("twice in two spellings", tar().file("./index.json", b"{}"), "unreadable: `index.json` is there twice"),
        ("twice in a longer spelling", tar().file(".//./index.json", b"{}"), "unreadable: is there twice"),
        (
            "a symbolic link",
            tar().link("latest", EntryType::Symlink, "blobs"),
            "unreadable: `latest` is a symbolic link",
        ),
        (
            "a symbolic link out",
            tar().link("blobs/x", EntryType::Symlink, "/etc/passwd"),
            "unreadable: a symbolic link",
        ),
        ("a hard link", tar().link("latest", EntryType::Link, "index.json"), "unreadable: a hard link"),
        ("a device", tar().link("null", EntryType::Char, ""), "unreadable: a device"),
        ("a block device", tar().link("disk", EntryType::Block, ""), "unreadable: a device"),
        ("a named pipe", tar().link("pipe", EntryType::Fifo, ""), "unreadable: a named pipe"),
        ("a sparse file", sparse(), "unreadable: a sparse file"),
        ("an unknown type", tar().member(b"odd", EntryType::new(b'Z'), "", b""), "unreadable: of an unknown type"),
        ("a name in Latin-1", tar().member(b"caf\xe9", EntryType::Regular, "", b""), "unreadable: not named in UTF-8"),
        (
            "a name that would act on a terminal",
            tar().link("\u{1b}[2J", EntryType::Fifo, ""),
            "unreadable: `\\u{1b}[2J`",
        ),
        (
            "a layer that is a link, as docker writes it",
            tar().link("abc/layer.tar", EntryType::Symlink, "../def/layer.tar"),
            &wanted,
        ),
        ("a layer that is a hard link", tar().link("abc/layer.tar", EntryType::Link, "def/layer.tar"), &wanted),
        (
            "a directory twice",
            tar().member(b"blobs/", EntryType::Directory, "", b"").member(b"blobs/", EntryType::Directory, "", b""),
            &wanted,
        ),
    ] {
        resolves(case, &tar.end(), wanted).await;
    }
}

#[tokio::test]
async fn extended_headers_that_readers_understand_differently_are_refused() {
    let (files, image) = Files::image();
    let good = format!("manifest {}", image.short());
    let under = |records: &[(&str, &str)]| files.tar().extended(records).file("extra", b"x").end();
    for (case, bytes, wanted) in [
        ("harmless", under(&[("mtime", "1.5"), ("path", "blobs/extra")]), &*good),
        ("two paths", under(&[("path", "extra"), ("path", "index.json")]), "unreadable: named twice, differently"),
        ("the same path twice", under(&[("path", "extra"), ("path", "extra")]), "unreadable: described twice"),
        ("two sizes", under(&[("size", "1"), ("size", "512")]), "unreadable: described twice"),
        ("a path upwards", under(&[("path", "../extra")]), "unreadable: leads upwards"),
        ("a path that is taken", under(&[("path", "./index.json")]), "unreadable: `index.json` is there twice"),
        ("sparse", under(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "index.json")]), "unreadable: a sparse file"),
        ("a size beyond the end", under(&[("size", "5000000000")]), "truncated"),
        (
            "no records",
            files.tar().member(b"pax", EntryType::XHeader, "", b"nonsense").file("extra", b"x").end(),
            "unreadable: malformed",
        ),
        ("nothing behind", files.tar().member(b"pax", EntryType::XHeader, "", b"11 path=ab\n").end(), "unreadable"),
    ] {
        resolves(case, &bytes, wanted).await;
    }
    let long = |kind: u8| Tar::default().member(b"././@LongLink", EntryType::new(kind), "", &vec![b'a'; 2 << 20]);
    for (case, kind) in [("a long name", b'L'), ("a long link", b'K'), ("a long extended header", b'x')] {
        resolves(case, &long(kind).file("extra", b"x").end(), "unreadable: longer than any").await;
        resolves(case, &gzip(&long(kind).file("extra", b"x").end()), "unreadable: longer than any").await;
    }
}

#[tokio::test]
async fn a_long_digest_needs_a_long_name() {
    let mut files = Files::default();
    let content = b"{\"layers\":[]}";
    let digest = Digest::of(ocilint::oci::Algorithm::Sha512, content);
    files.index(&[entry(&digest, content.len(), "v1")]);
    let path = blob_path(&digest);
    let gnu = files.tar().member(b"././@LongLink", EntryType::GNULongName, "", format!("{path}\0").as_bytes());
    let pax = files.tar().extended(&[("path", &path)]);
    for (case, tar) in [("as GNU writes it", gnu), ("as POSIX has it", pax)] {
        let short = Digest::sha256(content).short();
        let saved = Saved::new(&tar.file("short", content).end());
        hold(case, &saved.ask(Oci, Select::Only, Ask::Manifest(digest.clone())).await, &short);
    }
}

#[tokio::test]
async fn a_header_that_lies_is_noticed() {
    let (files, _) = Files::image();
    let lying = |size: u64| files.tar().member_of_size(b"extra", EntryType::Regular, "", b"x", size).end();
    for (case, bytes, wanted) in [
        ("a size beyond the end", lying(1 << 20), "truncated"),
        ("a size far beyond the end", lying(5 << 30), "truncated"),
        ("a size beyond what can be counted", lying(u64::MAX), "unreadable"),
        ("a size at the edge of what can be counted", lying(u64::MAX - 511), "unreadable"),
    ] {
        resolves(case, &bytes, wanted).await;
        let packed = Saved::new(&gzip(&bytes)).ask(Oci, Select::Only, Ask::Resolve).await;
        hold(case, &packed, wanted);
    }
    let mut flipped = files.tar().end();
    flipped[0] ^= 1;
    resolves(
        "a header whose checksum is wrong",
        &flipped,
        "unreadable: this is no tar file: archive header checksum mismatch",
    )
    .await;
    let mut later = files.tar().end();
    later[1024] ^= 1;
    resolves("a later one", &later, "unreadable: archive header checksum mismatch, ").await;
}

/// Wherever an archive is cut, the image is either the same as before or not known; and a cut inside of a member is called
/// one, with its place.
#[tokio::test]
async fn a_cut_is_noticed_wherever_it_is() {
    let (files, image) = Files::image();
    let whole = files.tar().0;
    for at in (0..=whole.len()).step_by(64) {
        let answer = Saved::new(&whole[..at]).ask(Oci, Select::Only, Ask::Manifest(image.clone())).await;
        match answer {
            Ok(words) => assert_eq!((words, at % 512), (image.short(), 0)),
            Err(Cause::Truncated { got }) => assert_eq!(got, at as u64),
            // Cut between two members, where only what is missing tells.
            Err(Cause::File { .. } | Cause::NotFound { .. }) => assert_eq!(at % 512, 0),
            Err(other) => panic!("cut at {at}: {}", told(&other)),
        }
    }
}

#[tokio::test]
async fn a_cut_or_damage_in_a_packed_archive_is_noticed() {
    let (files, image) = Files::image();
    let plain = files.tar().end();
    for (name, packed) in [("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        for at in (3..packed.len() - 16).step_by(7) {
            let case = format!("{name} cut at {at}");
            match Saved::new(&packed[..at]).ask(Oci, Select::Only, Ask::Manifest(image.clone())).await {
                // The end of the archive is nothing but zeros.
                Ok(words) => assert_eq!(words, image.short(), "{case}"),
                Err(
                    Cause::Truncated { .. } | Cause::Unreadable { .. } | Cause::NotFound { .. } | Cause::File { .. },
                ) => {}
                Err(other) => panic!("{case}: {}", told(&other)),
            }
            let mut damaged = packed.clone();
            damaged[at] ^= 0x55;
            if let Ok(words) = Saved::new(&damaged).ask(Oci, Select::Only, Ask::Manifest(image.clone())).await {
                assert_eq!(words, image.short(), "{name} damaged at {at}");
            }
        }
    }
}

#[tokio::test]
async fn an_archive_that_unpacks_without_end_is_given_up() {
    let (files, _) = Files::image();
    let zeros = vec![0; 100 << 20];
    let bomb = files.tar().file("zeros", &zeros).end();
    let wanted = "budget: unpacks to more than 200 times its size";
    resolves("gzip", &gzip(&bomb), wanted).await;
    resolves("zstd", &zstd(&bomb), wanted).await;
}

#[tokio::test]
async fn what_is_read_is_what_was_described() {
    let (mut files, image) = Files::image();
    let mut large = vec![7; 5 << 20];
    large.splice(..4, *b"head");
    let (large, size) = files.blob(large);
    let size = size as u64;
    let plain = files.tar().end();
    for (packing, bytes) in [("plain", plain.clone()), ("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        let saved = Saved::new(&bytes);
        for (part, wanted) in [
            (Part::Whole { cap: size }, "5242880 bytes"),
            (Part::Whole { cap: size - 1 }, "too-large: 5242879 bytes"),
            (Part::Start { length: 512, size }, "512 bytes"),
            (Part::Start { length: 100_000, size }, "100000 bytes"),
            (Part::Start { length: 512, size: 9 }, "size-mismatch: says 9 bytes, the document has 5242880"),
        ] {
            let answer = saved.ask(Oci, Select::Only, Ask::Blob(large.clone(), part)).await;
            hold(&format!("{packing} {part:?}"), &answer, wanted);
        }
    }
    let mut spoilt = files.clone();
    spoilt.put(&blob_path(&large), vec![8; 5 << 20]);
    let answer =
        Saved::new(&spoilt.tar().end()).ask(Oci, Select::Only, Ask::Blob(large, Part::Whole { cap: size })).await;
    hold("other bytes, too many to keep", &answer, "digest-mismatch");

    let mut spoilt = files.clone();
    spoilt.put(&blob_path(&image), "{}");
    resolves("other bytes", &spoilt.tar().end(), &format!("digest-mismatch: asked for {image}")).await;
    spoilt.0.remove(&blob_path(&image));
    resolves("a blob that is missing", &spoilt.tar().end(), "not-found: there is no file blobs/sha256/").await;
    let mut spoilt = files.clone();
    let mut index = spoilt.0["index.json"].clone();
    index.resize((4 << 20) + 1, b' ');
    spoilt.put("index.json", index);
    resolves("a huge index.json", &spoilt.tar().end(), "too-large: larger than the 4 MiB").await;
    spoilt.put("index.json", r#"{"manifests":[],"manifests":[]}"#);
    resolves("an ambiguous index.json", &spoilt.tar().end(), "ambiguous: index.json").await;
}

#[tokio::test]
async fn a_file_that_changes_after_it_was_opened_is_noticed() {
    let (mut files, _) = Files::image();
    let (large, size) = files.blob(vec![7; 5 << 20]);
    let whole = Part::Whole { cap: size as u64 };
    let plain = files.tar().end();
    for (case, packed) in [("plain", plain.clone()), ("gzip", gzip(&plain))] {
        let saved = Saved::new(&packed);
        let source = open_archive(&saved.path, Select::Only, Oci).await.unwrap();
        fs::write(&saved.path, &packed[..2000]).unwrap();
        let cause = source.blob(&large, whole).await.unwrap_err().cause;
        assert!(matches!(cause, Cause::Truncated { .. }), "{case}: {}", told(&cause));
    }
    let saved = Saved::new(&plain);
    let source = open_archive(&saved.path, Select::Only, Oci).await.unwrap();
    fs::write(&saved.path, vec![b'x'; plain.len()]).unwrap();
    let cause = source.blob(&large, whole).await.unwrap_err().cause;
    assert!(matches!(cause, Cause::DigestMismatch { .. }), "{}", told(&cause));
}
