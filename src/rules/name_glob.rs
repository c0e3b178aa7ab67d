//! Globs over the names of images.

use std::fmt::{self, Display};

use serde::{Deserialize, Deserializer};

use super::Glob;
use crate::oci::from_text;

/// A glob over canonical names of images, `registry/repository`: in lower case, the registry always written, Docker Hub as
/// `docker.io`, without the port 443 and without a tag.
///
/// A glob that could match no such name is refused: in a scope or a list of what is denied it would do nothing, without a word.
#[derive(Debug, Clone)]
pub struct NameGlob(Glob);

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
            return Err(NameGlobError { problem, help: Some(format!("write `{instead}`")) });
        }
        Glob::new(text).map(Self).map_err(|problem| NameGlobError { problem, help: None })
    }

    /// Whether a canonical name matches.
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
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
        self.0.as_str()
    }
}

impl<'de> Deserialize<'de> for NameGlob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a glob", Self::new)
    }
}

/// Why a glob can match no name, and what was meant.
fn never_matches(glob: &str) -> Option<(&'static str, String)> {
    if let Some((_, rest)) = glob.split_once("://") {
        return Some(("a name has no scheme", rest.to_owned()));
    }
    if glob.chars().any(char::is_uppercase) {
        return Some(("names are in lower case", glob.to_lowercase()));
    }
    let (before, last) = glob.rsplit_once('/').map_or(("", glob), |(before, last)| (before, last));
    if let (false, Some((name, _))) = (before.is_empty(), last.split_once(':')) {
        return Some(("a name has no tag; a digest may follow after an `@`", format!("{before}/{name}")));
    }
    if glob.split('/').any(str::is_empty) && !glob.is_empty() {
        let parts: Vec<&str> = glob.split('/').filter(|part| !part.is_empty()).collect();
        return Some(("a part of it is empty", parts.join("/")));
    }
    match glob.split_once('/') {
        None => alone(glob),
        Some((host, _)) if is_glob(host) => None,
        Some((host, path)) => below(host, path),
    }
}

/// The same of a glob without a `/`, while every name has one.
fn alone(glob: &str) -> Option<(&'static str, String)> {
    let instead = match glob {
        "" | "**" => return None,
        "*" => "**".to_owned(),
        glob if is_glob(glob) => format!("**/{glob}"),
        host if host.contains('.') || host == "localhost" => format!("{host}/**"),
        name => format!("docker.io/library/{}", name.split(':').next().unwrap_or(name)),
    };
    Some(("a name is a registry and a repository", instead))
}

/// The same of what stands in a registry.
fn below(host: &str, path: &str) -> Option<(&'static str, String)> {
    if !host.contains(['.', ':']) && host != "localhost" {
        return Some(("a name begins with the registry", format!("docker.io/{host}/{path}")));
    }
    if let Some(plain) = host.strip_suffix(":443") {
        return Some(("the port 443 is not part of a name", format!("{plain}/{path}")));
    }
    if matches!(host, "index.docker.io" | "registry-1.docker.io") {
        return Some(("Docker Hub is `docker.io`", format!("docker.io/{path}")));
    }
    if host == "docker.io" && !path.contains('/') && !path.contains("**") {
        return Some((
            "an image of Docker Hub is in `library` or in somebody's name",
            format!("docker.io/library/{path}"),
        ));
    }
    None
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
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
        ] {
            assert_eq!(instead(pattern), Some(format!("write `{wanted}`")), "{pattern}");
        }
    }
}
