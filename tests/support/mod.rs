//! A scripted registry: serves a [`Store`] over HTTP, answers wrongly where a [`Rule`] says so, and writes down every
//! request in a [`Log`]. It speaks to the socket itself, so that broken HTTP can be scripted too.
//!
//! ```ignore
//! let registry = Registry::start();
//! let digest = registry.store().put_manifest("acme/app", Some("1.0"), body, OCI_MANIFEST);
//! registry.rule(Rule::new(When::blobs(), Fault::status(503)).times(1));
//! // … run the program against registry.reference("acme/app:1.0") …
//! assert_eq!(registry.log().count(|entry| entry.path.contains("/blobs/")), 2);
//! ```

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "one module shared by several test binaries, none of which uses all of it"
)]

mod auth;
mod catalogue;
mod delivery;
mod fault;
mod h2;
mod http;
mod log;
mod routes;
mod server;
mod store;
mod tls;

pub use auth::{Access, Authority, Credentials, TokenField, TokenPolicy};
pub use catalogue::catalogue;
pub use delivery::{Framing, Gate, Stop};
pub use fault::{Fault, Rule, When};
pub use http::{Answer, Request};
pub use log::{Entry, Log};
pub use routes::Referrers;
pub use server::{Builder, Registry};
pub use store::{OCI_INDEX, OCI_MANIFEST, Store, fallback_tag, sha256};
pub use tls::Certificates;
