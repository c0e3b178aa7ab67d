//! Which cells there are: instances in scope × subjects.

use std::sync::Arc;

use super::{Options, Outcome, listed};
use crate::graph::{Cause, Entry, Graph, Nature, Subjects, Why};
use crate::oci::Platform;
use crate::policy::{Instance, Level, Policy};
use crate::rules::Judges;

/// One cell to judge.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub(super) policy: &'p Policy,
    pub(super) instance: &'p Instance,
    /// The entry it is about, by position; `None` for the root.
    pub(super) entry: Option<usize>,
    /// `root`, or the name of the platform.
    pub(super) label: Arc<str>,
    /// The platform, where it is known.
    pub(super) platform: Option<Arc<Platform>>,
    /// How it ends, where that is known without the rule.
    pub(super) settled: Option<Outcome>,
}

/// Every cell of an image.
pub(super) fn plan<'p>(policy: &'p Policy, options: &Options, subjects: &Subjects, graph: &Graph) -> Vec<Plan<'p>> {
    let planner = Planner::new(policy, options, subjects);
    let name = graph.root.target.name.as_ref().map(crate::oci::Reference::canonical_name);
    let covers = |instance: &&Instance| match (&instance.images, &name) {
        (None, _) => true,
        (Some(scope), Some(name)) => scope.contains(name, Some(&graph.root.digest)),
        (Some(_), None) => false,
    };
    // The rule `document` keeps judging ambiguity even where a policy turns it off.
    let judged = |instance: &&Instance| instance.level != Level::Off || instance.rule.name == "document";
    // A rule that is always on is judged by itself only for images that no instance of it in the policy is for.
    let explicit = |rule: &str| {
        let mut instances = policy.instances.iter().filter(|instance| instance.is_explicit() && covers(instance));
        instances.any(|instance| instance.rule.name == rule)
    };
    let needed = |instance: &&Instance| instance.is_explicit() || !explicit(instance.rule.name);
    let mut cells = Vec::new();
    for instance in policy.instances.iter().filter(judged).filter(covers).filter(needed) {
        planner.add_cells(instance, &mut cells);
    }
    cells
}

struct Planner<'p, 's> {
    policy: &'p Policy,
    options: &'s Options,
    subjects: &'s Subjects,
    root: Arc<str>,
    /// What the cells about each of the entries are called.
    labels: Vec<Arc<str>>,
    /// The platform of each of them, where it is known.
    platforms: Vec<Option<Arc<Platform>>>,
}

impl<'p, 's> Planner<'p, 's> {
    fn new(policy: &'p Policy, options: &'s Options, subjects: &'s Subjects) -> Self {
        let labels = subjects.entries.iter().map(|entry| entry.label.as_str().into()).collect();
        let platform = |entry: &Entry| entry.platform.clone().ok().map(Arc::new);
        let platforms = subjects.entries.iter().map(platform).collect();
        Self { policy, options, subjects, root: "root".into(), labels, platforms }
    }

    fn add_cells(&self, instance: &'p Instance, cells: &mut Vec<Plan<'p>>) {
        let judges = instance.check.judges();
        if judges != Judges::EachPlatform {
            cells.push(self.root(instance, None));
        }
        if judges != Judges::Root {
            let before = cells.len();
            cells.extend(self.platforms(instance));
            if cells.len() == before && judges == Judges::EachPlatform {
                cells.push(self.root(instance, Some(self.without_platforms(instance))));
            }
        }
    }

