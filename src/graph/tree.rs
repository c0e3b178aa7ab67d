//! The graph as a tree: what is there, whatever any policy makes of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Fact, ReferrerList, RootKind, Stop, View};
use crate::oci::{Annotations, Descriptor, Digest, ImageManifest, Index, LayerClass, Manifest, MediaType, Platform};

/// Levels of nested indexes that are drawn.
const MAX_DEPTH: usize = 6;
/// Entries of one index that are drawn.
const MAX_ENTRIES: usize = 1_000;

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

/// One node of the tree. Texts are as the image has them: whoever shows them escapes them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TreeNode {
    /// `index`, `image`, `attestation`, `config`, `layer`, `referrer` …
    pub role: String,
    /// The media type.
    pub media_type: Option<String>,
    /// The artifact type, of what is no image.
    pub artifact_type: Option<String>,
    /// The digest.
    pub digest: Option<String>,
    /// Size in bytes, as its descriptor says.
    pub size: Option<u64>,
    /// The platform.
    pub platform: Option<String>,
    /// Annotations that tell what it is or what it belongs to.
    pub annotations: Annotations,
    /// Remarks: what it belongs to, sums, what could not be read.
    pub notes: Vec<String>,
    /// What it names.
    pub children: Vec<TreeNode>,
}

impl TreeNode {
    fn of(role: &str, descriptor: &Descriptor) -> Self {
        Self {
            role: role.to_owned(),
            media_type: Some(descriptor.media_type.to_string()).filter(|text| !text.is_empty()),
            artifact_type: descriptor.artifact_type.as_ref().map(ToString::to_string),
            digest: Some(match &descriptor.digest {
                Ok(digest) => digest.to_string(),
                Err(error) => error.text().to_owned(),
            }),
            size: descriptor.size,
            platform: descriptor.platform.as_ref().map(|platform| platform.normalised().to_string()),
            annotations: telling(&descriptor.annotations),
            ..Self::default()
        }
    }

    fn note(role: &str, note: String) -> Self {
        Self { role: role.to_owned(), notes: vec![note], ..Self::default() }
    }
}

/// Draws the whole graph: every index, manifest and list of referrers is fetched for it, no config, layer or statement.
pub fn tree(view: &View<'_>) -> Fact<TreeNode> {
    let mut drawer = Drawer { view, pending: false, platforms: platforms(view) };
    let root = view.root();
    let descriptor = Descriptor::new(root.media_type.clone(), root.digest.clone(), root.size);
    let mut tree = if root.kind == RootKind::SavedConfig {
        let mut node = TreeNode::of("config", &descriptor);
        node.platform = view.subjects().entries.first().map(|entry| entry.label.clone());
        node.notes.push("a classic `docker save` archive: there is no manifest".to_owned());
        node
    } else {
        drawer.manifest(&descriptor, 1)
    };
    if drawer.pending {
        return Err(Stop::Pending);
    }
    let (layers, bytes) = sums(&tree);
    if layers > 0 {
        tree.notes.push(format!("{layers} layers, {bytes} bytes in all"));
    }
    Ok(tree)
}

struct Drawer<'v, 'g> {
    view: &'v View<'g>,
    pending: bool,
    /// The platform of each runnable manifest.
    platforms: BTreeMap<Digest, String>,
}

impl Drawer<'_, '_> {
    fn manifest(&mut self, descriptor: &Descriptor, depth: usize) -> TreeNode {
        let mut node = TreeNode::of(role_of(descriptor), descriptor);
        let document = match &descriptor.digest {
            Ok(digest) => self.know(self.view.document(digest)),
            Err(error) => Err(error.to_string()),
        };
        let document = match document {
            Ok(document) => document,
            Err(note) => {
                node.notes.push(note);
                return node;
            }
        };
        for ambiguity in document.ambiguities() {
            node.notes.push(format!("ambiguous: {ambiguity}"));
        }
        node.annotations.extend(document.value().annotations().map(telling).unwrap_or_default());
        match document.value() {
            Manifest::Index(index) => self.index(&mut node, index, depth),
            Manifest::Image(image) => self.image(&mut node, image),
            Manifest::Schema1(schema1) => node.notes.push(format!("Docker's schema 1, {} layers", schema1.layers)),
        }
        if let Ok(digest) = &descriptor.digest {
            self.referrers(&mut node, digest);
        }
        node
    }

