//! The graph: what was asked for, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Why;
use crate::oci::{Descriptor, Digest, Document, ImageConfig, Manifest, MediaType, Sbom, Statement, StatementText};
use crate::target::Target;

/// What came of asking: the fact, or why it could not be known. "It is not there" is a fact of its own type
/// (an empty list, a `None`) and only ever stands on the left.
pub type Known<T> = Result<T, Why>;

/// Something that a rule wants to know and the walk has to fetch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Demand {
    /// A manifest or index, by digest.
    Manifest(Digest),
    /// An image config, by digest.
    Config(Digest),
    /// A statement (in-toto, DSSE, Sigstore bundle), by digest.
    Statement {
        /// The blob's digest.
        digest: Digest,
        /// The media type that its descriptor gives.
        media_type: MediaType,
        /// The blob's size in bytes, as its descriptor says; 0 if it does not. No more than that is read.
        size: u64,
    },
    /// The same as a whole, for whoever asks for any field of it.
    StatementText {
        /// The blob's digest.
        digest: Digest,
        /// The media type that its descriptor gives.
        media_type: MediaType,
        /// The blob's size in bytes, as its descriptor says; 0 if it does not. No more than that is read.
        size: u64,
    },
    /// A bill of materials that is in no statement, by digest.
    Sbom {
        /// The blob's digest.
        digest: Digest,
        /// The blob's size in bytes, as its descriptor says; 0 if it does not. No more than that is read.
        size: u64,
    },
    /// The first bytes of a layer.
    Head {
        /// The layer's digest.
        digest: Digest,
        /// The layer's size in bytes, as its descriptor says; 0 if it does not.
        size: u64,
    },
    /// What refers to a manifest.
    Referrers(Digest),
    /// What a tag of the same repository points to.
    Tag(String),
    /// The tags of the repository.
    Tags,
    /// The tags of the repository of another image, which need not be there.
    TagsOf(Arc<Target>),
    /// What another image points to: a base, an earlier release.
    Other(Arc<Target>),
    /// Something about another image.
    Within(Arc<Target>, Box<Demand>),
}

/// The first bytes of a layer (512, or fewer when the layer is shorter).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerHead {
    /// The bytes.
    pub bytes: Bytes,
    /// Whether the whole layer was read and its digest checked; otherwise the bytes came by a `Range` request, unhashed.
    pub whole: bool,
}

/// Where a list of referrers came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Home {
    /// The referrers API of the distribution specification.
    Api,
    /// The fallback tag `sha256-<hex>` of the distribution specification.
    FallbackTag,
    /// The entries of a layout's `index.json`.
    Layout,
}

/// What refers to a manifest, as listed; nothing in it is proven until the referrer's own `subject` was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferrerList {
    /// The listed descriptors, in the order of the list.
    pub descriptors: Vec<Descriptor>,
    /// Where the list came from.
    pub home: Home,
    /// Why there may be more than is listed: what is in it counts, and what is not in it may be there all the same.
    pub doubt: Option<Why>,
}

impl ReferrerList {
    /// A whole list.
    pub fn new(descriptors: Vec<Descriptor>, home: Home) -> Self {
        Self { descriptors, home, doubt: None }
    }
}

/// A manifest found under a tag.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// The digest of the bytes served.
    pub digest: Digest,
    /// The manifest.
    pub document: Arc<Document<Manifest>>,
}

/// Requests and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// HTTP requests sent.
    pub requests: u64,
    /// Bytes of bodies received.
    pub bytes: u64,
}

/// What the target points to. Everything that is judged hangs on its digest.
#[derive(Debug, Clone)]
pub struct Root {
    /// What the user named.
    pub target: Target,
    /// The digest that is judged and printed.
    pub digest: Digest,
    /// What the digest stands for.
    pub kind: RootKind,
    /// The media type: what the document says, else what it was served as, else its shape.
    pub media_type: MediaType,
    /// Size of the document in bytes.
    pub size: u64,
}

/// What the root's digest stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootKind {
    /// A manifest or index.
    Manifest,
    /// The image config in a classic `docker save` archive, which holds no manifest.
    SavedConfig,
}

/// All that this run knows of one image.
#[derive(Debug)]
pub struct Graph {
    /// The judged root.
    pub root: Root,
    /// The one clock of the run.
    pub observed_at: Timestamp,
    /// The image that the user wants this one compared with (`--against`).
    pub against: Option<Arc<Target>>,
    pub(super) manifests: BTreeMap<Digest, Known<Arc<Document<Manifest>>>>,
    pub(super) configs: BTreeMap<Digest, Known<Arc<Document<ImageConfig>>>>,
    pub(super) statements: BTreeMap<Digest, Known<Arc<Statement>>>,
    pub(super) texts: BTreeMap<Digest, Known<Arc<StatementText>>>,
    pub(super) sboms: BTreeMap<Digest, Known<Arc<Sbom>>>,
    pub(super) heads: BTreeMap<Digest, Known<LayerHead>>,
    pub(super) referrers: BTreeMap<Digest, Known<Arc<ReferrerList>>>,
    pub(super) tags: BTreeMap<String, Known<Option<Tagged>>>,
    pub(super) tag_list: Option<Known<Vec<String>>>,
    pub(super) tag_lists: BTreeMap<Arc<Target>, Known<Vec<String>>>,
    pub(super) others: BTreeMap<Arc<Target>, Known<Graph>>,
}

