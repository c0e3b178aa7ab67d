//! Replaying: a source that answers from a snapshot.

use std::collections::BTreeSet;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::facts::{Contents, Facts};
use super::file::{self, Loaded, MAX_BODY};
use super::header::{self, Header};
use super::refused;
use crate::graph::{Cause, Fetched, Known, ReferrerList, Why};
use crate::oci::Digest;
use crate::source::registry::RegistryWarning;
use crate::source::{Part, Reading, Resolved, Served, Source, off_thread};
use crate::target::{Recorded, Target, TargetKind};

/// Unpacked snapshots that are in memory at once, in mebibytes: one of the largest, or many small ones.
const ROOM: u32 = 128;
const _: () = assert!(MAX_BODY == (ROOM as u64) << 20, "the largest snapshot finds room");

/// How many different warnings are kept in one run.
const WARNINGS: usize = 20;

/// Opens the images of snapshots. A snapshot is read through once for all of its images that come one after another.
#[derive(Debug)]
pub struct Snapshots {
    latest: Mutex<Option<(PathBuf, Opening)>>,
    room: Arc<Semaphore>,
    warnings: Mutex<BTreeSet<RegistryWarning>>,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { latest: Mutex::default(), room: Arc::new(Semaphore::new(ROOM as usize)), warnings: Mutex::default() }
    }
}

/// A snapshot that is being read, or was.
type Opening = Arc<OnceCell<Known<Arc<Shared>>>>;

/// A snapshot in memory.
#[derive(Debug)]
struct Shared {
    loaded: Loaded,
    _room: OwnedSemaphorePermit,
}

impl Snapshots {
    /// The source that replays an image of a snapshot.
    pub(in crate::source) fn open<'a>(&'a self, target: &'a Target) -> Reading<'a, Arc<dyn Source>> {
        let (path, image) = match (&target.recorded, &target.kind) {
            (Some(Recorded { path, image }), _) => (path, Some(*image)),
            (None, TargetKind::Snapshot { path }) => (path, None),
            (None, _) => unreachable!("invariant: only recorded targets are opened here"),
        };
        Box::pin(async move {
            let shared = self.loaded(path).await?;
            let image = chosen(&shared.loaded, image, target).map_err(|detail| refused(path, detail))?;
            match &shared.loaded.images[image].unopened {
                Some(why) => Err(why.clone()),
                None => Ok(Arc::new(Replay { shared, image, within: Vec::new() }) as Arc<dyn Source>),
            }
        })
    }

    async fn loaded(&self, path: &Path) -> Known<Arc<Shared>> {
        let cell = self.cell(path);
        let load = || async {
            // The room is taken before the content is unpacked, and waited for in the order asked: whoever holds some needs no
            // more of it, so nobody waits for ever.
            let of = path.to_owned();
            let header = off_thread(move || header::read(&of)).await?;
            let room = Arc::clone(&self.room).acquire_many_owned(room(&header)).await;
            let room = room.map_err(|_| Why::new(super::doing(path), Cause::Cancelled))?;
            let of = path.to_owned();
            let loaded = off_thread(move || file::load(&of, &header)).await?;
            self.warned(&loaded.header);
            Ok(Arc::new(Shared { loaded, _room: room }))
        };
        cell.get_or_init(load).await.clone()
    }

    /// What registries wanted people to know when the snapshots were taken that have been opened so far, sorted.
    pub(in crate::source) fn warnings(&self) -> BTreeSet<RegistryWarning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn warned(&self, header: &Header) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in &header.warnings {
            if warnings.len() < WARNINGS {
                warnings.insert(warning.clone());
            }
        }
    }

    /// The place for this file, which the images of it share that come one after another.
    fn cell(&self, path: &Path) -> Opening {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((same, cell)) if same == path => Arc::clone(cell),
            _ => {
                let cell = Opening::default();
                *latest = Some((path.to_owned(), Arc::clone(&cell)));
                cell
            }
        }
    }
}

/// What a snapshot takes of the room: its unpacked content, of which no second copy is made.
fn room(header: &Header) -> u32 {
    u32::try_from(header.body >> 20).map_or(ROOM, |room| room.saturating_add(1).min(ROOM))
}

/// Which image of a snapshot is meant: the one found there before, or the only one.
fn chosen(loaded: &Loaded, image: Option<usize>, target: &Target) -> Result<usize, String> {
    let notes = &loaded.header.images;
    match image {
        Some(image) if notes.get(image).is_some_and(|note| note.target == target.text) => Ok(image),
        Some(_) => Err("it changed while it was used".to_owned()),
        None if notes.len() == 1 => Ok(0),
        None => Err(format!("it holds {} images, and one is wanted", notes.len())),
    }
}

/// One image of a snapshot.
pub struct Replay {
    shared: Arc<Shared>,
    image: usize,
    /// The way to another image that was looked at for this one, by the texts of targets.
    within: Vec<String>,
}

impl Replay {
    fn facts(&self) -> &Facts {
        let image = &self.shared.loaded.images[self.image];
        self.within.iter().fold(image, |facts, target| &facts.others[target])
    }

    /// Another image that was looked at for this one.
    fn other(&self, target: &Target) -> Option<Known<Arc<dyn Source>>> {
        if let Some(why) = &self.facts().others.get(&target.text)?.unopened {
            return Some(Err(why.clone()));
        }
        let within = self.within.iter().chain([&target.text]).cloned().collect();
        Some(Ok(Arc::new(Self { shared: Arc::clone(&self.shared), image: self.image, within })))
    }

    fn contents(&self) -> &Contents {
        &self.shared.loaded.contents
    }
}

/// The recorded answer; what nobody asked for is not known.
fn answer<'a, T: Send + 'a>(known: Option<Known<T>>) -> Reading<'a, T> {
    Box::pin(ready(known.unwrap_or_else(|| Err(Why::new("", Cause::NotInSnapshot)))))
}

impl Source for Replay {
    fn resolve(&self) -> Reading<'_, Resolved> {
        answer(self.facts().resolve(self.contents()))
    }

    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>> {
        answer(self.facts().tag(tag, self.contents()))
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes> {
        answer(self.facts().manifest(digest, self.contents()))
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        let derived = || {
            let derived = self.facts().derived(digest, part, self.contents())?;
            Some(derived.map_err(|cause| Why::new(format!("reading blob {}", digest.short()), cause)))
        };
        answer(self.facts().blob(digest, part, self.contents()).or_else(derived))
    }

    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList> {
        answer(self.facts().referrers(subject))
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        answer(self.facts().tags.clone())
    }

    fn elsewhere<'a>(&'a self, target: &'a Target) -> Reading<'a, Arc<dyn Source>> {
        answer(self.other(target))
    }

    fn fetched(&self) -> Fetched {
        self.facts().fetched
    }
}
