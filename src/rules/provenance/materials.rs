//! What is wanted of the materials of a build.

use percent_encoding::percent_decode_str;
use url::Url;

use super::super::image_purl::ImagePurl;
use super::super::prelude::*;
use crate::oci::Reference;
use crate::oci::statement::Material;

/// What is wanted of the materials of a build.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Materials {
    /// Each has a digest.
    pub(super) pinned: bool,
    /// Globs over their addresses, the only ones that may be there.
    pub(super) allow: Vec<Glob>,
    /// Globs over addresses that must not be there.
    pub(super) deny: Vec<Glob>,
}

impl Materials {
    pub(super) fn asks(&self) -> bool {
        self.pinned || !self.allow.is_empty() || !self.deny.is_empty()
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<Vec<_>>();
        let problem = allowed_and_denied(texts(&self.allow), texts(&self.deny))?;
        Some(Problem::with("materials", problem.message))
    }

    /// What is wrong with the first that is not as wanted.
    pub(super) fn fault(&self, materials: &[Material]) -> Option<String> {
        if materials.is_empty() && (self.pinned || !self.allow.is_empty()) {
            return Some("it names no materials".to_owned());
        }
        materials.iter().find_map(|material| self.fault_of(material))
    }

    fn fault_of(&self, material: &Material) -> Option<String> {
        let uri = material.uri.as_deref().filter(|uri| !uri.is_empty());
        let unpinned = self.pinned && !material.is_pinned();
        let Some(uri) = uri else {
            let nameless = !self.allow.is_empty() || !self.deny.is_empty() || unpinned;
            return nameless.then(|| "one of its materials has no address".to_owned());
        };
        let address = address(uri);
        let shown = ImageText(&address);
        if unpinned {
            return Some(format!("its material '{shown}' has no digest"));
        }
        if let Some(glob) = self.deny.iter().find(|glob| glob.matches(&address)) {
            return Some(format!("its material '{shown}' is refused by '{}'", glob.as_str()));
        }
        let listed = || !climbs(&address) && self.allow.iter().any(|glob| glob.matches(&address));
        let allowed = self.allow.is_empty() || listed();
        let wanted = || words::either(self.allow.iter().map(Glob::as_str));
        (!allowed).then(|| format!("its material '{shown}' is not allowed, wanted {}", wanted()))
    }
}

/// A material as policies name it: an image as `docker.io/library/alpine`, anything else by its URI without `git+`, query, fragment
/// and reference, in the form in which it is asked for.
fn address(uri: &str) -> String {
    if let Some(image) = ImagePurl::read(uri) {
        // An image of a local layout is of no registry.
        return image.name.map_or_else(|| format!("pkg:oci/{}", image.local), |name| canonical(&name));
    }
    if let Some(image) = ["oci://", "docker://"].iter().find_map(|scheme| uri.strip_prefix(scheme)) {
        return canonical(image);
    }
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_prefix("git+").unwrap_or(path);
    // `https://host/repository@refs/tags/v1`, but not `ssh://git@host/repository`.
    let path = path.split_once("@refs/").map_or(path, |(path, _)| path);
    match Url::parse(path) {
        Ok(url) if url.has_host() => asked(url),
        _ if path.contains("://") || path.starts_with("pkg:") => path.to_owned(),
        _ => canonical(path),
    }
}

/// An address in the form in which it is asked for, whatever letter case, port, password or `..` it was written with.
fn asked(mut url: Url) -> String {
    if matches!(url.scheme(), "http" | "https") {
        // Neither fails for an address with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    let host = url.host_str().map(str::to_ascii_lowercase);
    let _ = url.set_host(host.as_deref());
    url.to_string()
}

/// Whether a part of an address leads back out of the ones before it, so that it is of another place than it begins with.
pub(super) fn climbs(address: &str) -> bool {
    let decoded = percent_decode_str(address).decode_utf8_lossy();
    decoded.split(['/', '\\', ':']).any(|part| part == "..")
}

/// The full name of an image without tag and digest; the text itself if it is no name of an image.
fn canonical(name: &str) -> String {
    Reference::parse(name).map_or_else(|_| name.to_owned(), |reference| reference.canonical_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn materials_are_named_without_what_changes() {
        for (uri, wanted) in [
            ("pkg:docker/alpine@3.20?platform=linux%2Famd64", "docker.io/library/alpine"),
            ("pkg:docker/docker/buildkit-syft-scanner@stable-1", "docker.io/docker/buildkit-syft-scanner"),
            ("pkg:docker/ghcr.io/acme/base@1.2", "ghcr.io/acme/base"),
            ("PKG:Docker/ghcr.io/acme/base@1.2", "ghcr.io/acme/base"),
            ("pkg:docker/localhost%3A5000/base@1.2", "localhost:5000/base"),
            ("pkg:oci/base@sha256:ab?repository_url=ghcr.io%2Facme%2Fbase", "ghcr.io/acme/base"),
            ("pkg:oci/base@sha256:ab", "pkg:oci/base"),
            ("pkg:docker/acme/base@1?repository_url=gcr.io", "gcr.io/acme/base"),
            ("oci://ghcr.io/acme/base", "ghcr.io/acme/base"),
            ("distroless.dev/busybox", "distroless.dev/busybox"),
            ("https://github.com/acme/app.git#refs/heads/main", "https://github.com/acme/app.git"),
            ("git+https://github.com/acme/app@refs/tags/v1", "https://github.com/acme/app"),
            ("git+ssh://git@github.com/acme/app#main", "ssh://git@github.com/acme/app"),
            ("https://example.org/x.tar.gz?a=b", "https://example.org/x.tar.gz"),
            ("HTTPS://x:y@Example.ORG:443/a/../b/%2e%2e/c#d", "https://example.org/c"),
            ("git+ssh://git@GitHub.com/acme/../evil/app", "ssh://git@github.com/evil/app"),
            ("git@github.com:acme/../evil/app.git", "git@github.com:acme/../evil/app.git"),
            ("pkg:generic/x@1", "pkg:generic/x@1"),
        ] {
            assert_eq!(address(uri), wanted, "{uri}");
        }
    }
    #[test]
    fn what_leads_elsewhere_climbs() {
        assert!(climbs("git@host:acme/../evil") && climbs("https://host/acme/%2e%2E/evil") && climbs("git@host:.."));
        assert!(!climbs("https://host/acme/a..b") && !climbs("https://host/..."));
    }
}
