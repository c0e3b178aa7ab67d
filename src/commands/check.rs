//! `ocilint check`: judge images and write the reports.

use std::sync::Arc;

use futures_util::StreamExt;
use ocilint::Policy;
use ocilint::engine::Engine;
use ocilint::judge::Options;
use ocilint::output::{self, Destination, Format};
use ocilint::report::{ExitStatus, ImageReport, Run};
use ocilint::source::Silent;

use super::baseline::Ratcheting;
use super::compared;
use super::interrupt::{Ended, unless_interrupted};
use super::progress::Progress;
use super::reports::{Reports, Writing};
use super::targets::Targets;
use super::{say, setup, usage};
use crate::cli;

/// Where a report goes if the user says nothing.
const HUMAN: Destination = Destination { format: Format::Human, path: None };

pub(super) fn run(command: &cli::Check) -> u8 {
    match try_run(command) {
        Ok(code) => code,
        Err(status) => status.code(),
    }
}

fn try_run(command: &cli::Check) -> Result<u8, ExitStatus> {
    let policy = setup::policy_as_of(&command.policy, command.at, &command.display)?;
    let baseline = command.baseline.as_deref().map(|path| Ratcheting::load(path, command, &policy)).transpose()?;
    let destinations = destinations(command)?;
    let targets = Targets::read(&command.targets, command.name.as_ref())?;
    let other = compared::policy(command, &targets)?;
    match judge(command, (policy, other), baseline, destinations, &targets)? {
        Ended::Done(status) => Ok(status.code()),
        Ended::Interrupted(code) => {
            say("interrupted: no report is complete", "");
            Ok(code)
        }
    }
}

fn destinations(command: &cli::Check) -> Result<Vec<Destination>, ExitStatus> {
    if command.output.is_empty() {
        return Ok(vec![HUMAN]);
    }
    if command.output.iter().filter(|destination| destination.path.is_none()).count() > 1 {
        return Err(usage(
            "two reports cannot both go to standard output",
            "write one to a file: `--output sarif=FILE`",
        ));
    }
    Ok(command.output.clone())
}

fn judge(
    command: &cli::Check,
    (policy, other): (Policy, Option<Policy>),
    baseline: Option<Ratcheting>,
    destinations: Vec<Destination>,
    targets: &Targets,
) -> Result<Ended<ExitStatus>, ExitStatus> {
    let progress = Arc::new(Progress::new(targets.named.len(), !command.display.no_progress, command.display.verbose));
    let options = Options {
        platforms: command.platform.clone(),
        deny_warnings: command.deny_warnings,
        baseline: baseline.as_ref().map(|baseline| baseline.frozen.clone()),
    };
    setup::block_on(async {
        let sources = setup::sources(&command.registry, progress.clone());
        let engine = Engine::new(policy, options.clone(), sources, progress.clone());
        let engine = timed(command, targets, engine);
        let other = other.map(|other| {
            let sources = setup::sources(&command.registry, Arc::new(Silent));
            timed(command, targets, Engine::new(other, options, sources, Arc::new(Silent)))
        });
        let run = Run { reference: compared::reference(targets, other.as_ref()), ..engine.run() };
        let reports = reports(command, destinations, baseline, run, &progress);
        let mut writing = Writing::start(reports)?;
        let work = async {
            let before = compared::before(targets, other.as_ref());
            let mut images = std::pin::pin!(engine.judge_all(targets.named.clone()).zip(before));
            while let Some((image, before)) = images.next().await {
                writing.image(ImageReport { before, ..image }).await;
            }
            progress.finish();
            writing.end(engine.warnings()).await
        };
        let ended = unless_interrupted(work).await;
        progress.finish();
        if matches!(ended, Ended::Interrupted(_)) {
            writing.abandon().await;
        }
        Ok(ended)
    })
}

/// The engine with the clock and the time that the run has.
fn timed(command: &cli::Check, targets: &Targets, engine: Engine) -> Engine {
    let engine = match command.at.or(targets.taken_at) {
        Some(moment) => engine.at(moment),
        None => engine,
    };
    match command.deadline {
        Some(time) => engine.with_deadline(time),
        None => engine,
    }
}

fn reports(
    command: &cli::Check,
    destinations: Vec<Destination>,
    baseline: Option<Ratcheting>,
    run: Run,
    progress: &Arc<Progress>,
) -> Reports {
    let run = Arc::new(run);
    if run.fallback && !destinations.contains(&HUMAN) {
        say(
            "no policy was named and no `ocilint.toml` was found: the built-in `baseline` is used",
            "name one with `--policy FILE`",
        );
    }
    let options = output::Options { style: setup::style(&command.display), sarif: setup::sarif(&command.sarif) };
    let mut reports = Reports::new(run, baseline, progress.clone());
    for destination in destinations {
        reports.add(destination, &options);
    }
    if let Some(path) = &command.digest_file {
        reports.add_digests(path);
    }
    reports
}
