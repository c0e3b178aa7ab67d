//! Makes images: real documents with true digests, real layers, and what hangs on them.
//!
//! ```
//! use ocilint::cases::build::{Image, Layer, build};
//! use ocilint::oci::LayerClass;
//!
//! let image = Image {
//!     platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
//!     layers: vec![Layer { compression: LayerClass::Zstd, ..Layer::default() }],
//!     ..Image::default()
//! };
//! let built = build(&image).unwrap();
//! assert_eq!(built.store.manifests.len(), 3);
//! ```

mod attest;
mod builder;
mod edit;
mod estargz;
mod image;
mod layer;
mod names;
mod recipe;
mod refer;
mod statement;
mod store;
#[cfg(test)]
mod tests;
mod tree;

use thiserror::Error;

pub use edit::{Edit, EditError};
pub use image::build;
pub use layer::{File, PackedLayer, gzip, pack, tar, zstd};
pub use names::{Asked, Names};
pub(super) use recipe::words;
pub use recipe::{
    Attestation, ExtraEntry, Form, Home, Image, Layer, Mode, Naming, Override, Places, Signature, SignatureKind, Types,
};
pub use store::{Store, StoredManifest};
pub use tree::Tree;

use crate::oci::Digest;

/// An image and all that hangs on it.
#[derive(Debug, Clone)]
pub struct Built {
    /// What the repository holds.
    pub store: Store,
    /// What the target points to.
    pub root: Digest,
    /// What the root is served as.
    pub served_as: String,
    /// Whether the root is the config of a classic `docker save` archive.
    pub saved: bool,
    /// What everything is called.
    pub names: Names,
}

/// A description that no image can be made of.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A patch that cannot be made.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A platform that is not one of the image's.
    #[error("the image has no platform `{0}`")]
    NoPlatform(String),
    /// A platform that is none.
    #[error("`{0}` is no platform: write `os/architecture` or `os/architecture/variant`")]
    Platform(String),
    /// What is said contradicts itself.
    #[error("{0}")]
    Contradiction(&'static str),
    /// A tag that leads nowhere.
    #[error("the tag `{tag}` is to point to `{to}`, and there is no such document")]
    Tag {
        /// The tag.
        tag: String,
        /// What it is to point to.
        to: String,
    },
}
