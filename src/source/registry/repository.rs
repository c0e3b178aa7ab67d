//! One repository of one registry: its addresses, what opens it, and what was learnt about it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;

use super::options::PlainHttp;
use super::realm::authority;
use super::referrers::Api;
use super::scope::Scope;
use super::wire::origin;
use crate::graph::Cause;
use crate::oci::Reference;

/// What a run knows about a repository; all images of it share this.
pub(super) struct Repository {
    /// The host that is asked, without the port.
    pub(super) host: String,
    /// What opens it.
    pub(super) scope: Arc<Scope>,
    /// Whether there is a referrers API.
    pub(super) referrers: Api,
    base: Url,
    readable: AtomicBool,
    foreign: Mutex<HashMap<String, Arc<Scope>>>,
}

impl Repository {
    /// A repository of which nothing is known yet.
    ///
    /// # Errors
    /// Not every host that the grammar of references allows can stand in a URL (`foo.1`, say).
    pub(super) fn new(reference: &Reference, plain_http: &PlainHttp) -> Result<Self, Cause> {
        let registry = reference.host_for_requests();
        let url = |scheme: &str| {
            let text = format!("{scheme}://{registry}/v2/{}/", reference.repository());
            Url::parse(&text)
                .map_err(|error| Cause::Unreachable { detail: format!("'{registry}' is no host: {error}") })
        };
        let plain = url("http")?;
        let base = if plain_http.allows(&plain) { plain } else { url("https")? };
        Ok(Self {
            host: base.host_str().unwrap_or_default().to_owned(),
            scope: Arc::new(Scope::new(reference.registry(), reference.repository(), base.clone(), true)),
            referrers: Api::default(),
            base,
            readable: AtomicBool::new(false),
            foreign: Mutex::default(),
        })
    }

    /// The URL of something in the repository. `path` is built from literals, digests and tags alone.
    pub(super) fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("invariant: digests and tags may stand in a URL as they are")
    }

    /// Takes note that a manifest has been read.
    pub(super) fn was_read(&self) {
        self.readable.store(true, Ordering::Relaxed);
    }

    /// Whether a manifest has been read, so that the repository is there and open to whoever asks.
    pub(super) fn is_readable(&self) -> bool {
        self.readable.load(Ordering::Relaxed)
    }

    /// What opens that which a redirect leads to, for whoever comes from this repository.
    pub(super) fn foreign(&self, url: &Url) -> Arc<Scope> {
        let mut foreign = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Scope::new(&authority(url), &self.scope.repository, url.clone(), false));
        Arc::clone(foreign.entry(origin(url)).or_insert_with(new))
    }
}
