//! The engine: resolves, walks, judges and seals, for many images at once.

mod record;

pub use record::{image_note, outcome};

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::time::Instant;

use crate::graph::{Cause, Fact, Nature, Stop, Subjects, View, Why};
use crate::judge::{Judgement, Options};
use crate::oci::Untrusted;
use crate::policy::{self, Instance, Level, Policy};
use crate::report::{
    Diagnostic, Fetched, ImageReport, InstanceNote, PolicyPlace, Report, Run, TargetFailure, WaiverUse, dead_waivers,
};
use crate::source::{Budget, Event, Observer, Source, Sources, Walk};
use crate::target::Target;

/// Images that are under way at once; so ten thousand take no more memory than sixteen.
const AT_ONCE: usize = 16;
/// Rounds of asking and fetching after which exploring is given up.
const EXPLORING_ROUNDS: usize = 16;
/// Time for one image, in seconds.
const IMAGE_SECONDS: u64 = 300;

/// Judges images by a policy. Long-lived: it owns the connections, the credentials and the clock of a run.
pub struct Engine {
    policy: Policy,
    options: Options,
    sources: Sources,
    observer: Arc<dyn Observer>,
    budget: Budget,
    now: Timestamp,
    is_present: bool,
    deadline: Option<Instant>,
}

impl Engine {
    /// An engine that reads through `sources`, with the clock set to the present.
    pub fn new(policy: Policy, options: Options, sources: Sources, observer: Arc<dyn Observer>) -> Self {
        let now = Timestamp::now();
        Self { policy, options, sources, observer, budget: Budget::default(), now, is_present: true, deadline: None }
    }

    /// Judges as of another moment than the present.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, is_present: false, ..self }
    }

    /// Gives the whole run this long, counted from now.
    #[must_use]
    pub fn with_deadline(mut self, time: Duration) -> Self {
        self.deadline = Instant::now().checked_add(time);
        self
    }

    /// Judges the targets side by side; the reports come in the order of the targets. A target that is a report already (its
    /// text was wrong) keeps its place.
    pub fn judge_all(
        &self,
        targets: impl IntoIterator<Item = Result<Target, Box<ImageReport>>>,
    ) -> impl Stream<Item = ImageReport> {
        let judge = move |target: Result<Target, Box<ImageReport>>| async move {
            match target {
                Ok(target) => self.judge(&target).await,
                Err(report) => *report,
            }
        };
        stream::iter(targets).map(judge).buffered(AT_ONCE)
    }

    /// Judges one target. Never fails: what could not be read or judged is in the report.
    pub async fn judge(&self, target: &Target) -> ImageReport {
        let report = match Judgement::refuses(&self.policy, target) {
            Some(failure) => failed(target, failure),
            None => self.read_and_judge(target).await,
        };
        self.observer.hear(&Event::Done { target: target.text.clone() });
        report
    }

    async fn read_and_judge(&self, target: &Target) -> ImageReport {
        let deadline = self.deadline_of_image();
        let source = match self.sources.open(target, deadline).await {
            Ok(source) => source,
            Err(why) => return failed(target, TargetFailure::Unread(why)),
        };
        self.judge_opened(target, source, deadline).await
    }

    async fn judge_opened(&self, target: &Target, source: Arc<dyn Source>, deadline: Instant) -> ImageReport {
        let walk = Walk::new(source, self.budget.clone(), deadline);
        let mut report = judge_source(&self.policy, &self.options, target, &walk, self.now, &*self.observer).await;
        report.fetched = walk.fetched();
        report
    }

    /// Asks about one image until everything asked for is known, and says what came of it.
    pub async fn explore<T>(&self, target: &Target, ask: impl Fn(&View<'_>) -> Fact<T>) -> Result<T, Why> {
        let deadline = self.deadline_of_image();
        let source = self.sources.open(target, deadline).await?;
        let walk = Walk::new(source, self.budget.clone(), deadline);
        explore_source(&walk, target, self.now, ask).await
    }

    /// What registries have wanted people to know so far: remarks about the run.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let warnings = self.sources.warnings().into_iter();
        warnings
            .map(|warning| Diagnostic {
                level: Level::Note,
                message: format!("{} warns: '{}'", Untrusted(&warning.host), Untrusted(&warning.text)),
                help: None,
                place: None,
            })
            .collect()
    }

    fn deadline_of_image(&self) -> Instant {
        let image = Instant::now() + Duration::from_secs(IMAGE_SECONDS);
        self.deadline.map_or(image, |run| run.min(image))
    }

    /// What is known of the run before its first image.
    pub fn run(&self) -> Run {
        Run {
            observed_at: self.now.to_string(),
            is_present: self.is_present,
            remarks: dead_waivers(&self.policy),
            policies: self.policy.sources.clone(),
            fallback: self.policy.fallback,
            instances: self
                .policy
                .instances
                .iter()
                .filter(|instance| described(instance))
                .map(|instance| note(instance, policy::day(self.now)))
                .collect(),
            reference: None,
        }
    }

    /// The whole report of a run over few images.
    pub fn report(&self, images: Vec<ImageReport>) -> Report {
        Report { run: Arc::new(self.run()), images }
    }
}

