//! The only I/O: where images are read from, and the walk that fetches what rules demand.

pub mod archive;
pub mod layout;
mod live;
mod observe;
pub mod registry;
pub mod snapshot;
mod walk;

pub use observe::{Event, Observer, Silent};
pub use walk::{Budget, Walk};

use registry::{RegistryOptions, RegistrySource, RegistryWarning, Transport};

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::graph::{Cause, Fetched, Known, ReferrerList, Why};
use crate::oci::{Digest, MediaType};
use crate::target::{Target, TargetKind};

use self::archive::ArchiveKind;
use self::layout::Layout;
use self::live::Live;
use self::snapshot::Snapshots;

/// Reading something that may not be knowable.
pub type Reading<'a, T> = BoxFuture<'a, Known<T>>;

/// Somewhere one image (one repository, one layout, one archive) can be read from.
///
/// Everything that is read by digest has been hashed and agrees with it; everything is bounded in size and time. An
/// implementation does no judging: it says what is there, that something is not there, or why it could not be known.
pub trait Source: Send + Sync {
    /// What the target points to; never "not there": that is [`Cause::NotFound`](crate::graph::Cause::NotFound) here.
    fn resolve(&self) -> Reading<'_, Resolved>;

    /// What a tag of the same repository points to. `None` needs proof: a 404, or an index that does not name it.
    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>>;

    /// The bytes of a manifest or index (at most 4 MiB).
    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes>;

    /// A blob, or the start of one.
    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes>;

    /// What refers to a manifest, as listed. An empty list needs proof: a 200, or a 404 of the fallback tag.
    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList>;

    /// The tags of the repository, sorted.
    fn tags(&self) -> Reading<'_, Vec<String>>;

    /// Another image: a base, an earlier release. A snapshot and a case of a test answer for other images themselves.
    fn elsewhere<'a>(&'a self, target: &'a Target) -> Reading<'a, Arc<dyn Source>> {
        let known = Err(Why::new(format!("looking for {target}"), Cause::NotInSnapshot));
        Box::pin(std::future::ready(known))
    }

    /// What has been fetched over the network through this source so far.
    fn fetched(&self) -> Fetched {
        Fetched::default()
    }
}

/// Opens targets: the connections and credentials of a run, which all clones share.
#[derive(Clone)]
pub struct Sources {
    transport: Arc<Transport>,
    snapshots: Arc<Snapshots>,
    /// Those that others are compared with. They have room of their own: whoever holds some of the one must not wait for more of it.
    other_snapshots: Arc<Snapshots>,
}

impl Sources {
    /// Sources that share one way to registries; nothing is opened yet.
    pub fn new(options: RegistryOptions, observer: Arc<dyn Observer>) -> Self {
        let transport = Arc::new(Transport::new(options, observer));
        Self { transport, snapshots: Arc::default(), other_snapshots: Arc::default() }
    }

    /// What registries have wanted people to know so far, sorted.
    pub fn warnings(&self) -> Vec<RegistryWarning> {
        let mut warnings = self.snapshots.warnings();
        warnings.extend(self.transport.warnings());
        warnings.into_iter().collect()
    }

    /// The source that a target is read from. Nothing is fetched yet from a registry; an archive or snapshot is read through
    /// once.
    pub async fn open(&self, target: &Target, deadline: Instant) -> Known<Arc<dyn Source>> {
        let is_recorded = target.recorded.is_some() || matches!(target.kind, TargetKind::Snapshot { .. });
        let opening = if is_recorded { self.snapshots.open(target) } else { self.open_live(target, deadline) };
        let in_time = timeout_at(deadline, opening).await;
        let source = in_time.unwrap_or_else(|_| Err(Why::new(format!("opening {target}"), Cause::Deadline)))?;
        let sources = Self { snapshots: Arc::clone(&self.other_snapshots), ..self.clone() };
        Ok(Arc::new(Live { source, sources, deadline, is_recorded }))
    }

    fn open_live<'a>(&'a self, target: &'a Target, deadline: Instant) -> Reading<'a, Arc<dyn Source>> {
        match &target.kind {
            TargetKind::Snapshot { .. } => self.snapshots.open(target),
            TargetKind::Registry(reference) => {
                let source = RegistrySource::new(Arc::clone(&self.transport), reference.clone());
                Box::pin(std::future::ready(Ok(Arc::new(source.with_deadline(deadline.into_std())) as Arc<dyn Source>)))
            }
            TargetKind::Layout { path, select } => {
                Box::pin(async move { Ok(Arc::new(Layout::open(path, select).await?) as Arc<dyn Source>) })
            }
            TargetKind::OciArchive { path, select } => Box::pin(archive::open(path, select, ArchiveKind::Oci)),
            TargetKind::DockerArchive { path, select } => Box::pin(archive::open(path, select, ArchiveKind::Docker)),
        }
    }
}

/// How much of a blob is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// All of it, hashed; at most `cap` bytes.
    Whole {
        /// The limit in bytes.
        cap: u64,
    },
    /// The first `length` bytes by a range request, unhashed; fewer when the blob is shorter.
    Start {
        /// How many bytes.
        length: u64,
        /// The size of the blob that its descriptor gives, in bytes; 0 if it does not.
        size: u64,
    },
}

/// A manifest as it was served under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The raw bytes.
    pub bytes: Bytes,
    /// Their digest, recomputed; equal to the one asked for if one was.
    pub digest: Digest,
    /// The `Content-Type`, or what a layout's descriptor says.
    pub media_type: Option<MediaType>,
}

/// What a target points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A manifest or index.
    Manifest(Served),
    /// The config in a classic `docker save` archive, which holds no manifest.
    SavedConfig(Served),
}

/// Runs what blocks (reading files, unpacking) away from the threads that drive requests.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Known<T> + Send + 'static) -> Known<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(known) => known,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Why::new("reading files", Cause::Cancelled)),
        },
    }
}
