//! Which images and platforms something in a policy is for.

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

impl ImageScope {
    /// Adds a pattern: `ghcr.io/acme/**`, `!ghcr.io/acme/legacy`, `ghcr.io/acme/app@sha256:…`.
    pub fn push(&mut self, text: &str) -> Result<(), String> {
        let (exclude, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (glob, digest) = match text.split_once('@') {
            None => (text, None),
            Some((glob, digest)) => (glob, Some(digest.parse::<Digest>().map_err(|error| error.to_string())?)),
        };
        self.patterns.push(ImagePattern { glob: Glob::new(glob)?, digest, exclude });
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

    /// Whether every pattern names a digest.
    pub fn is_by_digest(&self) -> bool {
        !self.patterns.is_empty() && self.patterns.iter().all(|pattern| pattern.digest.is_some())
    }
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
