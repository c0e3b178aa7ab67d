//! Which proxy a request goes through, so that it can be named where it fails.

use std::sync::OnceLock;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::options::is_loopback;

/// The proxies that the environment names, read as the HTTP client reads them.
#[derive(Default)]
pub(super) struct Proxies {
    matcher: OnceLock<Matcher>,
}

impl Proxies {
    /// Host and port of the proxy for this URL, never its password.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        if is_loopback(url) {
            return None;
        }
        let proxy = self.matcher.get_or_init(Matcher::from_env).intercept(&url.as_str().parse().ok()?)?;
        let host = proxy.uri().host()?;
        Some(proxy.uri().port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }
}
