//! The run image that Cloud Native Buildpacks note in a label (platform specification, `io.buildpacks.lifecycle.metadata`).

use serde::Deserialize;

use super::super::prelude::*;
use super::Claim;
use crate::oci::Reference;

const LABEL: &str = "io.buildpacks.lifecycle.metadata";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    run_image: Option<RunImage>,
    stack: Option<Stack>,
}

#[derive(Deserialize)]
struct Stack {
    #[serde(rename = "runImage")]
    run_image: Option<RunImage>,
}

#[derive(Deserialize, Default)]
struct RunImage {
    image: Option<String>,
    reference: Option<String>,
}

/// The run image that the label names, if there is such a label.
pub(super) fn claim(labels: &Annotations, at: impl Fn(&str) -> Location) -> Fact<Option<Claim>> {
    let Some(text) = labels.get(LABEL).filter(|text| !text.is_empty()) else { return Ok(None) };
    let doing = || format!("reading the label {LABEL}");
    let metadata: Metadata = serde_json::from_str(text)
        .map_err(|error| Why::new(doing(), Cause::Unreadable { detail: ImageText(&error.to_string()).to_string() }))?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    // What was built from a daemon's images has an image id there, which no registry knows.
    let run_image = metadata.run_image.unwrap_or_default();
    let of_stack = metadata.stack.and_then(|stack| stack.run_image).unwrap_or_default();
    let pinned = filled(run_image.reference).and_then(|text| Reference::parse(&text).ok());
    let pinned = pinned.filter(|reference| reference.digest().is_some());
    let name = filled(run_image.image).or_else(|| filled(of_stack.image));
    let name = name.or_else(|| pinned.as_ref().map(Reference::name));
    let Some(name) = name else { return Ok(None) };
    let digest = pinned.as_ref().and_then(Reference::digest).map(Digest::as_str);
    Claim::new(Some(&name), digest, "by the label of its buildpacks", at(LABEL)).map(Some)
}
