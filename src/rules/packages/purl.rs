//! Patterns over package URLs, as policies write them.

use std::collections::BTreeMap;
use std::str::FromStr;

use packageurl::PackageUrl;
use serde::Deserialize;

use super::super::Glob;

/// A package URL whose namespace and name may hold wildcards: `pkg:deb/debian/openssl`, `pkg:npm/@acme/*`.
///
/// Compared in the normal form of the purl specification: what a type does not tell apart (letter case, `_` and `-`) is not
/// told apart here, nor what its registry does not.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct PurlPattern {
    text: String,
    kind: String,
    /// Over `namespace/name`.
    path: Glob,
    /// Whether the last part of the path holds a wildcard.
    is_wild: bool,
    /// Over names that it may be called by, in lower case: its last part, or all of it if that is only a wildcard; none where
    /// that would be any name.
    called: Option<Glob>,
    version: Option<Glob>,
    qualifiers: BTreeMap<String, String>,
}

impl TryFrom<String> for PurlPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let purl = PackageUrl::from_str(&text)
            .map_err(|error| format!("`{text}` is no package URL such as `pkg:deb/debian/openssl`: {error}"))?;
        if purl.subpath().is_some() {
            return Err("a package has no subpath: leave out what begins with `#`".to_owned());
        }
        let qualifiers = purl.qualifiers().iter().map(|(key, value)| (key.to_string(), value.to_string()));
        let path = path(&purl);
        let any = |text: &&str| text.bytes().all(|byte| matches!(byte, b'*' | b'/'));
        let called = [path.rsplit('/').next().unwrap_or_default(), &path].into_iter().find(|text| !any(text));
        Ok(Self {
            kind: kind(&purl).to_owned(),
            is_wild: purl.name().contains(['*', '?', '[', '{', '\\']),
            called: called.map(|text| Glob::new(&text.to_lowercase())).transpose()?,
            path: Glob::new(&path)?,
            version: purl.version().map(Glob::new).transpose()?,
            qualifiers: qualifiers.collect(),
            text,
        })
    }
}

impl PurlPattern {
    /// The pattern as the policy writes it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The type, such as `deb`.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether it names versions.
    pub(super) fn has_version(&self) -> bool {
        self.version.is_some()
    }

    /// Whether a package is meant. One that does not tell what the pattern asks for is not.
    pub(super) fn matches(&self, purl: &PackageUrl<'_>) -> bool {
        self.names(purl)
            && self.version.as_ref().is_none_or(|glob| purl.version().is_some_and(|version| glob.matches(version)))
            && self.untold(purl).is_some_and(|untold| untold.is_empty())
    }

    /// Whether a package is of the type and the name, whatever its version and qualifiers.
    pub(super) fn names(&self, purl: &PackageUrl<'_>) -> bool {
        self.kind == kind(purl) && self.path.matches(&path(purl))
    }

    /// The qualifiers of the pattern that a package does not tell; `None` if it tells another value of one.
    pub(super) fn untold(&self, purl: &PackageUrl<'_>) -> Option<Vec<&str>> {
        let mut untold = Vec::new();
        for (key, wanted) in &self.qualifiers {
            match purl.qualifiers().get(key.as_str()) {
                Some(own) if own == wanted => {}
                Some(_) => return None,
                None => untold.push(key.as_str()),
            }
        }
        Some(untold)
    }

    /// Whether its name holds a wildcard.
    pub(super) fn is_wild(&self) -> bool {
        self.is_wild
    }

    /// Whether a package of that name, of which nothing else is known, may be meant.
    pub(super) fn may_be_called(&self, name: &str) -> bool {
        let name = normal(&self.kind, name.replace(':', "/").to_lowercase());
        let last = name.rsplit('/').next().unwrap_or_default();
        self.called.as_ref().is_some_and(|called| called.matches(&name) || called.matches(last))
    }
}

/// The type that Syft gave the packages of Alpine Linux before there was `apk`: `pkg:alpine/musl`.
const ALPINE: &str = "alpine";

/// The type, under its present name.
fn kind<'p>(purl: &'p PackageUrl<'_>) -> &'p str {
    if purl.ty() == ALPINE { "apk" } else { purl.ty() }
}

/// `namespace/name`, decoded.
fn path(purl: &PackageUrl<'_>) -> String {
    let own = || (purl.ty() == ALPINE).then_some(ALPINE);
    let path = match purl.namespace().or_else(own) {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
    };
    normal(kind(purl), path)
}

