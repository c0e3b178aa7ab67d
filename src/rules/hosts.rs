//! Hosts, as policies name them and as URLs in an image do.

use std::fmt::{self, Display};

use serde::{Deserialize, Deserializer};
use url::Url;

use crate::oci::from_text;

/// A host that a policy names: `HOST` or `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// Reads a host; upper case is made lower case.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let place = if text.contains(['/', '?', '#', '*']) { None } else { Place::read(&format!("https://{text}")) };
        let place = place.ok_or(
            "expected a host such as `mcr.microsoft.com`, or a host and port, without `https://`, path and wildcard",
        )?;
        let named = text.len() > place.host.len();
        Ok(Self { name: place.host, port: named.then_some(place.port) })
    }

    /// Whether a URL leads to this host; without a port only at the one that the URL's scheme stands for.
    pub(super) fn holds(&self, place: &Place) -> bool {
        self.name == place.host && self.port.map_or(place.is_usual, |port| port == place.port)
    }
}

impl Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.name),
            Some(port) => write!(f, "{}:{port}", self.name),
        }
    }
}

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a host such as \"mcr.microsoft.com\"", Self::new)
    }
}

/// Where an http or https URL leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    host: String,
    port: u16,
    /// Whether the port is the scheme's own.
    is_usual: bool,
}

impl Place {
    /// Reads a URL; `None` unless every program takes it for the same place.
    ///
    /// Programs differ about user names, backslashes, white space, escapes and odd addresses (`0x7f.1`): the host must stand in the
    /// text as it is understood, and nothing with it but the port.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        if !is_web || text.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let url = Url::parse(text).ok()?;
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        let written = [host.to_owned(), format!("{host}:{port}")];
        let is_plain = written.iter().any(|written| authority.eq_ignore_ascii_case(written));
        is_plain.then(|| Self { host: host.to_owned(), port, is_usual: url.port().is_none() })
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_usual { f.write_str(&self.host) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to(host: &str, url: &str) -> bool {
        let host = Host::new(host).unwrap();
        Place::read(url).is_some_and(|place| host.holds(&place))
    }

    #[test]
    fn a_host_is_the_one_that_is_written() {
        for url in [
            "https://mcr.microsoft.com/v2/windows/nanoserver/blobs/sha256:00",
            "http://mcr.microsoft.com/x",
            "HTTPS://MCR.Microsoft.COM",
            "https://mcr.microsoft.com:443/?q#f",
        ] {
            assert!(leads_to("mcr.microsoft.com", url) && leads_to("MCR.microsoft.com", url), "{url}");
        }
        for url in [
            "https://mcr.microsoft.com:8443/",
            "https://x.mcr.microsoft.com/",
            "https://mcr.microsoft.com.example/",
            "https://microsoft.com/",
            "https://example/mcr.microsoft.com",
        ] {
            assert!(!leads_to("mcr.microsoft.com", url), "{url}");
        }
    }

    #[test]
    fn a_port_is_the_one_that_is_written() {
        assert!(leads_to("cache.example:8443", "https://cache.example:8443/x"));
        assert!(leads_to("cache.example:443", "https://cache.example/x"));
        assert!(leads_to("[::1]:5000", "http://[::1]:5000/x"));
        assert!(!leads_to("cache.example:443", "http://cache.example/x"));
        assert!(!leads_to("cache.example", "http://cache.example:443/x"));
    }

    #[test]
    fn what_programs_read_differently_leads_nowhere() {
        for url in [
            "",
            "/v2/blobs",
            "//a.example/x",
            "ftp://a.example/x",
            "file:///etc/passwd",
            "https:a.example",
            "https:///a.example",
            " https://a.example/",
            "https://user@a.example/",
            "https://a.example@evil.example/",
            "https://evil.example\\@a.example/",
            "https://a.example\\.evil.example/",
            "https://a.example\t/",
            "https://a\n.example/",
            "https://%61.example/",
            "https://ａ.example/",
            "http://0x7f.1/",
            "http://2130706433/",
            "https://a.example:/",
            "https://a.example:0443/",
            "https://a.example:99999/",
            "https:// /",
        ] {
            assert_eq!(Place::read(url), None, "{url}");
        }
    }

    #[test]
    fn a_policy_names_hosts_only() {
        for wrong in
            ["", "https://a.example", "a.example/", "a.example/x", "user@a.example", "*.example", "a.example:x", "a b"]
        {
            assert!(Host::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Host::new("A.example:443").unwrap().to_string(), "a.example:443");
    }
}
