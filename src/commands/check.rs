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
use super::{say, say_fallback, setup};
use crate::cli;

pub(super) fn run(command: &cli::Check) -> u8 {
    match try_run(command) {
        Ok(code) => code,
        Err(status) => status.code(),
    }
}

fn try_run(command: &cli::Check) -> Result<u8, ExitStatus> {
    let policy = setup::policy_as_of(&command.policy, command.at, &command.display)?;
    let baseline = command.baseline.as_deref().map(|path| Ratcheting::load(path, command, &policy)).transpose()?;
    let destinations = setup::destinations(&command.output)?;
    let targets = Targets::read(&command.targets, command.name.as_ref())?;
    let other = compared::policy(command, &targets)?;
    let policies: Vec<&Policy> = [&policy].into_iter().chain(&other).collect();
    setup::check_against(command.against.as_ref(), &policies)?;
    match judge(command, (policy, other), baseline, destinations, &targets)? {
        Ended::Done(status) => Ok(status.code()),
        Ended::Interrupted(code) => {
            say("interrupted: no report is complete", "");
            Ok(code)
        }
    }
}

fn judge(
    command: &cli::Check,
    (policy, other): (Policy, Option<Policy>),
    baseline: Option<Ratcheting>,
    destinations: Vec<Destination<Format>>,
    targets: &Targets,
) -> Result<Ended<ExitStatus>, ExitStatus> {
    let progress = Arc::new(Progress::new(targets.named.len(), !command.watch.no_progress, command.watch.verbose));
    let options = Options {
        platforms: command.platform.clone(),
        deny_warnings: command.deny_warnings,
        against: command.against.clone().map(Arc::new),
        baseline: baseline.as_ref().map(|baseline| baseline.frozen.clone()),
    };
    setup::block_on(async {
        let sources = setup::sources(&command.registry, progress.clone());
        let engine = Engine::new(policy, options.clone(), sources, progress.clone());
        let clock = command.at.or(targets.taken_at);
        let engine = setup::timed(engine, clock, command.deadline);
        let other = other.map(|other| {
            let sources = setup::sources(&command.registry, Arc::new(Silent));
            setup::timed(Engine::new(other, options, sources, Arc::new(Silent)), clock, command.deadline)
        });
        let run = Run { reference: compared::reference(command, targets, &engine, other.as_ref()), ..engine.run() };
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

fn reports(
    command: &cli::Check,
    destinations: Vec<Destination<Format>>,
    baseline: Option<Ratcheting>,
    run: Run,
    progress: &Arc<Progress>,
) -> Reports {
    let run = Arc::new(run);
    let is_read = |destination: &Destination<Format>| destination.format == Format::Human && destination.path.is_none();
    if run.fallback && !destinations.iter().any(is_read) {
        say_fallback("name one with `--policy FILE`");
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
