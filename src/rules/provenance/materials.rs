//! What is wanted of the materials of a build.

use percent_encoding::percent_decode_str;

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
        let Some(uri) = material.uri.as_deref().filter(|uri| !uri.is_empty()) else {
            return self.asks().then(|| "one of its materials has no address".to_owned());
        };
        let address = address(uri);
        let shown = Untrusted(&address);
        if self.pinned && !material.is_pinned() {
            return Some(format!("its material '{shown}' has no digest"));
        }
        if let Some(glob) = self.deny.iter().find(|glob| glob.matches(&address)) {
            return Some(format!("its material '{shown}' is refused by '{}'", glob.as_str()));
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|glob| glob.matches(&address));
        let wanted = || words::either(self.allow.iter().map(Glob::as_str));
        (!allowed).then(|| format!("its material '{shown}' is not allowed, wanted {}", wanted()))
    }
}

/// A material as policies name it: an image as `docker.io/library/alpine`, anything else by its URI without `git+`, query, fragment
/// and reference.
fn address(uri: &str) -> String {
    let plain = ["oci://", "docker://"].iter().find_map(|scheme| uri.strip_prefix(scheme));
    let (path, qualifiers) = uri.split_once('?').unwrap_or((uri, ""));
    let image = ["pkg:docker/", "pkg:oci/"].iter().find_map(|kind| without(path, kind));
    if let Some(image) = image {
        let repository = qualifiers.split('&').find_map(|pair| pair.strip_prefix("repository_url="));
        let (name, _) = image.rsplit_once('@').unwrap_or((image, ""));
        return canonical(&decoded(repository.unwrap_or(name)));
    }
    if let Some(image) = plain {
        return canonical(image);
    }
    let path = path.split('#').next().unwrap_or_default();
    let path = path.strip_prefix("git+").unwrap_or(path);
    // `https://host/repository@refs/tags/v1`, but not `ssh://git@host/repository`.
    let path = path.split_once("@refs/").map_or(path, |(path, _)| path);
    if path.contains("://") || path.starts_with("pkg:") { path.to_owned() } else { canonical(path) }
}

/// What follows a package URL's scheme and type, which are written in any letter case.
fn without<'u>(path: &'u str, kind: &str) -> Option<&'u str> {
    let (start, rest) = path.split_at_checked(kind.len())?;
    start.eq_ignore_ascii_case(kind).then_some(rest)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
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
            ("oci://ghcr.io/acme/base", "ghcr.io/acme/base"),
            ("distroless.dev/busybox", "distroless.dev/busybox"),
            ("https://github.com/acme/app.git#refs/heads/main", "https://github.com/acme/app.git"),
            ("git+https://github.com/acme/app@refs/tags/v1", "https://github.com/acme/app"),
            ("git+ssh://git@github.com/acme/app#main", "ssh://git@github.com/acme/app"),
            ("https://example.org/x.tar.gz?a=b", "https://example.org/x.tar.gz"),
            ("pkg:generic/x@1", "pkg:generic/x@1"),
        ] {
            assert_eq!(address(uri), wanted, "{uri}");
        }
    }
}
