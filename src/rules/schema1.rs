use super::prelude::*;
use crate::graph::Excluded;
use crate::oci::Role;

declare_rule! {
    /// The image is not of Docker's oldest form, schema 1.
    ///
    /// # What it checks
    ///
    /// That what the reference points to is no manifest of Docker's image manifest version 2, schema 1, and that no entry of an
    /// index is one.
    ///
    /// # Why
    ///
    /// Schema 1 has been deprecated for years: current runtimes and registries refuse it, the digest of its signed form does not
    /// cover the bytes that are served, and it says nothing of sizes, media types or platforms. No other rule can judge such an
    /// image; all of them end as unknown.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.schema1]
    /// level = "error"
    /// ```
    ///
    /// # Parameters
    ///
    /// None.
    ///
    /// # How to fix
    ///
    /// Rebuild the image: every builder since Docker 1.10 (2016) writes a current form. If only the image is left, let skopeo
    /// convert it:
    ///
    /// ```sh
    /// skopeo copy --format v2s2 docker://IMAGE docker://IMAGE
    /// ```
    ///
    /// # What it cannot see
    ///
    /// Other tags of the repository, and a registry that converts schema 1 images on the way to the client. An entry that cannot be
    /// fetched and whose type does not tell what it is makes the answer unknown.
    Schema1: "schema1"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Schema1 {}

impl Check for Schema1 {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        // A classic archive has the config of its own, which schema 1 has not.
        if view.root().kind == RootKind::SavedConfig {
            return Ok(Verdict::Pass("the root is an image config".to_owned()));
        }
        let root = view.root_manifest()?;
        let mut findings = Findings::new();
        if matches!(root, Manifest::Schema1(_)) {
            let message = "this is a manifest of Docker's schema 1, which current runtimes refuse; wanted an OCI or Docker schema 2 image";
            findings.add(message, Location::root(view, ""), fix(view));
        }
        for (Excluded { descriptor, place, .. }, why) in &view.subjects().undetermined {
            let Place::Index { digest, pointer } = place else { continue };
            match is_schema1(descriptor, view) {
                Some(true) => {
                    let location = Location::new(NodeRole::Index, digest, pointer.clone());
                    let message = "this entry is a manifest of Docker's schema 1, which current runtimes refuse";
                    findings.add(message, location, fix(view));
                }
                Some(false) => {}
                None => findings.stop(why.clone().into()),
            }
        }
        findings.verdict(|| format!("the root is {}", article(root)))
    }
}

/// Whether an entry is of schema 1; `None` where neither its type nor what it leads to tells.
fn is_schema1(descriptor: &Descriptor, view: &View<'_>) -> Option<bool> {
    let read = descriptor.digest.as_ref().ok().and_then(|digest| view.read_document(digest));
    match (descriptor.media_type.role(), read) {
        (Role::Schema1, _) => Some(true),
        (_, Some(Ok(document))) => Some(matches!(document.value(), Manifest::Schema1(_))),
        _ => descriptor.media_type.is_manifest_like().then_some(false),
    }
}

fn article(manifest: &Manifest) -> String {
    let media_type = manifest.effective_media_type();
    media_type.description().map_or_else(|| format!("a {}", manifest.kind()), str::to_owned)
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new("docker buildx build --output type=registry -t {} .").with(&push_name(view)).or(&Fix::new(
        "skopeo copy --format v2s2 docker://{} docker://{}",
    )
    .with(&image_name(view))
    .with(&push_name(view)))
}