impl Graph {
    /// A graph of which only the root is known; its document is put in like any other.
    pub fn new(root: Root, observed_at: Timestamp) -> Self {
        Self {
            root,
            observed_at,
            against: None,
            manifests: BTreeMap::new(),
            configs: BTreeMap::new(),
            statements: BTreeMap::new(),
            texts: BTreeMap::new(),
            sboms: BTreeMap::new(),
            heads: BTreeMap::new(),
            referrers: BTreeMap::new(),
            tags: BTreeMap::new(),
            tag_list: None,
            tag_lists: BTreeMap::new(),
            others: BTreeMap::new(),
        }
    }

    /// Puts in a manifest or index.
    pub fn put_manifest(&mut self, digest: Digest, known: Known<Arc<Document<Manifest>>>) {
        self.manifests.insert(digest, known);
    }

    /// Puts in an image config.
    pub fn put_config(&mut self, digest: Digest, known: Known<Arc<Document<ImageConfig>>>) {
        self.configs.insert(digest, known);
    }

    /// Puts in a statement.
    pub fn put_statement(&mut self, digest: Digest, known: Known<Arc<Statement>>) {
        self.statements.insert(digest, known);
    }

    /// Puts in a statement as a whole.
    pub fn put_statement_text(&mut self, digest: Digest, known: Known<Arc<StatementText>>) {
        self.texts.insert(digest, known);
    }

    /// Puts in a bill of materials.
    pub fn put_sbom(&mut self, digest: Digest, known: Known<Arc<Sbom>>) {
        self.sboms.insert(digest, known);
    }

    /// Puts in the first bytes of a layer.
    pub fn put_head(&mut self, digest: Digest, known: Known<LayerHead>) {
        self.heads.insert(digest, known);
    }

    /// Puts in what refers to a manifest.
    pub fn put_referrers(&mut self, subject: Digest, known: Known<ReferrerList>) {
        self.referrers.insert(subject, known.map(Arc::new));
    }

    /// Puts in what a tag points to; `None` is proof that there is no such tag.
    pub fn put_tag(&mut self, tag: String, known: Known<Option<Tagged>>) {
        self.tags.insert(tag, known);
    }

    /// Puts in the tags of the repository.
    pub fn put_tags(&mut self, known: Known<Vec<String>>) {
        self.tag_list = Some(known);
    }

    /// Puts in the tags of the repository of another image.
    pub fn put_tags_of(&mut self, target: Arc<Target>, known: Known<Vec<String>>) {
        self.tag_lists.insert(target, known);
    }

    /// Puts in what is known of another image.
    pub fn put_other(&mut self, target: Arc<Target>, known: Known<Graph>) {
        self.others.insert(target, known);
    }

    /// Takes out what is known of another image, to learn more of it.
    pub fn take_other(&mut self, target: &Target) -> Option<Known<Graph>> {
        self.others.remove(target)
    }

    /// Whether an answer to the demand, good or bad, is already here.
    pub fn answers(&self, demand: &Demand) -> bool {
        match demand {
            Demand::Manifest(digest) => self.manifests.contains_key(digest),
            Demand::Config(digest) => self.configs.contains_key(digest),
            Demand::Statement { digest, .. } => self.statements.contains_key(digest),
            Demand::StatementText { digest, .. } => self.texts.contains_key(digest),
            Demand::Sbom { digest, .. } => self.sboms.contains_key(digest),
            Demand::Head { digest, .. } => self.heads.contains_key(digest),
            Demand::Referrers(digest) => self.referrers.contains_key(digest),
            Demand::Tag(tag) => self.tags.contains_key(tag),
            Demand::Tags => self.tag_list.is_some(),
            Demand::TagsOf(target) => self.tag_lists.contains_key(target),
            Demand::Other(target) => self.others.contains_key(target),
            Demand::Within(target, demand) => match self.others.get(target) {
                Some(Ok(other)) => other.answers(demand),
                Some(Err(_)) => true,
                None => false,
            },
        }
    }

    /// A manifest or index that was read, ambiguous or not.
    pub fn read_manifest(&self, digest: &Digest) -> Option<&Document<Manifest>> {
        self.manifests.get(digest)?.as_ref().ok().map(AsRef::as_ref)
    }

    /// The raw bytes of a manifest, index or config that was read, for excerpts.
    pub fn bytes(&self, digest: &Digest) -> Option<&Bytes> {
        let manifest =
            self.manifests.get(digest).and_then(|known| known.as_ref().ok()).map(|document| document.bytes());
        let config = || self.configs.get(digest).and_then(|known| known.as_ref().ok()).map(|document| document.bytes());
        manifest.or_else(config)
    }
}
