//! Snapshots taken and replayed in this process, and their files taken apart.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use ocilint::engine::{self, Engine};
use ocilint::judge::Options;
use ocilint::oci::Digest;
use ocilint::report::ImageReport;
use ocilint::source::registry::RegistryOptions;
use ocilint::source::snapshot::{self, Shelf};
use ocilint::source::{Silent, Sources};
use ocilint::{Policy, Target};
use serde_json::Value;

/// The clock of every test.
pub(crate) const NOW: &str = "2026-11-23T12:00:00.000000001Z";

/// Runs what waits.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// An engine that reads files and, with these options, registries.
pub(crate) fn engine(policy: &Policy, options: RegistryOptions) -> Engine {
    let sources = Sources::new(options, Arc::new(Silent));
    Engine::new(policy.clone(), Options::default(), sources, Arc::new(Silent)).at(now())
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// The policy of that name.
pub(crate) fn policy(name: &str) -> Policy {
    Policy::load(&[name.to_owned()], Path::new(".")).unwrap()
}

/// Judges and records targets: the reports, and the file of the snapshot.
pub(crate) async fn record(engine: &Engine, targets: &[Target]) -> (Vec<ImageReport>, Vec<u8>) {
    let shelf = Arc::new(Shelf::default());
    let (mut reports, mut notes, mut facts) = (Vec::new(), Vec::new(), Vec::new());
    for target in targets {
        let (report, known) = engine.record(target, &shelf).await;
        notes.push(engine::image_note(target, &report));
        reports.push(report);
        facts.push(known);
    }
    (reports, snapshot::encode(engine.header(notes), &shelf, &facts).unwrap())
}

/// Judges the images of a snapshot.
pub(crate) async fn replay(engine: &Engine, path: &Path) -> Vec<ImageReport> {
    let mut reports = Vec::new();
    for image in snapshot::images(path) {
        reports.push(match image {
            Ok(image) => engine.judge(&image.target).await,
            Err((_, why)) => {
                let target = Target::parse(&format!("snapshot:{}", path.display())).unwrap();
                engine::failed(&target, ocilint::report::TargetFailure::Unread(why))
            }
        });
    }
    reports
}

/// The gravest exit status of the images; 255 of none, which no run ends with.
pub(crate) fn exit(reports: &[ImageReport]) -> u8 {
    reports.iter().map(ImageReport::exit_status).max().map_or(255, ocilint::report::ExitStatus::code)
}

/// The header and the body of a snapshot's file.
pub(crate) fn open(file: &[u8]) -> (Value, Value) {
    let mut parts = file.splitn(3, |&byte| byte == b'\n').skip(1);
    let header = serde_json::from_slice(parts.next().unwrap()).unwrap();
    let mut body = String::new();
    GzDecoder::new(parts.next().unwrap()).read_to_string(&mut body).unwrap();
    (header, serde_json::from_str(&body).unwrap())
}

/// A file with this header and body, everything about it right as far as that can be.
pub(crate) fn seal(mut header: Value, body: &str) -> Vec<u8> {
    header["body"] = body.len().into();
    let mut packed = GzEncoder::new(format!("{header}\n").into_bytes(), Compression::default());
    packed.write_all(body.as_bytes()).unwrap();
    let rest = packed.finish().unwrap();
    [format!("ocilint-snapshot 1 {}\n", Digest::sha256(&rest)).as_bytes(), &rest].concat()
}
