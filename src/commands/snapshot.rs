//! `ocilint snapshot`: everything that is read of some images, in one file.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ocilint::engine::{self, Engine};
use ocilint::judge::Options;
use ocilint::output;
use ocilint::report::ExitStatus;
use ocilint::source::snapshot::{self, Facts, ImageNote, Shelf};
use ocilint::{Policy, Target};

use super::interrupt::{Ended, unless_interrupted};
use super::progress::Progress;
use super::targets::Targets;
use super::{refused, say, say_fallback, setup, unwritten};
use crate::cli;

/// Images that are under way at once.
const AT_ONCE: usize = 16;

/// What was recorded of one image.
struct Recorded {
    note: ImageNote,
    facts: Facts,
}

pub(super) fn run(command: &cli::Snapshot) -> u8 {
    match try_run(command) {
        Ok(Ended::Done(status)) | Err(status) => status.code(),
        Ok(Ended::Interrupted(code)) => {
            say("interrupted: no snapshot is written", "");
            code
        }
    }
}

fn try_run(command: &cli::Snapshot) -> Result<Ended<ExitStatus>, ExitStatus> {
    let policy = setup::policy(&command.policy, &command.display)?;
    if policy.fallback {
        say_fallback("");
    }
    setup::check_against(command.against.as_ref(), &[&policy])?;
    let targets = Targets::read(&command.targets, command.name.as_ref())?;
    let good = all_good(&targets)?;
    record(command, policy, &targets, &good)
}

/// The targets, if every one of them can be read: a snapshot without one that was named would be a trap.
fn all_good(targets: &Targets) -> Result<Vec<Target>, ExitStatus> {
    let mut status = ExitStatus::Clean;
    for report in targets.named.iter().filter_map(|named| named.as_ref().err()) {
        status = status.max(refused(report, true));
    }
    if status == ExitStatus::Clean { Ok(targets.named.iter().flatten().cloned().collect()) } else { Err(status) }
}

fn record(
    command: &cli::Snapshot,
    policy: Policy,
    targets: &Targets,
    good: &[Target],
) -> Result<Ended<ExitStatus>, ExitStatus> {
    let progress = Arc::new(Progress::new(good.len(), !command.watch.no_progress, command.watch.verbose));
    let shelf = Arc::new(Shelf::default());
    setup::block_on(async {
        let sources = setup::sources(&command.registry, progress.clone());
        let against = command.against.clone().map(Arc::new);
        let engine = Engine::new(policy, Options { against, ..Options::default() }, sources, progress.clone());
        let engine = setup::timed(engine, targets.taken_at, command.deadline);
        let one = async |target| {
            let (report, facts) = engine.record(target, &shelf).await;
            Recorded { note: engine::image_note(target, &report), facts }
        };
        let all = stream::iter(good).map(one).buffered(AT_ONCE).collect::<Vec<_>>();
        let recorded = unless_interrupted(all).await;
        progress.finish();
        Ok(match recorded {
            Ended::Interrupted(code) => Ended::Interrupted(code),
            Ended::Done(recorded) => Ended::Done(finish(command, &engine, &shelf, recorded)),
        })
    })
}

/// Writes the file and says what could not be read.
fn finish(command: &cli::Snapshot, engine: &Engine, shelf: &Shelf, recorded: Vec<Recorded>) -> ExitStatus {
    let unread = recorded.iter().filter(|image| !image.facts.is_resolved());
    let status = if unread.count() == 0 { ExitStatus::Clean } else { ExitStatus::Unknown };
    for Recorded { note, facts } in recorded.iter().filter(|image| image.facts.failures() > 0) {
        let what = match facts.unresolved() {
            Some(why) => format!("not read: {why}"),
            None if facts.failures() == 1 => "1 fact could not be known, and is recorded so".to_owned(),
            None => format!("{} facts could not be known, and are recorded so", facts.failures()),
        };
        say(&format!("{}: {what}", note.target), "");
    }
    let images = recorded.len();
    let (notes, facts): (Vec<ImageNote>, Vec<Facts>) =
        recorded.into_iter().map(|image| (image.note, image.facts)).unzip();
    let file = match snapshot::encode(engine.header(notes), shelf, &facts) {
        Ok(file) => file,
        Err(error) => {
            say(&error.to_string(), "take several snapshots, each of fewer images");
            return ExitStatus::Unknown;
        }
    };
    if let Err(error) = output::file::write(&command.output, |out| out.write_all(&file)) {
        return unwritten("snapshot", Some(&command.output), &error);
    }
    if !command.display.quiet {
        let count = if images == 1 { "1 image".to_owned() } else { format!("{images} images") };
        say(&format!("wrote {}: {count}, {} bytes", command.output.display(), file.len()), "");
    }
    status
}
