//! What an image is built on: what it says of its base, and whether the base's layers are truly its first ones.

mod buildpacks;
mod claim;
mod materials;
mod proven;
mod reach;
mod read;

pub(super) use claim::{Claim, Named, SCRATCH, claims};
pub(super) use proven::{first_of, proven};
pub(super) use reach::check_reach;
pub(super) use read::{Base, Standing, read};
