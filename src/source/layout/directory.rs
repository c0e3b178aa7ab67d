//! A layout in a directory, of which nothing outside is ever read.

use std::io::{ErrorKind, Read};
use std::path::Path;

use bytes::Bytes;
use cap_fs_ext::OpenOptionsSyncExt;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};

use super::tree::{Place, Start, Tree};
use crate::graph::Cause;

/// A directory, held open: files are looked up below it and cannot lead out of it, neither by `..` nor by a link.
pub(super) struct Directory {
    root: Dir,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, Cause> {
        let root = Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| {
            file_trouble(match error.kind() {
                ErrorKind::NotFound => "there is no such directory".to_owned(),
                ErrorKind::NotADirectory => {
                    let shown = path.display();
                    format!("this is a file, not a directory: write `oci-archive:{shown}`, or `docker-archive:…` for what `docker save` wrote")
                }
                _ => error.to_string(),
            })
        })?;
        Ok(Self { root })
    }

    /// Opens a regular file and says how long it is. Anything else is refused before it is opened, since opening a device
    /// may act and opening a named pipe waits; should one take the file's place in between, opening does not wait either.
    fn regular(&self, place: Place<'_>) -> Result<Option<(File, u64)>, Cause> {
        let path = place.to_string();
        let trouble = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => Ok(None),
            _ => Err(file_trouble(format!("{path}: {error}"))),
        };
        let regular =
            |is_file: bool| if is_file { Ok(()) } else { Err(file_trouble(format!("{path} is no regular file"))) };
        match self.root.metadata(&path) {
            Ok(metadata) => regular(metadata.is_file())?,
            Err(error) => return trouble(error),
        }
        let opened = self.root.open_with(&path, OpenOptions::new().read(true).nonblock(true));
        match opened.and_then(|file| file.metadata().map(|metadata| (file, metadata))) {
            Ok((file, metadata)) => regular(metadata.is_file()).map(|()| Some((file, metadata.len()))),
            Err(error) => trouble(error),
        }
    }
}

impl Tree for Directory {
    fn read(&self, place: Place<'_>, cap: u64) -> Result<Option<Bytes>, Cause> {
        let Some((file, size)) = self.regular(place)? else { return Ok(None) };
        if size > cap {
            return Err(Cause::TooLarge { cap });
        }
        let bytes = take(file, place, size, cap.saturating_add(1))?;
        if bytes.len() as u64 > cap { Err(Cause::TooLarge { cap }) } else { Ok(Some(bytes)) }
    }

    fn start(&self, place: Place<'_>, length: u64) -> Result<Option<Start>, Cause> {
        let Some((file, size)) = self.regular(place)? else { return Ok(None) };
        Ok(Some(Start { bytes: take(file, place, size.min(length), length)?, size }))
    }
}

/// Reads at most `limit` bytes, of which `expected` are thought to be there.
fn take(file: File, place: Place<'_>, expected: u64, limit: u64) -> Result<Bytes, Cause> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    file.take(limit).read_to_end(&mut bytes).map_err(|error| file_trouble(format!("{place}: {error}")))?;
    Ok(bytes.into())
}

fn file_trouble(detail: String) -> Cause {
    Cause::File { detail }
}
