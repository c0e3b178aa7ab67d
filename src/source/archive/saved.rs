//! What `docker save` wrote before it wrote image layouts: a list of configs and layers, without any manifest.

use bytes::Bytes;
use futures_util::future::ready;

use super::members::Members;
use crate::graph::{Cause, Known, ReferrerList, Why};
use crate::oci::json::{self, Tree};
use crate::oci::{Digest, Json, Shape, Untrusted};
use crate::source::layout::{MAX_DOCUMENT, answers_to, list};
use crate::source::{Part, Reading, Resolved, Served, Source};
use crate::target::Select;

/// The file that lists the images.
pub(super) const MANIFEST: &str = "manifest.json";

/// One image of an archive in Docker's own form, of which only the config and its digest are known.
#[derive(Debug)]
pub(super) struct Saved {
    config: Bytes,
    digest: Digest,
    tags: Vec<String>,
}

/// One image in the list.
#[derive(Debug)]
struct Image {
    config: String,
    tags: Vec<String>,
}

impl Saved {
    /// Reads the list and the config of the image that is meant.
    pub(super) fn open(members: &Members, select: &Select) -> Result<Self, Cause> {
        let list = members.whole(MANIFEST, MAX_DOCUMENT)?;
        let list = list.ok_or_else(|| Cause::NotFound { detail: format!("there is no {MANIFEST}") })?;
        let images = read_list(&list)?;
        let image = choose(&images, members, select)?;
        let (config, digest) = read_config(members, &image.config)?;
        Ok(Self { config, digest, tags: image.tags.clone() })
    }

    fn no_manifest<T>(doing: &str) -> Known<T> {
        Err(Why::new(doing, Cause::NoManifest))
    }
}

impl Source for Saved {
    fn resolve(&self) -> Reading<'_, Resolved> {
        let served = Served { bytes: self.config.clone(), digest: self.digest.clone(), media_type: None };
        Box::pin(ready(Ok(Resolved::SavedConfig(served))))
    }

    fn tag<'a>(&'a self, _: &'a str) -> Reading<'a, Option<Served>> {
        Box::pin(ready(Self::no_manifest("reading a tag")))
    }

    fn manifest<'a>(&'a self, _: &'a Digest) -> Reading<'a, Bytes> {
        Box::pin(ready(Self::no_manifest("reading a manifest")))
    }

    fn blob<'a>(&'a self, digest: &'a Digest, part: Part) -> Reading<'a, Bytes> {
        let doing = || format!("reading blob {}", digest.short());
        let size = self.config.len() as u64;
        let known = match part {
            _ if *digest != self.digest => Self::no_manifest(&doing()),
            Part::Whole { cap } if size > cap => Err(Why::new(doing(), Cause::TooLarge { cap })),
            Part::Whole { .. } => Ok(self.config.clone()),
            Part::Start { size: wanted, .. } if wanted != 0 && wanted != size => {
                Err(Why::new(doing(), Cause::SizeMismatch { wanted, got: size }))
            }
            Part::Start { length, .. } => {
                Ok(self.config.slice(..usize::try_from(length.min(size)).unwrap_or_default()))
            }
        };
        Box::pin(ready(known))
    }

    fn referrers<'a>(&'a self, _: &'a Digest) -> Reading<'a, ReferrerList> {
        Box::pin(ready(Self::no_manifest("listing what refers to a manifest")))
    }

    fn tags(&self) -> Reading<'_, Vec<String>> {
        let mut tags = self.tags.clone();
        tags.sort_unstable();
        Box::pin(ready(Ok(tags)))
    }
}