    fn root(&self, instance: &'p Instance, settled: Option<Outcome>) -> Plan<'p> {
        // A root that is no image has an outcome of its own for image rules, which says more than "no platform".
        let settled = settled.filter(|_| matches!(self.subjects.nature, Nature::Image));
        Plan { policy: self.policy, instance, entry: None, label: self.root.clone(), platform: None, settled }
    }

    fn platforms(&self, instance: &'p Instance) -> impl Iterator<Item = Plan<'p>> {
        let entries = self.subjects.entries.iter().enumerate();
        let known = entries.filter_map(|(position, entry)| self.platform(instance, position, entry));
        known.chain(self.undetermined(instance)).chain(self.absent(instance))
    }

    fn platform(&self, instance: &'p Instance, position: usize, entry: &Entry) -> Option<Plan<'p>> {
        let settled = match &entry.platform {
            Ok(platform) if self.is_asked(platform) && in_scope(instance, platform) => None,
            Ok(_) => return None,
            // Whether it is among the platforms asked for cannot be known.
            Err(why) if self.is_narrowed(instance) => Some(Outcome::Unknown(why.clone())),
            Err(_) => None,
        };
        let (label, platform) = (self.labels[position].clone(), self.platforms[position].clone());
        Some(Plan { policy: self.policy, instance, entry: Some(position), label, platform, settled })
    }

    /// Entries that may be runnable and could not be looked at.
    fn undetermined(&self, instance: &'p Instance) -> Vec<Plan<'p>> {
        let cell = |(number, (entry, why)): (usize, &(crate::graph::Excluded, Why))| {
            let platform = entry.platform().map(Platform::normalised);
            let asked =
                platform.as_ref().is_none_or(|platform| self.is_asked(platform) && in_scope(instance, platform));
            asked.then(|| Plan {
                policy: self.policy,
                instance,
                entry: None,
                label: format!("entry#{}", number + 1).into(),
                platform: None,
                settled: Some(Outcome::Unknown(why.clone())),
            })
        };
        self.subjects.undetermined.iter().enumerate().filter_map(cell).collect()
    }

    /// Platforms that the user asked for and the image lacks.
    fn absent(&self, instance: &'p Instance) -> Vec<Plan<'p>> {
        if !matches!(self.subjects.nature, Nature::Image) {
            return Vec::new();
        }
        let has = |wanted: &Platform| {
            let entries = &self.subjects.entries;
            entries.iter().any(|entry| entry.platform.as_ref().map_or(true, |platform| same(wanted, platform)))
        };
        let absent = self.options.platforms.iter().filter(|wanted| in_scope(instance, wanted) && !has(wanted));
        let cell = |wanted: &Platform| {
            let cause = Cause::PlatformAbsent { platform: wanted.to_string(), has: listed(&self.subjects.entries) };
            Plan {
                policy: self.policy,
                instance,
                entry: None,
                label: wanted.to_string().into(),
                platform: Some(Arc::new(wanted.clone())),
                settled: Some(Outcome::Unknown(Why::new("judging the platforms asked for", cause))),
            }
        };
        absent.map(cell).collect()
    }

    /// What a rule for platforms says when there is none for it.
    fn without_platforms(&self, instance: &Instance) -> Outcome {
        if self.is_narrowed(instance) && !self.subjects.entries.is_empty() {
            let has = listed(&self.subjects.entries);
            return Outcome::NotApplicable(format!("it is for other platforms than the image has ({has})"));
        }
        Outcome::Unknown(Why::new(
            "looking for platforms",
            Cause::NotAnImage { detail: "it has no platform".to_owned() },
        ))
    }

    fn is_asked(&self, platform: &Platform) -> bool {
        self.options.platforms.is_empty() || self.options.platforms.iter().any(|wanted| same(wanted, platform))
    }

    fn is_narrowed(&self, instance: &Instance) -> bool {
        instance.platforms.is_some() || !self.options.platforms.is_empty()
    }
}

fn in_scope(instance: &Instance, platform: &Platform) -> bool {
    instance.platforms.as_ref().is_none_or(|scope| scope.contains(platform))
}

/// Whether a platform is the one that was asked for; an `os.version` counts only when the user wrote one.
fn same(wanted: &Platform, platform: &Platform) -> bool {
    if wanted.os_version.is_some() { wanted == platform } else { wanted.short() == platform.short() }
}
