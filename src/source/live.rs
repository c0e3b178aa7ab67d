//! A target that is read where it is, and that leads to other images.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Part, Reading, Resolved, Served, Source, Sources};
use crate::graph::{Fetched, ReferrerList};
use crate::oci::Digest;
use crate::target::Target;

/// A source with the way to other images, which goes over the connections of the run.
pub(super) struct Live {
    pub(super) source: Arc<dyn Source>,
    pub(super) sources: Sources,
    pub(super) deadline: Instant,
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
        Box::pin(self.sources.open(target, self.deadline))
    }

    fn fetched(&self) -> Fetched {
        self.source.fetched()
    }
}
