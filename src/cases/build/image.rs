//! The image itself: layers, configs, manifests and the index over them.

use std::collections::BTreeMap;

use super::builder::{Builder, Placed, manifest, platform};
use super::layer::{File, pack};
use super::{Asked, BuildError, Built, Home, Image, Layer, Override, Tree, Types};
use crate::oci::{Annotations, Digest, LayerClass, known};

/// The order in which Go's `ImageConfig` writes its members.
const CONFIG_ORDER: [&str; 11] = [
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Healthcheck",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "OnBuild",
];

/// Makes an image from its description.
pub fn build(image: &Image) -> Result<Built, BuildError> {
    let mut builder = Builder::new(image)?;
    let root = builder.image()?;
    builder.finish(root)
}

/// A platform's own description: the image's, with what differs there.
struct Part<'i> {
    label: String,
    image: &'i Image,
    other: Option<&'i Override>,
}

impl Builder<'_> {
    fn image(&mut self) -> Result<Digest, BuildError> {
        let parts = parts(self.image)?;
        let mut platforms = Vec::new();
        for part in &parts {
            platforms.push(self.part(part)?);
        }
        if self.image.saved {
            let config = format!("config {}", parts[0].label);
            return Ok(self.names.digest(&config).expect("invariant: every platform has a config").clone());
        }
        let root = if wants_index(self.image)? { self.index(&parts, &platforms)? } else { platforms[0].clone() };
        let root = Placed { label: "root".to_owned(), ..root };
        self.refer(&root, &platforms)?;
        self.tags(&root)?;
        Ok(root.digest)
    }

    fn part(&mut self, part: &Part<'_>) -> Result<Placed, BuildError> {
        let types = part.types();
        let mut layers = Vec::new();
        let mut diff_ids = Vec::new();
        for (number, layer) in part.layers().iter().flat_map(|layer| vec![layer; layer.count]).enumerate() {
            let (descriptor, diff_id) = self.layer(&part.label, number, layer, types);
            layers.push(descriptor);
            diff_ids.push(diff_id);
        }
        let default_type = if types == Types::Oci { known::OCI_CONFIG } else { known::DOCKER_CONFIG };
        let config_type = part.config_type().unwrap_or(default_type);
        let config = self.json(&format!("config {}", part.label), part.config(diff_ids)?, config_type)?;
        let media_type = if types == Types::Oci { known::OCI_MANIFEST } else { known::DOCKER_MANIFEST };
        let document = manifest(media_type)
            .with_some("artifactType", part.artifact_type())
            .with("config", config)
            .with("layers", layers)
            .with_map("annotations", &part.annotations(|places| &places.manifest));
        self.manifest(&format!("manifest {}", part.label), document, media_type)
    }

    fn layer(&mut self, label: &str, number: usize, layer: &Layer, types: Types) -> (Tree, String) {
        let packed = pack(&files(label, number, layer), layer.content.unwrap_or(layer.compression));
        let media_type = layer.media_type.clone().unwrap_or_else(|| layer_type(layer, types));
        let mut descriptor = self.bytes(&format!("layer {label} {number}"), packed.bytes, &media_type);
        if let Some(size) = layer.size {
            descriptor.put("size", size);
        }
        if !layer.urls.is_empty() {
            descriptor.put("urls", layer.urls.clone());
        }
        let annotations = packed.annotations.into_iter().chain(layer.annotations.clone()).collect();
        (descriptor.with_map("annotations", &annotations), packed.diff_id.to_string())
    }

    /// The index over the platforms and all else that stands in it, in as many others as are asked for.
    fn index(&mut self, parts: &[Part<'_>], platforms: &[Placed]) -> Result<Placed, BuildError> {
        let mut entries = Vec::new();
        for (part, placed) in parts.iter().zip(platforms) {
            let declared = part.declared()?;
            let annotations = part.annotations(|places| &places.descriptor);
            let entry = placed.descriptor.clone().with_map("annotations", &annotations).with_some("platform", declared);
            entries.push(entry.with_some("artifactType", part.artifact_type()));
        }
        entries.extend(self.attestations_in_index(platforms)?);
        entries.extend(self.extra_entries(platforms)?);
        let media_type = if self.image.types == Types::Oci { known::OCI_INDEX } else { known::DOCKER_LIST };
        for level in (0..self.image.nested).rev() {
            let document = manifest(media_type).with("manifests", entries);
            entries = vec![self.manifest(&format!("nested {level}"), document, media_type)?.descriptor];
        }
        let document =
            manifest(media_type).with("manifests", entries).with_map("annotations", &self.image.annotations.index);
        self.manifest("index", document, media_type)
    }

    fn extra_entries(&mut self, platforms: &[Placed]) -> Result<Vec<Tree>, BuildError> {
        let mut entries = Vec::new();
        for (number, entry) in self.image.entries.iter().enumerate() {
            let media_type = entry.media_type.as_deref().unwrap_or(known::OCI_MANIFEST);
            let placed = self.artifact(number, media_type, entry)?;
            if entry.absent {
                self.store.manifests.remove(&placed.digest);
            }
            let named = |value: &String| {
                platforms.iter().fold(value.clone(), |value, platform| {
                    value.replace(&format!("{{{}}}", platform.label), platform.digest.as_str())
                })
            };
            let annotations: Annotations =
                entry.annotations.iter().map(|(name, value)| (name.clone(), named(value))).collect();
            let declared = entry.platform.as_deref().map(platform).transpose()?;
            let descriptor = placed.descriptor.with_map("annotations", &annotations).with_some("platform", declared);
            entries.push(descriptor.with_some("artifactType", entry.artifact_type.clone()));
        }
        Ok(entries)
    }

    fn tags(&mut self, root: &Placed) -> Result<(), BuildError> {
        for (tag, to) in &self.image.tags {
            let digest = match to.as_str() {
                "root" => root.digest.clone(),
                "other" => self.store.put_manifest(
                    manifest(known::OCI_INDEX).with("manifests", Tree::List(Vec::new())).to_bytes(),
                    known::OCI_INDEX,
                ),
                name => {
                    let found = self.names.digest(name).cloned();
                    found.ok_or_else(|| BuildError::Tag { tag: tag.clone(), to: to.clone() })?
                }
            };
            self.store.tags.insert(tag.clone(), digest);
            self.names.add(format!("tag {tag}"), Asked::Tag(tag.clone()));
        }
        Ok(())
    }
}

