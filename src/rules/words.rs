//! How messages name things.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use crate::finding::{Fix, ImageName, PushName};
use crate::graph::{Fact, Stop, Subject, View};
use crate::oci::{Escaped, Platform, Reference};

/// The image as the user named it, for commands that read it.
pub(super) fn image_name<'g>(view: &View<'g>) -> ImageName<'g> {
    ImageName(view.root().target.name.as_ref())
}

/// The image as a tag, for commands that build and push it.
pub(super) fn push_name<'g>(view: &View<'g>) -> PushName<'g> {
    PushName(view.root().target.name.as_ref())
}

/// The name that the image is judged under. Not applicable to a file or directory that `--as` gives no name.
pub(super) fn reference<'g>(view: &View<'g>) -> Fact<&'g Reference> {
    let unnamed =
        || Stop::NotApplicable("the image has no name: `--as NAME` gives one to a file or directory".to_owned());
    view.root().target.name.as_ref().ok_or_else(unnamed)
}

/// A command that builds and pushes the whole image: the first `{}` is for its platforms, all of them, since one platform
/// built alone would replace the others; the second for its name.
pub(super) fn build(command: &'static str, view: &View<'_>) -> Fix {
    Fix::new(command).with(&platforms(view)).with(&push_name(view))
}

/// What to change in the commands that made layers, how to see them, and how to build anew.
pub(super) fn mend_commands(change: &'static str, view: &View<'_>) -> Fix {
    Fix::new(change)
        .or(&Fix::new("docker history --no-trunc {}").with(&image_name(view)))
        .or(&build("docker buildx build --platform {} --output type=registry -t {} .", view))
}

/// A command about one manifest: the `{}` is for the image pinned to the digest of the subject.
pub(super) fn about(command: &'static str, subject: Subject<'_>, view: &View<'_>) -> Fix {
    let digest = match subject {
        Subject::Platform(entry) => entry.digest().ok(),
        Subject::Root => None,
    };
    let name = view.root().target.name.as_ref();
    let pinned = name.map(|name| name.with_digest(digest.unwrap_or(&view.root().digest)));
    Fix::new(command).with(&ImageName(pinned.as_ref()))
}

/// Entries beyond which an image was made by no one command, whose platforms could be listed.
const PLATFORMS: usize = 64;

/// The platforms of the image, each once; none if there are too many to be listed.
fn platforms<'g>(view: &View<'g>) -> Vec<&'g Platform> {
    if view.subjects().entries.len() > PLATFORMS {
        return Vec::new();
    }
    let known = view.subjects().entries.iter().filter_map(|entry| entry.platform.as_ref().ok());
    let short = |platform: &'g Platform| (&platform.os, &platform.architecture, &platform.variant);
    let by_name: BTreeMap<_, _> = known.map(|platform| (short(platform), platform)).collect();
    by_name.into_values().collect()
}

/// `1 layer`, `3 layers`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Things that a list names before it only counts them.
const SHOWN: usize = 12;

/// `a`, `a and b`, `a, b and c`; of a long list the first twelve and how many more there are. Each is cut where it is long, so
/// that no image can make its own report large.
pub(super) fn listed<T: Display>(things: impl IntoIterator<Item = T>) -> String {
    joined(things, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn either<T: Display>(things: impl IntoIterator<Item = T>) -> String {
    joined(things, "or")
}

fn joined<T: Display>(things: impl IntoIterator<Item = T>, word: &str) -> String {
    let mut things = things.into_iter().peekable();
    let Some(first) = things.next() else { return "none".to_owned() };
    let mut text = Escaped(&first.to_string()).to_string();
    let last = format!(" {word} ");
    let mut shown = 1;
    while shown < SHOWN
        && let Some(thing) = things.next()
    {
        let before = if things.peek().is_none() { &last } else { ", " };
        let _ = write!(text, "{before}{}", Escaped(&thing.to_string()));
        shown += 1;
    }
    let more = things.count();
    if more > 0 {
        let _ = write!(text, "{last}{more} more");
    }
    text
}

/// Names layers by their positions from 0, as people count: `layer 2 of 5`, `layers 1, 2 and 4 of 5`, `all 5 layers`.
pub(super) fn layers(positions: &[usize], of: usize) -> String {
    match positions {
        [only] => format!("layer {} of {of}", only + 1),
        all if all.len() == of => format!("all {of} layers"),
        some => format!("layers {} of {of}", listed(some.iter().map(|position| position + 1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_from_one() {
        assert_eq!(layers(&[1], 5), "layer 2 of 5");
        assert_eq!(layers(&[0, 1, 3], 5), "layers 1, 2 and 4 of 5");
        assert_eq!(layers(&[0, 1], 2), "all 2 layers");
        assert_eq!(
            layers(&(0..15).collect::<Vec<_>>(), 20),
            "layers 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 3 more of 20"
        );
    }
}
