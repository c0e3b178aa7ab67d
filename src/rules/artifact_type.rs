use super::prelude::*;
use crate::oci::Role;

declare_rule! {
    /// The reference points to an image, or to a kind of artifact that is allowed.
    ///
    /// # What it checks
    ///
    /// What the reference points to: an image (a manifest that a runtime could run, or an index with at least one), or something
    /// else that a registry holds, such as a Helm chart, a signature, a WebAssembly component or a build cache.
    ///
    /// The rule is always on. Without a table of its own it wants an image.
    ///
    /// # Why
    ///
    /// What rules say about images means nothing for a chart. A gate that is handed something else than an image, an empty index
    /// for example, must not call it fine because nothing was found wrong with its platforms.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.artifact-type]
    /// allow = ["application/vnd.cncf.helm.config.v1+json"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow` (list of globs, empty by default): types of artifacts that are allowed besides images. Image rules are not
    ///   applicable to them.
    /// - `deny` (list of globs, empty by default): types that are refused whatever `allow` says; of images too. The config's type
    ///   counts as well, whatever the artifact type is.
    ///
    /// The type is the manifest's `artifactType`, else the media type of its config; where that says nothing (an image config, the
    /// empty config, `application/json`), the media type of the first layer. Of an index it is the `artifactType`, else the
    /// index's media type.
    ///
    /// # How to fix
    ///
    /// Check the reference: `sha256-….sig` and `:buildcache` tags, charts and models share repositories with images. If the artifact
    /// is meant, allow its type. An index that lost its images is pushed again: `docker buildx build --output type=registry -t IMAGE .`
    ///
    /// # What it cannot see
    ///
    /// Whether a runtime can run the image. An artifact that disguises itself as an image, config and layers included, is one.
    ArtifactType: "artifact-type", implicit = ArtifactType::default
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ArtifactType {
    allow: Vec<Glob>,
    deny: Vec<Glob>,
}

impl Check for ArtifactType {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn problems(&self) -> Vec<Problem> {
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<Vec<_>>();
        allowed_and_denied(texts(&self.allow), texts(&self.deny)).into_iter().collect()
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        if view.root().kind == RootKind::SavedConfig {
            return Ok(Verdict::Pass("the image config of a `docker save` archive".to_owned()));
        }
        let root = view.root_manifest()?;
        let subjects = view.subjects();
        let open = subjects.undetermined.first().map(|(_, why)| why).filter(|_| subjects.entries.is_empty());
        if let (Nature::Undetermined(why), _) | (_, Some(why)) = (&subjects.nature, open) {
            return Err(why.clone().into());
        }
        let kind = Kind::of(root, view);
        let hits = |globs: &[Glob]| matches(globs, &kind.media_type);
        let location = Location::root(view, kind.pointer);
        let mut findings = Findings::new();
        if hits(&self.deny) {
            findings.add_keyed(format!("this is {kind}, which the policy denies"), location, fix(), "denied");
        } else if let Some(config) = config_of(root).filter(|config| matches(&self.deny, &config.media_type)) {
            // Clients of some artifacts go by the config, whatever `artifactType` says.
            let of_type = ImageText(config.media_type.as_str());
            let message = format!("this is {kind} with a config of type '{of_type}', which the policy denies");
            findings.add_keyed(message, Location::root(view, "/config/mediaType"), fix(), "denied");
        } else if !hits(&self.allow) {
            match &subjects.nature {
                Nature::Image | Nature::Schema1 | Nature::Undetermined(_) => {}
                Nature::Artifact { reason, .. } => {
                    let reason =
                        if kind.is_index() { "no entry of it is one that a runtime could run" } else { reason };
                    findings.add_keyed(
                        format!("this is {kind} and no image: {}", ImageText(reason)),
                        location,
                        fix(),
                        "artifact",
                    );
                }
                Nature::NothingRunnable => {
                    findings.add_keyed(
                        nothing_runnable(view),
                        Location::root(view, "/manifests"),
                        rebuild(view),
                        "nothing runnable",
                    );
                }
            }
        }
        findings.verdict(|| kind.to_string())
    }
}

fn matches(globs: &[Glob], media_type: &MediaType) -> bool {
    globs.iter().any(|glob| glob.matches(media_type.as_str()))
}

fn config_of(manifest: &Manifest) -> Option<&Descriptor> {
    match manifest {
        Manifest::Image(image) => image.config.as_ref(),
        Manifest::Index(_) | Manifest::Schema1(_) => None,
    }
}

/// What a root is, by the type that tells most.
struct Kind<'m> {
    is_image: bool,
    media_type: MediaType,
    pointer: &'static str,
    description: Option<&'static str>,
    manifest: &'m Manifest,
}

