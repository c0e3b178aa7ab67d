//! Judging: every rule of a policy on every subject of an image, as often as new facts arrive.
//!
//! Pure and synchronous. A cell that meets a fact nobody asked for is suspended and judged again once it has been fetched.

mod cells;
mod seal;
mod waive;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::finding::Verdict;
use crate::graph::{Cause, Demand, Entry, Fact, Graph, Nature, Stop, Subject, Subjects, View, Why};
use crate::oci::Platform;
use crate::policy::{Instance, Level, Policy};
use crate::report::{Baseline, Cell, ImageReport, TargetFailure};
use crate::target::Target;

use cells::{Plan, plan};

/// Rounds of judging and fetching after which what is still suspended is unknown.
const ROUNDS: usize = 16;

/// What the user asked of the judging, besides the policy.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The only platforms to judge (`--platform`); empty for all.
    pub platforms: Vec<Platform>,
    /// Warnings count as errors (`--deny-warnings`).
    pub deny_warnings: bool,
    /// The image to compare with (`--against`).
    pub against: Option<Arc<Target>>,
    /// The findings that do not count.
    pub baseline: Option<Frozen>,
}

/// Which findings are in the baseline.
#[derive(Debug, Clone)]
pub enum Frozen {
    /// Those that it holds.
    Known(Arc<Baseline>),
    /// All of them: it is being made, or it grows.
    All,
}

impl Frozen {
    fn holds(&self, image: &str, cell: &Cell, fingerprint: &str) -> bool {
        match self {
            Self::Known(baseline) => baseline.knows(image, &cell.rule, &cell.subject, fingerprint),
            Self::All => true,
        }
    }
}

/// The judging of one image.
#[derive(Debug)]
pub struct Judgement<'p> {
    policy: &'p Policy,
    options: &'p Options,
    round: usize,
    subjects: Option<Subjects>,
    plans: Vec<Plan<'p>>,
    /// How each of them ended; `None` while it is open.
    outcomes: Vec<Option<Outcome>>,
}

/// How one cell ended.
#[derive(Debug, Clone)]
enum Outcome {
    Judged(Verdict),
    Unknown(Why),
    NotApplicable(String),
}

impl<'p> Judgement<'p> {
    /// Nothing judged yet.
    pub fn new(policy: &'p Policy, options: &'p Options) -> Self {
        Self { policy, options, round: 0, subjects: None, plans: Vec::new(), outcomes: Vec::new() }
    }

    /// Why a target cannot be judged by this policy, known before anything is read.
    pub fn refuses(policy: &Policy, target: &Target) -> Option<TargetFailure> {
        let scoped =
            policy.instances.iter().find(|instance| instance.images.is_some() && instance.level != Level::Off)?;
        if target.name.is_some() {
            return None;
        }
        Some(TargetFailure::Usage {
            message: format!("the rule `{}` is for certain images, and a file or directory has no name", scoped.name),
            help: "say which image it is with `--as ghcr.io/acme/app:1.2`".to_owned(),
        })
    }

    /// Judges all that can be judged with the facts at hand, and returns what has to be fetched for the rest; nothing when
    /// every cell has ended.
    pub fn round(&mut self, graph: &Graph) -> BTreeSet<Demand> {
        self.round += 1;
        let demands = match self.find_subjects(graph) {
            Ok(()) => self.judge_cells(graph),
            Err(demands) => demands,
        };
        let fresh: BTreeSet<Demand> = demands.into_iter().filter(|demand| !graph.answers(demand)).collect();
        if fresh.is_empty() || self.round >= ROUNDS {
            self.give_up(graph);
            return BTreeSet::new();
        }
        fresh
    }

    /// Seals what was judged: everything owned, nothing of the graph left.
    pub fn seal(&self, graph: &Graph) -> ImageReport {
        seal::seal(self, graph)
    }

    fn find_subjects(&mut self, graph: &Graph) -> Result<(), BTreeSet<Demand>> {
        if self.subjects.is_some() {
            return Ok(());
        }
        let subjects = match Subjects::find(graph) {
            Ok(subjects) => subjects,
            Err((Stop::Pending, demands)) => return Err(demands),
            Err((stop, _)) => Subjects::of(Nature::Undetermined(stop.into())),
        };
        self.settle(subjects, graph);
        Ok(())
    }

