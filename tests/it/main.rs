//! The integration tests: the program beside a scripted registry, layouts and archives.

#[path = "../support/mod.rs"]
mod support;

mod architecture;
mod gate;
mod policy;
mod registry;
mod support_selftest;
