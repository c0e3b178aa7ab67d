//! Which policy to load where none is named, and which files a path stands for.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::mistake::Mistake;

/// The policy that is found without being named.
const DISCOVERED: &str = "ocilint.toml";
/// How the name of a file ends that tests a policy.
pub(crate) const TESTS: &str = ".test.toml";
/// The built-in policy where none is named and none found.
const FALLBACK: &str = "ocilint:baseline";

/// The policies to load, and whether that is the fallback.
pub(super) fn choose(arguments: &[String], start_dir: &Path) -> (Vec<String>, bool) {
    if !arguments.is_empty() {
        return (arguments.to_vec(), false);
    }
    match discover(start_dir) {
        Some(found) => (vec![found], false),
        None => (vec![FALLBACK.to_owned()], true),
    }
}

/// The nearest `ocilint.toml` from a directory up to the root of its repository, as a path seen from the directory. Outside of
/// a repository only the directory itself counts: what lies above may be anybody's.
pub fn discover(start_dir: &Path) -> Option<String> {
    let start = std::path::absolute(start_dir).ok()?;
    let depth = start.ancestors().position(|directory| exists(&directory.join(".git"))).unwrap_or(0);
    let mut directories = start.ancestors().take(depth + 1).enumerate();
    let (up, _) = directories.find(|(_, directory)| exists(&directory.join(DISCOVERED)))?;
    Some("../".repeat(up) + DISCOVERED)
}

/// Whether there is anything of that name; a file that cannot be looked at is there, and reading it says why it cannot be read.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().map_or_else(|error| error.kind() == ErrorKind::PermissionDenied, |_| true)
}

/// Whether a file is one of tests by its name.
pub fn is_test_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(TESTS))
}

/// The policy files that a path stands for, sorted; `*.test.toml` test policies, and are none.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, Mistake> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unread = |error| Mistake::nowhere(format!("cannot read the directory `{}`: {error}", path.display()));
    let entries = fs::read_dir(path).map_err(unread)?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unread)?;
    let is_toml = |file: &Path| file.extension().is_some_and(|extension| extension == "toml");
    files.retain(|file| is_toml(file) && !is_test_file(file) && !file.is_dir());
    files.sort();
    if files.is_empty() {
        let mistake = Mistake::nowhere(format!("there is no policy in `{}`", path.display()));
        return Err(mistake.help("policies are files named `*.toml`"));
    }
    Ok(files)
}
