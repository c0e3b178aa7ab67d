//! The exit status: one function decides it, whatever the output format.

use super::{Cell, CellVerdict, ImageReport, TargetFailure};
use crate::policy::Level;

/// How a run ends, as a process exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// Every cell of level `error` was evaluated on every image named, and passed, was waived or is in the
    /// baseline.
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

impl ImageReport {
    /// The status of this image. A run's is the gravest of its images', in the order internal, violation, usage, unknown,
    /// clean ([`Tally::exit_status`](super::Tally::exit_status)).
    pub fn exit_status(&self) -> ExitStatus {
        let target = match &self.error {
            None => ExitStatus::Clean,
            Some(TargetFailure::Unread(_)) => ExitStatus::Unknown,
            Some(TargetFailure::Usage { .. }) => ExitStatus::Usage,
        };
        // An image without a failure and without a single cell was not judged, whatever the reason.
        let judged =
            if self.error.is_none() && self.cells.is_empty() { ExitStatus::Internal } else { ExitStatus::Clean };
        self.cells.iter().map(cell_status).fold(target.max(judged), ExitStatus::max)
    }
}

fn cell_status(cell: &Cell) -> ExitStatus {
    match (cell.level, cell.verdict) {
        (Level::Error, CellVerdict::Violation) => ExitStatus::Violation,
        (Level::Error, CellVerdict::Unknown) => ExitStatus::Unknown,
        _ => ExitStatus::Clean,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::{Cause, Fetched, Why};
    use crate::report::{Tally, WaiverUse};

    fn cell(level: Level, verdict: CellVerdict) -> Cell {
        Cell {
            rule: "user".to_owned(),
            kind: "user",
            level,
            effective_from: None,
            subject: "root".to_owned(),
            verdict,
            reason: None,
            help: None,
            evidence: None,
            waiver: None,
            findings: Vec::new(),
        }
    }

    fn image(cells: Vec<Cell>, error: Option<TargetFailure>) -> ImageReport {
        ImageReport {
            target: "alpine".to_owned(),
            name: None,
            repository: None,
            identity: "alpine".to_owned(),
            digest: None,
            kind: None,
            media_type: None,
            platforms: Vec::new(),
            error,
            cells,
            remarks: Vec::new(),
            waivers: WaiverUse::default(),
            fetched: Fetched::default(),
            before: None,
        }
    }

    fn status(images: &[ImageReport]) -> ExitStatus {
        let mut tally = Tally::default();
        for image in images {
            tally.add(image);
        }
        tally.exit_status()
    }

    fn unread() -> TargetFailure {
        TargetFailure::Unread(Why::new("reading", Cause::RateLimited))
    }

    fn usage() -> TargetFailure {
        TargetFailure::Usage { message: String::new(), help: String::new() }
    }

    #[test]
    fn one_cell_decides_as_documented() {
        use CellVerdict::{NotApplicable, Pass, Unknown, Violation, Waived};
        let of = |level, verdict| status(&[image(vec![cell(level, verdict)], None)]).code();
        let at_error = [Pass, Violation, Unknown, Waived, NotApplicable].map(|verdict| of(Level::Error, verdict));
        assert_eq!(at_error, [0, 1, 2, 0, 0]);
        for level in [Level::Warning, Level::Note] {
            assert_eq!([Pass, Violation, Unknown, Waived, NotApplicable].map(|verdict| of(level, verdict)), [0; 5]);
        }
    }

    #[test]
    fn nothing_judged_is_never_clean() {
        assert_eq!(status(&[]), ExitStatus::Usage);
        assert_eq!(status(&[image(Vec::new(), None)]), ExitStatus::Internal);
        assert_eq!(status(&[image(Vec::new(), Some(unread()))]), ExitStatus::Unknown);
        assert_eq!(status(&[image(Vec::new(), Some(usage()))]), ExitStatus::Usage);
    }

    #[test]
    fn what_is_proven_wrong_is_said_whatever_else_happened() {
        let violating = || image(vec![cell(Level::Error, CellVerdict::Violation)], None);
        assert_eq!(
            status(&[image(Vec::new(), Some(unread())), violating(), image(Vec::new(), Some(usage()))]).code(),
            1
        );
        assert_eq!(status(&[image(Vec::new(), Some(unread())), image(Vec::new(), Some(usage()))]).code(), 3);
    }

    proptest! {
        /// The order of images and cells never matters, and a further image never makes a run better.
        #[test]
        fn the_status_is_a_monotone_fold(kinds in prop::collection::vec((0u8..3, 0u8..5), 1..12), at in 0usize..12) {
            let levels = [Level::Error, Level::Warning, Level::Note];
            let verdicts =
                [CellVerdict::Pass, CellVerdict::Violation, CellVerdict::Unknown, CellVerdict::Waived, CellVerdict::NotApplicable];
            let image_of = |&(level, verdict): &(u8, u8)| {
                image(vec![cell(levels[usize::from(level)], verdicts[usize::from(verdict)])], None)
            };
            let images: Vec<ImageReport> = kinds.iter().map(image_of).collect();
            let all = status(&images);
            let mut turned = images.clone();
            turned.rotate_left(at % images.len());
            prop_assert_eq!(status(&turned), all);
            let joined: Vec<Cell> = images.iter().flat_map(|image| image.cells.clone()).collect();
            prop_assert_eq!(status(&[image(joined, None)]), all);
            prop_assert!(status(&images[1..]) <= all || images.len() == 1);
        }
    }
}