    fn index(&mut self, node: &mut TreeNode, index: &Index, depth: usize) {
        node.role = "index".to_owned();
        if depth > MAX_DEPTH || index.manifests.len() > MAX_ENTRIES {
            node.notes.push(format!("{} entries, not drawn", index.manifests.len()));
            return;
        }
        for descriptor in &index.manifests {
            let child = if may_be_manifest(&descriptor.media_type) {
                self.manifest(descriptor, depth + 1)
            } else {
                TreeNode::of("blob", descriptor)
            };
            node.children.push(child);
        }
    }

    fn image(&mut self, node: &mut TreeNode, image: &ImageManifest) {
        if let Some(artifact_type) = &image.artifact_type {
            node.artifact_type = Some(artifact_type.to_string());
        }
        let digest = node.digest.as_deref().and_then(|digest| digest.parse::<Digest>().ok());
        match digest.and_then(|digest| self.platforms.get(&digest)) {
            Some(platform) => {
                node.role = "image".to_owned();
                node.platform = Some(platform.clone());
            }
            None if node.role == "image" => node.role = "artifact".to_owned(),
            None => {}
        }
        self.attachment(node, image);
        node.children.extend(image.config.iter().map(|config| TreeNode::of("config", config)));
        node.children.extend(image.layers.iter().map(layer));
    }

    /// What a manifest is attached to.
    fn attachment(&self, node: &mut TreeNode, image: &ImageManifest) {
        let linked = node.annotations.get("vnd.docker.reference.digest").and_then(|digest| digest.parse::<Digest>().ok());
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
    fn referrers(&mut self, node: &mut TreeNode, digest: &Digest) {
        if *digest != self.view.root().digest && !self.platforms.contains_key(digest) {
            return;
        }
        match self.know(self.view.referrers(digest)) {
            Ok(list) => node.children.extend(listed(list)),
            Err(note) => node.children.push(TreeNode::note("referrers", note)),
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

fn listed(list: &ReferrerList) -> impl Iterator<Item = TreeNode> {
    list.descriptors.iter().take(MAX_ENTRIES).map(|descriptor| TreeNode::of("referrer", descriptor))
}

fn layer(descriptor: &Descriptor) -> TreeNode {
    let mut node = TreeNode::of("layer", descriptor);
    if descriptor.media_type.is_tar_like() {
        let classes: Vec<String> = descriptor.layer_classes().iter().map(LayerClass::to_string).collect();
        node.notes.extend((!classes.is_empty()).then(|| classes.join(", ")));
    } else {
        node.role = "blob".to_owned();
    }
    node
}

/// The role as far as the descriptor tells; the document may correct it.
fn role_of(descriptor: &Descriptor) -> &'static str {
    let attestation = descriptor.annotations.get("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest");
    match &descriptor.platform {
        Some(platform) if platform.is_unknown() && attestation => "attestation",
        Some(platform) if platform.is_unknown() => "artifact",
        _ => "image",
    }
}

fn may_be_manifest(media_type: &MediaType) -> bool {
    media_type.is_manifest_like() || media_type.is_generic() || media_type.role() == crate::oci::Role::Unknown
}

fn platforms(view: &View<'_>) -> BTreeMap<Digest, String> {
    let name = |platform: &Platform| platform.to_string();
    let entries = view.subjects().entries.iter();
    entries.filter_map(|entry| Some((entry.digest().ok()?.clone(), entry.platform.as_ref().map_or_else(|_| entry.label.clone(), name)))).collect()
}

fn telling(annotations: &Annotations) -> Annotations {
    let told = annotations.iter().filter(|(name, _)| TELLING.contains(&name.as_str()));
    told.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// How many layers there are below a node, and their bytes; a layer that several images share counts once.
fn sums(tree: &TreeNode) -> (usize, u64) {
    let mut layers = BTreeMap::new();
    let mut open = vec![tree];
    while let Some(node) = open.pop() {
        if node.role == "layer" {
            layers.insert(node.digest.clone(), node.size.unwrap_or(0));
        }
        open.extend(&node.children);
    }
    (layers.len(), layers.values().fold(0, |sum: u64, size| sum.saturating_add(*size)))
}
