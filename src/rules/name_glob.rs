//! Globs over the names of images.

use std::fmt::{self, Display};

use serde::{Deserialize, Deserializer};

use super::Glob;
use crate::oci::{Reference, from_text};

/// Docker Hub, as names have it.
const HUB: &str = "docker.io";

/// A glob over canonical names of images, `registry/repository`: in lower case, the registry always written, Docker Hub as
/// `docker.io`, without the port 443 and without a tag.
///
/// A glob that could match no such name is refused: in a scope or a list of what is denied it would do nothing, without a word.
#[derive(Debug, Clone)]
pub struct NameGlob {
    text: String,
    glob: Glob,
}

/// What is wrong with a glob over names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameGlobError {
    /// What is wrong.
    pub problem: String,
    /// What to write instead, where that is known.
    pub help: Option<String>,
}

impl Display for NameGlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        self.help.iter().try_for_each(|help| write!(f, ": {help}"))
    }
}

impl NameGlob {
    /// Checks a glob.
    pub fn new(text: &str) -> Result<Self, NameGlobError> {
        if let Some((why, instead)) = never_matches(text) {
            let problem = format!("`{text}` matches no image: {why}");
            return Err(NameGlobError { problem, help: instead.map(|instead| format!("write `{instead}`")) });
        }
        let glob = match after_ipv6(text) {
            Some((address, rest)) => Glob::new(&format!(r"\[{address}\]{rest}")),
            None => Glob::new(text),
        };
        let glob = glob.map_err(|problem| NameGlobError { problem, help: None })?;
        Ok(Self { text: text.to_owned(), glob })
    }

    /// Whether a canonical name matches.
    pub fn matches(&self, name: &str) -> bool {
        self.glob.matches(name)
    }

    /// Whether it names one image, without a wildcard.
    pub fn is_plain(&self) -> bool {
        !is_glob(self.as_str())
    }

    /// Whether it is for one registry, written without a wildcard.
    pub(super) fn names_registry(&self) -> bool {
        self.as_str().split_once('/').is_some_and(|(registry, _)| !is_glob(registry))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<'de> Deserialize<'de> for NameGlob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a glob", Self::new)
    }
}

