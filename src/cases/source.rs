//! Where the images of cases are read from: a store in memory, with failures where the case wants them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::build::{Asked, Built, Store, StoredManifest};
use super::elsewhere::Elsewhere;
use crate::graph::{Cause, Home, Known, ReferrerList, Why};
use crate::oci::{Descriptor, Digest, Document, Manifest, MediaType, Reference};
use crate::source::{Part, Reading, Resolved, Served, Source};
use crate::target::Target;

/// A built image as something to read from.
#[derive(Debug)]
pub struct StoreSource {
    built: Built,
    name: Option<Reference>,
    elsewhere: Arc<Elsewhere>,
}

/// Any source, with failures where they are scripted, and a record of what was asked.
pub struct Scripted {
    inner: Arc<dyn Source>,
    failures: BTreeMap<Asked, Cause>,
    asked: Mutex<Vec<Asked>>,
}

/// The failure of that name, as policies' authors meet it: `forbidden`, `not-found`, `rate-limited` …
pub fn cause(name: &str) -> Option<Cause> {
    let detail = || "as the case says".to_owned();
    let cause = match name {
        "unreachable" => Cause::Unreachable { detail: detail() },
        "timeout" => Cause::Timeout { seconds: 30 },
        "deadline" => Cause::Deadline,
        "unauthorized" => Cause::Unauthorized { detail: detail() },
        "forbidden" => Cause::Forbidden { detail: detail() },
        "not-found" => Cause::NotFound { detail: detail() },
        "rate-limited" => Cause::RateLimited,
        "server-error" => Cause::Status { code: 503, detail: detail() },
        "login-page" => Cause::NotTheDocument { detail: "text/html".to_owned() },
        "truncated" => Cause::Truncated { got: 9 },
        "too-large" => Cause::TooLarge { cap: 4 << 20 },
        "digest-mismatch" => Cause::DigestMismatch { wanted: detail(), got: Digest::sha256(b"").to_string() },
        _ => return None,
    };
    Some(cause)
}

/// The names that [`cause`] knows, for messages.
pub const CAUSES: &str = "unreachable, timeout, deadline, unauthorized, forbidden, not-found, rate-limited, server-error, \
                          login-page, truncated, too-large, digest-mismatch";

impl Scripted {
    /// The source with these failures.
    pub fn new(inner: Arc<dyn Source>, failures: BTreeMap<Asked, Cause>) -> Self {
        Self { inner, failures, asked: Mutex::default() }
    }

    /// Everything that was asked so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the question; the answer, if it is scripted.
    fn ask<T: Send + 'static>(&self, asked: Asked) -> Option<Reading<'_, T>> {
        let failure = self.failures.get(&asked).map(|cause| Err(Why::new(doing(&asked), cause.clone())));
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        failure.map(|failure| answer(failure))
    }
}

impl Source for Scripted {
    fn resolve(&self) -> Reading<'_, Resolved> {
        self.ask(Asked::Target).unwrap_or_else(|| self.inner.resolve())
    }

    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>> {
        self.ask(Asked::Tag(tag.to_owned())).unwrap_or_else(|| self.inner.tag(tag))
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes> {
        self.ask(Asked::Document(digest.clone())).unwrap_or_else(|| self.inner.manifest(digest))
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        self.ask(Asked::Document(digest.clone())).unwrap_or_else(|| self.inner.blob(digest, part))
    }

    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList> {
        self.ask(Asked::Referrers(subject.clone())).unwrap_or_else(|| self.inner.referrers(subject))
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        self.ask(Asked::Tags).unwrap_or_else(|| self.inner.tags())
    }

    fn elsewhere<'a>(&'a self, target: &'a Target) -> Reading<'a, Arc<dyn Source>> {
        self.ask(Elsewhere::asked(target)).unwrap_or_else(|| self.inner.elsewhere(target))
    }
}

fn answer<'a, T: Send + 'a>(known: Known<T>) -> Reading<'a, T> {
    Box::pin(ready(known))
}

fn doing(asked: &Asked) -> String {
    match asked {
        Asked::Target => "resolving the target".to_owned(),
        Asked::Document(digest) => format!("reading {}", digest.short()),
        Asked::Referrers(digest) => format!("listing what refers to {}", digest.short()),
        Asked::Tag(tag) => format!("reading tag {tag}"),
        Asked::Tags => "listing the tags".to_owned(),
        Asked::Elsewhere(image) => format!("reading {image}"),
    }
}

