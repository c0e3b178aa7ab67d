//! What the user named.

use std::fmt::{self, Display, Formatter};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use crate::oci::{Digest, Reference, ReferenceError, Untrusted};

/// One thing to check, as the user named it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The text as written.
    pub text: String,
    /// What it means.
    pub kind: TargetKind,
    /// The name the image is judged under: of a registry target its reference, of a local one what `--as` says.
    pub name: Option<Reference>,
    /// Where to read it instead, if a snapshot holds it.
    pub recorded: Option<Recorded>,
}

/// One image of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recorded {
    /// The snapshot's file.
    pub path: PathBuf,
    /// Which of its images, from 0.
    pub image: usize,
}

/// What a target text means.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// An image in a registry.
    Registry(Reference),
    /// An OCI image layout directory (`oci:DIR[:TAG or @DIGEST]`).
    Layout {
        /// The directory.
        path: PathBuf,
        /// Which of its images.
        select: Select,
    },
    /// An OCI image layout in a tar file (`oci-archive:FILE[:TAG]`).
    OciArchive {
        /// The file.
        path: PathBuf,
        /// Which of its images.
        select: Select,
    },
    /// What `docker save` writes (`docker-archive:FILE[:TAG]`).
    DockerArchive {
        /// The file.
        path: PathBuf,
        /// Which of its images.
        select: Select,
    },
    /// What `ocilint snapshot` wrote (`snapshot:FILE`), or a directory of such files. It stands for every image in it.
    Snapshot {
        /// The file or directory.
        path: PathBuf,
    },
}

/// Which image of a layout or archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Select {
    /// The only one; or the index itself when there are several and none has a name.
    Only,
    /// The one of this name.
    Tag(String),
    /// The one of this digest.
    Digest(Digest),
}

/// A target text that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetError {
    /// The text is no image reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// `oci:` and its kin need a path.
    #[error("`{scheme}:` names no path")]
    NoPath {
        /// The scheme.
        scheme: &'static str,
    },
    /// A digest after `@` that is none.
    #[error("`{}` is no digest: {problem}", Untrusted(text))]
    Digest {
        /// The text after the `@`.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl TargetError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Reference(error) => error.hint().unwrap_or("write it as `registry/repository:tag`").to_owned(),
            Self::NoPath { scheme: scheme @ "snapshot" } => format!("write `{scheme}:FILE`, or `{scheme}:DIR`"),
            Self::NoPath { scheme } => {
                format!("write `{scheme}:PATH`, or `{scheme}:PATH:TAG` for one image of several")
            }
            Self::Digest { .. } => "a digest is `sha256:` and 64 hexadecimal digits in lower case".to_owned(),
        }
    }
}

impl Target {
    /// Reads a target: a scheme prefix wins, everything else is a registry reference.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let kind = TargetKind::parse(text)?;
        let name = match &kind {
            TargetKind::Registry(reference) => Some(reference.clone()),
            _ => None,
        };
        Ok(Self { text: text.to_owned(), kind, name, recorded: None })
    }

    /// The image of that reference in its registry.
    pub fn of(reference: Reference) -> Self {
        Self {
            text: reference.to_string(),
            kind: TargetKind::Registry(reference.clone()),
            name: Some(reference),
            recorded: None,
        }
    }

    /// The same target under a name (`--as`); a registry target keeps its own.
    #[must_use]
    pub fn named(mut self, name: Reference) -> Self {
        if self.is_local() {
            self.name = Some(name);
        }
        self
    }

    /// Whether the target is a file or directory, which has no name of its own.
    pub fn is_local(&self) -> bool {
        !matches!(self.kind, TargetKind::Registry(_))
    }

    /// The file or directory of a local target.
    pub fn path(&self) -> Option<&Path> {
        match &self.kind {
            TargetKind::Registry(_) => None,
            TargetKind::Layout { path, .. }
            | TargetKind::OciArchive { path, .. }
            | TargetKind::DockerArchive { path, .. }
            | TargetKind::Snapshot { path } => Some(path),
        }
    }

    /// What identifies the image across its versions, for fingerprints: registry and repository without tag and digest, else
    /// the path of the file or directory, however it is written (`./x/` is `x`).
    pub fn identity(&self) -> String {
        match (&self.name, self.path()) {
            (Some(name), _) => name.canonical_name(),
            (None, Some(path)) => plain(path).to_string_lossy().replace('\\', "/"),
            (None, None) => self.text.clone(),
        }
    }
}

