//! Rules with parameters, and what the labels of an image say of each.
//!
//! Where no label says anything, the second opinion is what stands in the documents themselves, read in a few lines that know
//! nothing of the program; where that would be a matter of interpretation too, the image does not count.

mod config;
mod documents;
mod layers;
mod supply;

use super::labels::Labels;
use super::raw::RawPlatform;

/// A rule with parameters, and whether an image with these labels meets it.
pub(crate) struct Probe {
    pub(crate) rule: &'static str,
    pub(crate) parameters: &'static str,
    pub(crate) meets: fn(&Labels) -> Option<bool>,
}

/// Every probe.
pub(crate) fn all() -> impl Iterator<Item = &'static Probe> {
    [documents::PROBES, layers::PROBES, config::PROBES, supply::PROBES].into_iter().flatten()
}

/// Whether all platforms of an image meet something, if every document of each is there.
fn each(labels: &Labels, meets: fn(&RawPlatform) -> bool) -> Option<bool> {
    Some(labels.platforms()?.iter().all(meets))
}
