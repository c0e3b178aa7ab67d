//! Image references, as the user names them.

mod error;
mod parse;

use std::{borrow::Cow, fmt, net::Ipv6Addr, str::FromStr};

use serde::{Serialize, Serializer};

pub use error::{ReferenceError, ReferenceProblem};

use super::Digest;

/// Docker Hub, as references name it.
const HUB: &str = "docker.io";
/// Docker Hub, as requests reach it.
const HUB_HOST: &str = "registry-1.docker.io";

/// A reference to an image in a registry, normalised as Docker does it: `alpine` is `docker.io/library/alpine`.
///
/// It holds only what the grammar of references allows (distribution/reference), so that its text may go into a URL or a command.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Reads `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`.
    ///
    /// It keeps to distribution's grammar but for these: host names and Docker Hub's other names are normalised, IPv6 addresses must be
    /// ones, a port is between 1 and 65535, a digest is SHA-256 or SHA-512.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        parse::reference(text).map_err(|fault| ReferenceError {
            text: text.into(),
            at: fault.at,
            problem: fault.problem,
        })
    }

    /// Host and port of the registry in lower case, the port as written; `docker.io` for Docker Hub.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Host and port to send requests to: the registry's, but for Docker Hub.
    pub fn host_for_requests(&self) -> &str {
        if self.is_hub() { HUB_HOST } else { &self.registry }
    }

    /// Whether the registry is Docker Hub.
    pub fn is_hub(&self) -> bool {
        self.registry == HUB
    }

    /// The repository in the registry, `library/alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The tag, `latest` if none was written.
    pub fn tag_or_latest(&self) -> &str {
        self.tag().unwrap_or("latest")
    }

    /// The digest, if one was written.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What a manifest request names (distribution-spec, "Pulling manifests"): the digest if there is one, else the tag.
    pub fn digest_or_tag(&self) -> &str {
        self.digest().map_or_else(|| self.tag_or_latest(), Digest::as_str)
    }

    /// Registry and repository: `docker.io/library/alpine`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.shown_registry(), self.repository)
    }

    /// Registry and repository under the one spelling that policies match: as [`name`](Self::name), always in lower case,
    /// without the port 443, an IPv6 address in its shortest form.
    pub fn canonical_name(&self) -> String {
        let host = self.registry.strip_suffix(":443").unwrap_or(&self.registry);
        format!("{}/{}", shortest_ipv6(host), self.repository)
    }

    /// The same image pinned to a digest; the tag stays.
    #[must_use]
    pub fn with_digest(&self, digest: &Digest) -> Self {
        Self { digest: Some(digest.clone()), ..self.clone() }
    }

    /// The same image without a digest.
    #[must_use]
    pub fn without_digest(&self) -> Self {
        Self { digest: None, ..self.clone() }
    }

    /// The same image without its tag.
    #[must_use]
    pub fn without_tag(&self) -> Self {
        Self { tag: None, ..self.clone() }
    }

    /// Another image of the same repository, by its tag alone.
    ///
    /// # Errors
    /// The text is no tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        Self::parse(&format!("{}:{tag}", self.name()))
    }

    /// The registry in a form that reads as a host: one without a dot or port does so only in upper case.
    fn shown_registry(&self) -> Cow<'_, str> {
        if self.registry.contains(['.', ':']) || self.registry == "localhost" {
            Cow::Borrowed(&self.registry)
        } else {
            Cow::Owned(self.registry.to_ascii_uppercase())
        }
    }
}

/// `[0:0::1]:5000` as `[::1]:5000`; other hosts as they are.
fn shortest_ipv6(host: &str) -> Cow<'_, str> {
    let parts = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match parts.and_then(|(address, port)| Some((address.parse::<Ipv6Addr>().ok()?, port))) {
        Some((address, port)) => Cow::Owned(format!("[{address}]{port}")),
        None => Cow::Borrowed(host),
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shown_registry(), self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
