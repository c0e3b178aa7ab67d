//! The base that an image is proven to be built on.

use super::super::prelude::*;
use super::{Base, Claim, Named, Standing, check_reach, claims, read};

/// Of several images that went into a build, the one of the most layers that the image begins with.
pub(in super::super) fn first_of<'c>(
    claims: &'c [Claim],
    entry: &Entry,
    view: &View<'_>,
    is_named: impl Fn(&str) -> bool,
) -> Fact<Option<(&'c Claim, Base)>> {
    let named = claims.iter().filter_map(|claim| Some((claim, claim.as_built()?)));
    let bases = view.each(named, |(claim, reference)| {
        check_reach(claim, view, &is_named)?;
        Ok((claim, read(&reference, entry, view)?))
    })?;
    let layers = |base: &Base| if let Standing::First(layers) = base.standing { layers } else { 0 };
    Ok(bases.into_iter().filter(|(_, base)| layers(base) > 0).max_by_key(|(_, base)| layers(base)))
}

/// The base of a platform, for rules that tell its part of the image from the image's own; `None` of an image built from
/// nothing. Unknown when the image does not say, or is not seen to begin with the layers of what it says.
pub(in super::super) fn proven(entry: &Entry, view: &View<'_>) -> Fact<Option<Base>> {
    let claims = claims(entry, view)?;
    if matches!(claims.as_slice(), [Claim { named: Named::Scratch, .. }]) {
        return Ok(None);
    }
    let found = first_of(&claims, entry, view, |_| false)?;
    let unproven = || match claims.as_slice() {
        [] => "the image does not say what it is built on".to_owned(),
        claims => format!("the image does not begin with the layers of {}", words::either(claims)),
    };
    let why = || Why::undecidable("telling the image from its base", unproven());
    Ok(Some(found.ok_or_else(why)?.1))
}
