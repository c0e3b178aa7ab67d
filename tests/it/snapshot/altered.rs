//! Snapshots that are cut short, altered, or made to mislead: never a panic, never a pass.

use std::path::Path;

use ocilint::engine::Engine;
use ocilint::report::{ImageReport, TargetFailure};
use ocilint::source::registry::RegistryOptions;
use ocilint::{Policy, Target};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::taken::{block_on, engine, exit, open, policy, record, replay, seal};

/// A snapshot of one image, which the policy lets pass.
struct Victim {
    directory: TempDir,
    engine: Engine,
    file: Vec<u8>,
}

impl Victim {
    fn new() -> Self {
        let policy: Policy = policy("ocilint:strict");
        let engine = engine(&policy, RegistryOptions::default());
        let target = Target::parse("oci:examples/layouts/oci-sbom").unwrap();
        let (reports, file) = block_on(record(&engine, &[target]));
        assert_eq!(exit(&reports), 0);
        Self { directory: tempfile::tempdir().unwrap(), engine, file }
    }

    fn judged(&self, file: &[u8]) -> Vec<ImageReport> {
        // A name of its own for every file, as no run reads two files under one name.
        let path = self.directory.path().join(format!("{}.snapshot", ocilint::oci::Digest::sha256(file).hex()));
        std::fs::write(&path, file).unwrap();
        let reports = block_on(replay(&self.engine, &path));
        std::fs::remove_file(path).unwrap();
        reports
    }

