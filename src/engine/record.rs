//! Judging through a recorder, and asking for more than the policy does.

use std::sync::Arc;

use super::{Engine, explore_source, failed};
use crate::graph;
use crate::judge::Judgement;
use crate::report::{Fate, ImageReport, Outcome, TargetFailure};
use crate::source::snapshot::{Facts, Header, ImageNote, PolicyNote, Recorder, Shelf};
use crate::source::{Event, Walk};
use crate::target::Target;

impl Engine {
    /// Judges one target, then explores all of it, and returns everything that was read. The bytes go to `kept`.
    ///
    /// The policy comes first: so the record of what judging took (`fetched`) is that of a run that only judges.
    pub async fn record(&self, target: &Target, kept: &Arc<Shelf>) -> (ImageReport, Facts) {
        let recorded = self.judge_and_explore(target, kept).await;
        self.observer.hear(&Event::Done { target: target.text.clone() });
        recorded
    }

    async fn judge_and_explore(&self, target: &Target, kept: &Arc<Shelf>) -> (ImageReport, Facts) {
        let deadline = self.deadline_of_image();
        let source = match self.sources.open(target, deadline).await {
            Ok(source) => source,
            Err(why) => return (failed(target, TargetFailure::Unread(why.clone())), Facts::unopened(why)),
        };
        let recorder = Arc::new(Recorder::new(source, Arc::clone(kept)));
        let report = match Judgement::refuses(&self.policy, target) {
            Some(failure) => failed(target, failure),
            None => self.judge_opened(target, recorder.clone(), deadline).await,
        };
        let walk = Walk::new(recorder.clone(), self.budget.clone(), self.deadline_of_image());
        // Whatever could not be explored is in the record.
        let _ = explore_source(&walk, target, self.now, graph::everything).await;
        let facts = recorder.facts(report.fetched);
        (report, facts)
    }

    /// The head of a snapshot with these images in it, taken now.
    pub fn header(&self, images: Vec<ImageNote>) -> Header {
        let policies = self.policy.sources.iter();
        let note = |source: &Arc<crate::policy::PolicySource>| PolicyNote {
            source: source.name.clone(),
            sha256: source.sha256.clone(),
        };
        Header {
            taken_at: self.now,
            ocilint: env!("CARGO_PKG_VERSION").to_owned(),
            policies: policies.map(note).collect(),
            warnings: self.sources.warnings(),
            images,
            body: 0,
        }
    }
}

/// What a snapshot says of how an image was judged.
pub fn image_note(target: &Target, report: &ImageReport) -> ImageNote {
    let Outcome { failing, unknown, .. } = report.outcome();
    ImageNote {
        target: target.text.clone(),
        name: target.name.as_ref().map(ToString::to_string),
        digest: report.digest.clone(),
        exit: report.exit_status().code(),
        failing,
        unknown,
    }
}

/// What came of an image when it was recorded, as far as it is compared.
pub fn outcome(note: &ImageNote) -> Outcome {
    let fate = match note.exit {
        0 => Fate::Passed,
        2 | 4 => Fate::Unchecked,
        _ => Fate::Failed,
    };
    Outcome { fate, failing: note.failing.clone(), unknown: note.unknown.clone() }
}
