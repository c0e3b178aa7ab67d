//! Reading from a registry.

mod credentials;
mod secret;

pub use credentials::{Credential, CredentialStore, Environment};
pub use secret::Secret;
