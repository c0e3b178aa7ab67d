//! A target that leads to other images.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Part, Reading, Resolved, Served, Source, Sources};
use crate::graph::{Cause, Fetched, ReferrerList, Why};
use crate::oci::Digest;
use crate::target::Target;

/// A source with the way to other images, which goes over the connections of the run.
pub(super) struct Live {
    pub(super) source: Arc<dyn Source>,
    pub(super) sources: Sources,
    pub(super) deadline: Instant,
    /// Whether a snapshot is replayed: it answers for other images itself, but for files and directories that it does not know.
    pub(super) is_recorded: bool,
}

impl Source for Live {
    fn resolve(&self) -> Reading<'_, Resolved> {
        self.source.resolve()
    }

    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>> {
        self.source.tag(tag)
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes> {
        self.source.manifest(digest)
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        self.source.blob(digest, part)
    }

    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList> {
        self.source.referrers(subject)
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        self.source.tags()
    }

    fn elsewhere<'a>(&'a self, target: &'a Target) -> Reading<'a, Arc<dyn Source>> {
        Box::pin(async move {
            if self.is_recorded {
                match self.source.elsewhere(target).await {
                    Err(Why { cause: Cause::NotInSnapshot, .. }) if target.is_local() => {}
                    known => return known,
                }
            }
            self.sources.open(target, self.deadline).await
        })
    }

    fn fetched(&self) -> Fetched {
        self.source.fetched()
    }
}
