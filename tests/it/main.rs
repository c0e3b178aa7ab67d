//! The integration tests: the program beside a scripted registry, layouts and archives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod architecture;
mod baseline;
mod cli;
mod concealed;
mod docs;
mod documents;
mod economy;
mod faults;
mod gate;
mod init;
mod judging;
mod layouts;
mod local_archive;
mod local_cosign;
mod local_layout;
mod local_referrers;
mod local_saved;
mod local_support;
mod policy;
mod policy_tests;
mod program;
mod proxies;
mod readme;
mod registry;
mod rules;
mod snapshot;
mod support_selftest;
mod waivers;
