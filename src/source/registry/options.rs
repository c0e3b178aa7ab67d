//! What the user may say about registries, and the limits that tests make short.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use url::{Host, Url};

/// How registries are reached.
#[derive(Clone, Default)]
pub struct RegistryOptions {
    /// Where http is spoken in place of https.
    pub plain_http: PlainHttp,
    /// A PEM file with certificates that are trusted beside those of the system (`--ca-file`).
    pub ca_file: Option<PathBuf>,
    /// Registries and the hosts that may see their credentials (`--trust-realm REGISTRY=HOST`).
    pub trust_realms: Vec<(String, String)>,
    /// Requests in flight to one host (`--jobs`); by default 8 with HTTP/1.1 and 32 with HTTP/2.
    pub jobs: Option<usize>,
    /// The only file that credentials are taken from (`--registry-config`).
    pub registry_config: Option<PathBuf>,
    /// How long to wait for answers.
    pub timeouts: Timeouts,
    /// How often and when to try again.
    pub retry: Retry,
}

/// Where http is spoken in place of https. Nothing falls back to http by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlainHttp {
    /// On loopback addresses and `localhost` (`--plain-http`).
    pub loopback: bool,
    /// With these hosts (`--plain-http=HOST[:PORT]`); without a port, on all ports of the host.
    pub hosts: Vec<String>,
}

impl PlainHttp {
    /// Whether http is spoken with the host of this URL.
    pub fn allows(&self, url: &Url) -> bool {
        self.names(url) || (self.loopback && is_loopback(url))
    }

    /// Whether the user named this very host; only then may credentials cross the network unencrypted.
    pub fn names(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}")).unwrap_or_default();
        self.hosts.iter().any(|named| named.eq_ignore_ascii_case(host) || named.eq_ignore_ascii_case(&with_port))
    }
}

/// Whether the URL is one of this machine itself.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// How long to wait for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// From sending a request to the end of the answer's head.
    pub first_byte: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// For all that one request takes, redirects and repetitions included; pauses before a repetition do not count.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), first_byte: seconds(30), idle: seconds(30), request: seconds(120) }
    }
}

/// Waits; tests put in one that only takes note.
pub type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// How often and when to try again.
#[derive(Clone)]
pub struct Retry {
    /// Tries in all.
    pub tries: u32,
    /// The longest pause before the second try; it doubles with every further one.
    pub base: Duration,
    /// The longest pause at all, also where a registry asks for more with `Retry-After`.
    pub cap: Duration,
    /// How to wait.
    pub pause: Pause,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            tries: 5,
            base: Duration::from_millis(500),
            cap: Duration::from_mins(1),
            pause: Arc::new(|duration| Box::pin(tokio::time::sleep(duration))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str) -> Url {
        Url::parse(&format!("http://{host}/v2/")).unwrap()
    }

    #[test]
    fn http_is_spoken_only_where_it_was_allowed() {
        let never = PlainHttp::default();
        let loopback = PlainHttp { loopback: true, hosts: Vec::new() };
        let named = PlainHttp {
            loopback: false,
            hosts: vec!["reg.test:5000".into(), "other.test".into(), "web.test:80".into()],
        };
        for here in ["localhost", "LOCALHOST:5000", "127.0.0.1:80", "127.9.9.9", "[::1]:5000", "[::1]"].map(url) {
            assert!(loopback.allows(&here) && !loopback.names(&here) && !never.allows(&here), "{here}");
        }
        for there in ["reg.test", "localhost.evil.test", "128.0.0.1:5000", "[::2]", "127.0.0.1.evil.test"].map(url) {
            assert!(!loopback.allows(&there), "{there}");
        }
        for there in ["reg.test:5000", "REG.test:5000", "other.test", "other.test:8080", "web.test"].map(url) {
            assert!(named.allows(&there) && named.names(&there), "{there}");
        }
        for there in ["reg.test", "reg.test:5001", "web.test:8080", "localhost"].map(url) {
            assert!(!named.allows(&there), "{there}");
        }
    }
}
