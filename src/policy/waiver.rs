//! Exceptions: what they are for, and how long they count.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{ImageScope, Origin, PlatformScope};
use crate::oci::Platform;

/// Days before its end within which a waiver is said to be expiring.
pub const EXPIRING_DAYS: u32 = 30;

/// An exception: cells, or findings in them, that are shown as waived, with the reason, instead of counting.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The instance it is for.
    pub rule: String,
    /// The images it is for.
    pub images: ImageScope,
    /// The platforms it is for; `None` for all, the root included.
    pub platforms: Option<PlatformScope>,
    /// The only findings it is for (`v1:` and 16 hexadecimal digits); empty for all, and for what could not be known.
    pub fingerprints: Vec<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts (UTC).
    pub expires: Option<Date>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// A page about it: an http or https address.
    pub link: Option<String>,
    /// Where it was written.
    pub origin: Origin,
    /// Where each of its keys was written.
    pub origins: BTreeMap<String, Origin>,
}

impl Waiver {
    /// Days that it still counts after `today`: 0 on its last day, less than 0 when it has expired; `None` if it never ends.
    pub fn days_left(&self, today: Date) -> Option<i32> {
        self.expires.map(|expires| (expires - today).get_days())
    }

    /// Whether its last day has passed.
    pub fn is_expired(&self, today: Date) -> bool {
        self.days_left(today).is_some_and(|days| days < 0)
    }

    /// Whether it is for cells of this platform; of the root where there is none.
    pub fn is_for_platform(&self, platform: Option<&Platform>) -> bool {
        self.platforms.as_ref().is_none_or(|scope| platform.is_some_and(|platform| scope.contains(platform)))
    }

    /// Whether it covers a finding of a cell that it is for; a grave one it covers only if it names the digest.
    pub fn covers(&self, fingerprint: &str, grave: bool) -> bool {
        (!grave || self.images.is_by_digest())
            && (self.fingerprints.is_empty() || self.fingerprints.iter().any(|known| known == fingerprint))
    }

    /// Whether it covers whole cells, and with them what could not be known.
    pub fn covers_cells(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// Where a key of it was written, or its header if it was not.
    pub fn origin_of(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::{Policy, day};

    fn waiver(keys: &str) -> Waiver {
        let text = format!("[rules.document]\n[[waivers]]\nrule = 'document'\nreason = 'x'\n{keys}");
        Policy::from_text("policy.toml", &text, Path::new("")).unwrap().waivers.remove(0)
    }

    #[test]
    fn what_is_grave_is_covered_by_digest_only_and_by_no_other_fingerprint() {
        let (one, other) = ("v1:0000000000000001", "v1:0000000000000002");
        let named = "images = ['ghcr.io/acme/app']";
        let pinned = format!("images = ['ghcr.io/acme/app@sha256:{}']", "0".repeat(64));
        for (keys, plain, grave) in [
            (named.to_owned(), [true, true], [false, false]),
            (format!("{named}\nfingerprint = '{one}'"), [true, false], [false, false]),
            (pinned.clone(), [true, true], [true, true]),
            (format!("{pinned}\nfingerprint = ['{one}']"), [true, false], [true, false]),
        ] {
            let waiver = waiver(&keys);
            assert_eq!([one, other].map(|fingerprint| waiver.covers(fingerprint, false)), plain, "{keys}");
            assert_eq!([one, other].map(|fingerprint| waiver.covers(fingerprint, true)), grave, "{keys}");
        }
    }

    #[test]
    fn the_last_day_is_included() {
        let waiver = waiver("images = ['ghcr.io/acme/app']\nexpires = 2027-01-31");
        let days = |moment: &str| waiver.days_left(day(moment.parse().unwrap())).unwrap();
        assert_eq!(days("2027-01-01T00:00:00Z"), 30);
        assert_eq!(days("2027-01-31T23:59:59Z"), 0);
        assert_eq!(days("2027-02-01T00:00:00Z"), -1);
        assert!(waiver.is_expired(day("2027-02-01T00:00:00Z".parse().unwrap())));
        assert!(!waiver.is_expired(day("2027-01-31T23:59:59Z".parse().unwrap())));
    }
}
