//! What was asked about one image, and what came of it.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::listed::Listed;
use super::sorted;
use crate::graph::{Cause, Fetched, Known, ReferrerList, Why};
use crate::oci::{Digest, MediaType};
use crate::source::{Part, Resolved, Served};

/// Documents and blobs by their digests; several images share one.
pub(super) type Contents = BTreeMap<Digest, Bytes>;

/// Every question about one image with its answer or failure. The bytes of documents and whole blobs stand beside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Why the layout, archive or snapshot could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unopened: Option<Why>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resolved: Option<Known<Root>>,
    #[serde(with = "sorted")]
    pub(super) manifests: BTreeMap<Digest, Known<()>>,
    #[serde(with = "sorted")]
    pub(super) blobs: BTreeMap<(Digest, Part), Known<Option<Head>>>,
    #[serde(with = "sorted")]
    pub(super) referrers: BTreeMap<Digest, Known<Listed>>,
    #[serde(with = "sorted")]
    pub(super) tagged: BTreeMap<String, Known<Option<Named>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<Known<Vec<String>>>,
    /// Other images that were looked at for this one, by the text of their targets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) others: BTreeMap<String, Facts>,
    /// What was fetched to judge the image when it was recorded.
    pub(super) fetched: Fetched,
}

/// What the target pointed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Root {
    Manifest(Named),
    SavedConfig(Named),
}

/// A document that was served under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    digest: Digest,
    media_type: Option<MediaType>,
}

/// The first bytes of a blob, in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head(pub(super) Bytes);

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(|bytes| Self(bytes.into())).map_err(serde::de::Error::custom)
    }
}

impl From<&Served> for Named {
    fn from(served: &Served) -> Self {
        Self { digest: served.digest.clone(), media_type: served.media_type.clone() }
    }
}

impl From<&Resolved> for Root {
    fn from(resolved: &Resolved) -> Self {
        match resolved {
            Resolved::Manifest(served) => Self::Manifest(served.into()),
            Resolved::SavedConfig(served) => Self::SavedConfig(served.into()),
        }
    }
}

impl Named {
    fn served(&self, contents: &Contents) -> Option<Served> {
        let bytes = contents.get(&self.digest)?.clone();
        Some(Served { bytes, digest: self.digest.clone(), media_type: self.media_type.clone() })
    }
}

/// The recorded answers. `None`: nobody asked.
impl Facts {
    /// The facts about an image that could not be opened.
    pub fn unopened(why: Why) -> Self {
        Self { unopened: Some(why), ..Self::default() }
    }

    /// Whether it is known what the target points to.
    pub fn is_resolved(&self) -> bool {
        self.unopened.is_none() && matches!(self.resolved, Some(Ok(_)))
    }

    /// Why it is not known what the target points to.
    pub fn unresolved(&self) -> Option<&Why> {
        self.unopened.as_ref().or(self.resolved.as_ref().and_then(|known| known.as_ref().err()))
    }

    /// How many questions ended with a failure.
    pub fn failures(&self) -> usize {
        let failed = |known: &Option<bool>| usize::from(*known == Some(true));
        let ends = [
            self.unopened.as_ref().map(|_| true),
            self.resolved.as_ref().map(Result::is_err),
            self.tags.as_ref().map(Result::is_err),
        ];
        let single: usize = ends.iter().map(failed).sum();
        single
            + self.manifests.values().filter(|known| known.is_err()).count()
            + self.blobs.values().filter(|known| known.is_err()).count()
            + self.referrers.values().filter(|known| known.is_err()).count()
            + self.tagged.values().filter(|known| known.is_err()).count()
            + self.others.values().map(Self::failures).sum::<usize>()
    }

    pub(super) fn resolve(&self, contents: &Contents) -> Option<Known<Resolved>> {
        let known = self.resolved.as_ref()?;
        Some(match known {
            Ok(Root::Manifest(named)) => Ok(Resolved::Manifest(named.served(contents)?)),
            Ok(Root::SavedConfig(named)) => Ok(Resolved::SavedConfig(named.served(contents)?)),
            Err(why) => Err(why.clone()),
        })
    }

