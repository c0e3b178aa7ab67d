//! The vocabulary of the OCI image and distribution specifications: types only, no I/O and no policy.

mod digest;
mod layer;
pub mod media_type;
mod platform;
mod reference;
mod text;

pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use layer::{LayerClass, LayerClassError};
pub use media_type::{Compression, Family, MANIFEST_ACCEPT, MediaType, Role, known};
pub use platform::{Platform, PlatformError, PlatformPattern, PlatformProblem};
pub use reference::{Reference, ReferenceError, ReferenceProblem};
pub use text::{Untrusted, escape, is_unsafe};
