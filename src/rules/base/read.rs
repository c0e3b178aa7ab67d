//! Reading a base, and comparing its layers with the image's.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::config_part::ConfigPart;
use super::super::prelude::*;
use super::super::value_type::{moment, stands_for_none};
use crate::oci::Reference;
use crate::target::Target;

/// One platform of a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Base {
    /// What the reference points to.
    pub(in super::super) digest: Digest,
    /// When this platform of it was made; `None` where the date is missing or stands for none.
    pub(in super::super) created: Option<Timestamp>,
    /// How its layers stand to those of the image.
    pub(in super::super) standing: Standing,
    /// How many steps its history has; `None` if the image's does not begin with them.
    pub(in super::super) steps: Option<usize>,
    /// Its labels.
    pub(in super::super) labels: Annotations,
}

/// How the layers of a base stand to those of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Standing {
    /// They are the first layers of the image; how many.
    First(usize),
    /// They are not.
    Other,
    /// The base has none, so that anything could be built on it.
    Empty,
    /// The base is the image itself, which begins with its own layers whatever they are.
    Itself,
}

/// Reads the platform of a base that an image's platform is built on.
///
/// The digests of the uncompressed layers are compared: builders pack layers anew.
pub(in super::super) fn read(reference: &Reference, entry: &Entry, view: &View<'_>) -> Fact<Base> {
    let own = ConfigPart::read(entry, view, &["/rootfs"])?;
    let platform = entry.platform.as_ref().map_err(Clone::clone)?;
    let target = Arc::new(Target::of(reference.clone()));
    let read = view.other(&target, |base| {
        let part = platform_of(platform, base)?;
        let theirs = ConfigPart::read(part, base, &["/rootfs", "/history", "/config/Labels"])?.config;
        let standing = match theirs.diff_ids.len() {
            0 => Standing::Empty,
            _ if part.digest().is_ok_and(|digest| entry.digest() == Ok(digest)) => Standing::Itself,
            layers if own.config.diff_ids.starts_with(&theirs.diff_ids) => Standing::First(layers),
            _ => Standing::Other,
        };
        let inherited = own.config.history.starts_with(&theirs.history);
        Ok(Base {
            digest: base.root().digest.clone(),
            created: theirs.created.as_deref().and_then(moment).filter(|at| !stands_for_none(*at)),
            standing,
            steps: inherited.then_some(theirs.history.len()),
            labels: theirs.labels.clone(),
        })
    });
    read.map_err(|stop| match stop {
        Stop::Unknown(why) => why.within("reading the base").into(),
        stop => stop,
    })
}

/// The entry of the base for a platform; of a base that is a plain manifest the only one, since builders note that digest too.
fn platform_of<'v>(platform: &Platform, base: &'v View<'_>) -> Fact<&'v Entry> {
    let wanted = platform.normalised();
    let entries = &base.subjects().entries;
    let same = |entry: &&Entry| entry.platform.as_ref().is_ok_and(|platform| platform.normalised() == wanted);
    let without_version =
        |entry: &&Entry| entry.platform.as_ref().is_ok_and(|platform| platform.short() == wanted.short());
    let found = entries.iter().find(same).or_else(|| entries.iter().find(without_version));
    found.ok_or_else(|| {
        let has = words::listed(entries.iter().map(|entry| entry.label.as_str()));
        let cause = Cause::PlatformAbsent { platform: wanted.short(), has };
        Why::new(format!("looking into {}", base.root().target), cause).into()
    })
}
