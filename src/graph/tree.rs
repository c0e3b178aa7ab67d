//! The graph as a tree: what is there, whatever any policy makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde::Serialize;

use super::{Fact, Home, ReferrerList, RootKind, Stop, View};
use crate::oci::{
    Annotations, Descriptor, Digest, ImageManifest, Index, LayerClass, Manifest, MediaType, Platform, Role,
};

/// Levels of nested indexes that are drawn.
const MAX_DEPTH: usize = 6;
/// Entries of one index that are drawn.
const MAX_ENTRIES: usize = 1_000;
/// Nodes of one tree; a manifest of megabytes lists more layers than anybody wants to see.
const MAX_NODES: usize = 20_000;

/// Annotations that tell what a node is or what it belongs to.
const TELLING: &[&str] = &[
    "vnd.docker.reference.type",
    "vnd.docker.reference.digest",
    "in-toto.io/predicate-type",
    "predicateType",
    "dev.sigstore.bundle.predicateType",
    "dev.sigstore.bundle.content",
    "org.opencontainers.image.ref.name",
    "org.opencontainers.image.title",
    "org.opencontainers.image.version",
    "org.opencontainers.image.source",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.created",
    "org.opencontainers.image.base.name",
    "io.github.containers.compression.zstd",
    "com.amazon.soci.index-digest",
    "com.amazon.soci.image-manifest-digest",
];

/// A document or a group of documents, and what hangs on it. Texts are as the image has them: whoever shows them escapes
/// them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// What it is: `index`, `image`, `attestation`, `artifact`, `config`, `layer`, `statement`, `blob`, `referrer`, or the name
    /// of a group (`referrers`).
    pub role: String,
    /// Its type, as the descriptor that leads to it says.
    pub media_type: Option<MediaType>,
    /// Its digest; `None` of a group.
    pub digest: Option<Digest>,
    /// Its size in bytes, as the descriptor says.
    pub size: Option<u64>,
    /// The platform it is for.
    pub platform: Option<String>,
    /// The annotations of the descriptor and of the document that tell what it is or what it belongs to.
    pub annotations: Annotations,
    /// What else is to be said: what it belongs to, its artifact type, what could not be read.
    pub notes: Vec<String>,
    /// What hangs on it, in the order of the document.
    pub children: Vec<GraphNode>,
}

impl GraphNode {
    fn of(role: &str, descriptor: &Descriptor) -> Self {
        Self {
            role: role.to_owned(),
            media_type: Some(descriptor.media_type.clone()).filter(|media_type| !media_type.as_str().is_empty()),
            digest: descriptor.digest.clone().ok(),
            size: descriptor.size,
            platform: descriptor.platform.as_ref().map(|platform| platform.normalised().to_string()),
            annotations: telling(&descriptor.annotations),
            notes: descriptor
                .artifact_type
                .iter()
                .map(artifact_note)
                .chain(descriptor.digest.as_ref().err().map(ToString::to_string))
                .collect(),
            ..Self::default()
        }
    }

    fn group(role: &str, notes: Vec<String>, children: Vec<GraphNode>) -> Self {
        Self { role: role.to_owned(), notes, children, ..Self::default() }
    }
}

/// Draws the whole graph: every index, manifest and list of referrers is fetched for it, no config, layer or statement.
pub fn tree(view: &View<'_>) -> Fact<GraphNode> {
    let mut drawer = Drawer { view, pending: false, platforms: platforms(view), drawn: BTreeSet::new(), nodes: 0 };
    let root = view.root();
    let descriptor = Descriptor::new(root.media_type.clone(), root.digest.clone(), root.size);
    let tree = if root.kind == RootKind::SavedConfig {
        let mut node = GraphNode::of("config", &descriptor);
        node.platform = view.subjects().entries.first().map(|entry| entry.label.clone());
        node.notes.push("a classic `docker save` archive: there is no manifest".to_owned());
        node
    } else {
        drawer.manifest(&descriptor, 1)
    };
    if drawer.pending {
        return Err(Stop::Pending);
    }
    Ok(tree)
}

struct Drawer<'v, 'g> {
    view: &'v View<'g>,
    pending: bool,
    /// The platform of each runnable manifest.
    platforms: BTreeMap<Digest, String>,
    /// The manifests and indexes that were drawn: what is in them is drawn once, or a few indexes that name each other many
    /// times would make a tree without end.
    drawn: BTreeSet<Digest>,
    nodes: usize,
}

impl Drawer<'_, '_> {
    fn manifest(&mut self, descriptor: &Descriptor, depth: usize) -> GraphNode {
        let mut node = GraphNode::of(role_of(descriptor), descriptor);
        let Ok(digest) = &descriptor.digest else { return node };
        let document = match self.know(self.view.document(digest)) {
            Ok(document) => document,
            Err(remark) => {
                node.notes.push(remark);
                return node;
            }
        };
        if !self.drawn.insert(digest.clone()) {
            node.platform = node.platform.or_else(|| self.platforms.get(digest).cloned());
            node.notes.push("drawn above".to_owned());
            return node;
        }
        for ambiguity in document.ambiguities() {
            node.notes.push(format!("ambiguous: {ambiguity}"));
        }
        node.annotations.extend(document.value().annotations().map(telling).unwrap_or_default());
        match document.value() {
            Manifest::Index(index) => self.index(&mut node, index, depth),
            Manifest::Image(image) => self.image(&mut node, image),
            Manifest::Schema1(schema1) => node.notes.push(format!("Docker's schema 1, {} layers", schema1.layers)),
        }
        self.referrers(&mut node, digest);
        node
    }

