//! Images as package URLs name them (purl specification, the types `docker` and `oci`).

use percent_encoding::percent_decode_str;

/// An image as a package URL names it: `pkg:docker/ghcr.io/acme/base@1.2?platform=linux%2Farm64`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ImagePurl {
    /// Its name as references write it; `None` where the URL names no registry, and its type has no default one.
    pub(super) name: Option<String>,
    /// Its name as the URL writes it.
    pub(super) local: String,
    /// A tag or a digest, if there is one.
    pub(super) version: Option<String>,
    /// The platform, if it says.
    pub(super) platform: Option<String>,
}

impl ImagePurl {
    /// Reads a package URL; `None` if it is none of an image.
    pub(super) fn read(uri: &str) -> Option<Self> {
        let (path, qualifiers) = uri.split_once('?').unwrap_or((uri, ""));
        let docker = without(path, "pkg:docker/");
        let written = docker.or_else(|| without(path, "pkg:oci/"))?;
        let (local, version) = written.rsplit_once('@').unwrap_or((written, ""));
        let local = decoded(local);
        let repository = qualifier(qualifiers, "repository_url=");
        let name = match (docker, repository.as_deref().map(registry)) {
            // Of the type `docker` it is the registry, of the type `oci` the whole name.
            (Some(_), None | Some("hub.docker.com")) => Some(local.clone()),
            (Some(_), Some(registry)) => Some(format!("{registry}/{local}")),
            (None, repository) => repository.map(str::to_owned),
        };
        let version = Some(decoded(version)).filter(|version| !version.is_empty());
        Some(Self { name, local, version, platform: qualifier(qualifiers, "platform=") })
    }
}

/// What follows a package URL's scheme and type, which are written in any letter case.
fn without<'u>(path: &'u str, kind: &str) -> Option<&'u str> {
    let (start, rest) = path.split_at_checked(kind.len())?;
    start.eq_ignore_ascii_case(kind).then_some(rest)
}

fn qualifier(qualifiers: &str, key: &str) -> Option<String> {
    qualifiers.split('&').find_map(|pair| pair.strip_prefix(key)).map(decoded).filter(|value| !value.is_empty())
}

/// A registry or repository without a scheme.
fn registry(url: &str) -> &str {
    let host = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme)).unwrap_or(url);
    host.trim_end_matches('/')
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::ImagePurl;

    #[test]
    fn the_registry_stands_in_the_name_or_in_a_qualifier() {
        let name = |uri: &str| ImagePurl::read(uri).map(|image| image.name);
        for (uri, wanted) in [
            ("pkg:docker/alpine@3.20?platform=linux%2Famd64", Some(Some("alpine"))),
            ("PKG:Docker/localhost%3A5000/base@1.2", Some(Some("localhost:5000/base"))),
            ("pkg:docker/acme/base@1?repository_url=gcr.io", Some(Some("gcr.io/acme/base"))),
            ("pkg:docker/acme/base@1?repository_url=https://gcr.io/", Some(Some("gcr.io/acme/base"))),
            ("pkg:docker/acme/base@1?repository_url=https://hub.docker.com", Some(Some("acme/base"))),
            ("pkg:oci/base@sha256:ab?repository_url=ghcr.io%2Facme%2Fbase", Some(Some("ghcr.io/acme/base"))),
            ("pkg:oci/alpine@sha256:ab", Some(None)),
            ("pkg:deb/debian/openssl@3", None),
            ("https://example.org/x", None),
        ] {
            assert_eq!(name(uri), wanted.map(|name| name.map(str::to_owned)), "{uri}");
        }
    }

    #[test]
    fn a_version_and_a_platform_are_told_if_they_are_there() {
        let read = ImagePurl::read("pkg:docker/alpine@sha256%3Aab?platform=linux%2Farm%2Fv7").unwrap();
        assert_eq!((read.version.as_deref(), read.platform.as_deref()), (Some("sha256:ab"), Some("linux/arm/v7")));
        let bare = ImagePurl::read("pkg:docker/alpine@?platform=").unwrap();
        assert_eq!((bare.version, bare.platform), (None, None));
    }
}