    /// Why a file is refused; it must be.
    fn refusal(&self, file: &[u8]) -> String {
        let reports = self.judged(file);
        assert_eq!(exit(&reports), 2, "{:?}", reports[0].error);
        match &reports[0].error {
            Some(TargetFailure::Unread(why)) => why.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_snapshot_cut_short_is_refused() {
    let victim = Victim::new();
    let all = victim.file.len();
    assert_eq!(exit(&victim.judged(&victim.file)), 0);
    for length in (0..50).map(|part| all * part / 50).chain(all - 9..all) {
        let said = victim.refusal(&victim.file[..length]);
        assert!(said.contains("cut short") || said.contains("no snapshot"), "{length}: {said}");
    }
    assert!(victim.refusal(&[&victim.file[..], b"\n"].concat()).contains("altered"));
}

/// The next of a sequence of numbers that is the same in every run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn below(state: &mut u64, end: usize) -> usize {
    usize::try_from(next(state)).unwrap() % end
}

#[test]
fn an_altered_snapshot_is_refused() {
    let victim = Victim::new();
    let mut state = 1;
    for _ in 0..400 {
        let mut file = victim.file.clone();
        let at = below(&mut state, file.len());
        match below(&mut state, 4) {
            0 => file[at] ^= 1 << below(&mut state, 8),
            1 => drop(file.remove(at)),
            2 => file.insert(at, u8::try_from(below(&mut state, 256)).unwrap()),
            _ => {
                let other = below(&mut state, file.len());
                file.swap(at, other);
            }
        }
        if file != victim.file {
            victim.refusal(&file);
        }
    }
}

/// Whoever alters a snapshot and mends its first line cannot make a document another one, nor crash the program.
#[test]
fn no_altered_content_passes_for_the_document() {
    let victim = Victim::new();
    let (header, body) = open(&victim.file);
    let text = body.to_string();
    let mut state = 2;
    let mut refused = 0;
    for _ in 0..400 {
        let mut bytes = text.clone().into_bytes();
        let at = below(&mut state, bytes.len());
        bytes[at] = b' ' + u8::try_from(below(&mut state, 95)).unwrap();
        let altered = String::from_utf8_lossy(&bytes).into_owned();
        let reports = victim.judged(&seal(header.clone(), &altered));
        let same_contents = serde_json::from_str(&altered).is_ok_and(|altered: Value| {
            let bytes = |body: &Value| body["contents"].to_string();
            bytes(&altered) == bytes(&body)
        });
        assert!(same_contents || exit(&reports) == 2, "{altered}");
        refused += usize::from(exit(&reports) == 2);
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn what_a_snapshot_says_of_itself_is_checked() {
    let victim = Victim::new();
    let (header, body) = open(&victim.file);
    let sealed = |header: &Value, change: fn(&mut Value)| {
        let mut body = body.clone();
        change(&mut body);
        seal(header.clone(), &body.to_string())
    };
    assert_eq!(exit(&victim.judged(&sealed(&header, |_| {}))), 0);
    for (change, says) in [
        (
            (|body: &mut Value| {
                let first = body["contents"][0].clone();
                body["contents"].as_array_mut().unwrap().insert(0, first);
            }) as fn(&mut Value),
            "twice",
        ),
        (|body| body["contents"].as_array_mut().unwrap().reverse(), "out of order"),
        (|body| drop(body["contents"].as_array_mut().unwrap().remove(0)), "does not hold"),
        (|body| body["contents"][0][1] = json!({"text": ""}), "do not have that digest"),
        (|body| body["contents"][0][1] = json!({"base64": "?"}), "altered"),
        (|body| body["images"] = json!([]), "another number of images"),
        (|body| body["images"][0]["more"] = json!(1), "unknown field"),
        (|body| body["images"][0]["more"] = json!(",".repeat(17 << 20)), "bytes of facts"),
        (|body| body["images"][0]["blobs"][0][1] = json!({"Ok": "AAAA"}), "not answered as it was asked"),
        (|body| body["images"][0]["blobs"][0][0][1] = json!({"whole": {"cap": 1}}), "larger than what was asked for"),
    ] {
        let said = victim.refusal(&sealed(&header, change));
        assert!(said.contains(says), "{said}");
    }
    for (key, value, says) in [
        ("images", json!([]), "no image"),
        ("more", json!(1), "unknown field"),
        ("taken_at", json!("yesterday"), "altered"),
        (
            "images",
            json!([{"target": "acme/App", "name": null, "digest": null, "exit": 0, "failing": [], "unknown": []}]),
            "no image",
        ),
        (
            "images",
            json!([{"target": "snapshot:x", "name": null, "digest": null, "exit": 0, "failing": [], "unknown": []}]),
            "another snapshot",
        ),
    ] {
        let mut header = header.clone();
        header[key] = value;
        let said = victim.refusal(&sealed(&header, |_| {}));
        assert!(said.contains(says), "{said}");
    }
    let other_version = String::from_utf8_lossy(&victim.file).replacen("snapshot 1 ", "snapshot 2 ", 1);
    assert!(victim.refusal(other_version.as_bytes()).contains("another version"));
}

#[test]
fn content_larger_than_said_is_not_unpacked() {
    let victim = Victim::new();
    let (mut header, body) = open(&victim.file);
    let file = seal(header.clone(), &format!("{body}{}", " ".repeat(1 << 20)));
    assert_eq!(exit(&victim.judged(&file)), 0);
    header["body"] = (body.to_string().len()).into();
    let packed = file.splitn(3, |&byte| byte == b'\n').nth(2).unwrap();
    let rest = [format!("{header}\n").as_bytes(), packed].concat();
    let first = format!("ocilint-snapshot 1 {}\n", ocilint::oci::Digest::sha256(&rest));
    assert!(victim.refusal(&[first.as_bytes(), &rest].concat()).contains("another size"));
}

/// What nobody asked for when the snapshot was taken is unknown, and never "not there".
#[test]
fn what_a_snapshot_does_not_hold_is_unknown() {
    let victim = Victim::new();
    let (header, body) = open(&victim.file);
    for kind in ["manifests", "blobs", "referrers", "tagged"] {
        let mut body = body.clone();
        body["images"][0][kind] = json!([]);
        let reports = victim.judged(&seal(header.clone(), &body.to_string()));
        let text = format!("{reports:?}");
        match exit(&reports) {
            2 => assert!(text.contains("not in the snapshot"), "{kind}: {text}"),
            // Nothing that the policy asks for is kept there.
            0 => assert!(["referrers", "tagged"].contains(&kind), "{kind}"),
            other => panic!("{kind}: exit {other}: {text}"),
        }
    }
    let mut body = body;
    body["images"][0].as_object_mut().unwrap().remove("resolved");
    assert!(victim.refusal(&seal(header, &body.to_string())).contains("not in the snapshot"));
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let victim = Victim::new();
    for text in ["", "\n", "{}", "ocilint-snapshot", "ocilint-snapshot 1 sha256:\n\n"] {
        victim.refusal(text.as_bytes());
    }
    let at = |path: &Path| exit(&block_on(replay(&victim.engine, path)));
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(at(&directory.path().join("absent.snapshot")), 2);
    assert_eq!(at(directory.path()), 2, "a directory without a snapshot");
    #[cfg(unix)]
    assert_eq!(at(Path::new("/dev/zero")), 2);
}
