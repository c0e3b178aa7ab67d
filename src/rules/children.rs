use super::prelude::*;

/// Levels of nested indexes that are followed.
const MAX_DEPTH: usize = 6;
/// Entries in all indexes that are fetched.
const MAX_ENTRIES: usize = 1_000;

declare_rule! {
    /// Every entry of the index is there, with the digest and size that the index says.
    ///
    /// # What it checks
    ///
    /// That everything an index names can be fetched: platforms, attestations, artifacts and nested indexes with all of theirs; and
    /// that the bytes have the digest and the size of the entry. A plain manifest has no entries and passes.
    ///
    /// The rule fetches every entry. It is the only one to which an entry that is not there (404) is a violation; to all others it
    /// is unknown.
    ///
    /// # Why
    ///
    /// Mirrors and copies of single platforms leave indexes with holes, and so does garbage collection of untagged manifests. Such an
    /// image runs on one machine and fails on another, or loses its SBOMs without anybody noticing.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.children]
    /// level = "warning"
    /// ```
    ///
    /// # Parameters
    ///
    /// None.
    ///
    /// # How to fix
    ///
    /// Copy the image with everything its index names:
    ///
    /// ```sh
    /// skopeo copy --all docker://SOURCE docker://IMAGE
    /// regctl image copy SOURCE IMAGE
    /// ```
    ///
    /// Where a hole is meant, take the entry out of the index: `regctl index delete IMAGE --digest sha256:…`; that changes the digest
    /// of the index, so sign it afterwards. Keep registries from collecting manifests that an index still names.
    ///
    /// # What it cannot see
    ///
    /// Whether configs and layers are there. Entries that are no manifests (blobs of an old build cache) are not fetched.
    Children: "children"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Children {}

impl Check for Children {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let mut walk = Walk { view, findings: Findings::new(), seen: BTreeSet::new(), checked: 0, skipped: 0 };
        if let Manifest::Index(index) = view.root_manifest()? {
            walk.index(&view.root().digest, index, 1);
        }
        let Walk { findings, checked, skipped, .. } = walk;
        findings.verdict(|| match (checked, skipped) {
            (0, 0) => "no entries".to_owned(),
            (checked, 0) => format!("{} resolved", entries(checked)),
            (checked, skipped) => {
                format!("{} resolved, {skipped} of other kinds than manifests not fetched", entries(checked))
            }
        })
    }
}

fn entries(number: usize) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

struct Walk<'v, 'g> {
    view: &'v View<'g>,
    findings: Findings,
    seen: BTreeSet<&'g Digest>,
    checked: usize,
    skipped: usize,
}

impl<'g> Walk<'_, 'g> {
    /// Goes through one index; everything that it names is asked for before the first answer is looked at.
    fn index(&mut self, digest: &'g Digest, index: &'g Index, depth: usize) {
        if !self.seen.insert(digest) {
            return;
        }
        if depth > MAX_DEPTH || self.checked + index.manifests.len() > MAX_ENTRIES {
            let what = format!("{MAX_DEPTH} levels of indexes and {MAX_ENTRIES} entries");
            self.findings.stop(Why::new("looking for every entry of the index", Cause::Budget { what }).into());
            return;
        }
        for (position, descriptor) in index.manifests.iter().enumerate() {
            if !may_be_manifest(&descriptor.media_type) {
                self.skipped += 1;
                continue;
            }
            self.checked += 1;
            let location = Location::new(NodeRole::Index, digest, format!("/manifests/{position}"));
            if let (Some(Manifest::Index(nested)), Ok(digest)) = (self.entry(descriptor, location), &descriptor.digest)
            {
                self.index(digest, nested, depth + 1);
            }
        }
    }

    /// Resolves one entry; returns what it is, if it can be read.
    fn entry(&mut self, descriptor: &'g Descriptor, location: Location) -> Option<&'g Manifest> {
        let digest = match &descriptor.digest {
            Ok(digest) => digest,
            Err(error) => {
                let why = Why::new("following an entry of the index", Cause::BadDigest { detail: error.to_string() });
                self.findings.stop(why.into());
                return None;
            }
        };
        let said = match self.view.document(digest) {
            Ok(document) => match descriptor.size {
                Some(size) if size != 0 && size != document.bytes().len() as u64 => {
                    format!("has {} bytes, its descriptor says {size}", document.bytes().len())
                }
                _ => return Some(document.value()),
            },
            Err(Stop::Unknown(why)) => match why.cause {
                Cause::NotFound { .. } => "is not there (404)".to_owned(),
                Cause::DigestMismatch { got, .. } => {
                    format!("comes with other bytes, whose digest is {}", ImageText(&got))
                }
                // The bytes came and have the digest; what they are is for other rules.
                Cause::Unreadable { .. } => return None,
                cause => {
                    self.findings.stop(Why { doing: why.doing, cause }.into());
                    return None;
                }
            },
            Err(stop) => {
                self.findings.stop(stop);
                return None;
            }
        };
        let message = format!("{} {} {said}", name_of(descriptor), digest.short());
        self.findings.add(message, location, fix(digest, self.view));
        None
    }
}

/// Whether a registry would serve it as a manifest, as far as the type tells.
fn may_be_manifest(media_type: &MediaType) -> bool {
    use crate::oci::Role;
    media_type.is_manifest_like() || matches!(media_type.role(), Role::Generic | Role::Unknown)
}

fn name_of(descriptor: &Descriptor) -> String {
    match &descriptor.platform {
        _ if descriptor
            .annotations
            .get("vnd.docker.reference.type")
            .is_some_and(|kind| kind == "attestation-manifest") =>
        {
            "the attestation".to_owned()
        }
        Some(platform) if !platform.is_unknown() => format!("the entry for {}", ImageText(&platform.to_string())),
        _ => "the entry".to_owned(),
    }
}

fn fix(digest: &Digest, view: &View<'_>) -> Fix {
    Fix::new("copy the image again with all that its index names: skopeo copy --all docker://SOURCE docker://{}")
        .with(&push_name(view))
        .or(&Fix::new("or take the entry out: regctl index delete {} --digest {}").with(&push_name(view)).with(digest))
}
