//! Snapshots: everything that was read of some images, in one file, to be judged again offline.
//!
//! A [`Recorder`] stands before any source and notes every question with its answer or failure; [`Replay`] answers from what
//! was noted. What nobody asked for when the snapshot was taken is not known, and never "not there".

mod facts;
mod file;
mod header;
mod listed;
mod record;
mod replay;
mod sorted;

pub use facts::Facts;
pub use file::{TooLarge, encode};
pub use header::{Header, ImageNote, PolicyNote, RecordedImage, images};
pub use record::{Recorder, Shelf};
pub use replay::{Replay, Snapshots};

use std::path::Path;

use crate::graph::{Cause, Why};

/// Why a snapshot cannot be used.
fn refused(path: &Path, detail: impl Into<String>) -> Why {
    Why::new(doing(path), Cause::Snapshot { detail: detail.into() })
}

fn unread(path: &Path, error: &std::io::Error) -> Why {
    Why::new(doing(path), Cause::File { detail: error.to_string() })
}

fn doing(path: &Path) -> String {
    format!("reading snapshot {}", path.display())
}
