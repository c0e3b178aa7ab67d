//! What the documents of one image may cost.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::graph::{Cause, Known, Why};

/// All manifests and configs of one image together, in bytes.
const MAX_DOCUMENTS: u64 = 64 << 20;
/// All statements of one image together, in bytes.
const MAX_STATEMENTS: u64 = 512 << 20;
/// What is kept of all SBOMs and of statements that are read as a whole of one image together, in bytes.
const MAX_EXTRACTS: u64 = 128 << 20;

/// The bytes that a walk has read, those over other images included.
#[derive(Debug, Default)]
pub(super) struct Spent {
    documents: AtomicU64,
    statements: AtomicU64,
    extracts: AtomicU64,
}

impl Spent {
    /// Counts a manifest or config that was read.
    pub(super) fn on_document(&self, doing: &str, bytes: usize) -> Known<()> {
        spend(&self.documents, bytes, MAX_DOCUMENTS, doing, "64 MiB of manifests and configs")
    }

    /// Counts a statement or SBOM that was read.
    pub(super) fn on_statement(&self, doing: &str, bytes: usize) -> Known<()> {
        spend(&self.statements, bytes, MAX_STATEMENTS, doing, "512 MiB of statements")
    }

    /// Counts what is kept of an SBOM or statement.
    pub(super) fn on_extract(&self, doing: &str, bytes: usize) -> Known<()> {
        spend(&self.extracts, bytes, MAX_EXTRACTS, doing, "128 MiB of what SBOMs and statements say")
    }
}

fn spend(spent: &AtomicU64, bytes: usize, most: u64, doing: &str, what: &str) -> Known<()> {
    let bytes = bytes as u64;
    if spent.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > most {
        return Err(Why::new(doing, Cause::Budget { what: what.to_owned() }));
    }
    Ok(())
}
