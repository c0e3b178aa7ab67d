//! The files of an image layout, wherever they are: in a directory or in an archive.

use std::fmt::{self, Display, Formatter};

use bytes::Bytes;

use crate::graph::Cause;
use crate::oci::Digest;

/// A file of an image layout (image-spec, image-layout.md). There is no other way to say which file is read, so that no path
/// is ever built from text that an image holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::source) enum Place<'a> {
    /// `oci-layout`, which says that this is an image layout and of which version.
    Version,
    /// `index.json`, which lists the images.
    Index,
    /// A blob.
    Blob(&'a Digest),
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => f.write_str("oci-layout"),
            Self::Index => f.write_str("index.json"),
            Self::Blob(digest) => write!(f, "blobs/{}/{}", digest.algorithm(), digest.hex()),
        }
    }
}

/// The start of a file and how long the whole file is, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Start {
    /// The first bytes.
    pub(in crate::source) bytes: Bytes,
    /// The size of the file, in bytes.
    pub(in crate::source) size: u64,
}

/// Where the files are. Reading blocks; nothing is hashed here. `None` is a file that is not there.
pub(in crate::source) trait Tree: Send + Sync {
    /// All of a file, unless it has more than `cap` bytes.
    fn read(&self, place: Place<'_>, cap: u64) -> Result<Option<Bytes>, Cause>;

    /// The first `length` bytes of a file, or all if it is shorter.
    fn start(&self, place: Place<'_>, length: u64) -> Result<Option<Start>, Cause>;
}
