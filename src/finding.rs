//! A finding: what is wrong, where, and how to mend it.

mod concealed;

use std::fmt::{Display, Write};

use serde::Serialize;

use crate::graph::{Entry, Place, RootKind, View, Why};
use crate::oci::{Digest, ManifestKind, Platform, Reference};
pub use concealed::Concealed;

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
    pub fn with(self, argument: &dyn FixArgument) -> Self {
        Self(self.0.replacen("{}", &argument.in_command(), 1))
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
impl FixArgument for [Platform] {
    fn in_command(&self) -> String {
        if self.is_empty() {
            return "OS/ARCH".to_owned();
        }
        self.iter().map(FixArgument::in_command).collect::<Vec<_>>().join(",")
    }
}

impl FixArgument for Vec<Platform> {
    fn in_command(&self) -> String {
        self.as_slice().in_command()
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

/// Gathers what a rule finds about one subject, and ends as its verdict.
///
/// A violation outweighs what could not be known, and what could not be known outweighs a pass; nothing is decided while
/// a fact is still pending.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    stop: Option<crate::graph::Stop>,
}

/// What a rule says about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The subject meets the rule; with the evidence.
    Pass(String),
    /// It does not.
    Violation {
        /// What was found; at least one.
        findings: Vec<Finding>,
        /// What could not be known beside it: accepting the findings does not make a pass.
        unknown: Option<Why>,
    },
}

impl Findings {
    /// Nothing found so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding.
    pub fn add(&mut self, message: impl Display, location: Location, fix: Fix) {
        self.add_keyed(message, location, fix, "");
    }

    /// Adds a finding with a key that tells it from others at the same place.
    pub fn add_keyed(&mut self, message: impl Display, location: Location, fix: Fix, key: impl Into<String>) {
        self.push(message, location, fix, key.into());
    }

    /// Adds a finding that no level lowers and no waiver covers unless it names the digest.
    pub fn add_grave(&mut self, message: impl Display, location: Location, fix: Fix, key: impl Into<String>) {
        self.push(message, location, fix, key.into()).grave = true;
    }

    /// Adds a finding about values that no report may show.
    pub fn add_concealed(
        &mut self,
        message: impl Display,
        location: Location,
        fix: Fix,
        key: impl Into<String>,
        values: Concealed,
    ) {
        self.push(message, location, fix, key.into()).concealed = values;
    }

    fn push(&mut self, message: impl Display, location: Location, fix: Fix, key: String) -> &mut Finding {
        let (message, grave, concealed) = (message.to_string(), false, Concealed::default());
        self.found.push(Finding { message, location, fix, key, grave, concealed });
        self.found.last_mut().expect("invariant: it was just added")
    }

    /// The fact, or `None` after noting that it is pending or could not be known; the rule goes on with the rest.
    pub fn note<T>(&mut self, fact: crate::graph::Fact<T>) -> Option<T> {
        match fact {
            Ok(fact) => Some(fact),
            Err(stop) => {
                self.stop(stop);
                None
            }
        }
    }

    /// Notes that something is pending or could not be known.
    pub fn stop(&mut self, stop: crate::graph::Stop) {
        let outweighs = self.stop.as_ref().is_none_or(|known| weight(known) < weight(&stop));
        if outweighs {
            self.stop = Some(stop);
        }
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The verdict: pending first, then violation, then unknown, then pass with the evidence.
    pub fn verdict(self, evidence: impl FnOnce() -> String) -> crate::graph::Fact<Verdict> {
        use crate::graph::Stop;
        match self.stop {
            Some(Stop::Pending) => Err(Stop::Pending),
            stop if !self.found.is_empty() => {
                let unknown = match stop {
                    Some(Stop::Unknown(why)) => Some(why),
                    _ => None,
                };
                Ok(Verdict::Violation { findings: self.found, unknown })
            }
            Some(stop) => Err(stop),
            None => Ok(Verdict::Pass(evidence())),
        }
    }
}

/// What may still change outweighs what could not be known, and that outweighs what does not apply.
fn weight(stop: &crate::graph::Stop) -> u8 {
    use crate::graph::Stop;
    match stop {
        Stop::NotApplicable(_) => 0,
        Stop::Unknown(_) => 1,
        Stop::Pending => 2,
    }
}
