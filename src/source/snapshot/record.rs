//! Recording: a source that notes what another one answers.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::facts::{Contents, Facts, Head};
use super::file::MAX_BODY;
use crate::graph::{Cause, Fetched, Known, ReferrerList, Why};
use crate::oci::Digest;
use crate::source::{Part, Reading, Resolved, Served, Source};
use crate::target::Target;

/// The bytes of all documents that recorders of one snapshot have seen, each once.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    contents: Contents,
    bytes: u64,
}

impl Shelf {
    /// How many bytes the documents have, up to a little more than a snapshot may hold.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    pub(super) fn contents(&self) -> Contents {
        self.lock().contents.clone()
    }

    /// Keeps a document, unless the snapshot has become too large already.
    fn put(&self, digest: &Digest, bytes: &Bytes) {
        let mut kept = self.lock();
        if kept.bytes <= MAX_BODY && !kept.contents.contains_key(digest) {
            kept.bytes = kept.bytes.saturating_add(bytes.len() as u64);
            kept.contents.insert(digest.clone(), bytes.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Any source, with a record of what it was asked and what it answered. What is asked twice is answered from the record: in a
/// snapshot every question has one answer.
pub struct Recorder {
    inner: Arc<dyn Source>,
    shelf: Arc<Shelf>,
    facts: Mutex<Facts>,
    others: Mutex<BTreeMap<String, Known<Arc<Recorder>>>>,
}

impl Recorder {
    /// Records what `inner` answers; bytes go to `shelf`.
    pub fn new(inner: Arc<dyn Source>, shelf: Arc<Shelf>) -> Self {
        Self { inner, shelf, facts: Mutex::default(), others: Mutex::default() }
    }

    /// Everything asked so far. `fetched` is what judging the image took.
    pub fn facts(&self, fetched: Fetched) -> Facts {
        let of = |other: &Known<Arc<Self>>| match other {
            Ok(recorder) => recorder.facts(Fetched::default()),
            Err(why) => Facts::unopened(why.clone()),
        };
        let others = self.others().iter().map(|(target, other)| (target.clone(), of(other))).collect();
        Facts { others, fetched, ..self.lock().clone() }
    }

    fn others(&self) -> MutexGuard<'_, BTreeMap<String, Known<Arc<Recorder>>>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of another image, begun when it is first looked for.
    async fn other(&self, target: &Target) -> Known<Arc<Recorder>> {
        if let Some(known) = self.others().get(&target.text) {
            return known.clone();
        }
        self.others().insert(target.text.clone(), Err(cut_short()));
        let opened = self.inner.elsewhere(target).await;
        let known = opened.map(|source| Arc::new(Self::new(source, Arc::clone(&self.shelf))));
        self.others().insert(target.text.clone(), known.clone());
        known
    }

    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers from the record, else asks and notes the answer. Whoever asks may stop waiting: until the answer is there, the
    /// record says that time ran out.
    fn noted<'a, T: Clone + Send + 'a>(
        &'a self,
        found: impl FnOnce(&Facts, &Contents) -> Option<Known<T>>,
        ask: impl FnOnce(&'a dyn Source) -> Reading<'a, T>,
        note: impl Fn(&mut Facts, &Shelf, Known<&T>) + Send + 'a,
    ) -> Reading<'a, T> {
        let mut facts = self.lock();
        if let Some(known) = found(&facts, &self.shelf.lock().contents) {
            return Box::pin(ready(known));
        }
        note(&mut facts, &self.shelf, Err(cut_short()));
        drop(facts);
        let reading = ask(&*self.inner);
        Box::pin(async move {
            let known = reading.await;
            note(&mut self.lock(), &self.shelf, known.as_ref().map_err(Why::clone));
            known
        })
    }
}

/// Nobody waited for the answer. What was being done is for whoever asks again to say.
fn cut_short() -> Why {
    Why::new("", Cause::Deadline)
}

impl Source for Recorder {
    fn resolve(&self) -> Reading<'_, Resolved> {
        self.noted(
            Facts::resolve,
            |source| source.resolve(),
            |facts, shelf, known| {
                if let Ok(Resolved::Manifest(served) | Resolved::SavedConfig(served)) = known {
                    shelf.put(&served.digest, &served.bytes);
                }
                facts.resolved = Some(known.map(Into::into));
            },
        )
    }

    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>> {
        self.noted(
            |facts, contents| facts.tag(tag, contents),
            |source| source.tag(tag),
            |facts, shelf, known| {
                if let Ok(Some(served)) = known {
                    shelf.put(&served.digest, &served.bytes);
                }
                facts.tagged.insert(tag.to_owned(), known.map(|served| served.as_ref().map(Into::into)));
            },
        )
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes> {
        self.noted(
            |facts, contents| facts.manifest(digest, contents),
            |source| source.manifest(digest),
            |facts, shelf, known| {
                let known = known.map(|bytes| shelf.put(digest, bytes));
                facts.manifests.insert(digest.clone(), known);
            },
        )
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        self.noted(
            |facts, contents| facts.blob(digest, part, contents),
            |source| source.blob(digest, part),
            move |facts, shelf, known| {
                let known = known.map(|bytes| match part {
                    Part::Start { .. } => Some(Head(bytes.clone())),
                    Part::Whole { .. } => {
                        shelf.put(digest, bytes);
                        None
                    }
                });
                facts.blobs.insert((digest.clone(), part), known);
            },
        )
    }

    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList> {
        self.noted(
            |facts, _| facts.referrers(subject),
            |source| source.referrers(subject),
            |facts, _, known| {
                facts.referrers.insert(subject.clone(), known.map(Into::into));
            },
        )
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        self.noted(
            |facts, _| facts.tags.clone(),
            |source| source.tags(),
            |facts, _, known| facts.tags = Some(known.cloned()),
        )
    }

    fn elsewhere<'a>(&'a self, target: &'a Target) -> Reading<'a, Arc<dyn Source>> {
        Box::pin(async move { Ok(self.other(target).await? as Arc<dyn Source>) })
    }

    fn fetched(&self) -> Fetched {
        self.inner.fetched()
    }
}