impl<'m> Kind<'m> {
    fn of(manifest: &'m Manifest, view: &View<'_>) -> Self {
        let declared = match manifest {
            Manifest::Image(image) => image.artifact_type.as_ref(),
            Manifest::Index(index) => index.artifact_type.as_ref(),
            Manifest::Schema1(_) => None,
        };
        let (media_type, pointer) = match (declared, manifest) {
            (Some(declared), _) => (declared.clone(), "/artifactType"),
            (None, Manifest::Image(image)) => type_of_parts(image, &view.subjects().nature),
            (None, _) => (manifest.effective_media_type(), ""),
        };
        let description = media_type.description();
        Self { is_image: view.subjects().nature == Nature::Image, media_type, pointer, description, manifest }
    }
}

impl Kind<'_> {
    fn is_index(&self) -> bool {
        matches!(self.manifest, Manifest::Index(_))
    }
}

/// The type of a manifest without an `artifactType`.
fn type_of_parts(image: &ImageManifest, nature: &Nature) -> (MediaType, &'static str) {
    let vague = |config: &&Descriptor| {
        matches!(config.media_type.role(), Role::ImageConfig | Role::EmptyConfig | Role::Generic)
    };
    match (&image.config, image.layers.first()) {
        (Some(config), _) if *nature == Nature::Image || !vague(&config) => {
            (config.media_type.clone(), "/config/mediaType")
        }
        (_, Some(layer)) => (layer.media_type.clone(), "/layers/0/mediaType"),
        (Some(config), None) => (config.media_type.clone(), "/config/mediaType"),
        (None, None) => (MediaType::from(""), ""),
    }
}

impl std::fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match (self.description, self.manifest) {
            // An artifact type is a label: what runs is an image whatever it says.
            (_, Manifest::Image(_)) if self.is_image => "an image",
            (_, Manifest::Index(_)) if self.is_image && self.pointer == "/artifactType" => "an index of images",
            (Some(description), Manifest::Index(_)) if self.pointer == "/artifactType" => {
                &format!("an index of {description}")
            }
            (Some(description), _) if self.media_type.role() != Role::ImageConfig => description,
            (_, Manifest::Index(_)) => "an index of artifacts",
            _ if self.media_type.role() == Role::ImageConfig => "an image",
            _ => "an artifact",
        };
        write!(f, "{name} ('{}')", ImageText(self.media_type.as_str()))
    }
}

/// Why an index holds nothing that a runtime could run.
fn nothing_runnable(view: &View<'_>) -> String {
    let excluded = &view.subjects().excluded;
    let Some(first) = excluded.first() else {
        return "the index is empty, wanted at least one entry that a runtime could run".to_owned();
    };
    let others = if excluded.len() > 1 { format!(" (and {} more)", excluded.len() - 1) } else { String::new() };
    format!("the index has no entry that a runtime could run: {}{others}", ImageText(&first.reason))
}

fn fix() -> Fix {
    Fix::new(
        "check the reference; if this artifact is meant, add its type to `allow` in `[rules.artifact-type]` of the policy",
    )
}

fn rebuild(view: &View<'_>) -> Fix {
    Fix::new("push the images of the index again: docker buildx build --output type=registry -t {} .")
        .with(&push_name(view))
}