impl StoreSource {
    /// Reads from this image, which is called `name`, and from other images.
    pub(super) fn new(built: Built, name: Option<Reference>, elsewhere: Arc<Elsewhere>) -> Self {
        Self { built, name, elsewhere }
    }

    /// Reads from this image, and knows of no other.
    pub fn alone(built: Built) -> Self {
        Self::new(built, None, Arc::default())
    }

    fn missing(asked: &Asked) -> Why {
        Why::new(doing(asked), Cause::NotFound { detail: String::new() })
    }

    fn root(&self) -> Known<Resolved> {
        let bytes = self.built.store.bytes(&self.built.root).ok_or_else(|| Self::missing(&Asked::Target))?.clone();
        let media_type = MediaType::from_content_type(&self.built.served_as);
        let served = Served { bytes, digest: self.built.root.clone(), media_type: Some(media_type) };
        Ok(if self.built.saved { Resolved::SavedConfig(served) } else { Resolved::Manifest(served) })
    }

    fn served(&self, digest: &Digest) -> Option<Served> {
        served(&self.built.store, digest)
    }

    /// The listed referrers: by the API, or of the index under the fallback tag.
    fn listed(&self, subject: &Digest) -> ReferrerList {
        let store = &self.built.store;
        if store.without_api {
            let tagged = store.tags.get(&subject.fallback_tag()).and_then(|digest| store.manifests.get(digest));
            let descriptors = tagged.map(|manifest| descriptors(manifest.bytes.clone())).unwrap_or_default();
            return ReferrerList::new(descriptors, Home::FallbackTag);
        }
        let listed = store.referrers.get(subject).cloned().unwrap_or_default();
        let index = super::build::Tree::object().with("schemaVersion", 2_u64).with("manifests", listed);
        ReferrerList::new(descriptors(index.to_bytes().into()), Home::Api)
    }
}

/// A manifest as a registry serves it.
fn served(store: &Store, digest: &Digest) -> Option<Served> {
    let StoredManifest { bytes, media_type } = store.manifests.get(digest)?;
    let media_type = Some(MediaType::from_content_type(media_type));
    Some(Served { bytes: bytes.clone(), digest: digest.clone(), media_type })
}

/// The descriptors of an index.
fn descriptors(index: Bytes) -> Vec<Descriptor> {
    let document: Option<Document<Manifest>> = Document::read(index).ok();
    match document.map(|document| document.value().clone()) {
        Some(Manifest::Index(index)) => index.manifests,
        _ => Vec::new(),
    }
}

impl Source for StoreSource {
    fn resolve(&self) -> Reading<'_, Resolved> {
        answer(self.root())
    }

    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>> {
        if let Some(digest) = self.built.store.tags.get(tag) {
            return answer(self.served(digest).map(Some).ok_or_else(|| Self::missing(&Asked::Tag(tag.to_owned()))));
        }
        let other = self.elsewhere.tags(self.name.as_ref()).find(|(known, _)| *known == tag);
        answer(Ok(other.and_then(|(_, built)| served(&built.store, &built.root))))
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes> {
        let found = self.built.store.manifests.get(digest).map(|manifest| manifest.bytes.clone());
        answer(found.ok_or_else(|| Self::missing(&Asked::Document(digest.clone()))))
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        let missing = || Self::missing(&Asked::Document(digest.clone()));
        let read = self.built.store.blobs.get(digest).cloned().ok_or_else(missing);
        answer(read.and_then(|bytes| match part {
            Part::Whole { cap } if bytes.len() as u64 > cap => {
                Err(Why::new(doing(&Asked::Document(digest.clone())), Cause::TooLarge { cap }))
            }
            Part::Whole { .. } => Ok(bytes),
            Part::Start { length, .. } => {
                Ok(bytes.slice(..bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX))))
            }
        }))
    }

    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList> {
        answer(Ok(self.listed(subject)))
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        let own = self.built.store.tags.keys().cloned();
        let others = self.elsewhere.tags(self.name.as_ref()).map(|(tag, _)| tag.to_owned());
        answer(Ok(own.chain(others).collect::<BTreeSet<_>>().into_iter().collect()))
    }

    fn elsewhere<'a>(&'a self, target: &'a Target) -> Reading<'a, Arc<dyn Source>> {
        answer(self.elsewhere.open(target))
    }
}
