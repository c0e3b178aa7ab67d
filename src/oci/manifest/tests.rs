use serde_json::{Value, json};

use super::*;
use crate::oci::Digest;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn descriptor() -> Value {
    json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": Digest::EMPTY_JSON, "size": 2})
}

fn manifest() -> Value {
    json!({"schemaVersion": 2, "config": descriptor(), "layers": [descriptor()]})
}

fn index() -> Value {
    json!({"schemaVersion": 2, "manifests": [descriptor()]})
}

/// The document with one member set at a pointer to its object; `Null` in `value` stays null.
fn with(mut document: Value, object: &str, name: &str, value: Value) -> Value {
    document.pointer_mut(object).unwrap()[name] = value;
    document
}

fn without(mut document: Value, object: &str, name: &str) -> Value {
    document.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    document
}

fn manifest_of(document: &Value) -> Result<(Manifest, Vec<Defect>), NotAManifest> {
    Manifest::read(&document.into())
}

fn defects(document: &Value) -> Vec<(String, String)> {
    let (_, defects) = manifest_of(document).unwrap();
    defects.into_iter().map(|defect| (defect.pointer, defect.message)).collect()
}

#[track_caller]
fn one_defect(document: &Value, pointer: &str, message: &str) {
    let found = defects(document);
    let [(at, said)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(at, pointer);
    assert!(said.contains(message), "{said}");
}

#[test]
fn missing_members_are_defects_of_their_object() {
    one_defect(&without(manifest(), "", "schemaVersion"), "", "`schemaVersion` is missing, expected 2");
    one_defect(&without(manifest(), "", "config"), "", "`config` is missing");
    one_defect(&without(manifest(), "", "layers"), "", "`layers` is missing");
    one_defect(&json!({"schemaVersion": 2, "mediaType": INDEX}), "", "`manifests` is missing");
    for name in ["mediaType", "digest", "size"] {
        let message = format!("`{name}` is missing");
        one_defect(&without(manifest(), "/config", name), "/config", &message);
        one_defect(&without(manifest(), "/layers/0", name), "/layers/0", &message);
        one_defect(&without(index(), "/manifests/0", name), "/manifests/0", &message);
        one_defect(
            &with(index(), "", "subject", without(json!({"": descriptor()}), "/", name)[""].take()),
            "/subject",
            &message,
        );
    }
}

#[test]
fn wrong_values_are_defects_that_name_what_was_found() {
    let sha = "sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A";
    for (object, name, value, message) in [
        ("", "schemaVersion", json!(1), "the number 1, expected 2"),
        ("", "schemaVersion", json!("2"), "the string \"2\", expected 2"),
        ("", "schemaVersion", json!(2.0), "the number 2.0, expected 2"),
        ("", "layers", json!({}), "an object, expected a list"),
        ("", "config", json!([]), "an empty list, expected an object"),
        ("", "subject", json!("x"), "a string, expected an object"),
        ("", "annotations", json!([]), "an empty list, expected an object"),
        ("", "artifactType", json!(1), "the number 1, expected a string"),
        ("/config", "digest", json!(sha), sha),
        ("/config", "digest", json!("sha256:abc"), "`sha256:abc` is not a digest"),
        ("/config", "digest", json!(""), "`digest` is empty"),
        ("/config", "mediaType", json!(""), "`mediaType` is empty"),
        ("/config", "mediaType", json!(true), "the boolean true, expected a string"),
        ("/config", "size", json!(-1), "the number -1, expected a non-negative integer"),
        ("/config", "size", json!(1.5), "the number 1.5"),
        ("/config", "size", json!("2"), "the string \"2\""),
        ("/config", "size", json!(u64::MAX), "expected a non-negative integer"),
        ("/config", "urls", json!("x"), "expected a list"),
        ("/config", "data", json!("e30"), "`data` is not base64"),
        ("/config", "data", json!("e30K"), "`data` holds 3 bytes, `size` says 2"),
        ("/config", "data", json!("W10="), "`data` does not have the digest sha256:44136fa"),
    ] {
        let pointer = format!("{object}/{name}");
        one_defect(&with(manifest(), object, name, value), &pointer, message);
    }
}

#[test]
fn annotations_other_than_strings_are_defects_and_left_out() {
    let annotations = json!({"a/b": 1, "good": "", "none": null});
    let document = with(manifest(), "", "annotations", annotations.clone());
    let expected = [("/annotations/a~1b", "a number"), ("/annotations/none", "null")];
    for ((pointer, message), (at, found)) in defects(&document).iter().zip(expected) {
        assert_eq!((pointer.as_str(), message), (at, &format!("found {found}, expected a string")));
    }
    let (read, defects) = manifest_of(&document).unwrap();
    assert_eq!(defects.len(), 2);
    assert_eq!(read.annotations().unwrap(), &Annotations::from([("good".to_owned(), String::new())]));
    one_defect(&with(manifest(), "/layers/0", "annotations", json!({"x": true})), "/layers/0/annotations/x", "true");
}

#[test]
fn half_a_platform_is_a_defect_and_an_empty_one_is_absent() {
    let with_platform = |platform: Value| with(index(), "/manifests/0", "platform", platform);
    let at = "/manifests/0/platform";
    one_defect(&with_platform(json!({"os": "linux"})), at, "names the os \"linux\" but no architecture");
    one_defect(
        &with_platform(json!({"os": "", "architecture": "arm"})),
        at,
        "names the architecture \"arm\" but no os",
    );
    one_defect(&with_platform(json!("linux/arm")), at, "a string, expected an object");
    for empty in [json!({}), json!(null), json!({"os": "", "architecture": ""})] {
        let document = with_platform(empty);
        assert_eq!(defects(&document), []);
        let Ok((Manifest::Index(index), _)) = manifest_of(&document) else { panic!() };
        assert_eq!(index.manifests[0].platform, None);
    }
}

#[test]
fn what_the_specification_allows_is_no_defect() {
    for document in [
        manifest(),
        index(),
        with(manifest(), "", "layers", json!(null)),
        with(manifest(), "", "layers", json!([])),
        with(index(), "", "manifests", json!(null)),
        with(manifest(), "", "annotations", json!(null)),
        with(manifest(), "", "annotations", json!({"": ""})),
        with(manifest(), "", "unknown", json!({"size": "x"})),
        with(manifest(), "", "artifactType", json!("no type at all")),
        with(manifest(), "/config", "mediaType", json!("no type at all")),
        with(manifest(), "/config", "digest", json!("blake3:00")),
        with(manifest(), "/config", "artifactType", json!("application/x")),
        with(manifest(), "/config", "urls", json!(["not a URL"])),
        with(manifest(), "/config", "size", json!(i64::MAX)),
        with(manifest(), "/config", "data", json!("e30=")),
        with(with(manifest(), "/config", "digest", json!("blake3:00")), "/config", "data", json!("e30=")),
    ] {
        assert_eq!(defects(&document), [], "{document}");
    }
}

#[test]
fn the_empty_config_asks_for_an_artifact_type() {
    let document = with(manifest(), "/config", "mediaType", json!("application/vnd.oci.empty.v1+json"));
    one_defect(&document, "", "`artifactType` is missing");
    assert_eq!(defects(&with(document, "", "artifactType", json!("application/x"))), []);
}

#[test]
fn a_list_keeps_its_indices_when_an_element_is_wrong() {
    let document = with(manifest(), "", "layers", json!([7, descriptor()]));
    one_defect(&document, "/layers/0", "found a number, expected an object");
    let Ok((Manifest::Image(manifest), _)) = manifest_of(&document) else { panic!() };
    assert_eq!(manifest.layers.len(), 2);
    assert_eq!((manifest.layers[0].size, manifest.layers[1].size), (None, Some(2)));
}

#[test]
fn a_flood_of_defects_is_cut() {
    let document = with(index(), "", "manifests", Value::Array(vec![json!({}); 10_000]));
    let found = defects(&document).len();
    assert!(found > 100 && found < 1000, "{found}");
}

#[test]
fn the_kind_is_the_claimed_one_or_shows_in_the_members() {
    let kind = |document: Value| manifest_of(&document).unwrap().0.kind();
    assert_eq!(kind(manifest()), ManifestKind::Image);
    assert_eq!(kind(json!({"layers": []})), ManifestKind::Image);
    assert_eq!(kind(index()), ManifestKind::Index);
    assert_eq!(kind(json!({"mediaType": INDEX})), ManifestKind::Index);
    assert_eq!(kind(json!({"mediaType": "application/x", "config": {}})), ManifestKind::Image);
    assert_eq!(kind(json!({"schemaVersion": 1, "fsLayers": []})), ManifestKind::Schema1);
    assert!(manifest_of(&json!({"mediaType": "application/x"})).is_err());
}

#[test]
fn the_type_of_an_artifact_is_its_own_or_its_configs() {
    let (read, _) = manifest_of(&manifest()).unwrap();
    let config_type = "application/vnd.oci.image.layer.v1.tar+gzip";
    assert_eq!(read.artifact_type_or_config().unwrap(), config_type);
    assert_eq!(read.effective_media_type(), known::OCI_MANIFEST);
    let (read, _) = manifest_of(&with(manifest(), "", "artifactType", json!("a/b"))).unwrap();
    assert_eq!(read.artifact_type_or_config().unwrap(), "a/b");
    let (read, _) = manifest_of(&with(manifest(), "", "artifactType", json!(""))).unwrap();
    assert_eq!(read.artifact_type_or_config().unwrap(), config_type);
    let (read, _) = manifest_of(&index()).unwrap();
    assert_eq!(read.artifact_type_or_config(), None);
    assert_eq!(read.effective_media_type(), known::OCI_INDEX);
}

#[test]
fn dead_artifact_manifests_are_read_as_manifests() {
    let document = json!({"mediaType": known::OCI_ARTIFACT_MANIFEST, "artifactType": "a/b", "blobs": [descriptor()],
        "subject": descriptor(), "annotations": {"a": "b"}});
    let (read, defects) = manifest_of(&document).unwrap();
    assert_eq!(defects, []);
    assert!(read.subject().is_some());
    let Manifest::Image(manifest) = read else { panic!() };
    assert_eq!((manifest.config, manifest.layers.len()), (None, 1));
}

#[test]
fn schema_1_is_counted() {
    let document = json!({"schemaVersion": 1, "name": "a/b", "tag": "1", "architecture": "amd64",
        "fsLayers": [{"blobSum": ""}, {"blobSum": ""}], "history": [{}, {}], "signatures": []});
    let Ok((Manifest::Schema1(schema1), defects)) = manifest_of(&document) else { panic!() };
    assert_eq!(defects, []);
    assert_eq!((schema1.name.as_deref(), schema1.layers), (Some("a/b"), 2));
}
