//! Registries, by the OCI distribution specification: bounded, hashed, repeated where that may help, and careful about who
//! sees a secret.

mod answer;
mod auth;
mod blobs;
mod challenge;
mod clients;
mod credentials;
mod echo;
mod entrance;
mod hosts;
mod manifests;
mod options;
mod paging;
mod proxies;
mod realm;
mod referrers;
mod repository;
mod scope;
mod secret;
mod tags;
mod tls;
mod transport;
mod warnings;
mod wire;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

pub use credentials::{Credential, CredentialStore, Environment};
pub use options::{Pause, PlainHttp, RegistryOptions, Retry, Timeouts};
pub use secret::Secret;
pub use transport::Transport;
pub use warnings::RegistryWarning;

use self::manifests::Named;
use self::repository::Repository;
use self::transport::{Errand, Visit};
use super::{Part, Reading, Resolved, Served, Source};
use crate::graph::{Cause, Fetched, Known, ReferrerList, Why};
use crate::oci::{Digest, Reference};

/// One image in a registry.
pub struct RegistrySource {
    transport: Arc<Transport>,
    reference: Reference,
    repository: Result<Arc<Repository>, Cause>,
    errand: Errand,
}

impl RegistrySource {
    /// The image of a reference, read over a transport that all images of a run share.
    pub fn new(transport: Arc<Transport>, reference: Reference) -> Self {
        let repository = transport.repository(&reference);
        Self { transport, reference, repository, errand: Errand::default() }
    }

    /// Gives up at once where a pause would last beyond this moment. It does not cut requests short: whoever waits for
    /// them does that.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.errand.deadline = Some(deadline);
        self
    }

    /// Reads something, and says what was being done if it could not be known.
    async fn read<'a, T, F>(&'a self, doing: String, read: impl FnOnce(Visit<'a>) -> F) -> Known<T>
    where
        F: Future<Output = Result<T, Cause>>,
    {
        let outcome = match &self.repository {
            Ok(repository) => read(Visit { transport: &self.transport, repository, errand: &self.errand }).await,
            Err(cause) => Err(cause.clone()),
        };
        outcome.map_err(|cause| Why::new(format!("{doing} of {}", self.reference.name()), cause))
    }
}

impl Source for RegistrySource {
    fn resolve(&self) -> Reading<'_, Resolved> {
        let digest = self.reference.digest();
        let tag = self.reference.tag_or_latest();
        let doing = digest
            .map_or_else(|| format!("reading tag {tag}"), |digest| format!("reading manifest {}", digest.short()));
        Box::pin(self.read(doing, move |visit| async move {
            let served = match digest {
                Some(digest) => visit.served(Named::Digest(digest)).await,
                None => visit.root(tag).await,
            };
            served.map(Resolved::Manifest)
        }))
    }

    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>> {
        Box::pin(self.read(format!("reading tag {tag}"), move |visit| async move { visit.tagged(tag).await }))
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes> {
        let doing = format!("reading manifest {}", digest.short());
        Box::pin(
            self.read(doing, move |visit| async move { visit.served(Named::Digest(digest)).await.map(|it| it.bytes) }),
        )
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        let doing = format!("reading blob {}", digest.short());
        Box::pin(self.read(doing, move |visit| async move { visit.blob(digest, part).await }))
    }

    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList> {
        let doing = format!("listing what refers to {}", subject.short());
        Box::pin(self.read(doing, move |visit| async move { visit.referrers(subject).await }))
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        Box::pin(self.read("listing the tags".into(), |visit| async move { visit.tags().await }))
    }

    fn fetched(&self) -> Fetched {
        self.errand.traffic.fetched()
    }
}
