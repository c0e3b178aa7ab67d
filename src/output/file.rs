//! Report files: whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a file through a temporary one beside it, so that nobody ever reads half a report.
pub fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = Pending::create(path)?;
    content(&mut file)?;
    file.commit()
}

/// A file that is there once it is whole. Dropped before that, it leaves what was there.
pub struct Pending(Way);

enum Way {
    Direct(BufWriter<File>),
    Replacing { written: BufWriter<NamedTempFile>, path: PathBuf },
}

impl Pending {
    /// A file to be.
    ///
    /// What exists and is no regular file (a FIFO, a terminal, `/dev/stdout`) is written to as it is; a symbolic link is
    /// followed. An existing file keeps its permissions.
    pub fn create(path: &Path) -> io::Result<Self> {
        // `/dev/stdout` may lead to a regular file that is open already: replacing that would cut off whoever holds it.
        let special = path.starts_with("/dev") || path.starts_with("/proc");
        let way = match fs::metadata(path) {
            Ok(found) if special || !found.is_file() => {
                Way::Direct(BufWriter::new(OpenOptions::new().append(true).open(path)?))
            }
            Ok(found) => Way::replacing(fs::canonicalize(path)?, Some(found.permissions()))?,
            Err(_) => Way::replacing(path.to_owned(), None)?,
        };
        Ok(Self(way))
    }

    /// Puts it in its place.
    pub fn commit(self) -> io::Result<()> {
        match self.0 {
            Way::Direct(mut out) => out.flush(),
            Way::Replacing { written, path } => {
                let file = written.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.as_file().sync_all()?;
                file.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
        }
    }

    /// The temporary file that it is until then.
    pub fn unfinished(&self) -> Option<&Path> {
        match &self.0 {
            Way::Direct(_) => None,
            Way::Replacing { written, .. } => Some(written.get_ref().path()),
        }
    }

    fn out(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            Way::Direct(out) => out,
            Way::Replacing { written, .. } => written,
        }
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out().flush()
    }
}

impl Way {
    fn replacing(path: PathBuf, permissions: Option<Permissions>) -> io::Result<Self> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".ocilint-");
        if let Some(permissions) = permissions.or_else(usual_permissions) {
            builder.permissions(permissions);
        }
        // The temporary file's own name would only puzzle.
        let nameless = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(error.kind(), "there is no such directory"),
            _ => error,
        };
        let written = BufWriter::new(builder.tempfile_in(directory).map_err(nameless)?);
        Ok(Self::Replacing { written, path })
    }
}

/// What other programs give their files; the process's umask still applies. A temporary file's own are for its owner only.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn usual_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) -> io::Result<()> {
        write(path, |out| out.write_all(text.as_bytes()))
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        put(&path, "first, and longer").unwrap();
        put(&path, "second").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
    }

    #[test]
    fn a_failure_leaves_what_was_there_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        put(&path, "whole").unwrap();
        let failed = write(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(put(&directory.path().join("absent/report.json"), "x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        put(&file, "a").unwrap();
        assert_ne!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        put(&link, "b").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "b");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_as_it_is() {
        put(Path::new("/dev/null"), "x").unwrap();
        assert!(put(Path::new("/dev/full"), "x").is_err());
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
