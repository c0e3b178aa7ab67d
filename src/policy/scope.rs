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
    let never = |what: &str| ImagePatternError::new(format!("`{glob}` matches no image: {what}"));
    if let Some((scheme, rest)) = glob.split_once("://") {
        return Err(never(&format!("a name has no `{scheme}://`")).help(format!("write `{rest}`")));
    }
    if glob.chars().any(char::is_uppercase) {
        return Err(never("names are in lower case").help(format!("write `{}`", glob.to_lowercase())));
    }
    let (host, path) = glob.split_once('/').map_or((None, glob), |(host, path)| (Some(host), path));
    if let Some((name, tag)) = glob.rsplit('/').next().and_then(|last| last.split_once(':')) {
        let rest = glob.strip_suffix(tag).and_then(|rest| rest.strip_suffix(':')).unwrap_or(name);
        return Err(never("a name has no tag").help(format!("write `{rest}`; a digest may follow after an `@`")));
    }
    if host.unwrap_or(path).contains(['*', '?', '[', '{']) {
        return Ok(());
    }
    match host {
        None => {
            let help = format!("write `docker.io/library/{path}` for the image of Docker Hub, or `**/{path}`");
            Err(never("a name begins with the registry").help(help))
        }
        Some(host) => check_host(host, path).map_err(|(what, name)| never(what).help(format!("write `{name}`"))),
    }
}

fn check_host(host: &str, path: &str) -> Result<(), (&'static str, String)> {
    if !host.contains(['.', ':']) && host != "localhost" {
        return Err(("a name begins with the registry", format!("docker.io/{host}/{path}")));
    }
    if let Some(plain) = host.strip_suffix(":443") {
        return Err(("the port 443 is not part of a name", format!("{plain}/{path}")));
    }
    if matches!(host, "index.docker.io" | "registry-1.docker.io") {
        return Err(("Docker Hub is `docker.io`", format!("docker.io/{path}")));
    }
    if host == "docker.io" && !path.contains(['/', '*', '?', '[', '{']) {
        return Err(("an official image is in `library`", format!("docker.io/library/{path}")));
    }
    Ok(())
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
