//! SOCI indexes: which parts of an image's layers hold which files, kept apart from the image.

use super::carriers::{Content, Home, Search, Sought};
use super::prelude::*;
use crate::oci::known;

/// The annotation of an image manifest that names its SOCI index (version 2).
const INDEX_DIGEST: &str = "com.amazon.soci.index-digest";
/// The annotation of an entry in the image's index that names the image that it is the SOCI index of.
const IMAGE_DIGEST: &str = "com.amazon.soci.image-manifest-digest";
/// The annotation of a part of a SOCI index that names the layer that it is about.
const LAYER_DIGEST: &str = "com.amazon.soci.image-layer-digest";

/// The SOCI index of a platform: what it is and where, or why there is none.
///
/// Version 2 is named by the manifest, version 1 refers to it; snapshotters look for them in this order.
pub(super) fn find(entry: &Entry, view: &View<'_>) -> Fact<Result<String, String>> {
    let second = match named(entry, view) {
        Ok(Err(lack)) => Ok(lack),
        Err(Stop::Unknown(why)) => Err(why),
        settled => return settled,
    };
    match (second, referring(entry, view)?) {
        (_, Ok(found)) => Ok(Ok(found)),
        (Ok(second), Err(first)) => Ok(Err(format!("no SOCI index: {second}; {first}"))),
        (Err(why), Err(_)) => Err(why.into()),
    }
}

/// Version 2: the manifest names it by its digest, and it is about layers of this image.
fn named(entry: &Entry, view: &View<'_>) -> Fact<Result<String, String>> {
    let image = view.image(entry)?;
    let Some(text) = image.annotations.get(INDEX_DIGEST) else { return Ok(Err(unnamed(entry, view))) };
    let Ok(digest) = text.parse::<Digest>() else {
        return Ok(Err(format!("the annotation {INDEX_DIGEST} is '{}', which is no digest", ImageText(text))));
    };
    let named = format!("{} that the annotation {INDEX_DIGEST} names", digest.short());
    let document = view.document(&digest)?.unambiguous().map_err(|ambiguities| {
        let detail = ambiguities.first().map(ToString::to_string).unwrap_or_default();
        Why::new(format!("reading {named}"), Cause::Ambiguous { detail })
    })?;
    let Manifest::Image(index) = document else { return Ok(Err(format!("{named} is no SOCI index"))) };
    let of_type = |media_type: &MediaType| *media_type == known::SOCI_INDEX_V2;
    let is_index = index.artifact_type.as_ref().is_some_and(of_type)
        || index.config.as_ref().is_some_and(|config| of_type(&config.media_type));
    let layers: BTreeSet<&str> =
        image.layers.iter().filter_map(|layer| Some(layer.digest.as_ref().ok()?.as_str())).collect();
    let about = index.layers.iter().filter_map(|part| part.annotations.get(LAYER_DIGEST));
    let covered: BTreeSet<&str> = about.map(String::as_str).filter(|digest| layers.contains(digest)).collect();
    Ok(match (is_index, covered.len()) {
        (false, _) => Err(format!("{named} is no SOCI index")),
        (true, 0) => Err(format!("{named} is about no layer of this image")),
        (true, some) => {
            Ok(format!("the SOCI index {}, about {some} of {}", digest.short(), words::count(layers.len(), "layer")))
        }
    })
}

/// Why an image has no SOCI index that its manifest does not name; the index over it may name one all the same.
fn unnamed(entry: &Entry, view: &View<'_>) -> String {
    let digest = entry.digest().map_or("", Digest::as_str);
    let excluded = view.subjects().excluded.iter();
    let listed =
        excluded.filter(|it| it.descriptor.annotations.get(IMAGE_DIGEST).is_some_and(|of| of == digest)).count();
    if listed > 0 {
        format!("the index names one, and the manifest does not, for lack of the annotation {INDEX_DIGEST}")
    } else {
        format!("the manifest has no annotation {INDEX_DIGEST}")
    }
}

/// Version 1: a referrer of the manifest.
fn referring(entry: &Entry, view: &View<'_>) -> Fact<Result<String, String>> {
    let found = Search::about(&Referring, entry, view)?.first()?;
    Ok(found.map(|found| found.carried()).map_err(|missing| missing.to_string()))
}

struct Referring;

impl Sought for Referring {
    fn noun(&self) -> String {
        "SOCI index".to_owned()
    }

    fn homes(&self) -> &[Home] {
        &[Home::Referrers]
    }

