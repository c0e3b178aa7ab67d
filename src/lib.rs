//! `ocilint` checks container images against policies, read straight from where they are stored: a registry, an OCI image
//! layout or an archive.

pub mod oci;

#[doc(hidden)]
pub mod cases;
pub mod engine;
#[doc(hidden)]
pub mod finding;
#[doc(hidden)]
pub mod graph;
#[doc(hidden)]
pub mod judge;
#[doc(hidden)]
pub mod output;
pub mod policy;
pub mod report;
#[doc(hidden)]
pub mod rules;
#[doc(hidden)]
pub mod source;
pub mod target;

pub use engine::Engine;
pub use judge::Options;
pub use policy::Policy;
pub use source::registry::RegistryOptions;
pub use source::{Event, Observer, Silent, Sources};
pub use target::Target;