/// What registries do not tell apart beyond the specification of package URLs: `NuGet` letter case, `PyPI` `-`, `_`, `.` and runs of
/// them (PEP 503).
fn normal(kind: &str, path: String) -> String {
    match kind {
        "nuget" => path.to_lowercase(),
        "pypi" => {
            let parts = path.split(['-', '_', '.']).enumerate();
            parts.filter(|(at, part)| *at == 0 || !part.is_empty()).map(|(_, part)| part).collect::<Vec<_>>().join("-")
        }
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, purl: &str) -> bool {
        PurlPattern::try_from(pattern.to_owned()).unwrap().matches(&purl.parse().unwrap())
    }

    #[test]
    fn packages_are_compared_in_their_normal_form() {
        for (pattern, purl) in [
            ("pkg:deb/debian/openssl", "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12"),
            ("pkg:DEB/Debian/OpenSSL", "pkg:deb/debian/openssl"),
            ("pkg:deb/*/openssl", "pkg:deb/ubuntu/openssl@1"),
            ("pkg:npm/@angular/core", "pkg:npm/%40angular/core@17.0.0"),
            ("pkg:npm/%40angular/*", "pkg:npm/%40angular/core"),
            ("pkg:npm/**", "pkg:npm/%40angular/core"),
            ("pkg:npm/**", "pkg:npm/lodash"),
            ("pkg:pypi/Django_rest", "pkg:pypi/django-rest@1"),
            ("pkg:pypi/ruamel.yaml", "pkg:pypi/ruamel-yaml@0.18"),
            ("pkg:pypi/zope-*", "pkg:pypi/Zope..interface@6"),
            ("pkg:nuget/Newtonsoft.Json", "pkg:nuget/newtonsoft.json@9.0.1"),
            ("pkg:apk/alpine/musl", "pkg:alpine/musl@1.2.3-r0?arch=x86_64"),
            ("pkg:alpine/musl", "pkg:apk/alpine/musl@1.2.3-r0"),
            ("pkg:maven/org.apache.logging.log4j/log4j-*", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"),
            ("pkg:golang/github.com/acme/**", "pkg:golang/github.com/acme/lib/v2@v2.0.0"),
            ("pkg:deb/debian/openssl@3.0.*", "pkg:deb/debian/openssl@3.0.11"),
            ("pkg:deb/debian/openssl?distro=debian-12", "pkg:deb/debian/openssl@3?arch=amd64&distro=debian-12"),
        ] {
            assert!(matches(pattern, purl), "{pattern} {purl}");
        }
        for (pattern, purl) in [
            ("pkg:deb/debian/openssl", "pkg:deb/debian/openssl-dev"),
            ("pkg:deb/debian/openssl", "pkg:deb/ubuntu/openssl"),
            ("pkg:deb/debian/openssl", "pkg:rpm/debian/openssl"),
            ("pkg:npm/*", "pkg:npm/%40angular/core"),
            ("pkg:maven/org.acme/Core", "pkg:maven/org.acme/core"),
            ("pkg:deb/debian/openssl@3.0.*", "pkg:deb/debian/openssl"),
            ("pkg:deb/debian/openssl?distro=debian-12", "pkg:deb/debian/openssl@3"),
        ] {
            assert!(!matches(pattern, purl), "{pattern} {purl}");
        }
    }

    #[test]
    fn what_is_no_package_url_is_refused() {
        for wrong in ["openssl", "pkg:openssl", "pkg:*/openssl", "pkg:deb/", "pkg:deb/a#sub", "pkg:deb/debian/[", ""] {
            assert!(PurlPattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_alone_may_be_meant() {
        let pattern = |text: &str| PurlPattern::try_from(text.to_owned()).unwrap();
        assert!(pattern("pkg:deb/debian/openssl").may_be_called("OpenSSL"));
        assert!(pattern("pkg:maven/org.acme/core").may_be_called("org.acme:core"));
        assert!(!pattern("pkg:deb/debian/openssl").may_be_called("libssl3"));
        assert!(pattern("pkg:maven/org.acme/Core-*").may_be_called("org.acme:core-api"));
        assert!(!pattern("pkg:maven/org.acme/core-*").may_be_called("org.acme:base"));
        assert!(pattern("pkg:npm/@acme/*").may_be_called("@acme/tool"));
        assert!(!pattern("pkg:npm/@acme/*").may_be_called("tool"));
        assert!(pattern("pkg:golang/github.com/acme/**").may_be_called("github.com/acme/lib/v2"));
        assert!(pattern("pkg:pypi/ruamel.yaml").may_be_called("ruamel_yaml"));
        assert!(!pattern("pkg:deb/debian/*").may_be_called("libssl3"));
    }
}