    fn tags(&self) -> &'static [&'static str] {
        &[]
    }

    fn may_be_statement(&self) -> bool {
        false
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        matches!(content, Content::Other(media_type) if **media_type == known::SOCI_INDEX_V1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{OCI_CONFIG, OCI_GZIP, OCI_MANIFEST, Store, config, layer, with};
    use super::*;

    const REQUIRED: &str = "require = ['soci']";
    const CELL: &str = "linux/amd64";

    /// A SOCI index of that type about a layer; its subject, if it is to have one.
    fn index(store: &mut Store, of_type: &str, about: &str, subject: Option<&Value>) -> Value {
        let part = with(layer("application/octet-stream", "ztoc"), "annotations", json!({ LAYER_DIGEST: about }));
        let config = store.put(of_type, "{}");
        let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": of_type, "config": config,
            "layers": [part], "subject": subject });
        with(store.put(OCI_MANIFEST, &manifest.to_string()), "artifactType", json!(of_type))
    }

    /// An image of one large layer whose manifest has these annotations.
    fn image(store: &mut Store, annotations: &Value) -> Value {
        let config = store.put(OCI_CONFIG, &config("linux", "amd64").to_string());
        let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config,
            "layers": [with(layer(OCI_GZIP, "own"), "size", json!(100_000_000))], "annotations": annotations });
        store.put(OCI_MANIFEST, &manifest.to_string())
    }

    fn own_layer() -> String {
        Digest::sha256(b"own").to_string()
    }

    #[test]
    fn a_manifest_names_its_index() {
        let mut store = Store::default();
        let second = index(&mut store, known::SOCI_INDEX_V2, &own_layer(), None);
        let root = image(&mut store, &json!({ INDEX_DIGEST: second["digest"] }));
        let cell = store.judge(&root, "lazy-pull", REQUIRED).cell(CELL);
        assert!(cell.starts_with("the SOCI index sha256:") && cell.ends_with("about 1 of 1 layer"), "{cell}");
    }

    #[test]
    fn what_it_names_has_to_be_one_about_this_image() {
        let mut store = Store::default();
        let strange = index(&mut store, known::SOCI_INDEX_V2, Digest::EMPTY_JSON, None);
        let other = index(&mut store, "application/vnd.example", &own_layer(), None);
        for (named, reason) in [
            (strange["digest"].clone(), "is about no layer of this image"),
            (other["digest"].clone(), "is no SOCI index"),
            (json!("latest"), "is \'latest\', which is no digest"),
        ] {
            let root = image(&mut store, &json!({ INDEX_DIGEST: named }));
            let cell = store.judge(&root, "lazy-pull", REQUIRED).cell(CELL);
            assert!(cell.starts_with("violation: ") && cell.contains(reason), "{cell}");
        }
    }

    #[test]
    fn one_that_only_the_index_names_is_found_by_nobody() {
        let mut store = Store::default();
        let platform = json!({ "os": "linux", "architecture": "amd64" });
        let root = image(&mut store, &json!({}));
        let second = index(&mut store, known::SOCI_INDEX_V2, &own_layer(), None);
        let second = with(second, "annotations", json!({ IMAGE_DIGEST: root["digest"] }));
        let root = store.index(&[with(root, "platform", platform.clone()), with(second, "platform", platform)]);
        let cell = store.judge(&root, "lazy-pull", REQUIRED).cell(CELL);
        assert!(cell.contains("the index names one, and the manifest does not"), "{cell}");
    }

    #[test]
    fn one_that_is_not_there_is_not_known() {
        let mut store = Store::default();
        let root = image(&mut store, &json!({ INDEX_DIGEST: own_layer() }));
        assert!(store.judge(&root, "lazy-pull", REQUIRED).cell(CELL).starts_with("unknown: "));
        let first = index(&mut store, known::SOCI_INDEX_V1, &own_layer(), Some(&root));
        store.list(&root, first);
        assert!(store.judge(&root, "lazy-pull", REQUIRED).cell(CELL).starts_with("a SOCI index in referrer"));
    }

    #[test]
    fn version_1_refers_to_the_manifest() {
        let mut store = Store::default();
        let root = image(&mut store, &json!({}));
        let other = image(&mut store, &json!({ "other": "" }));
        let strange = index(&mut store, known::SOCI_INDEX_V1, &own_layer(), Some(&other));
        store.list(&root, strange);
        let cell = store.judge(&root, "lazy-pull", REQUIRED).cell(CELL);
        assert!(cell.starts_with("violation: ") && cell.contains("its own subject is another manifest"), "{cell}");
        let own = index(&mut store, known::SOCI_INDEX_V1, &own_layer(), Some(&root));
        store.list(&root, own);
        assert!(store.judge(&root, "lazy-pull", REQUIRED).cell(CELL).starts_with("a SOCI index in referrer"));
        store.forbid_list(&root);
        assert!(store.judge(&root, "lazy-pull", REQUIRED).cell(CELL).starts_with("unknown: "));
    }

    #[test]
    fn a_soci_index_is_no_sbom_and_is_not_fetched_for_one() {
        let mut store = Store::default();
        let root = image(&mut store, &json!({}));
        let own = index(&mut store, known::SOCI_INDEX_V1, &own_layer(), Some(&root));
        store.lose(&own);
        store.list(&root, own);
        let cell = store.judge(&root, "sbom", "").cell(CELL);
        assert!(cell.contains("it is listed as a SOCI index"), "{cell}");
    }
}
