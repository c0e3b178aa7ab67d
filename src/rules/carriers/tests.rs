use serde_json::{Value, json};

use super::super::testing::{OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Store, with};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT: &str = "application/vnd.in-toto+json";
const ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";
const SPDX: &str = "https://spdx.dev/Document";
const SLSA: &str = "https://slsa.dev/provenance/v1";

fn statement(predicate_type: &str, predicate: &Value) -> String {
    json!({ "_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": predicate_type, "predicate": predicate })
        .to_string()
}

/// A statement with an SBOM of this name.
fn spdx(name: &str) -> String {
    statement(SPDX, &json!({ "spdxVersion": "SPDX-2.3", "name": name }))
}

/// Provenance with a builder, in mode max or not.
fn slsa(builder: &str, max: bool) -> String {
    let parameters = if max { json!({ "buildConfig": {} }) } else { json!({}) };
    let predicate = json!({ "buildDefinition": { "internalParameters": parameters }, "runDetails": { "builder": { "id": builder } } });
    statement(SLSA, &predicate)
}

/// A bundle's blob around a statement.
fn bundle_of(statement: &str) -> String {
    use base64::Engine as _;
    let payload = base64::prelude::BASE64_STANDARD.encode(statement);
    json!({ "dsseEnvelope": { "payloadType": STATEMENT, "payload": payload, "signatures": [] } }).to_string()
}

