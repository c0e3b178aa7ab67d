//! Which of the images that `index.json` lists is meant.

use crate::graph::Cause;
use crate::oci::{Descriptor, Untrusted};

/// The name that the image specification gives an entry (annotations.md).
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The full name by which containerd and Docker know an entry.
const IMAGE_NAME: &str = "io.containerd.image.name";

/// How many names a message lists.
const LISTED: usize = 20;

/// What is meant where nothing was named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant<'a> {
    /// The only image there is.
    Image(&'a Descriptor),
    /// All of it: `index.json` itself is the index of the image.
    Index,
}

/// The image that is meant without a name: the only one, or the whole index if it gives no names.
///
/// `form` is how such a target is written, without a tag: `oci:DIR`.
pub(super) fn unnamed<'a>(entries: &'a [Descriptor], form: &str) -> Result<Meant<'a>, Cause> {
    let Some(first) = entries.first() else {
        return Err(Cause::NotFound { detail: "index.json lists no image".to_owned() });
    };
    if entries.iter().all(|entry| entry.digest == first.digest) {
        return Ok(Meant::Image(first));
    }
    let names: Vec<&str> = entries.iter().filter_map(name).collect();
    if names.is_empty() {
        return Ok(Meant::Index);
    }
    let count = entries.len();
    let names = list(names);
    let detail = format!("index.json lists {count} images: write `{form}:TAG` or `{form}@DIGEST`; {names}");
    Err(Cause::NotFound { detail })
}

/// The image of this name: the one whose name it is; else the one whose full name, or whose full name's tag, it is.
pub(super) fn named<'a>(entries: &'a [Descriptor], tag: &str) -> Result<Option<&'a Descriptor>, Cause> {
    let exactly = |entry: &&Descriptor| annotation(entry, REF_NAME) == Some(tag);
    let broadly = |entry: &&Descriptor| {
        [REF_NAME, IMAGE_NAME].iter().filter_map(|key| annotation(entry, key)).any(|name| answers_to(name, tag))
    };
    let mut matches: Vec<&Descriptor> = entries.iter().filter(exactly).collect();
    if matches.is_empty() {
        matches = entries.iter().filter(broadly).collect();
    }
    let Some(first) = matches.first() else { return Ok(None) };
    match matches.iter().find(|entry| entry.digest != first.digest) {
        Some(other) => Err(both(tag, first, other)),
        None => Ok(Some(first)),
    }
}

/// That two images have one name.
pub(super) fn both(tag: &str, one: &Descriptor, other: &Descriptor) -> Cause {
    let (one, other) = (digest_text(one), digest_text(other));
    Cause::Ambiguous { detail: format!("`{}` is both {one} and {other}: name one as `@DIGEST`", Untrusted(tag)) }
}

/// That no image has this name, and which names there are.
pub(super) fn unknown(entries: &[Descriptor], tag: &str, form: &str) -> Cause {
    let names: Vec<&str> = entries.iter().filter_map(name).collect();
    let detail = if names.is_empty() {
        format!(
            "index.json gives no names, so not `{}` either: write `{form}`, or `{form}@DIGEST` for one image",
            Untrusted(tag)
        )
    } else {
        format!("index.json names no `{}`; {}", Untrusted(tag), list(names))
    };
    Cause::NotFound { detail }
}

/// The names by which [`named`] finds the images, sorted.
pub(super) fn tags(entries: &[Descriptor]) -> Vec<String> {
    let mut tags: Vec<String> =
        entries.iter().filter_map(name).map(|name| tag_of(name).unwrap_or(name).to_owned()).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Whether the image of this name is meant by `tag`: it is the name, or the tag at the name's end.
pub(in crate::source) fn answers_to(name: &str, tag: &str) -> bool {
    name == tag || tag_of(name) == Some(tag)
}

/// `it has a, b, c and 5 more`. Tags that stand for the referrers or signatures of an image are not what people look for, so
/// they come last.
pub(in crate::source) fn list(mut names: Vec<&str>) -> String {
    names.sort_by_key(|name| name.starts_with("sha256-"));
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| Untrusted(name).to_string()).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("it has {}{more}", shown.join(", "))
}

/// The name of an entry.
pub(super) fn name(entry: &Descriptor) -> Option<&str> {
    annotation(entry, REF_NAME).or_else(|| annotation(entry, IMAGE_NAME))
}

fn annotation<'a>(entry: &'a Descriptor, key: &str) -> Option<&'a str> {
    entry.annotations.get(key).map(String::as_str).filter(|value| !value.is_empty())
}

fn tag_of(name: &str) -> Option<&str> {
    name.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))
}

fn digest_text(entry: &Descriptor) -> String {
    match &entry.digest {
        Ok(digest) => digest.to_string(),
        Err(error) => Untrusted(error.text()).to_string(),
    }
}
