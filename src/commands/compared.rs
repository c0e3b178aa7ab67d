//! What the images of snapshots are compared with.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, future};
use ocilint::Policy;
use ocilint::engine::{self, Engine};
use ocilint::policy::PolicySource;
use ocilint::report::{Against, ExitStatus, ImageReport, Outcome, Reference, ReferencePolicy};

use super::targets::Targets;
use super::{setup, usage};
use crate::cli;

/// The policy to compare with, if one is named.
pub(super) fn policy(command: &cli::Check, targets: &Targets) -> Result<Option<Policy>, ExitStatus> {
    if command.compare_to.is_empty() {
        return Ok(None);
    }
    if !targets.only_snapshots {
        return Err(usage(
            "`--compare-to` compares policies on snapshots, and another target is named",
            "take a snapshot of it first: `ocilint snapshot TARGET -o FILE`",
        ));
    }
    setup::policy_as_of(&command.compare_to, command.at, &command.display).map(Some)
}

/// What the run is compared with: of snapshots, another policy or what came of them when they were taken.
///
/// A run that judges them just as then is a replay: it has nothing to compare, and gives the very report of then.
pub(super) fn reference(
    command: &cli::Check,
    targets: &Targets,
    engine: &Engine,
    other: Option<&Engine>,
) -> Option<Reference> {
    if let Some(other) = other {
        return Some(Reference { against: Against::Policy, policies: policies(other) });
    }
    let judged_by: BTreeSet<ReferencePolicy> = policies(engine).into_iter().collect();
    let is_replay = judged_by == targets.policies
        && command.at.is_none()
        && command.baseline.is_none()
        && command.platform.is_empty()
        && !command.deny_warnings;
    let compares = targets.only_snapshots && !is_replay;
    compares.then(|| Reference { against: Against::Record, policies: targets.policies.iter().cloned().collect() })
}

fn policies(engine: &Engine) -> Vec<ReferencePolicy> {
    let policy =
        |source: &Arc<PolicySource>| ReferencePolicy { source: source.name.clone(), sha256: source.sha256.clone() };
    engine.run().policies.iter().map(policy).collect()
}

/// The outcome of each target that it is compared with, in the order of the targets; `None` of one that nothing is known of.
pub(super) fn before<'a>(targets: &'a Targets, other: Option<&'a Engine>) -> BoxStream<'a, Option<Outcome>> {
    let notes = targets.notes.iter();
    match other {
        None if targets.only_snapshots => stream::iter(notes.map(|note| note.as_ref().map(engine::outcome))).boxed(),
        None => stream::iter(notes.map(|_| None)).boxed(),
        Some(other) => {
            let outcome =
                |(image, note): (ImageReport, &Option<_>)| future::ready(note.is_some().then(|| image.outcome()));
            other.judge_all(targets.named.clone()).zip(stream::iter(notes)).then(outcome).boxed()
        }
    }
}
