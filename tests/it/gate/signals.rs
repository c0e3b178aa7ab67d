//! Signals end a run at once, without a report that looks finished.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::scenario::{self, Place};
use super::stage::Stage;

/// Between the signal and the end.
const AT_ONCE: Duration = Duration::from_secs(2);

fn end_by(signal: &str, on: &str) -> i32 {
    let mut scenario = scenario::family("many").remove(0);
    scenario.faults =
        vec![scenario::FaultRow { on: on.to_owned(), with: "unsaid stall".to_owned(), after: 0, times: None }];
    let stage = Stage::set(&scenario, Place::Registry);
    let reports = tempfile::tempdir().expect("a temporary directory");
    let output = |format: &str| format!("--output={format}={}", reports.path().join(format).display());
    let digests = format!("--digest-file={}", reports.path().join("digests").display());
    let child =
        stage.program().args([output("json"), output("sarif"), output("human"), digests]).arg(&stage.target).start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(stage.registry.log().until(|entries| entries.iter().any(|entry| entry.path.contains(on))));
    let code = signalled(child, signal);
    assert_empty(reports.path());
    code
}

/// The exit status of a program that ends at once when it gets a signal.
fn signalled(mut child: Child, signal: &str) -> i32 {
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait()));
    let status = end.recv_timeout(AT_ONCE).expect("an end at once").expect("a status");
    status.code().expect("an exit status")
}

fn assert_empty(directory: &Path) {
    let left: Vec<_> =
        std::fs::read_dir(directory).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_interrupt_ends_with_130() {
    assert_eq!(end_by("INT", "/manifests/1.0"), 130);
    assert_eq!(end_by("INT", "/blobs/"), 130);
}

#[test]
fn a_termination_ends_with_143() {
    assert_eq!(end_by("TERM", "/manifests/1.0"), 143);
    assert_eq!(end_by("TERM", "/blobs/"), 143);
}

/// More is written than a pipe holds, and nobody reads it.
#[test]
fn a_reader_that_does_not_read_holds_up_no_interrupt() {
    let reports = tempfile::tempdir().expect("a temporary directory");
    let layout = format!("oci:{}/examples/layouts/docker-list", env!("CARGO_MANIFEST_DIR"));
    let json = format!("--output=json={}", reports.path().join("json").display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_ocilint"))
        .args(["check", "--policy=ocilint:strict", "--verbose", "--output=human", &json])
        .args(vec![&layout; 200])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let told = BufReader::new(child.stderr.take().expect("standard error"));
    let judged = told.lines().map_while(Result::ok).filter(|line| line.starts_with("done "));
    assert_eq!(judged.take(12).count(), 12, "fewer than fit into a pipe that nobody reads");
    assert_eq!(signalled(child, "INT"), 130);
    assert_empty(reports.path());
}
