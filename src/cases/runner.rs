//! Runs cases: the very judging that `ocilint check` does, on images that need no registry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::build::{Asked, Names, build};
use super::expect::{name, shown};
use super::format::{Case, CaseImage, Others, Suite};
use super::source::{Scripted, StoreSource};
use crate::engine::{failed, judge_source};
use crate::graph::Cause;
use crate::judge::Judgement;
use crate::policy::Policy;
use crate::report::{Cell, CellVerdict, ExitStatus, ImageReport, TargetFailure};
use crate::source::registry::RegistryOptions;
use crate::source::{Budget, Silent, Source, Sources, Walk};

/// Time for one case.
const LIMIT: Duration = Duration::from_mins(1);

/// What came of a case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// The line it begins on.
    pub line: usize,
    /// How what came differs from what was expected; nothing if the case holds.
    pub problems: Vec<String>,
    /// The verdicts that the case expected and got, by the rule itself (not its name in the policy).
    pub shown: BTreeSet<(&'static str, CellVerdict)>,
}

/// What stands in the way before anything is judged.
enum Halt {
    /// The policy's mistakes.
    Policy(String),
    /// A mistake of the case itself.
    Case(String),
}

/// What came of judging.
struct Judged {
    policy: Policy,
    report: ImageReport,
    asked: Vec<Asked>,
    names: Names,
}

impl Suite {
    /// Runs every case, in order.
    pub async fn run(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for case in &self.cases {
            outcomes.push(case.run().await);
        }
        outcomes
    }
}

impl Case {
    /// Runs the case.
    pub async fn run(&self) -> Outcome {
        let mut outcome =
            Outcome { name: self.name.clone(), line: self.line, problems: Vec::new(), shown: BTreeSet::new() };
        match self.judge().await {
            Ok(judged) => self.compare(judged, &mut outcome),
            Err(Halt::Policy(errors)) => {
                self.compare_refusal(Some(&errors), &mut outcome);
                self.compare_exit(ExitStatus::Usage.code(), &mut outcome);
            }
            Err(Halt::Case(mistake)) => outcome.problems.push(mistake),
        }
        outcome
    }

    async fn judge(&self) -> Result<Judged, Halt> {
        let policy = self.policy.load().map_err(|errors| Halt::Policy(errors.to_string()))?;
        if let Some(failure) = Judgement::refuses(&policy, &self.target) {
            return Ok(Judged {
                policy,
                report: failed(&self.target, failure),
                asked: Vec::new(),
                names: Names::default(),
            });
        }
        let deadline = Instant::now() + LIMIT;
        let (source, names) = self.source(deadline).await.map_err(Halt::Case)?;
        let walk = Walk::new(source.clone(), Budget::default(), deadline);
        let report = judge_source(&policy, &self.options, &self.target, &walk, self.now, &Silent).await;
        Ok(Judged { policy, report, asked: source.asked(), names })
    }

    /// What the case's image is read from, and what its parts are called.
    async fn source(&self, deadline: Instant) -> Result<(Arc<Scripted>, Names), String> {
        let (source, names): (Arc<dyn Source>, Names) = match &self.image {
            CaseImage::Inline(image) => {
                let built = build(image).map_err(|error| format!("the image cannot be built: {error}"))?;
                let names = built.names.clone();
                (Arc::new(StoreSource::new(built)), names)
            }
            CaseImage::Stored => {
                let sources = Sources::new(RegistryOptions::default(), Arc::new(Silent));
                let opened = sources.open(&self.target, deadline).await;
                (opened.map_err(|why| why.to_string())?, Names::default())
            }
        };
        let failures = self.failures(&names)?;
        Ok((Arc::new(Scripted::new(source, failures)), names))
    }

    fn failures(&self, names: &Names) -> Result<BTreeMap<Asked, Cause>, String> {
        let mut failures = BTreeMap::new();
        for (words, cause) in &self.failures {
            let meant = if words == "target" { vec![Asked::Target] } else { names.find(words) };
            if meant.is_empty() {
                return Err(format!(
                    "a failure is at `{words}`, and nothing is called so; there are: target, {}",
                    names.listed()
                ));
            }
            failures.extend(meant.into_iter().map(|asked| (asked, cause.clone())));
        }
        Ok(failures)
    }

