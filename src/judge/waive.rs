//! Which waiver covers a cell, and what is to be said about waivers.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::cells::Plan;
use crate::oci::Digest;
use crate::policy::{Level, Policy, Waiver};
use crate::report::{CellVerdict, Diagnostic, ImageReport, PolicyPlace, WaiverNote};

/// The image that waivers are looked up for.
pub(super) struct Waivers<'p> {
    policy: &'p Policy,
    name: Option<String>,
    digest: Digest,
    today: Date,
}

impl<'p> Waivers<'p> {
    pub(super) fn new(policy: &'p Policy, name: Option<String>, digest: Digest, now: Timestamp) -> Self {
        Self { policy, name, digest, today: now.to_zoned(TimeZone::UTC).date() }
    }

    /// The waiver that covers a cell; for a grave finding only one that names the digest.
    pub(super) fn covering(&self, plan: &Plan<'_>, grave: bool) -> Option<&'p Waiver> {
        let name = self.name.as_deref()?;
        self.policy.waivers.iter().find(|waiver| {
            waiver.rule == plan.instance.name
                && !is_expired(waiver, self.today)
                && waiver.images.contains(name, Some(&self.digest))
                && (!grave || waiver.images.is_by_digest())
                && waiver
                    .platforms
                    .as_ref()
                    .is_none_or(|scope| plan.platform.as_ref().is_some_and(|p| scope.contains(p)))
        })
    }

    /// The waivers that are for this image.
    pub(super) fn for_image(&self) -> impl Iterator<Item = &'p Waiver> {
        let name = self.name.as_deref();
        let matches = move |waiver: &&Waiver| name.is_some_and(|name| waiver.images.contains(name, Some(&self.digest)));
        self.policy.waivers.iter().filter(matches)
    }

    pub(super) fn expired(&self, waiver: &Waiver) -> bool {
        is_expired(waiver, self.today)
    }
}

/// A waiver's last day is included, in UTC.
fn is_expired(waiver: &Waiver, today: Date) -> bool {
    waiver.expires.is_some_and(|expires| expires < today)
}

pub(super) fn note(waiver: &Waiver) -> WaiverNote {
    WaiverNote {
        reason: waiver.reason.clone(),
        expires: waiver.expires.map(|date| date.to_string()),
        place: PolicyPlace::from(&waiver.origin),
    }
}

/// Remarks about the waivers that are for an image: expired ones, and ones whose cells all passed.
pub(super) fn remarks(waivers: &Waivers<'_>, image: &ImageReport) -> Vec<Diagnostic> {
    let used: BTreeSet<(String, usize, usize)> =
        image.cells.iter().filter_map(|cell| cell.waiver.as_ref()).map(place_key).collect();
    let remark = |waiver: &Waiver| {
        let place = PolicyPlace::from(&waiver.origin);
        let about = |message: String, help: &str| Diagnostic {
            level: Level::Warning,
            message,
            help: Some(help.to_owned()),
            place: Some(place.clone()),
        };
        if waivers.expired(waiver) {
            let date = waiver.expires.map(|date| date.to_string()).unwrap_or_default();
            return Some(about(
                format!("the waiver for `{}` expired on {date} and no longer counts", waiver.rule),
                "renew or remove it",
            ));
        }
        let judged =
            |verdict: CellVerdict| image.cells.iter().any(|cell| cell.rule == waiver.rule && cell.verdict == verdict);
        let unused = !used.contains(&(place.file.clone(), place.line, place.column)) && judged(CellVerdict::Pass);
        unused.then(|| about(format!("the waiver for `{}` is not needed: the image passes", waiver.rule), "remove it"))
    };
    waivers.for_image().filter_map(remark).collect()
}

fn place_key(note: &WaiverNote) -> (String, usize, usize) {
    (note.place.file.clone(), note.place.line, note.place.column)
}