/// Judges what one source holds: resolve, then judge and fetch in turn until every cell has ended.
pub async fn judge_source(
    policy: &Policy,
    options: &Options,
    target: &Target,
    walk: &Walk,
    now: Timestamp,
    observer: &dyn Observer,
) -> ImageReport {
    let mut graph = match walk.start(target, now).await {
        Ok(graph) => graph,
        Err(why) => return failed(target, TargetFailure::Unread(why)),
    };
    observer.hear(&Event::Resolved { target: target.text.clone(), digest: graph.root.digest.to_string() });
    graph.against.clone_from(&options.against);
    let mut judgement = Judgement::new(policy, options);
    loop {
        let demands = judgement.round(&graph);
        if demands.is_empty() {
            return judgement.seal(&graph);
        }
        walk.fetch(&mut graph, demands).await;
    }
}

/// Asks what one source holds until everything asked for is known, and says what came of it.
async fn explore_source<T>(
    walk: &Walk,
    target: &Target,
    now: Timestamp,
    ask: impl Fn(&View<'_>) -> Fact<T>,
) -> Result<T, Why> {
    let mut graph = walk.start(target, now).await?;
    for _ in 0..EXPLORING_ROUNDS {
        let demands = match Subjects::find(&graph) {
            Err((Stop::Pending, demands)) => demands,
            found => {
                let subjects = found.unwrap_or_else(|(stop, _)| Subjects::of(Nature::Undetermined(stop.into())));
                let view = View::new(&graph, &subjects);
                match ask(&view) {
                    Err(Stop::Pending) => view.into_demands(),
                    Err(stop) => return Err(stop.into()),
                    Ok(answer) => return Ok(answer),
                }
            }
        };
        walk.fetch(&mut graph, demands).await;
    }
    Err(Why::new(format!("exploring {target}"), Cause::Rounds))
}

/// The report of a target that could not be judged at all.
pub fn failed(target: &Target, failure: TargetFailure) -> ImageReport {
    ImageReport {
        target: crate::oci::escape(&target.text),
        name: target.name.as_ref().map(ToString::to_string),
        repository: target.name.as_ref().map(crate::oci::Reference::name),
        identity: target.identity(),
        digest: None,
        kind: None,
        media_type: None,
        platforms: Vec::new(),
        error: Some(failure),
        cells: Vec::new(),
        remarks: Vec::new(),
        waivers: WaiverUse::default(),
        fetched: Fetched::default(),
        before: None,
    }
}

/// The report of a text that names no target.
pub fn not_a_target(text: &str, error: &crate::target::TargetError) -> ImageReport {
    ImageReport {
        target: crate::oci::escape(text),
        name: None,
        repository: None,
        identity: crate::oci::escape(text),
        digest: None,
        kind: None,
        media_type: None,
        platforms: Vec::new(),
        error: Some(TargetFailure::Usage { message: error.to_string(), help: error.help() }),
        cells: Vec::new(),
        remarks: Vec::new(),
        waivers: WaiverUse::default(),
        fetched: Fetched::default(),
        before: None,
    }
}

/// Whether reports describe an instance: the rule `document` speaks up about ambiguity even where it is turned off.
fn described(instance: &Instance) -> bool {
    instance.level != Level::Off || instance.rule.name == "document"
}

fn note(instance: &Instance, today: Date) -> InstanceNote {
    InstanceNote {
        name: instance.name.clone(),
        rule: instance.rule.name,
        summary: instance.rule.summary,
        docs: instance.rule.docs,
        level: instance.level_on(today),
        help: instance.help.clone(),
        url: instance.url.clone(),
        place: instance.origin.as_ref().map(PolicyPlace::from),
    }
}
