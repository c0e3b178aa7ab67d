//! The scopes of rules and waivers.

use toml::de::DeTable;

use super::mistake::{Mistake, Mistakes};
use super::tree::take_texts;
use crate::oci::PlatformPattern;
use crate::policy::{ImageScope, PlatformScope};

/// The images that `images` names; `None` too if one of them is none.
pub(super) fn take_images(table: &mut DeTable<'_>, mistakes: &mut Mistakes) -> Option<ImageScope> {
    let (mut scope, before) = (ImageScope::default(), mistakes.len());
    for pattern in take_texts(table, "images", mistakes)? {
        if let Err(error) = scope.push(pattern.get_ref()) {
            let mistake = Mistake::at(pattern.span(), format!("`images`: {error}"));
            mistakes.add(mistake.help_if(error.help).help("write it as `ghcr.io/acme/**`"));
        }
    }
    (mistakes.len() == before).then_some(scope)
}

/// The platforms that `platforms` names.
pub(super) fn take_platforms(table: &mut DeTable<'_>, mistakes: &mut Mistakes) -> Option<PlatformScope> {
    let mut scope = PlatformScope::default();
    for pattern in take_texts(table, "platforms", mistakes)? {
        match PlatformPattern::parse(pattern.get_ref()) {
            Ok(platform) => scope.0.push(platform),
            Err(error) => {
                let mistake = Mistake::at(pattern.span(), format!("`platforms`: {error}"));
                mistakes.add(mistake.help("write it as `linux/amd64`, `linux/arm/v7` or `linux/*`"));
            }
        }
    }
    Some(scope)
}