/// Why a glob matches no name, and what was meant, where that is clear.
type Objection = (&'static str, Option<String>);

fn never_matches(glob: &str) -> Option<Objection> {
    let instead = |why, instead: String| Some((why, Some(instead)));
    if let Some((_, rest)) = glob.split_once("://") {
        return instead("a name has no scheme", rest.to_owned());
    }
    if let Some(rest) = glob.strip_prefix('!') {
        return instead("a `!` excludes only in `images`", rest.to_owned());
    }
    if glob.chars().any(char::is_uppercase) {
        return instead("names are in lower case", glob.to_lowercase());
    }
    if let Some((name, _)) = glob.split_once('@') {
        return instead("a name has no digest", name.to_owned());
    }
    let (before, last) = glob.rsplit_once('/').map_or(("", glob), |(before, last)| (before, last));
    if let (false, Some((name, _))) = (before.is_empty(), last.split_once(':')) {
        return instead("a name has no tag", format!("{before}/{name}"));
    }
    if glob.split('/').any(str::is_empty) && !glob.is_empty() {
        let parts: Vec<&str> = glob.split('/').filter(|part| !part.is_empty()).collect();
        return instead("a part of it is empty", parts.join("/"));
    }
    if glob.chars().any(is_in_no_name) {
        return Some(("a name has only letters, digits and `.`, `_`, `-`, `/`, `:`", None));
    }
    match glob.split_once('/') {
        None => alone(glob),
        Some((host, _)) if is_glob(host) => None,
        Some((host, path)) => below(host, path),
    }
}

/// Whether no name has the character, and no glob a use for it.
fn is_in_no_name(c: char) -> bool {
    !c.is_ascii_alphanumeric() && !r"._-/:*?[]{},!^\".contains(c)
}

/// The same of a glob without a `/`, while every name has one.
fn alone(glob: &str) -> Option<Objection> {
    let instead = match glob {
        "" | "**" => return None,
        "*" => "**".to_owned(),
        glob if is_glob(glob) => format!("**/{glob}"),
        host if host.contains('.') || host == "localhost" => format!("{host}/**"),
        name => format!("docker.io/library/{}", name.split(':').next().unwrap_or(name)),
    };
    Some(("a name is a registry and a repository", Some(instead)))
}

/// The same of what stands in a registry.
fn below(host: &str, path: &str) -> Option<Objection> {
    if !host.contains(['.', ':']) && host != "localhost" {
        return Some(("a name begins with the registry", Some(format!("docker.io/{host}/{path}"))));
    }
    let Ok(canonical) = Reference::parse(&format!("{host}/x")).map(|reference| reference.canonical_name()) else {
        return Some(("no registry has such a name", None));
    };
    let registry = canonical.split('/').next().unwrap_or_default();
    if registry != host {
        let why = match registry {
            HUB => "Docker Hub is `docker.io`",
            _ if host.ends_with(":443") => "the port 443 is not part of a name",
            _ => "names have another spelling of the registry",
        };
        return Some((why, Some(format!("{registry}/{path}"))));
    }
    if host == HUB && !path.contains('/') && !path.contains("**") {
        let why = "an image of Docker Hub is in `library` or in somebody's name";
        return Some((why, Some(format!("{HUB}/library/{path}"))));
    }
    None
}

fn is_glob(text: &str) -> bool {
    after_ipv6(text).map_or(text, |(_, rest)| rest).contains(['*', '?', '[', '{', '\\'])
}

/// An IPv6 address at the beginning, without its brackets, and what is behind them. A glob would take it for a set of characters.
fn after_ipv6(text: &str) -> Option<(&str, &str)> {
    let parts = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    parts.filter(|(address, _)| Reference::parse(&format!("[{address}]/x")).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instead(pattern: &str) -> Option<String> {
        NameGlob::new(pattern).err().map(|error| error.help.unwrap())
    }

    #[test]
    fn patterns_that_could_match_are_taken() {
        for pattern in [
            "**",
            "*/**",
            "**/app",
            "*.example.com/**",
            "ghcr.io/acme/app",
            "ghcr.io/**",
            "localhost/app",
            "localhost:5000/a/b",
            "{ghcr.io,quay.io}/acme/*",
            "docker.io/library/*",
            "docker.io/**",
            "[a-z]*.io/acme/?",
            "[::1]:5000/app",
        ] {
            assert_eq!(instead(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_never_match_are_told_what_would() {
        for (pattern, wanted) in [
            ("alpine", "docker.io/library/alpine"),
            ("alpine:3", "docker.io/library/alpine"),
            ("acme/app", "docker.io/acme/app"),
            ("docker.io/alpine", "docker.io/library/alpine"),
            ("docker.io/*", "docker.io/library/*"),
            ("index.docker.io/acme/app", "docker.io/acme/app"),
            ("ghcr.io", "ghcr.io/**"),
            ("*", "**"),
            ("app-*", "**/app-*"),
            ("ghcr.io/acme/app:1.2", "ghcr.io/acme/app"),
            ("localhost:5000/app:1", "localhost:5000/app"),
            ("ghcr.io:443/app", "ghcr.io/app"),
            ("GHCR.io/Acme/*", "ghcr.io/acme/*"),
            ("https://ghcr.io/acme", "ghcr.io/acme"),
            ("ghcr.io/acme/", "ghcr.io/acme"),
            ("ghcr.io//app", "ghcr.io/app"),
            ("ghcr.io:0443/app", "ghcr.io/app"),
            ("localhost:05000/app", "localhost:5000/app"),
            ("registry-1.docker.io/**", "docker.io/**"),
            ("registry.hub.docker.com/acme/*", "docker.io/acme/*"),
            ("[0:0::1]:5000/**", "[::1]:5000/**"),
            ("ghcr.io/acme/app@sha256:00", "ghcr.io/acme/app"),
            ("!ghcr.io/acme/**", "ghcr.io/acme/**"),
        ] {
            assert_eq!(instead(pattern), Some(format!("write `{wanted}`")), "{pattern}");
        }
    }

    #[test]
    fn what_no_name_has_is_refused() {
        for pattern in [
            " ghcr.io/app",
            "ghcr.io/app ",
            "ghcr.io./app",
            "ｇhcr.io/app",
            "ghcr.io:0/app",
            "-x.io/app",
            "ghcr.io/a+b",
        ] {
            let error = NameGlob::new(pattern).unwrap_err();
            assert!(error.problem.contains("matches no image") && error.help.is_none(), "{pattern}: {error}");
        }
    }

    #[test]
    fn an_address_is_no_set_of_characters() {
        let glob = NameGlob::new("[::1]:5000/**").unwrap();
        assert!(glob.matches("[::1]:5000/acme/app") && !glob.matches("[::2]:5000/app") && !glob.matches("1:5000/app"));
        assert!(glob.names_registry() && !glob.is_plain() && NameGlob::new("[::1]/app").unwrap().is_plain());
        assert_eq!(glob.as_str(), "[::1]:5000/**");
    }
}