/// BuildKit's attestation manifest of one statement, and its entry in the index.
fn attestation(store: &mut Store, about: &Value, predicate_type: &str, text: &str) -> Value {
    let layer = store.put(STATEMENT, text);
    let layer = with(layer, "annotations", json!({ "in-toto.io/predicate-type": predicate_type }));
    let config = store.put(OCI_CONFIG, r#"{"os":"unknown","architecture":"unknown"}"#);
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
    entry_of(store.put(OCI_MANIFEST, &manifest.to_string()), about)
}

fn entry_of(descriptor: Value, about: &Value) -> Value {
    let annotations =
        json!({ "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about["digest"] });
    with(
        with(descriptor, "platform", json!({ "os": "unknown", "architecture": "unknown" })),
        "annotations",
        annotations,
    )
}

/// A manifest with a subject and one layer.
fn artifact(store: &mut Store, subject: &Value, artifact_type: &str, layer: &Value, annotations: &Value) -> Value {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": artifact_type, "annotations": annotations,
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" },
        "layers": [layer], "subject": { "mediaType": OCI_MANIFEST, "digest": subject["digest"], "size": subject["size"] },
    });
    let put = store.put(OCI_MANIFEST, &manifest.to_string());
    with(with(put, "artifactType", json!(artifact_type)), "annotations", annotations.clone())
}

/// A raw SPDX document attached to a subject.
fn attached(store: &mut Store, subject: &Value) -> Value {
    let layer = store.put("application/spdx+json", r#"{"spdxVersion":"SPDX-2.3"}"#);
    artifact(store, subject, "application/spdx+json", &layer, &json!({}))
}

fn bundle(store: &mut Store, subject: &Value, text: &str, annotations: &Value) -> Value {
    let layer = store.put(BUNDLE, text);
    artifact(store, subject, BUNDLE, &layer, annotations)
}

fn two_platforms(store: &mut Store) -> [Value; 2] {
    [store.entry("linux", "amd64"), store.entry("linux", "arm64")]
}

#[test]
fn what_the_index_holds_is_all_that_is_asked_for() {
    let mut store = Store::default();
    let platforms = two_platforms(&mut store);
    let [one, two] = &platforms;
    let entries = [one, two].map(|about| attestation(&mut store, about, SPDX, &spdx(&about["digest"].to_string())));
    let root = store.index(&[platforms.to_vec(), entries.to_vec()].concat());
    let judged = store.judge(&root, "sbom", "");
    assert_eq!((judged.fetched, judged.waves), (4, 2));
    let cell = judged.cell("linux/arm64");
    assert!(cell.starts_with("a statement of type 'https://spdx.dev/Document' (SPDX 2.3 of 0 packages) in"), "{cell}");
    // An attestation in the index is about its platform; the list of the root's referrers and two tags are asked besides.
    let judged = store.judge(&root, "sbom", "coverage = 'image'");
    assert_eq!(judged.fetched, 3);
    assert!(
        judged
            .cell("root")
            .ends_with("not counted: 2 attestations in the index, about its platforms and not about the image []")
    );
}

#[test]
fn an_attestation_counts_for_the_platform_that_its_descriptor_names() {
    let mut store = Store::default();
    let [one, two] = two_platforms(&mut store);
    let swapped = attestation(&mut store, &two, SPDX, &spdx("1"));
    let stray = attestation(&mut store, &json!({ "digest": "sha256:gone" }), SPDX, &spdx("2"));
    let root = store.index(&[one, two, swapped, stray]);
    let judged = store.judge(&root, "sbom", "coverage = 'each-platform'");
    assert!(judged.cell("linux/arm64").starts_with("a statement"));
    assert!(judged.cell("linux/amd64").contains("it is about 'sha256:gone', which the index does not name"));
}

#[test]
fn a_subject_that_disagrees_with_the_descriptor_does_not_count() {
    let mut store = Store::default();
    let [one, two] = two_platforms(&mut store);
    let layer = with(store.put(STATEMENT, &spdx("1")), "annotations", json!({ "in-toto.io/predicate-type": SPDX }));
    let about_two = artifact(&mut store, &two, ATTESTATION, &layer, &json!({}));
    let root = store.index(&[one.clone(), two, entry_of(about_two, &one)]);
    let judged = store.judge(&root, "sbom", "coverage = 'each-platform'");
    assert!(
        judged.cell("linux/amd64").contains("in the index: its own subject is another manifest"),
        "{}",
        judged.cell("linux/amd64")
    );
}

#[test]
fn an_entry_that_lost_its_annotations_may_name_its_subject() {
    let mut store = Store::default();
    let [one, two] = two_platforms(&mut store);
    let layer = with(store.put(STATEMENT, &spdx("1")), "annotations", json!({ "in-toto.io/predicate-type": SPDX }));
    let about_two = artifact(&mut store, &two, ATTESTATION, &layer, &json!({}));
    let unlinked = with(about_two, "platform", json!({ "os": "unknown", "architecture": "unknown" }));
    let root = store.index(&[one, two, unlinked]);
    let judged = store.judge(&root, "sbom", "coverage = 'each-platform'");
    assert!(judged.cell("linux/arm64").starts_with("a statement of type"));
    let cell = judged.cell("linux/amd64");
    assert!(cell.contains("which no annotation links: its own subject is another manifest"), "{cell}");
}

/// What one home cannot bind may be bound by another.
#[test]
fn a_manifest_that_names_no_subject_is_still_found_by_its_tag() {
    let mut store = Store::default();
    let one = store.entry("linux", "amd64");
    let layer = with(store.put(STATEMENT, &spdx("1")), "annotations", json!({ "in-toto.io/predicate-type": SPDX }));
    let config = store.put(OCI_CONFIG, r#"{"os":"","architecture":""}"#);
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
    let tagged = store.put(OCI_MANIFEST, &manifest.to_string());
    let unlinked = with(tagged.clone(), "platform", json!({ "os": "unknown", "architecture": "unknown" }));
    let root = store.index(&[one.clone(), unlinked]);
    store.list(&one, tagged.clone());
    store.tag(&one, "att", &tagged);
    let cell = store.judge(&root, "sbom", "coverage = 'each-platform'").cell("linux/amd64");
    assert!(cell.contains("under cosign's tag .att"), "{cell}");
    let text = statement("https://example.org/draft", &json!({}));
    let layer = store.put(STATEMENT, &text);
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
    let draft = store.put(OCI_MANIFEST, &manifest.to_string());
    store.list(&one, draft.clone());
    store.tag(&one, "att", &draft);
    let denied = store.judge(&root, "attestation", "deny = ['https://example.org/**']");
    assert!(denied.cell("linux/amd64").starts_with("violation: "), "{}", denied.cell("linux/amd64"));
}

#[test]
fn a_stranger_in_a_list_does_not_count() {
    let mut store = Store::default();
    let root = store.image("linux", "amd64");
    let other = store.image("linux", "arm64");
    let stranger = attached(&mut store, &other);
    store.list(&root, stranger);
    store.list(&root, root.clone());
    let judged = store.judge(&root, "sbom", "");
    let cell = judged.cell("linux/amd64");
    assert!(cell.starts_with("violation: ") && cell.ends_with(": its own subject is another manifest []"), "{cell}");
}

#[test]
fn a_home_that_cannot_be_looked_at_does_not_end_the_search() {
    let mut store = Store::default();
    let root = store.image("linux", "amd64");
    store.forbid_list(&root);
    assert!(store.judge(&root, "sbom", "").cell("linux/amd64").starts_with("unknown: "));
    let sbom = attached(&mut store, &root);
    store.tag(&root, "sbom", &sbom);
    assert!(store.judge(&root, "sbom", "").cell("linux/amd64").contains("under cosign's tag .sbom"));
}

#[test]
fn what_a_list_calls_something_else_is_not_fetched_and_named() {
    let mut store = Store::default();
    let root = store.image("linux", "amd64");
    let vex =
        bundle(&mut store, &root, "{}", &json!({ "dev.sigstore.bundle.predicateType": "https://openvex.dev/ns" }));
    store.lose(&vex);
    store.list(&root, vex);
    let judged = store.judge(&root, "sbom", "");
    assert!(judged.cell("linux/amd64").contains("it is listed as a statement of type 'https://openvex.dev/ns'"));
    // manifest of the root, config, list, two tags; a denied type is looked for behind every entry.
    assert_eq!(judged.fetched, 4);
    let denied = store.judge(&root, "attestation", "deny = ['https://example.org/**']");
    assert!(denied.cell("linux/amd64").starts_with("unknown: "), "{}", denied.cell("linux/amd64"));
}

#[test]
fn what_a_list_does_not_tell_is_fetched_before_it_is_missing() {
    let mut store = Store::default();
    let root = store.image("linux", "amd64");
    let mut silent = attached(&mut store, &root);
    silent.as_object_mut().unwrap().remove("artifactType");
    store.list(&root, silent);
    assert!(
        store
            .judge(&root, "sbom", "")
            .cell("linux/amd64")
            .starts_with("an SPDX document (SPDX 2.3 of 0 packages) in referrer")
    );
}

#[test]
fn a_bundle_without_annotations_is_read() {
    let mut store = Store::default();
    let root = store.image("linux", "amd64");
    let sbom = bundle(&mut store, &root, &bundle_of(&spdx("1")), &json!({}));
    store.list(&root, sbom);
    assert!(store.judge(&root, "sbom", "").cell("linux/amd64").starts_with("a statement of type"));
    assert!(store.judge(&root, "signature", "").cell("root").contains("it holds a statement of type"));
}

#[test]
fn a_bundle_that_signs_a_digest_attests_nothing() {
    let mut store = Store::default();
    let root = store.image("linux", "amd64");
    let signature = bundle(&mut store, &root, r#"{"messageSignature":{}}"#, &json!({}));
    store.list(&root, signature);
    assert!(
        store.judge(&root, "sbom", "").cell("linux/amd64").contains("it holds a Sigstore bundle without a statement")
    );
    assert!(store.judge(&root, "signature", "").cell("root").starts_with("unknown: "));
    let told = bundle(
        &mut store,
        &root,
        r#"{"messageSignature":{ }}"#,
        &json!({ "dev.sigstore.bundle.content": "message-signature" }),
    );
    store.list(&root, told);
    assert!(store.judge(&root, "signature", "").cell("root").starts_with("a cosign signature in referrer"));
    assert!(store.judge(&root, "signature", "kinds = ['notation']").cell("root").starts_with("violation: "));
}

#[test]
fn one_statement_must_meet_all_parameters() {
    let mut store = Store::default();
    let one = store.entry("linux", "amd64");
    let max = attestation(&mut store, &one, SLSA, &slsa("https://other", true));
    let ours = attestation(&mut store, &one, SLSA, &slsa("https://acme", false));
    let wanted = "mode = 'max'\nbuilders = ['https://acme']";
    let root = store.index(&[one.clone(), max.clone(), ours.clone()]);
    let cell = store.judge(&root, "provenance", wanted).cell("linux/amd64");
    assert!(cell.contains("its builder is 'https://other'") && cell.contains("its mode is not max"), "{cell}");
    let both = attestation(&mut store, &one, SLSA, &slsa("https://acme", true));
    let root = store.index(&[one, max, ours, both]);
    assert!(store.judge(&root, "provenance", wanted).cell("linux/amd64").contains("(mode max) by 'https://acme'"));
}

#[test]
fn a_label_that_lies_about_its_statement_does_not_count() {
    let mut store = Store::default();
    let one = store.entry("linux", "amd64");
    let lying = attestation(&mut store, &one, SLSA, &statement(SPDX, &json!({})));
    let root = store.index(&[one, lying]);
    let cell = store.judge(&root, "provenance", "mode = 'max'").cell("linux/amd64");
    assert!(
        cell.contains("it says 'https://slsa.dev/provenance/v1' of a statement of type 'https://spdx.dev/Document'"),
        "{cell}"
    );
}

#[test]
fn an_index_of_one_platform_may_be_the_subject() {
    let mut store = Store::default();
    let [one, two] = two_platforms(&mut store);
    for (entries, passes) in [(vec![one.clone()], true), (vec![one, two], false)] {
        let root = store.index(&entries);
        let sbom = attached(&mut store, &root);
        store.list(&root, sbom);
        let each = store.judge(&root, "sbom", "coverage = 'each-platform'");
        assert_eq!(each.cell("linux/amd64").starts_with("an SPDX document"), passes);
        assert!(store.judge(&root, "sbom", "").cell("linux/amd64").starts_with("an SPDX document"));
        assert!(store.judge(&root, "sbom", "coverage = 'image'").cell("root").starts_with("an SPDX document"));
    }
}

/// Every home has to be opened down to the blobs, and none satisfies.
#[test]
fn the_longest_search_ends_within_seven_waves() {
    let mut store = Store::default();
    let one = store.entry("linux", "amd64");
    let weak = attestation(&mut store, &one, SLSA, &slsa("w", false));
    let root = store.index(&[one.clone(), weak]);
    let listed = bundle(&mut store, &one, &bundle_of(&slsa("a", false)), &json!({}));
    store.list(&one, listed);
    let mut silent = bundle(&mut store, &one, &bundle_of(&slsa("b", false)), &json!({}));
    silent.as_object_mut().unwrap().remove("artifactType");
    store.list(&one, silent);
    let tagged = bundle(&mut store, &one, &bundle_of(&slsa("c", false)), &json!({ "x": "tagged" }));
    store.tag(&one, "att", &tagged);
    let judged = store.judge(&root, "provenance", "mode = 'max'");
    assert_eq!(judged.cell("linux/amd64").matches("its mode is not max").count(), 4);
    assert!(judged.waves <= 7, "{}", judged.waves);
}

#[test]
fn an_index_among_the_referrers_is_no_carrier() {
    let mut store = Store::default();
    let root = store.image("linux", "amd64");
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "artifactType": BUNDLE,
        "subject": { "mediaType": OCI_MANIFEST, "digest": root["digest"], "size": root["size"] } });
    let index = store.put(OCI_INDEX, &index.to_string());
    store.list(&root, index);
    assert!(store.judge(&root, "sbom", "").cell("linux/amd64").contains("it is no image manifest"));
}
