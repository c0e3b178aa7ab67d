//! Images in tar files: image layouts (what `docker buildx build --output type=oci` and newer versions of `docker save` write)
//! and what `docker save` wrote before. Nothing is unpacked to disk.

mod members;
mod saved;
mod stream;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use self::members::Members;
use self::saved::Saved;
use super::layout::{Layout, Place};
use super::{Source, off_thread};
use crate::graph::{Cause, Known, Why};
use crate::target::Select;

/// Which kind of archive the user says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// An OCI image layout in a tar file (`oci-archive:`).
    Oci,
    /// What `docker save` writes (`docker-archive:`).
    Docker,
}

impl ArchiveKind {
    fn scheme(self) -> &'static str {
        match self {
            Self::Oci => "oci-archive",
            Self::Docker => "docker-archive",
        }
    }

    /// How such a target is written.
    fn form(self) -> &'static str {
        match self {
            Self::Oci => "oci-archive:FILE",
            Self::Docker => "docker-archive:FILE",
        }
    }
}

/// Opens an archive and goes through it once.
///
/// # Errors
/// [`Cause::File`] when there is no such file or it is an archive of another kind, [`Cause::Truncated`] and
/// [`Cause::Unreadable`] when it is no proper tar file, [`Cause::Budget`] when it is unreasonable, [`Cause::NotFound`] when it
/// does not hold the image that is meant; besides these, what [`Layout::open`] says of `index.json`.
pub async fn open(path: &Path, select: &Select, kind: ArchiveKind) -> Known<Arc<dyn Source>> {
    let what = format!("{}:{}", kind.scheme(), path.display());
    let path = path.to_owned();
    let select = select.clone();
    off_thread(move || {
        let opened = open_blocking(&path, select, kind, &what);
        opened.map_err(|cause| Why::new(format!("opening {what}"), cause))
    })
    .await
}

fn open_blocking(path: &Path, select: Select, kind: ArchiveKind, what: &str) -> Result<Arc<dyn Source>, Cause> {
    let members = Members::scan(open_file(path)?)?;
    let shown = path.display();
    let other = |detail: String| Err(Cause::File { detail });
    let layout = members.has(&Place::Index.to_string());
    let saved = members.has(saved::MANIFEST);
    match kind {
        ArchiveKind::Docker if layout && !saved => {
            other(format!("this is an image layout and not what `docker save` writes: write `oci-archive:{shown}`"))
        }
        ArchiveKind::Oci if saved && !layout => {
            other(format!("this is what older versions of `docker save` write: write `docker-archive:{shown}`"))
        }
        _ if layout => Ok(Arc::new(Layout::within(Box::new(members), what, kind.form(), select)?)),
        _ if saved => Ok(Arc::new(Saved::open(&members, &select)?)),
        _ => match members.cut_at() {
            Some(got) => Err(Cause::Truncated { got }),
            None => other("it holds neither index.json nor manifest.json, so it is no image archive".to_owned()),
        },
    }
}

fn open_file(path: &Path) -> Result<File, Cause> {
    let trouble = |detail: String| Cause::File { detail };
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => trouble("there is no such file".to_owned()),
        _ => trouble(error.to_string()),
    })?;
    if metadata.is_dir() {
        return Err(trouble(format!("this is a directory: write `oci:{}`", path.display())));
    }
    if !metadata.is_file() {
        return Err(trouble("this is no regular file, and an archive is read more than once".to_owned()));
    }
    File::open(path).map_err(|error| trouble(error.to_string()))
}
