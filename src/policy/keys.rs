//! The keys that are the policy's own, whatever the rule, in the order in which they are read best.

/// Of `[policy]`.
pub(super) const HEADER: &[&str] =
    &["name", "description", "extends", "require-waiver-expiry", "max-waiver-days", "forbid-waivers", "waiver-scope"];
/// Of `[defaults]`.
pub(super) const DEFAULTS: &[&str] = &["level", "images", "platforms"];
/// Of the table of a rule; its parameters come behind them.
pub(super) const INSTANCE: &[&str] =
    &["rule", "level", "images", "platforms", "effective-from", "locked", "help", "url"];
/// Of a waiver.
pub(super) const WAIVER: &[&str] =
    &["rule", "images", "platforms", "fingerprint", "reason", "expires", "owner", "link"];
