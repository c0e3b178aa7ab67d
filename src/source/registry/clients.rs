//! The HTTP clients of a run: built when first needed, kept to the end, so that connections are shared.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url, redirect};
use rustls::ClientConfig;
use tokio::sync::OnceCell;

use super::options::is_loopback;
use super::tls;
use crate::graph::{Cause, Why};
use crate::source::off_thread;

/// What the program calls itself.
const USER_AGENT: &str = concat!("ocilint/", env!("CARGO_PKG_VERSION"));

/// One client for each way of connecting. Only the encrypted ones touch the trust store, and what runs on this machine is
/// never asked for through a proxy.
pub(super) struct Clients {
    ca_file: Option<PathBuf>,
    connect_timeout: Duration,
    built: [OnceCell<Result<Client, Cause>>; 4],
}

impl Clients {
    pub(super) fn new(ca_file: Option<PathBuf>, connect_timeout: Duration) -> Self {
        Self { ca_file, connect_timeout, built: Default::default() }
    }

    /// The client for this URL. Whoever has to wait for it waits for files, which may be pipes, and can be interrupted.
    pub(super) async fn get(&self, url: &Url) -> Result<&Client, Cause> {
        let encrypted = url.scheme() == "https";
        let direct = is_loopback(url);
        let slot = &self.built[usize::from(encrypted) * 2 + usize::from(direct)];
        let built = slot.get_or_init(|| async move {
            let tls = if encrypted { self.trust().await? } else { tls::trusting_nobody() };
            self.build(tls, direct)
        });
        built.await.as_ref().map_err(Clone::clone)
    }

    async fn trust(&self) -> Result<ClientConfig, Cause> {
        let ca_file = self.ca_file.clone();
        let read = move || tls::trusting(ca_file.as_deref()).map_err(|cause| Why::new("reading certificates", cause));
        off_thread(read).await.map_err(|why| why.cause)
    }

    fn build(&self, tls: ClientConfig, direct: bool) -> Result<Client, Cause> {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout);
        let builder = if direct { ClientBuilder::no_proxy(builder) } else { builder };
        builder.build().map_err(|error| Cause::Unreachable { detail: error.without_url().to_string() })
    }
}