    fn compare(&self, judged: Judged, outcome: &mut Outcome) {
        self.compare_questions(&judged, outcome);
        let Judged { policy, report, .. } = judged;
        let refusal = report.error.as_ref().map(refusal);
        self.compare_refusal(refusal.as_deref(), outcome);
        if refusal.is_none() || !self.expect.is_empty() {
            self.compare_cells(&policy, &report, outcome);
        }
        self.compare_exit(report.exit_status().code(), outcome);
    }

    /// Counts what was asked of the source.
    fn compare_questions(&self, judged: &Judged, outcome: &mut Outcome) {
        for (words, &wanted) in &self.asks {
            let meant = judged.names.find(words);
            let got = judged.asked.iter().filter(|asked| meant.contains(asked)).count();
            if meant.is_empty() {
                outcome.problems.push(format!(
                    "`asks` names `{words}`, and nothing is called so; there are: {}",
                    judged.names.listed()
                ));
            } else if got != wanted {
                outcome.problems.push(format!("expected {wanted} questions for `{words}`, got {got}"));
            }
        }
    }

    fn compare_exit(&self, code: u8, outcome: &mut Outcome) {
        if self.exit.is_some_and(|exit| exit != code) {
            outcome.problems.push(format!("expected exit status {}, got {code}", self.exit.unwrap_or_default()));
        }
    }

    fn compare_refusal(&self, refusal: Option<&str>, outcome: &mut Outcome) {
        match (&self.refused, refusal) {
            (None, None) => {}
            (Some(wanted), Some(got)) if got.contains(wanted) => {}
            (Some(wanted), Some(got)) => {
                outcome.problems.push(format!("expected a refusal saying `{wanted}`, got: {got}"));
            }
            (Some(wanted), None) => {
                outcome.problems.push(format!("expected a refusal saying `{wanted}`, and it was judged"));
            }
            // A target that cannot be read is a result that an exit status expects.
            (None, Some(_)) if self.exit.is_some() && self.expect.is_empty() => {}
            (None, Some(got)) => outcome.problems.push(format!("nothing could be judged: {got}")),
        }
    }

    fn compare_cells(&self, policy: &Policy, report: &ImageReport, outcome: &mut Outcome) {
        let mut met = vec![false; self.expect.len()];
        for cell in &report.cells {
            let mut about = self.expect.iter().enumerate().filter(|(_, expectation)| expectation.is_about(cell));
            let all: Vec<_> = about.by_ref().collect();
            let chosen = all.iter().find(|(_, expectation)| expectation.subject.is_some()).or_else(|| all.first());
            match chosen {
                Some((at, expectation)) => {
                    met[*at] = true;
                    match expectation.differs(cell) {
                        Some(difference) => outcome.problems.push(difference),
                        None => drop(outcome.shown.insert((cell.kind, cell.verdict))),
                    }
                }
                None => outcome.problems.extend(self.unmentioned(policy, cell)),
            }
        }
        let has = || report.cells.iter().map(name).collect::<Vec<_>>().join(", ");
        for (expectation, _) in self.expect.iter().zip(met).filter(|(_, met)| !met) {
            let subject = expectation.subject.as_ref().map(|subject| format!("@{subject}")).unwrap_or_default();
            outcome.problems.push(format!(
                "`{}{subject}` is expected, and there is no such cell; there are: {}",
                expectation.rule,
                has()
            ));
        }
    }

    /// What is wrong with a cell that the case does not mention: it must, unless it says `others = "any"`. A rule that no
    /// policy names is always on; it has to be mentioned where it finds something.
    fn unmentioned(&self, policy: &Policy, cell: &Cell) -> Option<String> {
        let explicit = policy.instances.iter().any(|instance| instance.name == cell.rule && instance.is_explicit());
        let silent = self.others == Others::Any || (!explicit && cell.verdict != CellVerdict::Violation);
        (!silent).then(|| format!("{} is not mentioned, got {}", name(cell), shown(cell)))
    }
}

fn refusal(failure: &TargetFailure) -> String {
    match failure {
        TargetFailure::Unread(why) => why.to_string(),
        TargetFailure::Usage { message, help } => format!("{message} ({help})"),
    }
}