fn choose<'a>(images: &'a [Image], members: &Members, select: &Select) -> Result<&'a Image, Cause> {
    let not_found = |detail: String| Err(Cause::NotFound { detail });
    let Some(first) = images.first() else { return not_found(format!("{MANIFEST} lists no image")) };
    let names = || {
        let names: Vec<&str> = images.iter().flat_map(|image| &image.tags).map(String::as_str).collect();
        if names.is_empty() { "none has a name".to_owned() } else { list(names) }
    };
    match select {
        Select::Only if images.iter().all(|image| image.config == first.config) => Ok(first),
        Select::Only => {
            let count = images.len();
            let ways = "`docker-archive:FILE:TAG`, or `docker-archive:FILE@DIGEST` with the digest of its config";
            not_found(format!("{MANIFEST} lists {count} images: write {ways}; {}", names()))
        }
        Select::Tag(tag) => {
            let mut matches = images.iter().filter(|image| image.tags.iter().any(|name| answers_to(name, tag)));
            let tag = Untrusted(tag);
            let Some(image) = matches.next() else {
                return not_found(format!("{MANIFEST} names no `{tag}`; {}", names()));
            };
            match matches.find(|other| other.config != image.config) {
                None => Ok(image),
                Some(other) => {
                    let (one, two) = (Untrusted(&image.config), Untrusted(&other.config));
                    Err(Cause::Ambiguous { detail: format!("`{tag}` is both {one} and {two}: name one as `@DIGEST`") })
                }
            }
        }
        Select::Digest(wanted) => {
            for image in images {
                if read_config(members, &image.config)?.1 == *wanted {
                    return Ok(image);
                }
            }
            not_found(format!("{MANIFEST} lists no config {wanted}"))
        }
    }
}

/// The config and its digest; where its file is named by a digest, it has to be that one.
fn read_config(members: &Members, path: &str) -> Result<(Bytes, Digest), Cause> {
    let missing =
        || Cause::NotFound { detail: format!("{MANIFEST} names the config `{}`, which is not there", Untrusted(path)) };
    let bytes = members.whole(path, MAX_DOCUMENT)?.ok_or_else(missing)?;
    let digest = Digest::sha256(&bytes);
    match named_digest(path) {
        Some(wanted) if wanted != digest => {
            Err(Cause::DigestMismatch { wanted: wanted.to_string(), got: digest.to_string() })
        }
        _ => Ok((bytes, digest)),
    }
}

/// The digest in `<hex>.json`, `sha256:<hex>` or `blobs/sha256/<hex>`.
fn named_digest(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next()?;
    let name = name.strip_suffix(".json").unwrap_or(name);
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    format!("sha256:{hex}").parse().ok()
}

fn read_list(bytes: &[u8]) -> Result<Vec<Image>, Cause> {
    let json = Json::parse(bytes, Shape::Any).map_err(|error| unreadable(&error.to_string()))?;
    if let Some(ambiguity) = json.problems().first() {
        return Err(ambiguous(&ambiguity.to_string()));
    }
    let Tree::Array(images) = json.value() else { return Err(unreadable("expected a list of images")) };
    images.iter().map(read_image).collect()
}

fn read_image(value: &Tree<'_>) -> Result<Image, Cause> {
    let Tree::Object(image) = value else { return Err(unreadable("expected an object for each image")) };
    let config = member(image, "Config")?.and_then(Tree::as_str);
    let config = config.ok_or_else(|| unreadable("an image without `Config`"))?.to_owned();
    let wrong = || unreadable("`RepoTags` is no list of strings");
    let tags = match member(image, "RepoTags")? {
        None | Some(Tree::Null) => Vec::new(),
        Some(Tree::Array(tags)) => {
            tags.iter().map(|tag| tag.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(wrong()),
    };
    Ok(Image { config, tags })
}

/// The member of this name, whatever the case of its letters: Docker takes them so, and Jib writes `config`. Two that differ
/// in case alone are one too many.
fn member<'a>(image: &'a json::Members<'a>, name: &str) -> Result<Option<&'a Tree<'a>>, Cause> {
    let folded = |name: &str| name.to_lowercase().to_uppercase();
    let mut members = image.iter().filter(|(key, _)| folded(key) == folded(name));
    let first = members.next();
    if members.next().is_some() {
        return Err(ambiguous(&format!("there is more than one `{name}`, in different case")));
    }
    Ok(first.map(|(_, value)| value))
}

fn unreadable(problem: &str) -> Cause {
    Cause::Unreadable { detail: format!("{MANIFEST}: {problem}") }
}

fn ambiguous(problem: &str) -> Cause {
    Cause::Ambiguous { detail: format!("{MANIFEST}: {problem}") }
}