    fn index(&mut self, node: &mut GraphNode, index: &Index, depth: usize) {
        "index".clone_into(&mut node.role);
        if depth > MAX_DEPTH || index.manifests.len() > MAX_ENTRIES {
            node.notes.push(format!("{} entries, not drawn", index.manifests.len()));
            return;
        }
        let room = self.room(index.manifests.len(), node);
        for descriptor in index.manifests.iter().take(room) {
            let child = if may_be_manifest(&descriptor.media_type) {
                self.manifest(descriptor, depth + 1)
            } else {
                GraphNode::of("blob", descriptor)
            };
            node.children.push(child);
        }
    }

    fn image(&mut self, node: &mut GraphNode, image: &ImageManifest) {
        let artifact_type = image.artifact_type.as_ref().map(artifact_note).filter(|note| !node.notes.contains(note));
        node.notes.extend(artifact_type);
        match node.digest.as_ref().and_then(|digest| self.platforms.get(digest)) {
            Some(platform) => {
                "image".clone_into(&mut node.role);
                node.platform = Some(platform.clone());
            }
            None if node.role == "image" => "artifact".clone_into(&mut node.role),
            None => {}
        }
        self.attachment(node, image);
        node.children.extend(image.config.iter().map(|config| GraphNode::of("config", config)));
        let room = self.room(image.layers.len(), node);
        node.children.extend(image.layers.iter().take(room).map(layer));
    }

    /// How many of so many children are drawn; of the others the node says that there are some.
    fn room(&mut self, wanted: usize, node: &mut GraphNode) -> usize {
        let room = wanted.min(MAX_NODES - self.nodes);
        self.nodes += room;
        if room < wanted {
            node.notes.push(format!("{} more, not drawn", wanted - room));
        }
        room
    }

    /// What a manifest is attached to.
    fn attachment(&self, node: &mut GraphNode, image: &ImageManifest) {
        let linked =
            node.annotations.get("vnd.docker.reference.digest").and_then(|digest| digest.parse::<Digest>().ok());
        let subject = image.subject.as_ref().and_then(|subject| subject.digest.clone().ok());
        let Some(digest) = linked.or(subject) else { return };
        let what = match self.platforms.get(&digest) {
            Some(platform) => platform.clone(),
            None if digest == self.view.root().digest => "the whole image".to_owned(),
            None => format!("{}, which is not in this image", digest.short()),
        };
        node.notes.push(format!("for {what}"));
    }

    /// What refers to the root or to a platform; other manifests are not asked about.
    fn referrers(&mut self, node: &mut GraphNode, digest: &Digest) {
        if *digest != self.view.root().digest && !self.platforms.contains_key(digest) {
            return;
        }
        match self.know(self.view.referrers(digest)) {
            Ok(list) if list.descriptors.is_empty() => {}
            Ok(list) => {
                let room = self.room(list.descriptors.len(), node);
                node.children.push(listed(list, room));
            }
            Err(remark) => node.children.push(GraphNode::group("referrers", vec![remark], Vec::new())),
        }
    }

    /// The fact, or what to say in its place.
    fn know<T>(&mut self, fact: Fact<T>) -> Result<T, String> {
        match fact {
            Ok(fact) => Ok(fact),
            Err(Stop::Unknown(why)) => Err(format!("not known: {why}")),
            Err(Stop::NotApplicable(reason)) => Err(reason),
            Err(Stop::Pending) => {
                self.pending = true;
                Err(String::new())
            }
        }
    }
}

fn listed(list: &ReferrerList, room: usize) -> GraphNode {
    let home = match list.home {
        Home::Api => "listed by the registry",
        Home::FallbackTag => "listed by the fallback tag",
        Home::Layout => "listed in the layout",
    };
    let doubt = list.doubt.as_ref().map(|why| format!("there may be more: {why}"));
    let referrers = list.descriptors.iter().take(room).map(|descriptor| GraphNode::of("referrer", descriptor));
    GraphNode::group("referrers", iter::once(home.to_owned()).chain(doubt).collect(), referrers.collect())
}

/// A layer says what its media type does not.
fn layer(descriptor: &Descriptor) -> GraphNode {
    let mut node = GraphNode::of("layer", descriptor);
    let media_type = &descriptor.media_type;
    if !media_type.is_tar_like() {
        if media_type.role() == Role::Statement { "statement" } else { "blob" }.clone_into(&mut node.role);
        return node;
    }
    let classes = descriptor.layer_classes();
    let more = classes.iter().filter(|class| media_type.layer_class() != Some(**class)).map(LayerClass::to_string);
    node.notes.extend(more);
    node.notes.extend(media_type.is_foreign().then(|| "not distributable".to_owned()));
    node
}

fn artifact_note(artifact_type: &MediaType) -> String {
    format!("artifact type {artifact_type}")
}

/// The role as far as the descriptor tells; the document may correct it.
fn role_of(descriptor: &Descriptor) -> &'static str {
    let attestation =
        descriptor.annotations.get("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest");
    match &descriptor.platform {
        Some(platform) if platform.is_unknown() && attestation => "attestation",
        Some(platform) if platform.is_unknown() => "artifact",
        _ => "image",
    }
}

fn may_be_manifest(media_type: &MediaType) -> bool {
    media_type.is_manifest_like() || media_type.is_generic() || media_type.role() == Role::Unknown
}

fn platforms(view: &View<'_>) -> BTreeMap<Digest, String> {
    let name = |platform: &Platform| platform.to_string();
    let entries = view.subjects().entries.iter();
    entries
        .filter_map(|entry| {
            Some((entry.digest().ok()?.clone(), entry.platform.as_ref().map_or_else(|_| entry.label.clone(), name)))
        })
        .collect()
}

fn telling(annotations: &Annotations) -> Annotations {
    let told = annotations.iter().filter(|(name, _)| TELLING.contains(&name.as_str()));
    told.map(|(name, value)| (name.clone(), value.clone())).collect()
}