/// The platforms under their names; a name that occurs again gets a number.
fn parts(image: &Image) -> Result<Vec<Part<'_>>, BuildError> {
    if image.platforms.is_empty() {
        return Err(BuildError::Contradiction(
            "an image has at least one platform; give `platforms` one, or leave it out",
        ));
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut parts = Vec::new();
    for name in &image.platforms {
        platform(name)?;
        let times = seen.entry(name).or_default();
        *times += 1;
        let label = if *times == 1 { name.clone() } else { format!("{name}#{times}") };
        let other = image.on.get(&label);
        parts.push(Part { label, image, other });
    }
    match image.on.keys().find(|name| !parts.iter().any(|part| part.label == **name)) {
        Some(name) => Err(BuildError::NoPlatform(name.clone())),
        None => Ok(parts),
    }
}

fn wants_index(image: &Image) -> Result<bool, BuildError> {
    let stands_in_it = |home| matches!(home, Home::Index | Home::IndexArtifact);
    let needs = image.platforms.len() > 1
        || image.nested > 0
        || !image.entries.is_empty()
        || image.attestations.iter().any(|attestation| stands_in_it(attestation.home))
        || image.on.values().any(|other| other.declare.is_some());
    match image.index {
        Some(false) if needs => Err(BuildError::Contradiction(
            "`index = false`, and several platforms or something else that only an index can hold",
        )),
        wanted => Ok(wanted.unwrap_or(needs)),
    }
}

