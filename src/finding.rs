//! A finding: what is wrong, where, and how to mend it.

mod concealed;
mod gathered;

use std::borrow::Borrow;
use std::fmt::Write;

use serde::Serialize;

use crate::graph::{Entry, Place, RootKind, View};
use crate::oci::{Digest, ManifestKind, Platform, Reference};
pub use concealed::Concealed;
pub use gathered::{Findings, Verdict};

/// Something that violates a policy, in the image's own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong: the value found and the value wanted. Text from the image in it is escaped when it is shown.
    pub message: String,
    /// Where.
    pub location: Location,
    /// How to mend it, with commands that run.
    pub fix: Fix,
    /// Tells findings of one rule about one place apart (a label's name, a platform); part of the fingerprint.
    pub key: String,
    /// Whether what was judged may not be what runs, so that no policy may take it lightly: a grave finding counts as an
    /// error whatever the level of its rule, and only a waiver that names the digest covers it.
    pub grave: bool,
    /// Values that no report of this image shows, in whatever finding. One that has any is shown without excerpt and without the
    /// bytes of its place, which would tell their length.
    pub concealed: Concealed,
}

/// A place in a document of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// What kind of document it is.
    pub role: NodeRole,
    /// Its digest; `None` when no document was read.
    pub digest: Option<Digest>,
    /// The RFC 6901 JSON pointer; empty for the whole document.
    pub pointer: String,
}

/// The kind of document that a location is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeRole {
    /// The reference itself, before any document.
    Reference,
    /// An index.
    Index,
    /// An image manifest.
    Manifest,
    /// An image config.
    Config,
    /// A layer.
    Layer,
    /// A referrer or an attestation manifest.
    Referrer,
    /// A statement.
    Statement,
}

impl NodeRole {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Index => "index",
            Self::Manifest => "manifest",
            Self::Config => "config",
            Self::Layer => "layer",
            Self::Referrer => "referrer",
            Self::Statement => "statement",
        }
    }
}

impl Location {
    /// A place in a document.
    pub fn new(role: NodeRole, digest: &Digest, pointer: impl Into<String>) -> Self {
        Self { role, digest: Some(digest.clone()), pointer: pointer.into() }
    }

    /// The reference that the user wrote.
    pub fn reference() -> Self {
        Self { role: NodeRole::Reference, digest: None, pointer: String::new() }
    }

    /// Where an entry's descriptor stands, or the manifest itself when it stands in no index.
    pub fn entry(entry: &Entry) -> Self {
        match &entry.place {
            Place::Index { digest, pointer } => Self::new(NodeRole::Index, digest, pointer.clone()),
            Place::Root => {
                Self { role: NodeRole::Manifest, digest: entry.descriptor.digest.clone().ok(), pointer: String::new() }
            }
            Place::Saved => {
                Self { role: NodeRole::Config, digest: entry.descriptor.digest.clone().ok(), pointer: String::new() }
            }
        }
    }

    /// The document that the target points to.
    pub fn root(view: &View<'_>, pointer: impl Into<String>) -> Self {
        let root = view.root();
        let role = match (root.kind, view.read_document(&root.digest)) {
            (RootKind::SavedConfig, _) => NodeRole::Config,
            (_, Some(Ok(document))) if document.value().kind() == ManifestKind::Index => NodeRole::Index,
            _ if root.media_type.is_index() => NodeRole::Index,
            _ => NodeRole::Manifest,
        };
        Self::new(role, &root.digest, pointer)
    }

    /// A place in the manifest of an entry.
    pub fn manifest(entry: &Entry, pointer: impl Into<String>) -> Self {
        Self { role: NodeRole::Manifest, digest: entry.descriptor.digest.clone().ok(), pointer: pointer.into() }
    }
}

/// How to mend a finding: sentences and commands.
///
/// Built from literals and the types that [`FixArgument`] admits only, so that no text from an image ever enters a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fix(String);

impl Fix {
    /// A fix in words or a command without arguments.
    pub fn new(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Fills the first `{}` with an argument.
    #[must_use]
    pub fn with(mut self, argument: &dyn FixArgument) -> Self {
        const PLACE: &str = "{}";
        if let Some(at) = self.0.find(PLACE) {
            self.0.replace_range(at..at + PLACE.len(), &argument.in_command());
        }
        self
    }

    /// Adds another way on a line of its own.
    #[must_use]
    pub fn or(mut self, other: &Fix) -> Self {
        let _ = write!(self.0, "\n{}", other.0);
        self
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What may be put into a command: parsed names and numbers, and text that the policy's author wrote, quoted.
pub trait FixArgument {
    /// The argument as it stands in a shell command.
    fn in_command(&self) -> String;
}

macro_rules! displayed_in_commands {
    ($($type:ty),*) => { $(impl FixArgument for $type {
        fn in_command(&self) -> String {
            self.to_string()
        }
    })* };
}
displayed_in_commands!(Reference, Digest, u64, usize);

impl FixArgument for Platform {
    /// Without `os.version`, which is free text.
    fn in_command(&self) -> String {
        let plain = self.short();
        // A platform read from an index may hold anything, of any length.
        if plain.len() <= 64 && plain.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
            plain
        } else {
            "OS/ARCH".to_owned()
        }
    }
}

/// The platform of an entry, or a placeholder where it is not known.
impl FixArgument for Entry {
    fn in_command(&self) -> String {
        self.platform.as_ref().map_or_else(|_| "OS/ARCH".to_owned(), FixArgument::in_command)
    }
}

/// Platforms as a `--platform` argument: `linux/amd64,linux/arm64`; a placeholder where there are none.
impl<P: Borrow<Platform>> FixArgument for Vec<P> {
    fn in_command(&self) -> String {
        if self.is_empty() {
            return "OS/ARCH".to_owned();
        }
        self.iter().map(|platform| platform.borrow().in_command()).collect::<Vec<_>>().join(",")
    }
}

/// A word that the policy's author wrote (never an image's), quoted for a POSIX shell where it needs to be.
#[derive(Debug, Clone, Copy)]
pub struct PolicyWord<'a>(pub &'a str);

impl FixArgument for PolicyWord<'_> {
    fn in_command(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return self.0.to_owned();
        }
        format!("'{}'", self.0.replace('\'', r"'\''"))
    }
}

/// The image as it is named in commands: the user's reference, or a placeholder for an image that has no name.
#[derive(Debug, Clone, Copy)]
pub struct ImageName<'a>(pub Option<&'a Reference>);

impl FixArgument for ImageName<'_> {
    fn in_command(&self) -> String {
        self.0.map_or_else(|| "REGISTRY/IMAGE:TAG".to_owned(), ToString::to_string)
    }
}

/// The image as a tag to push to, never a digest: what `-t` takes.
#[derive(Debug, Clone, Copy)]
pub struct PushName<'a>(pub Option<&'a Reference>);

impl FixArgument for PushName<'_> {
    fn in_command(&self) -> String {
        match self.0 {
            None => ImageName(None).in_command(),
            // A reference by digest alone says nothing about tags; `latest` would be a guess.
            Some(reference) if reference.digest().is_some() && reference.tag().is_none() => {
                format!("{}:TAG", reference.name())
            }
            Some(reference) => format!("{}:{}", reference.name(), reference.tag_or_latest()),
        }
    }
}
