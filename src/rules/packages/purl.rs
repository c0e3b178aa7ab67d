//! Patterns over package URLs, as policies write them.

use std::collections::BTreeMap;
use std::str::FromStr;

use packageurl::PackageUrl;
use serde::Deserialize;

use super::super::Glob;

/// A package URL whose namespace and name may hold wildcards: `pkg:deb/debian/openssl`, `pkg:npm/@acme/*`.
///
/// Compared in the normal form of the purl specification: what a type does not tell apart (letter case, `_` and `-`) is not
/// told apart here.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct PurlPattern {
    text: String,
    kind: String,
    /// Over `namespace/name`.
    path: Glob,
    /// The last part of the path, if it holds no wildcard.
    name: Option<String>,
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
        let name = Some(purl.name()).filter(|name| !name.contains(['*', '?', '[', '{', '\\']));
        Ok(Self {
            kind: purl.ty().to_owned(),
            path: Glob::new(&path(&purl))?,
            name: name.map(str::to_owned),
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
        let tells =
            |(key, value): (&String, &String)| purl.qualifiers().get(key.as_str()).is_some_and(|own| own == value);
        self.kind == purl.ty()
            && self.path.matches(&path(purl))
            && self.version.as_ref().is_none_or(|glob| purl.version().is_some_and(|version| glob.matches(version)))
            && self.qualifiers.iter().all(tells)
    }

    /// Whether its name holds a wildcard.
    pub(super) fn is_wild(&self) -> bool {
        self.name.is_none()
    }

    /// Whether a package of that name, of which nothing else is known, may be meant.
    pub(super) fn may_be_called(&self, name: &str) -> bool {
        let last = name.rsplit(['/', ':']).next().unwrap_or_default();
        self.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name) || own.eq_ignore_ascii_case(last))
    }
}

/// `namespace/name`, decoded.
fn path(purl: &PackageUrl<'_>) -> String {
    match purl.namespace() {
        Some(namespace) => format!("{namespace}/{}", purl.name()),
        None => purl.name().to_owned(),
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
        assert!(!pattern("pkg:deb/debian/*").may_be_called("libssl3"));
    }
}
