//! Which files are tests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::policy::{PolicyError, is_test_file, strict};

/// How deep directories are looked through.
const DEPTH: usize = 16;
/// Files that one directory may stand for.
const FILES: usize = 10_000;

/// The files of tests that a path stands for, sorted: itself, or every `*.test.toml` below a directory. Hidden directories
/// and links to directories are left out.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, PolicyError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let unread = |error| format!("cannot read the directory `{}`: {error}", path.display());
    search(path, DEPTH, &mut files).map_err(|error| strict::nowhere(&unread(error), None))?;
    files.sort();
    if files.is_empty() {
        let message = format!("there are no tests in `{}`", path.display());
        return Err(strict::nowhere(&message, Some("tests are files named `*.test.toml`")));
    }
    if files.len() > FILES {
        let message = format!("there are more than {FILES} files of tests in `{}`", path.display());
        return Err(strict::nowhere(&message, Some("name the directories below it, one by one")));
    }
    Ok(files)
}

/// The files of tests that lie in a directory itself, sorted.
pub fn beside_policies(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_test_file(path)).collect();
    files.sort();
    files
}

fn search(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && depth > 0 && !is_hidden {
            search(&path, depth - 1, files)?;
        } else if is_test_file(&path) && path.is_file() {
            files.push(path);
        }
        if files.len() > FILES {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[PathBuf], root: &Path) -> Vec<String> {
        files.iter().map(|file| file.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn a_directory_stands_for_all_tests_below_it() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.test.toml", "b.toml", "deep/er/a.test.toml", ".git/c.test.toml", "notes.md"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(names(&find(folder.path()).unwrap(), folder.path()), ["b.test.toml", "deep/er/a.test.toml"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_directory_is_left_out_and_one_to_a_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.test.toml"), "").unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("round")).unwrap();
        std::os::unix::fs::symlink("a.test.toml", folder.path().join("b.test.toml")).unwrap();
        assert_eq!(names(&find(folder.path()).unwrap(), folder.path()), ["a.test.toml", "b.test.toml"]);
    }

    #[test]
    fn a_directory_without_tests_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("production.toml"), "").unwrap();
        let error = find(folder.path()).unwrap_err();
        assert!(error.to_string().contains("there are no tests in"), "{error}");
        assert_eq!(error.help.as_deref(), Some("tests are files named `*.test.toml`"));
    }
}
