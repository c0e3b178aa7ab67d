//! What is to be said about waivers whatever the images are.

use super::{Diagnostic, PolicyPlace};
use crate::policy::{Level, Policy, Waiver};

/// Remarks on the waivers of a policy that can cover nothing, because their rule is off.
pub fn dead_waivers(policy: &Policy) -> Vec<Diagnostic> {
    let remark = |waiver: &Waiver| Diagnostic {
        level: Level::Warning,
        message: format!("the waiver for `{}` covers nothing: the rule is off", waiver.rule),
        help: Some("remove it, or judge by the rule again".to_owned()),
        place: Some(PolicyPlace::from(&waiver.origin)),
    };
    policy.dead_waivers().map(remark).collect()
}
