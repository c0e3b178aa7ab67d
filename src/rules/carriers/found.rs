//! What came of a search.

use std::borrow::Cow;
use std::fmt;

use super::super::prelude::*;
use super::Content;
use super::index::short;

/// How many carriers that do not count are named.
const NAMED: usize = 5;

/// A carrier as messages name it: by where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum CarrierName<'g> {
    /// An entry of the index that is bound by its annotations.
    InIndex(&'g Descriptor),
    /// An entry of the index that is bound by nothing.
    Unlinked(&'g Descriptor),
    /// An entry of a list of referrers.
    Referrer(&'g Descriptor),
    /// What one of cosign's tags points to.
    Tagged(&'g Digest, &'static str),
}

impl fmt::Display for CarrierName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InIndex(descriptor) => write!(f, "attestation {} in the index", short(descriptor)),
            Self::Unlinked(descriptor) => {
                write!(f, "entry {} in the index, which no annotation links", short(descriptor))
            }
            Self::Referrer(descriptor) => write!(f, "referrer {}", short(descriptor)),
            Self::Tagged(digest, suffix) => write!(f, "{} under cosign's tag .{suffix}", digest.short()),
        }
    }
}

/// Why a carrier does not count.
#[derive(Debug)]
pub(super) enum Reason<'g> {
    /// It holds something else.
    Holds(Content<'g>),
    /// Anything else, in words.
    Words(Cow<'static, str>),
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds(content) => write!(f, "it holds {content}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl From<&'static str> for Reason<'_> {
    fn from(words: &'static str) -> Self {
        Self::Words(Cow::Borrowed(words))
    }
}

impl From<String> for Reason<'_> {
    fn from(words: String) -> Self {
        Self::Words(Cow::Owned(words))
    }
}

/// A carrier that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Found<'g> {
    /// The digest of the carrier's manifest.
    pub(super) digest: Digest,
    /// The carrier in a sentence.
    pub(super) carrier: CarrierName<'g>,
    /// What it is bound to.
    pub(super) about: Digest,
    /// What it holds.
    pub(super) content: Content<'g>,
    /// What it holds, in a sentence.
    pub(super) what: String,
    /// How much that is worth.
    pub(super) proven: &'static str,
}

impl<'g> Found<'g> {
    /// What it holds.
    pub(in super::super) fn content(&self) -> &Content<'g> {
        &self.content
    }

    /// The manifest that it is bound to.
    pub(in super::super) fn about(&self) -> &Digest {
        &self.about
    }

    /// The carrier, as messages name it.
    pub(in super::super) fn carrier(&self) -> CarrierName<'g> {
        self.carrier
    }

    /// What was found and in which carrier.
    pub(in super::super) fn carried(&self) -> String {
        format!("{} in {}", self.what, self.carrier)
    }

    /// What was found.
    pub(in super::super) fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}; {}", self.what, self.carrier, self.proven)
    }
}

/// Where nothing that counts was found, and what was found there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Missing {
    /// The places looked in.
    pub(super) looked: Vec<String>,
    /// What was found there, and why it does not count.
    pub(super) dismissed: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.looked.is_empty() {
            // The only home that an image may lack.
            f.write_str("it has no index to look in")?;
        } else {
            write!(f, "looked in {}", words::listed(&self.looked))?;
        }
        let Some((first, rest)) = self.dismissed.split_first() else { return Ok(()) };
        write!(f, "; found, but not counted: {first}")?;
        for dismissed in rest.iter().take(NAMED - 1) {
            write!(f, "; {dismissed}")?;
        }
        if self.dismissed.len() > NAMED { write!(f, "; and {} more", self.dismissed.len() - NAMED) } else { Ok(()) }
    }
}
