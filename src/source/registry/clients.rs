//! The HTTP clients of a run: built when first needed, kept to the end, so that connections are shared.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url, redirect};

use super::options::is_loopback;
use super::tls;
use crate::graph::Cause;

/// What the program calls itself.
const USER_AGENT: &str = concat!("ocilint/", env!("CARGO_PKG_VERSION"));

/// One client for each way of connecting. Only the encrypted ones touch the trust store, and what runs on this machine is
/// never asked for through a proxy.
pub(super) struct Clients {
    ca_file: Option<PathBuf>,
    connect_timeout: Duration,
    built: [OnceLock<Result<Client, Cause>>; 4],
}

impl Clients {
    pub(super) fn new(ca_file: Option<PathBuf>, connect_timeout: Duration) -> Self {
        Self { ca_file, connect_timeout, built: Default::default() }
    }

    /// The client for this URL.
    pub(super) fn get(&self, url: &Url) -> Result<&Client, Cause> {
        let encrypted = url.scheme() == "https";
        let direct = is_loopback(url);
        let slot = &self.built[usize::from(encrypted) * 2 + usize::from(direct)];
        slot.get_or_init(|| self.build(encrypted, direct)).as_ref().map_err(Clone::clone)
    }

    fn build(&self, encrypted: bool, direct: bool) -> Result<Client, Cause> {
        let tls = if encrypted { tls::trusting(self.ca_file.as_deref())? } else { tls::trusting_nobody() };
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
