//! The exit status: one function decides it, whatever the output format.

use super::{Cell, CellVerdict, ImageReport, Report, TargetFailure};
use crate::policy::Level;

/// How a run ends, as a process exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// Every cell of level `error` was evaluated on every image named, and passed or was waived.
    Clean,
    /// A cell of level `error` is unknown.
    Unknown,
    /// A usage or policy error, or a target that no rule covers.
    Usage,
    /// A violation at level `error`.
    Violation,
    /// An internal error, or a report that could not be written.
    Internal,
}

impl ExitStatus {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Violation => 1,
            Self::Unknown => 2,
            Self::Usage => 3,
            Self::Internal => 4,
        }
    }
}

/// The status of a report: the gravest of its images', in the order internal, violation, usage, unknown, clean.
///
/// A report without images is a usage error: nothing checked is never clean.
pub fn exit_status(report: &Report) -> ExitStatus {
    report.images.iter().map(image_status).max().unwrap_or(ExitStatus::Usage)
}

fn image_status(image: &ImageReport) -> ExitStatus {
    let target = match &image.error {
        None => ExitStatus::Clean,
        Some(TargetFailure::Unread(_)) => ExitStatus::Unknown,
        Some(TargetFailure::Usage { .. }) => ExitStatus::Usage,
    };
    // An image without a failure and without a single cell was not judged, whatever the reason.
    let judged = if image.error.is_none() && image.cells.is_empty() { ExitStatus::Internal } else { ExitStatus::Clean };
    image.cells.iter().map(cell_status).fold(target.max(judged), ExitStatus::max)
}

fn cell_status(cell: &Cell) -> ExitStatus {
    match (cell.level, cell.verdict) {
        (Level::Error, CellVerdict::Violation) => ExitStatus::Violation,
        (Level::Error, CellVerdict::Unknown) => ExitStatus::Unknown,
        _ => ExitStatus::Clean,
    }
}
