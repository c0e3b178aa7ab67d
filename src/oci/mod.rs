//! The vocabulary of the OCI image and distribution specifications: types only, no I/O and no policy.

mod config;
mod descriptor;
mod digest;
mod document;
mod from_text;
mod image_text;
pub mod json;
mod layer;
mod manifest;
pub mod media_type;
mod platform;
mod reading;
mod reference;
pub mod sbom;
pub mod statement;
mod text;

pub use config::{History, ImageConfig};
pub use descriptor::{Annotations, Descriptor};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use document::{Document, Read, Unreadable};
pub(crate) use from_text::from_text;
pub use image_text::{Escaped, ImageText};
pub use json::{
    Ambiguity, AmbiguityKind, Json, JsonError, JsonProblem, Shape, Span, locate, pointer, pointer_escape,
    pointer_unescape,
};
pub use layer::{LayerClass, LayerClassError};
pub use manifest::{ImageManifest, Index, Manifest, ManifestKind, NotAManifest, Schema1};
pub use media_type::{Compression, Family, MANIFEST_ACCEPT, MediaType, Role, known};
pub use platform::{Platform, PlatformError, PlatformPattern, PlatformProblem};
pub use reading::Defect;
pub use reference::{Reference, ReferenceError, ReferenceProblem};
pub use sbom::{License, Package, Sbom, SbomError, SbomFormat};
pub use statement::{
    PredicateClass, Provenance, ProvenanceVersion, Statement, StatementError, StatementSubject, StatementText,
    StatementTextError, Told, Wrapping, predicate,
};
pub use text::{Untrusted, escape, escape_lines, is_plain, is_unsafe};
