//! Runs cases: the very judging that `ocilint check` does, on images that need no registry.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::build::{Asked, Names, build};
use super::compare::Judged;
use super::elsewhere::Elsewhere;
use super::format::{Case, CaseImage, Suite};
use super::source::{Scripted, StoreSource};
use crate::engine::{failed, judge_source};
use crate::graph::Cause;
use crate::judge::Judgement;
use crate::policy::PolicyError;
use crate::report::{ExitStatus, Tested, TestedCase, TestedFile};
use crate::source::registry::RegistryOptions;
use crate::source::snapshot::{self, RecordedImage};
use crate::source::{Budget, Silent, Source, Sources, Walk};
use crate::target::{Target, TargetKind};

/// The clock of a case that says none: later than the images that cases build.
const NOW: &str = "2026-06-01T00:00:00Z";
/// Time for one case.
const LIMIT: Duration = Duration::from_mins(1);

/// What stands in the way before anything is judged.
enum Halt<'c> {
    /// The policy's mistakes.
    Policy(String),
    /// A mistake of the case itself: where, what, and what to do.
    Case(&'c Range<usize>, String, Option<String>),
}

/// Runs every case of these files, on as many cores as there are; the outcomes come in the order of the cases.
pub fn run(suites: &[Suite]) -> io::Result<Tested> {
    let cases: Vec<&Case> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let outcomes: Vec<OnceLock<TestedCase>> = cases.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(cases.len());
    thread::scope(|scope| {
        let work = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < cases.len()) {
                let _ = outcomes[at].set(runtime.block_on(cases[at].run()));
            }
            runtime.shutdown_background();
            Ok(())
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| match worker.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect::<io::Result<()>>()
    })?;
    let mut outcomes = outcomes.into_iter().filter_map(OnceLock::into_inner);
    let file = |suite: &Suite| TestedFile {
        file: suite.file.clone(),
        cases: outcomes.by_ref().take(suite.cases.len()).collect(),
    };
    Ok(Tested { files: suites.iter().map(file).collect() })
}

impl Suite {
    /// Runs every case, one after the other.
    pub async fn run(&self) -> Vec<TestedCase> {
        let mut outcomes = Vec::new();
        for case in &self.cases {
            outcomes.push(case.run().await);
        }
        outcomes
    }
}

impl Case {
    /// Runs the case.
    pub async fn run(&self) -> TestedCase {
        let mut outcome = TestedCase {
            name: self.name.clone(),
            line: self.line,
            differences: Vec::new(),
            mistake: None,
            shown: BTreeSet::new(),
        };
        let done = match self.judge().await {
            Ok(judged) => self.compare(&judged, &mut outcome),
            Err(Halt::Policy(errors)) => {
                self.compare_refusal(Some(&errors), &mut outcome);
                self.compare_exit(ExitStatus::Usage.code(), &[], &mut outcome);
                Ok(())
            }
            Err(Halt::Case(span, message, help)) => Err(self.mistake(span, &message, help.as_deref())),
        };
        outcome.mistake = done.err().map(Box::new);
        outcome
    }

    async fn judge(&self) -> Result<Judged<'_>, Halt<'_>> {
        let policy = self.policy.load().as_ref().map_err(|errors| Halt::Policy(errors.to_string()))?;
        let (target, now) = self.target()?;
        if let Some(failure) = Judgement::refuses(policy, &target) {
            let report = failed(&target, failure);
            return Ok(Judged { policy, report, asked: Vec::new(), names: Names::default() });
        }
        let deadline = Instant::now() + LIMIT;
        let (source, names) = self.source(&target, deadline).await?;
        let walk = Walk::new(source.clone(), Budget::default(), deadline);
        let report = judge_source(policy, &self.options, &target, &walk, now, &Silent).await;
        Ok(Judged { policy, report, asked: source.asked(), names })
    }

    /// What is judged, and as of when: of an image in a snapshot, what it was called and when that was taken.
    fn target(&self) -> Result<(Target, Timestamp), Halt<'_>> {
        let (target, then) = match (&self.image, &self.target.kind) {
            (CaseImage::Recorded(named), TargetKind::Snapshot { path }) => {
                let recorded = self.recorded(path, named.as_deref())?;
                let target = match &self.target.name {
                    Some(name) => recorded.target.named(name.clone()),
                    None => recorded.target,
                };
                (target, recorded.taken_at)
            }
            _ => (self.target.clone(), NOW.parse().expect("invariant: the default clock is a time")),
        };
        Ok((target, self.now.unwrap_or(then)))
    }

    /// The image of a snapshot that the case means.
    fn recorded(&self, path: &Path, named: Option<&str>) -> Result<RecordedImage, Halt<'_>> {
        let wrong = |message: String, help: Option<String>| Halt::Case(&self.image_span, message, help);
        let images: Result<Vec<RecordedImage>, _> = snapshot::images(path).into_iter().collect();
        let images = images.map_err(|(_, why)| wrong(why.to_string(), None))?;
        let known = images.iter().map(|image| image.target.text.as_str()).collect::<Vec<_>>().join(", ");
        let mut meant = images.into_iter().filter(|image| named.is_none_or(|named| image.target.text == named));
        match (meant.next(), meant.next()) {
            (Some(image), None) => Ok(image),
            (None, _) => {
                Err(wrong("the snapshot has no image of that name".to_owned(), Some(format!("there are: {known}"))))
            }
            (Some(_), Some(_)) => {
                let help = format!("name one of them with `target = \"…\"`: {known}");
                Err(wrong("the snapshot has several images".to_owned(), Some(help)))
            }
        }
    }

    /// What the case's image is read from, and what its parts are called.
    async fn source(&self, target: &Target, deadline: Instant) -> Result<(Arc<Scripted>, Names), Halt<'_>> {
        let wrong = |message: String| Halt::Case(&self.image_span, message, None);
        let (source, names): (Arc<dyn Source>, Names) = match &self.image {
            CaseImage::Inline(image) => {
                let elsewhere = Elsewhere::build(&self.elsewhere).map_err(wrong)?;
                let built = build(&elsewhere.fill(image));
                let built = built.map_err(|error| wrong(format!("the image cannot be built: {error}")))?;
                let names = built.names.clone();
                (Arc::new(StoreSource::new(built, target.name.clone(), Arc::new(elsewhere))), names)
            }
            CaseImage::Stored | CaseImage::Recorded(_) => {
                let sources = Sources::new(RegistryOptions::default(), Arc::new(Silent));
                let opened = sources.open(target, deadline).await;
                (opened.map_err(|why| wrong(why.to_string()))?, Names::default())
            }
        };
        let failures = self.failures(&names)?;
        Ok((Arc::new(Scripted::new(source, failures)), names))
    }

    fn failures(&self, names: &Names) -> Result<BTreeMap<Asked, Cause>, Halt<'_>> {
        let mut failures = BTreeMap::new();
        for failure in &self.failures {
            let (words, cause) = &failure.value;
            let meant = if words == "target" { vec![Asked::Target] } else { names.find(words) };
            if meant.is_empty() {
                let message = format!("a failure is at `{words}`, and nothing is called so");
                return Err(Halt::Case(&failure.span, message, Some(format!("there are: target, {}", names.listed()))));
            }
            failures.extend(meant.into_iter().map(|asked| (asked, cause.clone())));
        }
        Ok(failures)
    }

    /// A mistake about something that is called by a name which nothing has.
    pub(super) fn nameless(&self, span: &Range<usize>, message: &str, names: &Names) -> PolicyError {
        self.mistake(span, message, Some(&format!("there are: {}", names.listed())))
    }
}
