//! What refers to a manifest: from the referrers API, else from the fallback tag (distribution-spec, "Listing Referrers").

use bytes::Bytes;
use http::StatusCode;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::answer::Answer;
use super::manifests::{MANIFEST, Named};
use super::paging::Pages;
use super::transport::{Call, Visit};
use super::wire::Take;
use crate::graph::{Cause, Home, ReferrerList, Why};
use crate::oci::{Descriptor, Digest, Document, Manifest, known};
use crate::source::Served;

/// The most referrers of one manifest that are listed.
const DESCRIPTORS: usize = 1_000;

/// Whether a repository has a referrers API: the first list that is asked for shows it, and others wait for that.
#[derive(Default)]
pub(super) struct Api {
    probe: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unasked,
    /// Asked, without an answer that says either: everybody asks again.
    Undecided,
    Present,
    Absent,
}

/// What the referrers API answers.
enum Listing {
    /// A list.
    List(Vec<Descriptor>),
    /// That there is no such API.
    NoApi,
    /// Something that no registry would say, with status 200: a web page, nothing at all.
    Unclear(Cause),
}

impl Api {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_unasked(&self) -> bool {
        *self.state() == State::Unasked
    }

    /// Keeps what an answer shows; that there is an API is never unlearnt.
    fn learn(&self, state: State) {
        let mut known = self.state();
        if *known != State::Present {
            *known = state;
        }
    }
}

impl Visit<'_> {
    /// What refers to `subject`.
    pub(super) async fn referrers(&self, subject: &Digest) -> Result<ReferrerList, Cause> {
        let api = &self.repository.referrers;
        let mut probe = None;
        if api.is_unasked() {
            probe = Some(api.probe.lock().await).filter(|_| api.is_unasked());
        }
        let mut doubt = None;
        if *api.state() != State::Absent {
            let listed = self.listed(subject).await;
            api.learn(match &listed {
                Ok(Listing::List(_)) => State::Present,
                Ok(Listing::NoApi) => State::Absent,
                Ok(Listing::Unclear(_)) | Err(_) => State::Undecided,
            });
            match listed? {
                Listing::List(descriptors) => return Ok(ReferrerList::new(descriptors, Home::Api)),
                Listing::NoApi => {}
                Listing::Unclear(cause) => doubt = Some(cause),
            }
        }
        drop(probe);
        let descriptors = self.fallback(subject).await?;
        match doubt {
            // Whoever stands in between may keep a list from us: an empty one proves nothing then, and another may not be
            // all there is.
            Some(cause) if descriptors.is_empty() => Err(cause),
            doubt => {
                let why = |cause| Why::new(format!("listing what refers to {}", subject.short()), cause);
                Ok(ReferrerList { doubt: doubt.map(why), ..ReferrerList::new(descriptors, Home::FallbackTag) })
            }
        }
    }

    /// The list of the referrers API.
    async fn listed(&self, subject: &Digest) -> Result<Listing, Cause> {
        let mut url = self.repository.url(&format!("referrers/{subject}"));
        let (mut pages, mut names, mut descriptors) = (Pages::new(), HashSet::new(), Vec::new());
        loop {
            let take = Take::Whole { cap: MANIFEST };
            let call = Call { url: url.clone(), accept: Some(known::OCI_INDEX), range: None, take };
            let answer = self.get(&call).await?;
            let page = match page(&answer)? {
                Listing::List(page) => page,
                other if descriptors.is_empty() => return Ok(other),
                _ => return Err(Cause::Paging { detail: "a later page is no list".into() }),
            };
            let before = names.len();
            names.extend(page.iter().map(|descriptor| format!("{:?}", descriptor.digest)));
            let grew = names.len() > before;
            descriptors.extend(page);
            if descriptors.len() > DESCRIPTORS {
                return Err(Cause::Budget { what: format!("{DESCRIPTORS} referrers of one manifest") });
            }
            match pages.next(&url, &answer, grew)? {
                Some(next) => url = next,
                None => return Ok(Listing::List(descriptors)),
            }
        }
    }

    /// The list under the fallback tag; empty if there is no such tag.
    async fn fallback(&self, subject: &Digest) -> Result<Vec<Descriptor>, Cause> {
        let tag = subject.fallback_tag();
        let Some(served) = self.tagged(&tag).await? else { return Ok(Vec::new()) };
        if served.digest == *subject || subject.matches(&served.bytes) {
            // GitLab takes `sha256-<hex>` for `sha256:<hex>`: the children of an index would look like its referrers.
            let detail = "the registry has no referrers API, and answers the fallback tag with the manifest itself";
            return Err(Cause::Undecidable { detail: detail.into() });
        }
        let Some(descriptors) = index(served.bytes)? else {
            return Err(Cause::NotTheDocument { detail: format!("the tag {tag} is no index") });
        };
        if descriptors.len() > DESCRIPTORS {
            return Err(Cause::Budget { what: format!("{DESCRIPTORS} referrers of one manifest") });
        }
        Ok(descriptors)
    }

    /// What a tag points to; `None` if there is no such tag. Registries also say 404 to those who may not read: it counts
    /// only after a manifest of the repository was read.
    pub(super) async fn tagged(&self, tag: &str) -> Result<Option<Served>, Cause> {
        match self.served(Named::Tag(tag)).await {
            Err(Cause::NotFound { .. }) if self.repository.is_readable() => Ok(None),
            other => other.map(Some),
        }
    }
}

/// The descriptors on a page, or what the answer shows in place of them.
fn page(answer: &Answer) -> Result<Listing, Cause> {
    match answer.status {
        StatusCode::OK => match index(answer.body.clone())? {
            Some(descriptors) => Ok(Listing::List(descriptors)),
            // Whoever says that it is a list has the API; this one was damaged on the way.
            None if answer.media_type().is_some_and(|media_type| media_type.is_index()) => {
                Err(answer.not_the_document())
            }
            // A web page may come from the registry or from a proxy before it.
            None if answer.is_no_json_object() => Ok(Listing::Unclear(answer.not_the_document())),
            None => Ok(Listing::NoApi),
        },
        // 303: GitHub's registry sends people to its web site. 400: Quay, 406: Artifactory.
        StatusCode::NOT_FOUND
        | StatusCode::BAD_REQUEST
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_ACCEPTABLE
        | StatusCode::SEE_OTHER => Ok(Listing::NoApi),
        _ => Err(answer.cause()),
    }
}

/// The entries of an index; `None` if the bytes are no index.
fn index(bytes: Bytes) -> Result<Option<Vec<Descriptor>>, Cause> {
    let Ok(document) = Document::<Manifest>::read(bytes) else { return Ok(None) };
    match document.unambiguous() {
        Ok(Manifest::Index(index)) => Ok(Some(index.manifests.clone())),
        Ok(_) => Ok(None),
        Err(ambiguities) => {
            Err(Cause::Ambiguous { detail: ambiguities.first().map(ToString::to_string).unwrap_or_default() })
        }
    }
}