impl Part<'_> {
    fn pick<T>(&self, own: impl Fn(&Override) -> Option<T>, shared: T) -> T {
        self.other.and_then(own).unwrap_or(shared)
    }

    fn types(&self) -> Types {
        self.pick(|other| other.types, self.image.types)
    }

    fn layers(&self) -> &[Layer] {
        self.other.and_then(|other| other.layers.as_deref()).unwrap_or(&self.image.layers)
    }

    fn config_type(&self) -> Option<&str> {
        self.other.and_then(|other| other.config_type.as_deref()).or(self.image.config_type.as_deref())
    }

    fn artifact_type(&self) -> Option<String> {
        self.pick(|other| other.artifact_type.clone().map(Some), self.image.artifact_type.clone())
    }

    fn annotations(&self, place: impl Fn(&super::Places) -> &Annotations) -> Annotations {
        let own = self.other.map(|other| place(&other.annotations).clone()).unwrap_or_default();
        place(&self.image.annotations).clone().into_iter().chain(own).collect()
    }

    fn platform_text(&self) -> &str {
        self.label.split_once('#').map_or(&self.label, |(name, _)| name)
    }

    /// The platform in the index.
    fn declared(&self) -> Result<Option<Tree>, BuildError> {
        match self.other.and_then(|other| other.declare.as_deref()).unwrap_or(self.platform_text()) {
            "none" => Ok(None),
            text => platform(text).map(Some),
        }
    }

    /// The image config, its members sorted as `BuildKit` sorts them.
    fn config(&self, diff_ids: Vec<String>) -> Result<Tree, BuildError> {
        let created = self.pick(|other| other.created.clone(), self.image.created.clone());
        let history = self.pick(|other| other.history.clone().map(Some), self.image.history.clone());
        let history = history.unwrap_or_else(|| default_history(diff_ids.len(), &created));
        let platform = platform(self.platform_text())?;
        let member = |name: &str| platform.text(name).map(ToOwned::to_owned);
        Ok(Tree::object()
            .with_some("architecture", member("architecture"))
            .with("config", self.run_config())
            .with("created", created)
            .with("history", history)
            .with_some("os", member("os"))
            .with_some("os.version", member("os.version"))
            .with("rootfs", Tree::object().with("type", "layers").with("diff_ids", diff_ids))
            .with_some("variant", member("variant")))
    }

    fn run_config(&self) -> Tree {
        let mut config = default_config();
        let own = self.other.iter().flat_map(|other| &other.config);
        for (name, value) in self.image.config.iter().chain(own) {
            config.put(name, value.clone());
        }
        let own = self.other.map(|other| other.labels.clone()).unwrap_or_default();
        let labels: Annotations = self.image.labels.clone().into_iter().chain(own).collect();
        if !labels.is_empty() {
            config.put("Labels", &labels);
        }
        if let Tree::Object(members) = &mut config {
            let rank = |name: &str| CONFIG_ORDER.iter().position(|known| *known == name).unwrap_or(CONFIG_ORDER.len());
            members.sort_by_key(|(name, _)| rank(name));
        }
        config
    }
}

fn default_config() -> Tree {
    Tree::object()
        .with("User", "65532:65532")
        .with("Env", ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
        .with("Entrypoint", ["/app"])
        .with("WorkingDir", "/")
}

fn default_history(layers: usize, created: &str) -> Vec<Tree> {
    let step = |by: String| {
        let step = Tree::object().with("created", created).with("created_by", by);
        step.with("comment", "buildkit.dockerfile.v0")
    };
    let copies = (0..layers).map(|number| step(format!("COPY part{number} / # buildkit")));
    let empty = ["USER 65532:65532", "ENTRYPOINT [\"/app\"]"].map(|by| step(by.to_owned()).with("empty_layer", true));
    copies.chain(empty).collect()
}

fn files(label: &str, number: usize, layer: &Layer) -> Vec<File> {
    match &layer.files {
        Some(files) => files.iter().map(|(path, text)| file(path, text)).collect(),
        None => vec![File::new("app", format!("part {number} of the image for {label}\n")).executable()],
    }
}

/// A script is executable.
fn file(path: &str, text: &str) -> File {
    let file = File::new(path, text.as_bytes());
    match text.get(..2) {
        _ if path.ends_with('/') => File::directory(path),
        Some("#!") => file.executable(),
        _ => file,
    }
}

fn layer_type(layer: &Layer, types: Types) -> String {
    let suffix = match (types, layer.compression) {
        (_, LayerClass::Nydus) => return known::NYDUS_BLOB.to_owned(),
        (Types::Oci, LayerClass::Encrypted) => "+gzip+encrypted",
        (Types::Oci, LayerClass::Gzip | LayerClass::Estargz) => "+gzip",
        (Types::Oci, LayerClass::Zstd | LayerClass::ZstdChunked) => "+zstd",
        (Types::Docker, LayerClass::Gzip | LayerClass::Estargz | LayerClass::Encrypted) => ".gzip",
        (Types::Docker, LayerClass::Zstd | LayerClass::ZstdChunked) => ".zstd",
        (_, LayerClass::None | LayerClass::Overlaybd) => "",
    };
    let base = match (types, layer.foreign) {
        (Types::Oci, false) => known::OCI_LAYER,
        (Types::Oci, true) => "application/vnd.oci.image.layer.nondistributable.v1.tar",
        (Types::Docker, false) => known::DOCKER_LAYER,
        (Types::Docker, true) => "application/vnd.docker.image.rootfs.foreign.diff.tar",
    };
    format!("{base}{suffix}")
}