    pub(super) fn tag(&self, tag: &str, contents: &Contents) -> Option<Known<Option<Served>>> {
        Some(match self.tagged.get(tag)? {
            Ok(None) => Ok(None),
            Ok(Some(named)) => Ok(Some(named.served(contents)?)),
            Err(why) => Err(why.clone()),
        })
    }

    pub(super) fn manifest(&self, digest: &Digest, contents: &Contents) -> Option<Known<Bytes>> {
        Some(match self.manifests.get(digest)? {
            Ok(()) => Ok(contents.get(digest)?.clone()),
            Err(why) => Err(why.clone()),
        })
    }

    /// The answer to just this question.
    pub(super) fn blob(&self, digest: &Digest, part: Part, contents: &Contents) -> Option<Known<Bytes>> {
        Some(match self.blobs.get(&(digest.clone(), part))? {
            Ok(Some(Head(bytes))) => Ok(bytes.clone()),
            Ok(None) => Ok(contents.get(digest)?.clone()),
            Err(why) => Err(why.clone()),
        })
    }

    /// What a blob that was read whole for another question says to this one.
    pub(super) fn derived(&self, digest: &Digest, part: Part, contents: &Contents) -> Option<Result<Bytes, Cause>> {
        let from = (digest.clone(), Part::Whole { cap: 0 });
        let to = (digest.clone(), Part::Whole { cap: u64::MAX });
        if !self.blobs.range(from..=to).any(|(_, known)| known.is_ok()) {
            return None;
        }
        let whole = contents.get(digest)?;
        let got = whole.len() as u64;
        Some(match part {
            Part::Whole { cap } if got > cap => Err(Cause::TooLarge { cap }),
            Part::Whole { .. } => Ok(whole.clone()),
            Part::Start { size, .. } if size != 0 && size != got => Err(Cause::SizeMismatch { wanted: size, got }),
            Part::Start { length, .. } => Ok(whole.slice(..usize::try_from(length.min(got)).unwrap_or(whole.len()))),
        })
    }

    pub(super) fn referrers(&self, subject: &Digest) -> Option<Known<ReferrerList>> {
        self.referrers.get(subject).map(|known| known.as_ref().map(ReferrerList::from).map_err(Why::clone))
    }

    /// The documents that the answers name, and what is wrong with the answers by themselves.
    pub(super) fn check(&self, contents: &Contents) -> Result<(), String> {
        let root = self.resolved.iter().flatten().map(|root| match root {
            Root::Manifest(named) | Root::SavedConfig(named) => &named.digest,
        });
        let manifests = self.manifests.iter().filter(|(_, known)| known.is_ok()).map(|(digest, _)| digest);
        let tagged = self.tagged.values().flatten().flatten().map(|named| &named.digest);
        let mut blobs = Vec::new();
        for ((digest, part), known) in &self.blobs {
            match (part, known) {
                (_, Err(_)) => {}
                (Part::Whole { cap }, Ok(None)) => {
                    blobs.push(digest);
                    if contents.get(digest).is_some_and(|bytes| bytes.len() as u64 > *cap) {
                        return Err(format!("{digest} is larger than what was asked for"));
                    }
                }
                (Part::Start { length, size }, Ok(Some(Head(bytes)))) => {
                    let most = if *size == 0 { *length } else { *length.min(size) };
                    if bytes.len() as u64 > most {
                        return Err(format!("the start of {digest} is longer than what was asked for"));
                    }
                }
                _ => return Err(format!("{digest} was not answered as it was asked for")),
            }
        }
        self.others.values().try_for_each(|other| other.check(contents))?;
        let mut named = root.chain(manifests).chain(tagged).chain(blobs);
        match named.find(|digest| !contents.contains_key(*digest)) {
            Some(digest) => Err(format!("it names {digest} and does not hold it")),
            None => Ok(()),
        }
    }
}
