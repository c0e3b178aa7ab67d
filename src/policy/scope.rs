//! Which images and platforms something in a policy is for.

use thiserror::Error;

use crate::oci::{Digest, Platform, PlatformPattern};
use crate::rules::Glob;

/// Images by globs over `registry/repository`, each optionally with a digest; `!` excludes.
#[derive(Debug, Clone, Default)]
pub struct ImageScope {
    patterns: Vec<ImagePattern>,
}

#[derive(Debug, Clone)]
struct ImagePattern {
    glob: Glob,
    digest: Option<Digest>,
    exclude: bool,
}

/// A pattern of images that is none, or that could never match.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ImagePatternError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl ImagePatternError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl ImageScope {
    /// Adds a pattern: `ghcr.io/acme/**`, `!ghcr.io/acme/legacy`, `ghcr.io/acme/app@sha256:…`.
    ///
    /// A pattern that no canonical name could match is refused: it would narrow a rule to nothing without a word.
    pub fn push(&mut self, text: &str) -> Result<(), ImagePatternError> {
        let (exclude, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (glob, digest) = match text.split_once('@') {
            None => (text, None),
            Some((glob, digest)) => (glob, Some(parse_digest(digest)?)),
        };
        check_name(glob)?;
        let glob = Glob::new(glob).map_err(ImagePatternError::new)?;
        self.patterns.push(ImagePattern { glob, digest, exclude });
        Ok(())
    }

    /// Whether an image is meant: some pattern names it and none excludes it. Only exclusions mean all others.
    pub fn contains(&self, name: &str, digest: Option<&Digest>) -> bool {
        let hits = |pattern: &ImagePattern| {
            pattern.glob.matches(name) && pattern.digest.as_ref().is_none_or(|wanted| Some(wanted) == digest)
        };
        let excluded = self.patterns.iter().any(|pattern| pattern.exclude && hits(pattern));
        let mut wanted = self.patterns.iter().filter(|pattern| !pattern.exclude).peekable();
        !excluded && (wanted.peek().is_none() || wanted.any(hits))
    }

    /// Whether it names no image, only exclusions.
    pub fn only_excludes(&self) -> bool {
        self.patterns.iter().all(|pattern| pattern.exclude)
    }

    /// Whether every pattern names a digest.
    pub fn is_by_digest(&self) -> bool {
        !self.patterns.is_empty() && self.patterns.iter().all(|pattern| pattern.digest.is_some())
    }
}

fn parse_digest(text: &str) -> Result<Digest, ImagePatternError> {
    text.parse::<Digest>().map_err(|error| {
        ImagePatternError::new(error.to_string()).help("a digest is `sha256:` and 64 hexadecimal digits in lower case")
    })
}

/// Refuses what no canonical `registry/repository` looks like: names in these are in lower case, the registry is always
/// written, Docker Hub is `docker.io`, the port 443 and tags are not part of them.
fn check_name(glob: &str) -> Result<(), ImagePatternError> {
    let Some((why, instead)) = never_matches(glob) else { return Ok(()) };
    let error = ImagePatternError::new(format!("`{glob}` matches no image: {why}"));
    Err(error.help(format!("write `{instead}`")))
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
        return Some(("an image of Docker Hub is in `library` or in somebody's name", format!("docker.io/library/{path}")));
    }
    None
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Platforms by patterns: `linux/amd64`, `linux/*`.
#[derive(Debug, Clone, Default)]
pub struct PlatformScope(pub Vec<PlatformPattern>);

impl PlatformScope {
    /// Whether a platform is meant.
    pub fn contains(&self, platform: &Platform) -> bool {
        self.0.iter().any(|pattern| pattern.matches(platform))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instead(pattern: &str) -> Option<String> {
        ImageScope::default().push(pattern).err().map(|error| error.help.unwrap())
    }

    #[test]
    fn patterns_that_could_match_are_taken() {
        for pattern in [
            "**", "*/**", "**/app", "*.example.com/**", "ghcr.io/acme/app", "ghcr.io/**", "localhost/app", "localhost:5000/a/b",
            "{ghcr.io,quay.io}/acme/*", "docker.io/library/*", "docker.io/**", "[a-z]*.io/acme/?", "!ghcr.io/acme/*", "[::1]:5000/app",
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

    #[test]
    fn exclusions_and_digests_narrow() {
        let digest = Digest::sha256(b"x");
        let mut scope = ImageScope::default();
        scope.push("ghcr.io/acme/**").unwrap();
        scope.push("!ghcr.io/acme/legacy").unwrap();
        scope.push(&format!("quay.io/acme/app@{digest}")).unwrap();
        assert!(scope.contains("ghcr.io/acme/a/b", None));
        assert!(!scope.contains("ghcr.io/acme/legacy", None));
        assert!(scope.contains("quay.io/acme/app", Some(&digest)));
        assert!(!scope.contains("quay.io/acme/app", Some(&Digest::sha256(b"y"))));
        assert!(!scope.is_by_digest() && !scope.only_excludes());
    }
}
