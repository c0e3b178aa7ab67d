//! Which images and platforms something in a policy is for.

use thiserror::Error;

use crate::oci::{Digest, Platform, PlatformPattern};
use crate::rules::NameGlob;

/// Images by globs over `registry/repository`, each optionally with a digest; `!` excludes.
#[derive(Debug, Clone, Default)]
pub struct ImageScope {
    patterns: Vec<ImagePattern>,
}

#[derive(Debug, Clone)]
struct ImagePattern {
    text: String,
    glob: NameGlob,
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

impl ImageScope {
    /// Adds a pattern: `ghcr.io/acme/**`, `!ghcr.io/acme/legacy`, `ghcr.io/acme/app@sha256:…`.
    ///
    /// A pattern that no canonical name could match is refused: it would narrow a rule to nothing without a word.
    pub fn push(&mut self, text: &str) -> Result<(), ImagePatternError> {
        let written = text.to_owned();
        let (exclude, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (glob, digest) = match text.split_once('@') {
            None => (text, None),
            Some((glob, digest)) => (glob, Some(parse_digest(digest)?)),
        };
        let glob =
            NameGlob::new(glob).map_err(|error| ImagePatternError { message: error.problem, help: error.help })?;
        self.patterns.push(ImagePattern { text: written, glob, digest, exclude });
        Ok(())
    }

    /// Whether an image is meant: some pattern names it and none excludes it. Only exclusions mean all others.
    pub fn contains(&self, name: &str, digest: Option<&Digest>) -> bool {
        let hits = |pattern: &ImagePattern| {
            pattern.glob.matches(name) && pattern.digest.as_ref().is_none_or(|wanted| Some(wanted) == digest)
        };
        let excluded = self.patterns.iter().any(|pattern| pattern.exclude && hits(pattern));
        !excluded && (self.only_excludes() || self.wanted().any(hits))
    }

    /// Whether it names no image, only exclusions.
    pub fn only_excludes(&self) -> bool {
        self.patterns.iter().all(|pattern| pattern.exclude)
    }

    /// Whether every pattern that does not exclude names a digest, and there is one.
    pub fn is_by_digest(&self) -> bool {
        !self.only_excludes() && self.wanted().all(|pattern| pattern.digest.is_some())
    }

    /// Whether every pattern that does not exclude names one repository, without a wildcard, and there is one.
    pub fn is_by_repository(&self) -> bool {
        !self.only_excludes() && self.wanted().all(|pattern| pattern.glob.is_plain())
    }

    /// The patterns as written.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|pattern| pattern.text.as_str())
    }

    fn wanted(&self) -> impl Iterator<Item = &ImagePattern> {
        self.patterns.iter().filter(|pattern| !pattern.exclude)
    }
}

fn parse_digest(text: &str) -> Result<Digest, ImagePatternError> {
    text.parse::<Digest>().map_err(|error| {
        let help = "a digest is `sha256:` and 64 hexadecimal digits in lower case".to_owned();
        ImagePatternError { message: error.to_string(), help: Some(help) }
    })
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

    #[test]
    fn how_narrow_a_scope_is_depends_on_what_it_names() {
        let scope = |patterns: &[&str]| {
            let mut scope = ImageScope::default();
            for pattern in patterns {
                scope.push(pattern).unwrap();
            }
            (scope.is_by_repository(), scope.is_by_digest())
        };
        let digest = Digest::sha256(b"x");
        let (one, glob) = (format!("ghcr.io/acme/app@{digest}"), format!("ghcr.io/acme/*@{digest}"));
        assert_eq!(scope(&[]), (false, false));
        assert_eq!(scope(&["!ghcr.io/acme/app"]), (false, false));
        assert_eq!(scope(&["ghcr.io/acme/app"]), (true, false));
        assert_eq!(scope(&["ghcr.io/acme/app", "ghcr.io/acme/*"]), (false, false));
        assert_eq!(scope(&["ghcr.io/acme/a?p"]), (false, false));
        assert_eq!(scope(&[&one]), (true, true));
        assert_eq!(scope(&[&one, "ghcr.io/acme/app"]), (true, false));
        assert_eq!(scope(&[&one, "!ghcr.io/acme/**"]), (true, true));
        assert_eq!(scope(&[&glob]), (false, true));
    }
}
