use super::prelude::*;
use crate::oci::Family;

declare_rule! {
    /// The media types of the image belong to the wanted family.
    ///
    /// # What it checks
    ///
    /// The media types of the index, of nested indexes, of each platform's manifest, and of the configs and layers that these
    /// name. Attestations and artifacts in the index are neither judged nor fetched.
    ///
    /// Types that belong to neither OCI nor Docker (encrypted, EROFS and Nydus layers, generic and unknown types) violate every
    /// family unless `allow` lists them. A Docker manifest in an OCI index is legal, and violates at that entry. Docker's zstd layer
    /// type counts as Docker's; no specification has it, and containers/image (Podman, skopeo, CRI-O) refuses it.
    ///
    /// # Why
    ///
    /// OCI types are what annotations, attestations, referrers and newer compressions need. Docker types are what old registries and
    /// some platforms still ask for. An image that mixes them works with one client and fails with the next, and tools that
    /// convert on the way change its digest.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.media-types]
    /// family = "oci"
    /// allow = ["application/vnd.oci.image.layer.v1.*+encrypted"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `family` (`"oci"`, `"docker"` or `"any"`, default `"oci"`): the family of every type. With `"any"` it is the family of the
    ///   index, or of the manifest where there is no index.
    /// - `allow-mixed` (true or false, default false; only with `family = "any"`): whether both may occur in one image.
    /// - `require-field` (true or false, default false): whether the index and each manifest must name their type in `mediaType`
    ///   themselves. The specification leaves it out of what is required.
    /// - `allow` (list of globs, empty by default): types that pass whatever their family.
    /// - `deny` (list of globs, empty by default): types that violate whatever else is said.
    ///
    /// # How to fix
    ///
    /// To OCI: BuildKit 0.31 and later writes OCI types unless told otherwise; older ones need the flag, and attestations (which buildx
    /// adds by default since 0.10) have the same effect.
    ///
    /// ```sh
    /// docker buildx build --output type=registry,oci-mediatypes=true -t IMAGE .
    /// regctl image mod IMAGE --to-oci --replace
    /// skopeo copy --all --format oci docker://IMAGE docker://IMAGE
    /// ```
    ///
    /// To Docker: without attestations, which are OCI only (BuildKit 0.31 and later refuses the combination).
    ///
    /// ```sh
    /// docker buildx build --provenance=false --sbom=false --output type=registry,oci-mediatypes=false -t IMAGE .
    /// regctl image mod IMAGE --to-docker --replace
    /// ```
    ///
    /// `buildah push --format oci`, and `<format>OCI</format>` for Jib; ko and kaniko follow the base image's family. BuildKit converts
    /// the types of base layers, so it never mixes families in one manifest; manifests of both families meet in an index made from
    /// images of different builders. Converting changes digests: sign afterwards.
    ///
    /// # What it cannot see
    ///
    /// Whether the bytes are what the types say (rule `layer-content` for layers), and the `Content-Type` that a registry sends.
    MediaTypes: "media-types"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct MediaTypes {
    family: Wanted,
    allow_mixed: bool,
    require_field: bool,
    allow: Vec<Glob>,
    deny: Vec<Glob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Wanted {
    #[default]
    Oci,
    Docker,
    Any,
}

impl Check for MediaTypes {
    fn judges(&self) -> Judges {
        Judges::Both
    }

    fn problems(&self) -> Vec<Problem> {
        let mixed = self.allow_mixed && self.family != Wanted::Any;
        let mixed =
            mixed.then(|| Problem::with("allow-mixed", "`allow-mixed` has a meaning only with `family = \"any\"`"));
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<Vec<_>>();
        mixed.into_iter().chain(allowed_and_denied(texts(&self.allow), texts(&self.deny))).collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        match subject {
            Subject::Root => self.judge_root(view),
            Subject::Platform(entry) => self.judge_platform(entry, view),
        }
    }
}

/// A part of an image and the type it has.
struct Part {
    name: String,
    media_type: MediaType,
    location: Location,
}

impl MediaTypes {
    /// The root and the indexes in it.
    fn judge_root(&self, view: &View<'_>) -> Fact<Verdict> {
        let media_type = &view.root().media_type;
        let manifest = view.root_manifest()?;
        let mut findings = Findings::new();
        self.check_field(manifest, Location::root(view, ""), view, &mut findings);
        let location = Location::root(view, if manifest.media_type().is_some() { "/mediaType" } else { "" });
        let root = Part { name: format!("the {}", manifest.kind()), media_type: media_type.clone(), location };
        let mut parts = vec![root];
        for digest in view.subjects().indexes.iter().skip(1) {
            let nested = view.document(digest)?.value();
            let location = Location::new(NodeRole::Index, digest, "");
            self.check_field(nested, location.clone(), view, &mut findings);
            parts.push(Part { name: "a nested index".to_owned(), media_type: nested.effective_media_type(), location });
        }
        self.check(parts, media_type.family(), view, &mut findings);
        findings.verdict(|| format!("the root is {}", described(media_type)))
    }

    fn judge_platform(&self, entry: &Entry, view: &View<'_>) -> Fact<Verdict> {
        let manifest = view.manifest(&entry.descriptor);
        let image = view.image(entry)?;
        let mut findings = Findings::new();
        let mut parts = Vec::new();
        if let Place::Index { digest, pointer } = &entry.place {
            self.check_field(manifest?, Location::manifest(entry, ""), view, &mut findings);
            let location = Location::new(NodeRole::Index, digest, format!("{pointer}/mediaType"));
            let manifest = vec![Part {
                name: "the manifest".to_owned(),
                media_type: entry.descriptor.media_type.clone(),
                location,
            }];
            if self.family == Wanted::Any {
                // Compared with the index; what follows is compared with the manifest.
                self.check(manifest, view.root().media_type.family(), view, &mut findings);
            } else {
                parts = manifest;
            }
        }
        parts.extend(content(entry, image));
        self.check(parts, entry.descriptor.media_type.family(), view, &mut findings);
        findings.verdict(|| {
            format!("{}; {}", described(&entry.descriptor.media_type), words::count(image.layers.len(), "layer"))
        })
    }

    /// One finding for each distinct problem, at its first place.
    fn check(&self, parts: Vec<Part>, above: Family, view: &View<'_>, findings: &mut Findings) {
        let mut problems: Vec<(String, Vec<Part>)> = Vec::new();
        for part in parts {
            let Some(problem) = self.objection(&part.media_type, above) else { continue };
            match problems.iter_mut().find(|(known, _)| *known == problem) {
                Some((_, parts)) => parts.push(part),
                None => problems.push((problem, vec![part])),
            }
        }
        for (problem, parts) in problems {
            let named = parts.iter().map(|part| format!("{} ('{}')", part.name, ImageText(part.media_type.as_str())));
            let message = format!("{}: {problem}", words::listed(named));
            if let Some(first) = parts.into_iter().next() {
                findings.add_keyed(
                    message,
                    first.location,
                    self.fix(&first.media_type, view),
                    first.media_type.as_str(),
                );
            }
        }
    }

    /// What the policy has against a type that stands in a document of the family `above`.
    fn objection(&self, media_type: &MediaType, above: Family) -> Option<String> {
        let text = media_type.as_str();
        if let Some(denied) = self.deny.iter().find(|denied| denied.matches(text)) {
            return Some(format!("the policy denies '{}'", denied.as_str()));
        }
        if self.allow.iter().any(|allowed| allowed.matches(text)) {
            return None;
        }
        match (self.family, media_type.family()) {
            (Wanted::Oci, Family::Oci) | (Wanted::Docker, Family::Docker) => None,
            (Wanted::Oci, Family::Docker) => Some("Docker's type, wanted an OCI type".to_owned()),
            (Wanted::Docker, Family::Oci) => Some("an OCI type, wanted Docker's".to_owned()),
            (Wanted::Any, Family::Other) => Some(format!("{}, wanted an OCI or Docker type", described(media_type))),
            (_, Family::Other) => Some(format!(
                "{}, wanted {}",
                described(media_type),
                if self.family == Wanted::Oci { "an OCI type" } else { "Docker's type" }
            )),
            // What stands under a type that is neither has nothing to agree with.
            (Wanted::Any, family) if self.allow_mixed || above == Family::Other || family == above => None,
            (Wanted::Any, family) => Some(format!("a type of the family {family} in a document of the family {above}")),
        }
    }

    fn check_field(&self, manifest: &Manifest, location: Location, view: &View<'_>, findings: &mut Findings) {
        if self.require_field && manifest.media_type().is_none() {
            let message = format!("the {} does not name its own `mediaType`", manifest.kind());
            let fix = Fix::new("buildah before 1.24 and other old tools leave it out; build with a current one:").or(
                &words::build(
                    "docker buildx build --platform {} --output type=registry,oci-mediatypes=true -t {} .",
                    view,
                ),
            );
            findings.add_keyed(message, location, fix, "field");
        }
    }

    fn fix(&self, media_type: &MediaType, view: &View<'_>) -> Fix {
        if self.family == Wanted::Docker {
            return words::build("docker buildx build --platform {} --provenance=false --sbom=false --output type=registry,oci-mediatypes=false -t {} .", view)
                .or(&Fix::new("regctl image mod {} --to-docker --replace").with(&push_name(view)));
        }
        let build =
            words::build("docker buildx build --platform {} --output type=registry,oci-mediatypes=true -t {} .", view);
        if media_type.family() == Family::Other {
            return Fix::new("build without what needs this type, or list the type in `allow`:").or(&build);
        }
        build.or(&Fix::new("regctl image mod {} --to-oci --replace").with(&push_name(view))).or(&Fix::new(
            "skopeo copy --all --format oci docker://{} docker://{}",
        )
        .with(&image_name(view))
        .with(&push_name(view)))
    }
}

/// The config of a manifest, and its layers by type.
fn content(entry: &Entry, image: &ImageManifest) -> Vec<Part> {
    let mut by_type: BTreeMap<&MediaType, Vec<usize>> = BTreeMap::new();
    for (position, layer) in image.layers.iter().enumerate() {
        by_type.entry(&layer.media_type).or_default().push(position);
    }
    let config = image.config.iter().map(|config| Part {
        name: "the config".to_owned(),
        media_type: config.media_type.clone(),
        location: Location::manifest(entry, "/config/mediaType"),
    });
    let layers = by_type.into_iter().map(|(media_type, positions)| Part {
        name: words::layers(&positions, image.layers.len()),
        media_type: media_type.clone(),
        location: Location::manifest(entry, format!("/layers/{}/mediaType", positions[0])),
    });
    config.chain(layers).collect()
}

fn described(media_type: &MediaType) -> &'static str {
    media_type.description().unwrap_or("an unknown type")
}
