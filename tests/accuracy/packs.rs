//! What the packs say of real images: the page of the book that tells it is written here, and held to be true.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ocilint::engine::judge_source;
use ocilint::judge::Options;
use ocilint::oci::{Digest, Reference};
use ocilint::policy::Level;
use ocilint::report::{CellVerdict, ImageReport};
use ocilint::source::layout::Layout;
use ocilint::source::{Budget, Silent, Walk};
use ocilint::target::Select;
use ocilint::{Policy, Target};
use tokio::time::Instant;

use super::{corpus, rows, text};

const PAGE: &str = "docs/src/real-images.md";
const PACKS: [&str; 7] =
    ["baseline", "strict", "supply-chain", "kubernetes", "docker-official", "reproducible", "oci-conformance"];
const BEGINNING: &str = "<!-- Written by the test `packs` of `tests/accuracy`, with `UPDATE=1`. -->\n
# What the packs say of real images\n
Images that other projects publish or test with, read from OCI image layouts: for each pack how many rules of level `error` are
violated, and how many could not be judged. Of the official `busybox` images the layer is left out in these layouts, so that what reads
layers is unknown. Most of the others were built to test a program, and not to be run.\n\n";

#[test]
fn the_page_about_real_images_is_true() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let packs = PACKS.map(|pack| Policy::load(&[format!("ocilint:{pack}")], Path::new(".")).expect("a pack"));
    let mut page = BEGINNING.to_owned();
    let columns: String = PACKS.iter().fold(String::new(), |columns, pack| columns + &format!(" `{pack}` |"));
    let _ = writeln!(page, "| image |{columns}\n|---|{}", "---|".repeat(PACKS.len()));
    let mut images = 0;
    for row in rows("layouts/expectations.jsonl") {
        let Some(root) = first_root(&row) else { continue };
        let folder = corpus().join("layouts").join(text(&row, "dir"));
        let reports: Vec<ImageReport> =
            packs.iter().filter_map(|pack| runtime.block_on(judge(&folder, &root, pack))).collect();
        if reports.first().is_some_and(is_image) {
            let cells = reports.iter().fold(String::new(), |cells, report| cells + &format!(" {} |", said(report)));
            let _ = writeln!(page, "| {} |{cells}", text(&row, "source").replace('|', "\\|"));
            images += 1;
        }
    }
    assert!(images > 20, "real images are there");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("the page is written");
    }
    let written = std::fs::read_to_string(&path).expect("the page is there");
    assert!(written == page, "UPDATE=1 writes {PAGE}; it is to be\n{page}");
}

/// Judges an image of a layout. Nothing but the layout is read: what other images would be asked of a registry is unknown.
async fn judge(folder: &Path, root: &Digest, pack: &Policy) -> Option<ImageReport> {
    let target = Target::parse(&format!("oci:{}@{root}", folder.display())).expect("a target");
    let target = target.named(Reference::parse("registry.example/acme/app:1.0").expect("a reference"));
    let layout = Layout::open(folder, &Select::Digest(root.clone())).await.ok()?;
    let walk = Walk::new(Arc::new(layout), Budget::default(), Instant::now() + Duration::from_mins(1));
    let now = "2026-11-24T00:00:00Z".parse().expect("a time");
    Some(judge_source(pack, &Options::default(), &target, &walk, now, &Silent).await)
}

/// The digest of the first image of a layout that loads.
fn first_root(row: &serde_json::Value) -> Option<Digest> {
    let folder = corpus().join("layouts").join(text(row, "dir"));
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).ok()?).ok()?;
    index["manifests"][0]["digest"].as_str()?.parse().ok()
}

/// Whether it could be read, and is an image.
fn is_image(report: &ImageReport) -> bool {
    let is_none = |cell: &ocilint::report::Cell| cell.kind == "artifact-type" && cell.verdict != CellVerdict::Pass;
    report.error.is_none() && !report.platforms.is_empty() && !report.cells.iter().any(is_none)
}

/// `passes`, or how many rules are violated and unknown.
fn said(report: &ImageReport) -> String {
    let count = |verdict: CellVerdict| {
        let cells = report.cells.iter().filter(|cell| cell.verdict == verdict && cell.level == Level::Error);
        cells.map(|cell| cell.rule.as_str()).collect::<std::collections::BTreeSet<_>>().len()
    };
    match (count(CellVerdict::Violation), count(CellVerdict::Unknown)) {
        (0, 0) => "passes".to_owned(),
        (violated, 0) => format!("{violated} violated"),
        (0, unknown) => format!("{unknown} unknown"),
        (violated, unknown) => format!("{violated} violated, {unknown} unknown"),
    }
}
