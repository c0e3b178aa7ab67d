//! Snapshots: what is replayed is what was read, and nothing else passes.

mod altered;
mod command;
mod others;
mod replay;
mod secrets;
pub(crate) mod taken;
