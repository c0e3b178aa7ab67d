//! Why a text is no reference.

use std::fmt;

use crate::oci::DigestError;

/// Why a text is no image reference, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceError {
    /// What was found, raw: escape it before showing it.
    pub text: String,
    /// Where in the text the problem lies, in bytes; on a character boundary, at most the text's length.
    pub at: usize,
    /// What the problem is.
    pub problem: ReferenceProblem,
}

impl ReferenceError {
    /// What to do about it, where that is not plain from the problem.
    pub fn hint(&self) -> Option<&'static str> {
        self.problem.hint()
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        let start: String = self.text.chars().take(SHOWN).collect();
        let rest = if start.len() < self.text.len() { "…" } else { "" };
        write!(f, "`{}{rest}` is no image reference: {}", start.escape_default(), self.problem)
    }
}

impl std::error::Error for ReferenceError {}

/// What is wrong with a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceProblem {
    /// No text at all.
    #[error("it is empty")]
    Empty,
    /// `https://` or the like.
    #[error("it starts with the scheme of a URL")]
    Scheme,
    /// 64 hexadecimal digits and nothing else.
    #[error("an image ID alone does not say in which registry and repository the image is")]
    ImageId,
    /// A part of the host's name is empty, or starts or ends with a hyphen.
    #[error("the parts of a host name start and end with a letter or a digit")]
    HostLabel,
    /// A character that no host name holds.
    #[error("a host name may not hold the character {0:?}")]
    HostCharacter(char),
    /// A host name beyond what the domain name system allows.
    #[error("the host name is longer than 253 characters")]
    HostTooLong,
    /// Brackets around something else than an IPv6 address.
    #[error("brackets hold an IPv6 address, as in [fd00::1]")]
    Ipv6,
    /// What follows the host's colon is no port.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// The repository's name, or a part of it between slashes, is empty.
    #[error("a part of the repository name is empty")]
    RepositoryEmpty,
    /// An upper-case letter in the repository's name.
    #[error("the repository name holds the upper-case letter {0:?}")]
    RepositoryUppercase(char),
    /// A character that no repository's name holds.
    #[error("a repository name may not hold the character {0:?}")]
    RepositoryCharacter(char),
    /// Separators at a part's start or end, or too many in a row.
    #[error("the parts of a repository name are letters and digits, with `.`, `_`, `__` or hyphens only in between")]
    RepositorySeparator,
    /// A repository name beyond what registries take.
    #[error("the repository name is longer than 255 characters")]
    RepositoryTooLong,
    /// A colon and no tag.
    #[error("the tag is empty")]
    TagEmpty,
    /// A tag that starts with a dot or a hyphen.
    #[error("a tag starts with a letter, a digit or `_`")]
    TagStart,
    /// A character that no tag holds.
    #[error("a tag may not hold the character {0:?}")]
    TagCharacter(char),
    /// A tag beyond what the distribution specification allows.
    #[error("the tag is longer than 128 characters")]
    TagTooLong,
    /// A second `@`.
    #[error("it holds several `@`")]
    SeveralDigests,
    /// What follows the `@` is no digest.
    #[error("{0}")]
    Digest(DigestError),
}

impl ReferenceProblem {
    /// What to do about it, where that is not plain from the problem.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Empty => Some("name an image, as in ghcr.io/acme/app:1.2"),
            Self::Scheme => Some("leave out the scheme: ghcr.io/acme/app, not https://ghcr.io/acme/app"),
            Self::ImageId => Some("write REPOSITORY@sha256:DIGEST, with the digest of the manifest"),
            Self::HostCharacter('_') => Some("host names have no `_`"),
            Self::Ipv6 => Some("IPv6 addresses stand in brackets and have no zone, as in [fd00::1]:5000/app"),
            Self::RepositoryEmpty => Some("write HOST/REPOSITORY, without doubled or trailing slashes"),
            Self::RepositoryCharacter('[') => Some("a registry alone is no image: write [ADDRESS]:PORT/REPOSITORY"),
            Self::RepositoryUppercase(_) => Some("repository names are lower case"),
            Self::RepositoryCharacter(c) | Self::TagCharacter(c) if c.is_whitespace() => {
                Some("leave out the white space")
            }
            Self::TagEmpty => Some("leave out the colon, or write a tag behind it"),
            Self::TagCharacter('/') => Some("the tag comes last, behind the whole repository name"),
            Self::TagCharacter(':') => Some("a digest follows `@`, as in app:1.2@sha256:…"),
            Self::SeveralDigests => Some("write one digest, behind the tag"),
            Self::Digest(_) => Some("a digest is copied whole, as in app@sha256: and 64 hexadecimal digits"),
            _ => None,
        }
    }
}
