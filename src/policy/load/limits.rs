//! What `[policy]` demands of every waiver: the mistakes of those that go beyond it.

use toml::Spanned;
use toml::de::DeTable;

use super::mistake::{Mistake, Mistakes, Span};
use super::tree::place;
use crate::policy::{ImageScope, Rulings, WaiverScope};

/// Where the parts of a waiver are written.
pub(super) struct Places {
    header: Span,
    images: Option<Span>,
    has_end: bool,
}

impl Places {
    /// The places of a waiver that is still whole.
    pub(super) fn of(table: &DeTable<'_>, header: &Span) -> Self {
        let images = table.get_key_value("images").map(|(key, value)| place(key, value));
        Self { header: header.clone(), images, has_end: table.contains_key("expires") }
    }

    /// The place of its images.
    pub(super) fn images(&self) -> Option<Span> {
        self.images.clone()
    }
}

/// Tells how a waiver goes beyond what is demanded. How long it runs is counted from the day that is judged by, which is not
/// known here ([`overlong_waivers`](crate::policy::Policy::overlong_waivers)); that it runs for ever is.
pub(super) fn check(
    rule: Option<&Spanned<String>>,
    images: Option<&ImageScope>,
    places: &Places,
    rulings: &Rulings<Span>,
    mistakes: &mut Mistakes,
) {
    if let Some(rule) = rule {
        forbidden(rule, rulings, mistakes);
    }
    endless(places, rulings, mistakes);
    if let (Some(images), Some(span)) = (images, places.images()) {
        broad(images, span, rulings, mistakes);
    }
}

fn forbidden(rule: &Spanned<String>, rulings: &Rulings<Span>, mistakes: &mut Mistakes) {
    let Some(place) = rulings.forbids(rule.get_ref()) else { return };
    let message = format!("the policy forbids waivers for `{}`", rule.get_ref());
    let mistake = Mistake::at(rule.span(), message).related(place.clone(), "`forbid-waivers` says so");
    mistakes.add(mistake.help("mend what it covers, and remove it"));
}

fn endless(places: &Places, rulings: &Rulings<Span>, mistakes: &mut Mistakes) {
    if places.has_end {
        return;
    }
    let (message, place, key) = match (&rulings.require_expiry, &rulings.max_days) {
        (Some(place), _) => {
            ("the waiver has no `expires`, which the policy requires".to_owned(), place, "require-waiver-expiry")
        }
        (None, Some(days)) => {
            let message = format!("the waiver has no `expires`, and the policy admits at most {} days", days.value);
            (message, &days.origin, "max-waiver-days")
        }
        (None, None) => return,
    };
    let mistake = Mistake::at(places.header.clone(), message).consequent();
    let mistake = mistake.related(place.clone(), format!("`{key}` says so"));
    mistakes.add(mistake.help("name the last day on which it counts, such as `expires = 2027-01-31`"));
}

fn broad(images: &ImageScope, span: Span, rulings: &Rulings<Span>, mistakes: &mut Mistakes) {
    let Some(scope) = &rulings.scope else { return };
    let (is_narrow, wanted, help) = match scope.value {
        WaiverScope::Any => return,
        WaiverScope::Repository => (
            images.is_by_repository(),
            "one repository, without wildcards",
            "name each image by itself: `images = [\"ghcr.io/acme/app\"]`",
        ),
        WaiverScope::Digest => (
            images.is_by_repository() && images.is_by_digest(),
            "one repository and a digest",
            "name each image by itself: `images = [\"ghcr.io/acme/app@sha256:…\"]`",
        ),
    };
    if !is_narrow {
        let message = format!("the waiver is too broad: the policy wants each of its `images` to name {wanted}");
        let related = format!("`waiver-scope = \"{}\"` says so", scope.value.as_str());
        mistakes.add(Mistake::at(span, message).related(scope.origin.clone(), related).help(help));
    }
}
