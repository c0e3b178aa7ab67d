//! Which registries are asked because an image names them.

use super::super::prelude::*;
use super::{Claim, Named};

/// Registries that anybody may be sent to, whatever image says so.
const PUBLIC: [&str; 10] = [
    "docker.io",
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "registry.k8s.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "registry.access.redhat.com",
    "cgr.dev",
    "dhi.io",
];

/// Whether the registry of a base may be asked, though it is the image that names it: the image's own, a large public one, or
/// one that the policy names. Unknown otherwise: no image leads the program to a host of its choice.
pub(in super::super) fn check_reach(claim: &Claim, view: &View<'_>, is_named: impl Fn(&str) -> bool) -> Fact<()> {
    let Named::Image(name) = &claim.named else { return Ok(()) };
    let registry = name.registry();
    let own = view.root().target.name.as_ref().is_some_and(|own| own.registry() == registry);
    if own || PUBLIC.contains(&registry) || is_named(&name.canonical_name()) {
        return Ok(());
    }
    let detail = format!(
        "{registry} is not asked because an image names it; the rule `base-image` asks it with `allow = [\"{registry}/**\"]`"
    );
    Err(Why::undecidable(format!("reading the base {claim}"), detail).into())
}