    fn settle(&mut self, subjects: Subjects, graph: &Graph) {
        self.plans = plan(self.policy, self.options, &subjects, graph);
        self.outcomes = vec![None; self.plans.len()];
        self.subjects = Some(subjects);
    }

    fn judge_cells(&mut self, graph: &Graph) -> BTreeSet<Demand> {
        let demands = self.judge_where(graph, Instance::is_explicit);
        if demands.is_empty() {
            self.judge_implicit(graph);
        }
        demands
    }

    /// The always-on rules that no policy names come last: they judge what was read for the others, and demand nothing.
    fn judge_implicit(&mut self, graph: &Graph) {
        self.judge_where(graph, |instance| !instance.is_explicit());
    }

    /// Judges the open cells of some instances; what has to be fetched for those that stay open.
    fn judge_where(&mut self, graph: &Graph, wanted: impl Fn(&Instance) -> bool) -> BTreeSet<Demand> {
        let subjects = self.subjects.as_ref().expect("invariant: subjects are found before cells are judged");
        let view = View::new(graph, subjects);
        let cells = self.plans.iter().zip(&mut self.outcomes);
        for (plan, outcome) in cells.filter(|(plan, outcome)| outcome.is_none() && wanted(plan.instance)) {
            *outcome = judge_cell(plan, subjects, &view);
        }
        view.into_demands()
    }

    /// Ends what is still suspended as unknown.
    fn give_up(&mut self, graph: &Graph) {
        if self.subjects.is_none() {
            let why = Why::new("looking through the index", Cause::Rounds);
            self.settle(Subjects::of(Nature::Undetermined(why)), graph);
            self.judge_cells(graph);
        }
        self.judge_implicit(graph);
        for outcome in &mut self.outcomes {
            let why = || Outcome::Unknown(Why::new("gathering the facts for this rule", Cause::Rounds));
            outcome.get_or_insert_with(why);
        }
    }
}

/// Judges one cell; `None` when it is suspended.
fn judge_cell(plan: &Plan<'_>, subjects: &Subjects, view: &View<'_>) -> Option<Outcome> {
    if let Some(outcome) = &plan.settled {
        return Some(outcome.clone());
    }
    let subject = match plan.entry {
        Some(position) => Subject::Platform(&subjects.entries[position]),
        None => Subject::Root,
    };
    if !plan.instance.check.judges_artifacts()
        && let Some(outcome) = not_an_image(plan.policy, subjects, view)
    {
        return Some(outcome);
    }
    outcome(plan.instance.check.judge(subject, view))
}

fn outcome(fact: Fact<Verdict>) -> Option<Outcome> {
    match fact {
        Ok(verdict) => Some(Outcome::Judged(verdict)),
        Err(Stop::Pending) => None,
        Err(Stop::Unknown(why)) => Some(Outcome::Unknown(why)),
        Err(Stop::NotApplicable(reason)) => Some(Outcome::NotApplicable(reason)),
    }
}

/// What becomes of an image rule when the root is no image: it does not apply if the policy allows that type of artifact,
/// and is unknown otherwise.
fn not_an_image(policy: &Policy, subjects: &Subjects, view: &View<'_>) -> Option<Outcome> {
    let what = match &subjects.nature {
        Nature::Image => return None,
        Nature::Undetermined(why) => return Some(Outcome::Unknown(why.clone())),
        Nature::Schema1 => {
            let detail = "only the rule `schema1` judges Docker's schema 1";
            return Some(Outcome::Unknown(Why::undecidable("judging the image", detail)));
        }
        Nature::Artifact { artifact_type, reason } => format!("{artifact_type}: {reason}"),
        Nature::NothingRunnable => "an index without an entry that a runtime could select".to_owned(),
    };
    let allows = |instance: &Instance| {
        instance.rule.name != "artifact-type"
            || matches!(instance.check.judge(Subject::Root, view), Ok(Verdict::Pass(_)))
    };
    let judged = || policy.instances.iter().filter(|instance| instance.level != Level::Off);
    let allowed = judged().any(|instance| instance.rule.name == "artifact-type") && judged().all(allows);
    if allowed {
        return Some(Outcome::NotApplicable(what));
    }
    Some(Outcome::Unknown(Why::new("judging the image", Cause::NotAnImage { detail: what })))
}

/// The platforms as a list in words.
fn listed(entries: &[Entry]) -> String {
    let names: Vec<&str> = entries.iter().map(|entry| entry.label.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
