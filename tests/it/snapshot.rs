//! Snapshots: what is replayed is what was read, and nothing else passes.

mod altered;
mod command;
mod replay;
pub(crate) mod taken;
