//! What refers to what within a layout: there is no API to ask, so the manifests that `index.json` lists are read.

use std::collections::{BTreeMap, BTreeSet};

use super::Contents;
use crate::graph::{Cause, Home, ReferrerList};
use crate::oci::{Descriptor, Digest, Document, Manifest, MediaType};

/// How many entries of `index.json` are looked into.
const MAX_ENTRIES: usize = 1000;

/// How much of them is read, in bytes.
const MAX_READ: u64 = 64 << 20;

/// The referrers of each subject, as a registry would list them.
pub(super) type Referrers = BTreeMap<Digest, Vec<Descriptor>>;

impl Contents {
    /// What refers to `subject`: the manifests in `index.json` that say so, and what the index under the fallback tag lists.
    pub(super) fn referrers(&self, subject: &Digest) -> Result<ReferrerList, Cause> {
        let known = self.referrers.get_or_init(|| self.find_referrers()).as_ref().map_err(Clone::clone)?;
        let mut descriptors = known.get(subject).cloned().unwrap_or_default();
        for listed in self.under_fallback_tag(subject)? {
            if descriptors.iter().all(|known| known.digest != listed.digest) {
                descriptors.push(listed);
            }
        }
        Ok(ReferrerList::new(descriptors, Home::Layout))
    }

    /// Reads every manifest that `index.json` lists. One that cannot be read may refer to anything, so nothing is known then.
    fn find_referrers(&self) -> Result<Referrers, Cause> {
        let mut referrers = Referrers::new();
        self.look_into(self.entries().iter().filter(|entry| may_refer(entry)), |entry, document| {
            if let Some(subject) = document.value().subject() {
                let subject = subject.digest.as_ref().map_err(super::bad_digest)?;
                referrers.entry(subject.clone()).or_default().push(as_listed(document, &entry.media_type));
            }
            Ok(())
        })?;
        Ok(referrers)
    }

    /// Reads the manifests of entries, each once, within limits.
    pub(super) fn look_into<'a>(
        &'a self,
        entries: impl Iterator<Item = &'a Descriptor>,
        mut see: impl FnMut(&Descriptor, &Document<Manifest>) -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        let mut seen = BTreeSet::new();
        let mut read = 0;
        for entry in entries {
            let digest = entry.digest.as_ref().map_err(super::bad_digest)?;
            if !seen.insert(digest) {
                continue;
            }
            if seen.len() > MAX_ENTRIES {
                return Err(Cause::Budget {
                    what: format!("{MAX_ENTRIES} entries of index.json looked into for referrers"),
                });
            }
            let bytes = self.manifest(digest)?;
            read += bytes.len() as u64;
            if read > MAX_READ {
                return Err(Cause::Budget { what: "64 MiB of manifests read in search of referrers".to_owned() });
            }
            see(entry, &super::document(bytes, digest)?)?;
        }
        Ok(())
    }

    /// What the index lists that stands under the tag `sha256-<hex>` (distribution-spec, "Referrers Tag Schema"). Mirrors may
    /// put the subject itself there, which lists nothing.
    fn under_fallback_tag(&self, subject: &Digest) -> Result<Vec<Descriptor>, Cause> {
        let Some(entry) = self.named(&subject.fallback_tag())? else { return Ok(Vec::new()) };
        let digest = entry.digest.as_ref().map_err(super::bad_digest)?;
        if digest == subject {
            return Ok(Vec::new());
        }
        let document = super::document(self.manifest(digest)?, digest)?;
        match document.value() {
            Manifest::Index(index) => Ok(index.manifests.clone()),
            other => {
                let detail = format!("{} stands for referrers and is a {}, not an index", digest.short(), other.kind());
                Err(Cause::Unreadable { detail })
            }
        }
    }
}

/// Whether an entry could be a manifest; other blobs refer to nothing.
fn may_refer(entry: &Descriptor) -> bool {
    entry.media_type.is_manifest_like() || entry.media_type.is_generic()
}

/// The descriptor that a registry would list for a referrer (distribution-spec, "Listing Referrers").
fn as_listed(document: &Document<Manifest>, media_type: &MediaType) -> Descriptor {
    let manifest = document.value();
    Descriptor {
        media_type: manifest.media_type().unwrap_or(media_type).clone(),
        digest: Ok(document.digest().clone()),
        size: Some(document.bytes().len() as u64),
        urls: Vec::new(),
        annotations: manifest.annotations().cloned().unwrap_or_default(),
        platform: None,
        artifact_type: manifest.artifact_type_or_config().cloned(),
        data: None,
    }
}
