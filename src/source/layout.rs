//! Images in an OCI image layout (image-spec, image-layout.md), in a directory or inside an archive.

mod cosign;
mod directory;
mod names;
mod referrers;
mod tree;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use self::directory::Directory;
use self::names::Meant;
use self::referrers::Referrers;
use super::{Part, Reading, Resolved, Served, Source, off_thread};
use crate::graph::{Cause, Known, ReferrerList, Why};
use crate::oci::{Descriptor, Digest, DigestError, Document, Index, Json, Manifest, MediaType, Shape, json};
use crate::target::Select;

pub(super) use self::names::{answers_to, list};
pub(super) use self::tree::{Place, Start, Tree};

/// A manifest, index or config is at most this large, in bytes.
pub(super) const MAX_DOCUMENT: u64 = 4 << 20;

/// The file `oci-layout` holds one short object; it is at most this large, in bytes.
const MAX_VERSION: u64 = 4 << 10;

/// The version of layouts that is read.
const VERSION: &str = "1.0.0";

/// One image of a layout.
pub struct Layout {
    contents: Arc<Contents>,
    select: Select,
}

/// What a layout holds.
struct Contents {
    tree: Box<dyn Tree>,
    /// How the user wrote the target, without a tag or digest.
    what: String,
    /// How such a target is written: `oci:DIR`.
    form: &'static str,
    index: Document<Manifest>,
    referrers: OnceLock<Result<Referrers, Cause>>,
}

impl Layout {
    /// Opens the layout in a directory and reads its `index.json`.
    ///
    /// # Errors
    /// [`Cause::File`] when this is no such directory or no layout; [`Cause::Unreadable`], [`Cause::Ambiguous`] and
    /// [`Cause::TooLarge`] when `index.json` or `oci-layout` is no such document.
    pub async fn open(path: &Path, select: &Select) -> Known<Self> {
        let what = format!("oci:{}", path.display());
        let path = path.to_owned();
        let select = select.clone();
        off_thread(move || {
            let opened = Directory::open(&path).and_then(|tree| Self::within(Box::new(tree), &what, "oci:DIR", select));
            opened.map_err(|cause| Why::new(format!("opening {what}"), cause))
        })
        .await
    }

    /// Opens the layout in a tree of files. `what` is how the user wrote the target, `form` how such a target is written, both
    /// without a tag.
    pub(super) fn within(tree: Box<dyn Tree>, what: &str, form: &'static str, select: Select) -> Result<Self, Cause> {
        let versioned = check_version(&*tree)?;
        let Some(bytes) = tree.read(Place::Index, MAX_DOCUMENT)? else {
            let detail = if versioned {
                "there is a file `oci-layout`, but no `index.json` to list the images".to_owned()
            } else {
                "this is no image layout: there is neither `index.json` nor `oci-layout`".to_owned()
            };
            return Err(Cause::File { detail });
        };
        let index = read_index(bytes)?;
        Ok(Self {
            contents: Arc::new(Contents { tree, what: what.to_owned(), form, index, referrers: OnceLock::new() }),
            select,
        })
    }

    /// Reads from the files, away from the threads that must not block.
    fn read<'a, T: Send + 'static>(
        &self,
        doing: String,
        read: impl FnOnce(&Contents) -> Result<T, Cause> + Send + 'static,
    ) -> Reading<'a, T> {
        let contents = Arc::clone(&self.contents);
        Box::pin(off_thread(move || read(&contents).map_err(|cause| Why::new(doing, cause))))
    }
}

impl Source for Layout {
    fn resolve(&self) -> Reading<'_, Resolved> {
        let select = self.select.clone();
        self.read(format!("reading {}", self.contents.what), move |contents| {
            contents.resolve(&select).map(Resolved::Manifest)
        })
    }

    fn tag<'a>(&'a self, tag: &'a str) -> Reading<'a, Option<Served>> {
        let tag = tag.to_owned();
        self.read(format!("reading tag {tag}"), move |contents| {
            contents.tagged(&tag)?.map(|entry| contents.serve(entry)).transpose()
        })
    }

    fn manifest<'a>(&'a self, digest: &'a Digest) -> Reading<'a, Bytes> {
        let digest = digest.clone();
        self.read(format!("reading manifest {}", digest.short()), move |contents| contents.manifest(&digest))
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        let digest = digest.clone();
        self.read(format!("reading blob {}", digest.short()), move |contents| contents.blob(&digest, part))
    }

    fn referrers<'a>(&'a self, subject: &'a Digest) -> Reading<'a, ReferrerList> {
        let subject = subject.clone();
        let doing = format!("listing what refers to {}", subject.short());
        self.read(doing, move |contents| contents.referrers(&subject))
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        self.read(format!("listing the names in {}", self.contents.what), |contents| {
            Ok(names::tags(contents.entries()))
        })
    }
}

impl Contents {
    fn entries(&self) -> &[Descriptor] {
        match self.index.value() {
            Manifest::Index(Index { manifests, .. }) => manifests,
            _ => &[],
        }
    }

    fn resolve(&self, select: &Select) -> Result<Served, Cause> {
        match select {
            Select::Only => match self.saved_image() {
                Some(image) => self.serve(image),
                None => match names::unnamed(self.entries(), self.form)? {
                    Meant::Image(entry) => self.serve(entry),
                    Meant::Index => Ok(self.whole_index()),
                },
            },
            Select::Tag(tag) => match self.named(tag)? {
                Some(entry) => self.serve(entry),
                None => Err(names::unknown(self.entries(), tag, self.form)),
            },
            Select::Digest(digest) if digest == self.index.digest() => Ok(self.whole_index()),
            Select::Digest(digest) => {
                let media_type = self.listed(digest).map(|entry| entry.media_type.clone()).next();
                Ok(Served { bytes: self.manifest(digest)?, digest: digest.clone(), media_type: given(media_type) })
            }
        }
    }