/// A path without what leads nowhere. `..` stays: where it leads depends on links.
fn plain(path: &Path) -> PathBuf {
    let plain: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&Untrusted(&self.text), f)
    }
}

impl TargetKind {
    fn parse(text: &str) -> Result<Self, TargetError> {
        if let Some(rest) = text.strip_prefix("oci:") {
            let (path, select) = split("oci", rest)?;
            return Ok(Self::Layout { path, select });
        }
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            let (path, select) = split("oci-archive", rest)?;
            return Ok(Self::OciArchive { path, select });
        }
        if let Some(rest) = text.strip_prefix("docker-archive:") {
            let (path, select) = split("docker-archive", rest)?;
            return Ok(Self::DockerArchive { path, select });
        }
        if let Some(path) = text.strip_prefix("snapshot:") {
            let path = PathBuf::from(path);
            let empty = path.as_os_str().is_empty();
            return if empty { Err(TargetError::NoPath { scheme: "snapshot" }) } else { Ok(Self::Snapshot { path }) };
        }
        let reference = text.strip_prefix("docker://").unwrap_or(text);
        Ok(Self::Registry(Reference::parse(reference)?))
    }
}

/// Splits `PATH[:TAG or @DIGEST]`: at the last `@sha256:` or `@sha512:`, else at the last `:` that a valid tag follows.
fn split(scheme: &'static str, rest: &str) -> Result<(PathBuf, Select), TargetError> {
    let at = rest.rfind("@sha256:").max(rest.rfind("@sha512:"));
    let (path, select) = if let Some(at) = at {
        let (path, digest) = rest.split_at(at);
        let digest = digest.trim_start_matches('@');
        let parsed = digest.parse::<Digest>();
        let parsed =
            parsed.map_err(|error| TargetError::Digest { text: digest.to_owned(), problem: error.to_string() })?;
        (path, Select::Digest(parsed))
    } else {
        match rest.rsplit_once(':') {
            Some((path, tag)) if is_tag(tag) => (path, Select::Tag(tag.to_owned())),
            _ => (rest, Select::Only),
        }
    };
    if path.is_empty() {
        return Err(TargetError::NoPath { scheme });
    }
    Ok((PathBuf::from(path), select))
}

/// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (distribution-spec, "Pulling manifests").
fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(word) && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> (PathBuf, Select) {
        match Target::parse(text).unwrap().kind {
            TargetKind::Layout { path, select } => (path, select),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_layout_splits_at_the_tag_or_digest() {
        let digest = Digest::sha256(b"x");
        assert_eq!(layout("oci:dir"), ("dir".into(), Select::Only));
        assert_eq!(layout("oci:a/b:v1"), ("a/b".into(), Select::Tag("v1".into())));
        assert_eq!(layout("oci:a:b/c"), ("a:b/c".into(), Select::Only));
        assert_eq!(layout(&format!("oci:a:b@{digest}")), ("a:b".into(), Select::Digest(digest)));
    }

    #[test]
    fn a_snapshot_is_a_path_whatever_is_in_it() {
        let kind = |text| Target::parse(text).unwrap().kind;
        assert_eq!(kind("snapshot:a/b:v1"), TargetKind::Snapshot { path: "a/b:v1".into() });
    }

    #[test]
    fn what_names_nothing_is_refused() {
        assert_eq!(Target::parse("oci:"), Err(TargetError::NoPath { scheme: "oci" }));
        assert_eq!(Target::parse("snapshot:"), Err(TargetError::NoPath { scheme: "snapshot" }));
        assert!(matches!(Target::parse("oci:a@sha256:12"), Err(TargetError::Digest { .. })));
        assert!(matches!(Target::parse("acme/App"), Err(TargetError::Reference(_))));
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        let identity = |text: &str| Target::parse(text).unwrap().identity();
        for text in ["oci:a/b", "oci:./a/b", "oci:a/b/", "oci:a//./b", "oci:a/b:tag"] {
            assert_eq!(identity(text), "a/b", "{text}");
        }
        assert_eq!((identity("oci:."), identity("oci:/a/")), (".".to_owned(), "/a".to_owned()));
        assert_eq!(identity("oci:../a"), "../a", "it is another one than `a`");
    }

    #[test]
    fn only_local_targets_take_another_name() {
        let name = Reference::parse("ghcr.io/acme/app:1").unwrap();
        assert_eq!(Target::parse("oci:x").unwrap().named(name.clone()).name, Some(name.clone()));
        assert_ne!(Target::parse("docker://alpine").unwrap().named(name.clone()).name, Some(name));
    }
}
