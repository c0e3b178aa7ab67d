//! Whether a manifest is an image that a runtime runs.

use crate::oci::{Manifest, known};

/// Why a manifest is nothing that a runtime runs, if it is not: its config says so, or its layers do.
pub(crate) fn not_runnable(manifest: &Manifest) -> Option<String> {
    no_image_config(manifest).or_else(|| no_file_system(manifest))
}

/// Why the config of a manifest makes it no image.
///
/// A config of another type than an image config's makes it none, except for the types that runtimes run all the same
/// (`application/octet-stream`, `application/json`, `text/html`, empty: registries have been seen to write them). Where an
/// index declares a platform nothing else does: containers/image looks at the config alone, whatever the layers' types say
/// ([`not_selectable`]).
fn no_image_config(manifest: &Manifest) -> Option<String> {
    let Manifest::Image(image) = manifest else { return None };
    match &image.config {
        None => Some("it has no image config".to_owned()),
        Some(config) if !config.media_type.is_runnable_config() => {
            Some(format!("its config is of type {}", config.media_type))
        }
        Some(_) => None,
    }
}

/// Why no runtime could run what an index declares a platform for, if none could: its config says so, in a manifest of which
/// runtimes look at the config's type. Of Docker's manifests containers/image does not (`Schema2FromManifest`), and Podman
/// runs them.
pub(super) fn not_selectable(manifest: &Manifest) -> Option<String> {
    let is_docker = manifest.media_type().is_some_and(|media_type| *media_type == known::DOCKER_MANIFEST);
    let has_config = matches!(manifest, Manifest::Image(image) if image.config.is_some());
    if is_docker && has_config { None } else { no_image_config(manifest) }
}

/// Why the layers of a manifest make it no image: there are some, and none is a file system layer.
fn no_file_system(manifest: &Manifest) -> Option<String> {
    let Manifest::Image(image) = manifest else { return None };
    let first = image.layers.first().filter(|_| !image.layers.iter().any(|layer| layer.media_type.is_tar_like()))?;
    Some(format!("none of its layers is a file system layer (the first is {})", first.media_type))
}