    fn named(&self, tag: &str) -> Result<Option<&Descriptor>, Cause> {
        names::named(self.entries(), tag)
    }

    /// What stands for a tag: the entry of that name, or what `cosign save` wrote of it.
    fn tagged(&self, tag: &str) -> Result<Option<&Descriptor>, Cause> {
        let (named, saved) = (self.named(tag)?, self.companion(tag)?);
        match (named, saved) {
            (Some(named), Some(saved)) if named.digest != saved.digest => Err(names::both(tag, named, saved)),
            _ => Ok(named.or(saved)),
        }
    }

    /// The entries of `index.json` with this digest.
    fn listed(&self, digest: &Digest) -> impl Iterator<Item = &Descriptor> {
        self.entries().iter().filter(move |entry| entry.digest.as_ref() == Ok(digest))
    }

    fn serve(&self, entry: &Descriptor) -> Result<Served, Cause> {
        let digest = entry.digest.as_ref().map_err(bad_digest)?;
        let media_type = given(Some(entry.media_type.clone()));
        Ok(Served { bytes: self.manifest(digest)?, digest: digest.clone(), media_type })
    }

    fn whole_index(&self) -> Served {
        let media_type = Some(self.index.value().effective_media_type());
        Served { bytes: self.index.bytes().clone(), digest: self.index.digest().clone(), media_type }
    }

    /// A manifest; where `index.json` lists it, of the size given there.
    fn manifest(&self, digest: &Digest) -> Result<Bytes, Cause> {
        if digest == self.index.digest() {
            return Ok(self.index.bytes().clone());
        }
        let bytes = self.whole(digest, MAX_DOCUMENT)?;
        let got = bytes.len() as u64;
        match self.listed(digest).filter_map(|entry| entry.size).find(|size| *size != got) {
            Some(wanted) => Err(Cause::SizeMismatch { wanted, got }),
            None => Ok(bytes),
        }
    }

    fn blob(&self, digest: &Digest, part: Part) -> Result<Bytes, Cause> {
        match part {
            Part::Whole { cap } => self.whole(digest, cap),
            Part::Start { length, size: wanted } => {
                let start = self.tree.start(Place::Blob(digest), length)?.ok_or_else(|| missing(digest))?;
                if wanted != 0 && wanted != start.size {
                    return Err(Cause::SizeMismatch { wanted, got: start.size });
                }
                Ok(start.bytes)
            }
        }
    }

    fn whole(&self, digest: &Digest, cap: u64) -> Result<Bytes, Cause> {
        let bytes = self.tree.read(Place::Blob(digest), cap)?.ok_or_else(|| missing(digest))?;
        let got = Digest::of(digest.algorithm(), &bytes);
        if got == *digest {
            return Ok(bytes);
        }
        Err(Cause::DigestMismatch { wanted: digest.to_string(), got: got.to_string() })
    }
}

/// Whether there is a file `oci-layout`; if so it must be of the known version. Some tools leave it out.
fn check_version(tree: &dyn Tree) -> Result<bool, Cause> {
    let unreadable = |problem: &str| Cause::Unreadable { detail: format!("oci-layout: {problem}") };
    let Some(bytes) = tree.read(Place::Version, MAX_VERSION)? else { return Ok(false) };
    let version = Json::parse(&bytes, Shape::Any).map_err(|error| unreadable(&error.to_string()))?;
    if let Some(ambiguity) = version.problems().first() {
        return Err(Cause::Ambiguous { detail: format!("oci-layout: {ambiguity}") });
    }
    match version.value().get("imageLayoutVersion").and_then(json::Tree::as_str) {
        Some(VERSION) => Ok(true),
        Some(version) => Err(unreadable(&format!("imageLayoutVersion is `{version}`, only `{VERSION}` is known"))),
        None => Err(unreadable("it holds no imageLayoutVersion")),
    }
}

fn read_index(bytes: Bytes) -> Result<Document<Manifest>, Cause> {
    let unreadable = |problem: String| Cause::Unreadable { detail: format!("index.json: {problem}") };
    let index: Document<Manifest> = Document::read(bytes).map_err(|error| unreadable(error.to_string()))?;
    if let Err(ambiguities) = index.unambiguous() {
        let first = ambiguities.first().map(ToString::to_string).unwrap_or_default();
        return Err(Cause::Ambiguous { detail: format!("index.json: {first}") });
    }
    match index.value() {
        Manifest::Index(_) => Ok(index),
        other => Err(unreadable(format!("found a {}, expected an index", other.kind()))),
    }
}

/// Reads a manifest that can be read in one way only.
fn document(bytes: Bytes, digest: &Digest) -> Result<Document<Manifest>, Cause> {
    let trouble = |problem: &dyn std::fmt::Display| format!("{}: {problem}", digest.short());
    let document: Document<Manifest> =
        Document::read_as(bytes, digest.clone()).map_err(|error| Cause::Unreadable { detail: trouble(&error) })?;
    if let Some(ambiguity) = document.ambiguities().first() {
        return Err(Cause::Ambiguous { detail: trouble(ambiguity) });
    }
    Ok(document)
}

fn given(media_type: Option<MediaType>) -> Option<MediaType> {
    media_type.filter(|media_type| !media_type.as_str().is_empty())
}

fn missing(digest: &Digest) -> Cause {
    Cause::NotFound { detail: format!("there is no file {}", Place::Blob(digest)) }
}

fn bad_digest(error: &DigestError) -> Cause {
    Cause::BadDigest { detail: error.to_string() }
}
