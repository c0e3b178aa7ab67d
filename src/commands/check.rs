//! `ocilint check`: judge images and write the reports.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use ocilint::engine::Engine;
use ocilint::judge::Options;
use ocilint::output::{self, Destination, Format, Style};
use ocilint::report::{ExitStatus, ImageReport, Report, exit_status};
use ocilint::{Policy, Target};

use super::interrupt::{Ended, unless_interrupted};
use super::progress::Progress;
use super::targets::{Named, Targets};
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
    let policy = setup::policy(&command.policy, &command.display)?;
    let destinations = destinations(command)?;
    let targets = Targets::read(&command.targets, command.name.as_ref())?;
    match judge(command, policy, &targets)? {
        Ended::Done(report) => Ok(finish(command, &destinations, &report).code()),
        Ended::Interrupted(code) => {
            say("interrupted: nothing is reported", "");
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

fn judge(command: &cli::Check, policy: Policy, targets: &Targets) -> Result<Ended<Report>, ExitStatus> {
    let progress = Arc::new(Progress::new(targets.named.len(), !command.display.no_progress, command.display.verbose));
    let options = Options { platforms: command.platform.clone(), deny_warnings: command.deny_warnings };
    setup::block_on(async {
        let sources = setup::sources(&command.registry, progress.clone());
        let mut engine = Engine::new(policy, options, sources, progress.clone());
        if let Some(taken_at) = targets.taken_at {
            engine = engine.at(taken_at);
        }
        if let Some(time) = command.deadline {
            engine = engine.with_deadline(time);
        }
        let good: Vec<Target> = targets.named.iter().flatten().cloned().collect();
        let judged = unless_interrupted(engine.judge_all(&good).collect::<Vec<_>>()).await;
        progress.finish();
        Ok(match judged {
            Ended::Done(images) => Ended::Done(engine.report(in_order(&targets.named, images))),
            Ended::Interrupted(code) => Ended::Interrupted(code),
        })
    })
}

/// Puts the targets whose text was wrong back in their places.
fn in_order(targets: &[Named], images: Vec<ImageReport>) -> Vec<ImageReport> {
    let mut images = images.into_iter();
    let place = |target: &Named| match target {
        Ok(_) => images.next().expect("invariant: one report for each target judged"),
        Err(report) => (**report).clone(),
    };
    targets.iter().map(place).collect()
}

/// Writes the reports; the status of the run.
fn finish(command: &cli::Check, destinations: &[Destination], report: &Report) -> ExitStatus {
    let mut status = exit_status(report);
    if report.fallback && !destinations.contains(&HUMAN) {
        say(
            "no policy was named and no `ocilint.toml` was found: the built-in `baseline` is used",
            "name one with `--policy FILE`",
        );
    }
    for destination in destinations {
        if let Err(error) = write(command, destination, report) {
            status = status.max(unwritten(destination.path.as_deref(), &error));
        }
    }
    if let Some(path) = &command.digest_file
        && let Err(error) = output::file::write(path, |out| digests(report, out))
    {
        status = status.max(unwritten(Some(path), &error));
    }
    status
}

/// Writes one report; a file is never coloured, and never seen half-written.
fn write(command: &cli::Check, destination: &Destination, report: &Report) -> io::Result<()> {
    let style = setup::style(&command.display);
    let sarif = setup::sarif(&command.sarif);
    match &destination.path {
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            output::write(destination.format, report, &output::Options { style, sarif }, &mut out)?;
            out.flush()
        }
        Some(path) => {
            let style = Style { color: false, hyperlinks: false, ..style };
            output::file::write(path, |out| {
                output::write(destination.format, report, &output::Options { style, sarif }, out)
            })
        }
    }
}

/// What was judged, a line for each target: `name@digest`, or the digest alone of an image without a name.
fn digests(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for image in &report.images {
        match (&image.digest, &image.repository) {
            (Some(digest), Some(repository)) => writeln!(out, "{repository}@{digest}")?,
            (Some(digest), None) => writeln!(out, "{digest}")?,
            (None, _) => {}
        }
    }
    Ok(())
}

fn unwritten(path: Option<&Path>, error: &io::Error) -> ExitStatus {
    let place = path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    if error.kind() != io::ErrorKind::BrokenPipe {
        say(
            &format!("the report could not be written to {place}: {error}"),
            "check the path, its permissions and the space left",
        );
    }
    ExitStatus::Internal
}
