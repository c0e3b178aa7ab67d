//! What the user named, snapshots opened up into the images in them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ocilint::Target;
use ocilint::engine;
use ocilint::oci::Reference;
use ocilint::report::{ExitStatus, ImageReport, ReferencePolicy, TargetFailure};
use ocilint::source::snapshot::{self, ImageNote, PolicyNote};
use ocilint::target::TargetKind;

use super::usage;

/// A target, or why its text names none or its snapshot cannot be used; the others are judged all the same.
pub(super) type Named = Result<Target, Box<ImageReport>>;

/// The targets of a run, in the order named.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) named: Vec<Named>,
    /// Of each target what the snapshot that holds it says of how it was judged then.
    pub(super) notes: Vec<Option<ImageNote>>,
    /// The clock of a run that reads snapshots only: when the latest of them was taken.
    pub(super) taken_at: Option<Timestamp>,
    /// Whether every target is a snapshot.
    pub(super) only_snapshots: bool,
    /// The policy files that the snapshots were taken with.
    pub(super) policies: BTreeSet<ReferencePolicy>,
}

impl Targets {
    /// Reads the texts. `name` is for the one layout or archive among them (`--as`).
    pub(super) fn read(texts: &[String], name: Option<&Reference>) -> Result<Self, ExitStatus> {
        let mut targets = Self { only_snapshots: true, ..Self::default() };
        for text in texts {
            match Target::parse(text) {
                Ok(Target { kind: TargetKind::Snapshot { path }, .. }) => targets.open(&path),
                Ok(target) => {
                    targets.only_snapshots = false;
                    targets.push(Ok(target), None);
                }
                Err(error) => {
                    targets.only_snapshots = false;
                    targets.push(Err(Box::new(engine::not_a_target(text, &error))), None);
                }
            }
        }
        targets.taken_at = targets.taken_at.filter(|_| targets.only_snapshots);
        match name {
            Some(name) => targets.with_name(name),
            None => Ok(targets),
        }
    }

    fn push(&mut self, named: Named, note: Option<ImageNote>) {
        self.named.push(named);
        self.notes.push(note);
    }

    fn open(&mut self, path: &std::path::Path) {
        for image in snapshot::images(path) {
            match image {
                Ok(image) => {
                    self.taken_at = self.taken_at.max(Some(image.taken_at));
                    self.policies.extend(image.policies.iter().map(reference_policy));
                    self.push(Ok(image.target), Some(image.note));
                }
                Err((path, why)) => {
                    let text = format!("snapshot:{}", path.display());
                    let target = Target { text, kind: TargetKind::Snapshot { path }, name: None, recorded: None };
                    self.push(Err(Box::new(engine::failed(&target, TargetFailure::Unread(why)))), None);
                }
            }
        }
    }

    fn with_name(mut self, name: &Reference) -> Result<Self, ExitStatus> {
        let mut local: Vec<&mut Target> = self.named.iter_mut().flatten().filter(|target| target.is_local()).collect();
        let [target] = &mut local[..] else {
            return Err(usage(
                "`--as` names one layout or archive, and there is not exactly one",
                "check them in runs of their own",
            ));
        };
        target.name = Some(name.clone());
        Ok(self)
    }
}

fn reference_policy(note: &PolicyNote) -> ReferencePolicy {
    ReferencePolicy { source: note.source.clone(), sha256: note.sha256.clone() }
}
