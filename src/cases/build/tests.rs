use super::*;
use crate::oci::{Document, ImageConfig, Manifest, MediaType, Statement};

fn described(text: &str) -> Image {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn made(text: &str) -> Built {
    build(&described(text)).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn manifest(built: &Built, name: &str) -> Document<Manifest> {
    let digest = built.names.digest(name).unwrap_or_else(|| panic!("no {name} in {}", built.names.listed()));
    Document::read(built.store.bytes(digest).unwrap().clone()).unwrap()
}

/// Images that use every feature which does not aim at a broken document.
const HONEST: [&str; 6] = [
    "",
    "types = 'docker'\nplatforms = ['linux/amd64', 'windows/amd64 (10.0.20348.1)', 'linux/arm64/v8']",
    "nested = 2\nlayers = [{ compression = 'zstd' }, { compression = 'estargz', count = 3 }, { compression = 'none', files = { 'a/' = '', 'a/b' = 'c' } }]",
    "platforms = ['linux/amd64', 'linux/amd64']\nlabels = { a = 'b' }\nannotations = { index = { a = 'b' }, manifest = { c = 'd' }, descriptor = { e = 'f' } }",
    "attestations = [{ predicate = 'spdx' }, { predicate = 'provenance-v1', mode = 'max' }, { predicate = 'provenance-v0.2', home = 'index-artifact' },\
     { predicate = 'cyclonedx', home = 'referrer', of = ['root', 'linux/amd64'] }, { predicate = 'vex', home = 'cosign-tag', of = 'root' }]\n\
     signatures = [{ kind = 'notation' }, { kind = 'cosign-bundle' }, { kind = 'cosign-tag' }]",
    "entries = [{ type = 'application/vnd.oci.image.manifest.v1+json', artifact-type = 'application/vnd.amazon.soci.index.v2+json', platform = 'linux/amd64' }]",
];

#[test]
fn every_document_is_sound_and_every_descriptor_true() {
    for text in HONEST {
        let built = made(text);
        for (digest, stored) in &built.store.manifests {
            let document: Document<Manifest> = Document::read(stored.bytes.clone()).unwrap();
            assert!(
                document.ambiguities().is_empty() && document.defects().is_empty(),
                "{text}: {:?}",
                document.defects()
            );
            assert!(digest.matches(&stored.bytes));
            let children = match document.value() {
                Manifest::Image(image) => image.config.iter().chain(&image.layers).cloned().collect(),
                Manifest::Index(index) => index.manifests.clone(),
                Manifest::Schema1(_) => Vec::new(),
            };
            for child in children {
                let bytes =
                    built.store.bytes(child.digest.as_ref().unwrap()).unwrap_or_else(|| panic!("{text}: {child:?}"));
                assert_eq!(child.size, Some(bytes.len() as u64), "{text}");
            }
        }
        let listed = built.names.listed();
        for name in listed.split(", ").filter(|name| name.starts_with("config ")) {
            let bytes = built.store.bytes(built.names.digest(name).unwrap()).unwrap();
            let config: Document<ImageConfig> = Document::read(bytes.clone()).unwrap();
            assert!(config.ambiguities().is_empty() && config.defects().is_empty(), "{text}: {:?}", config.defects());
        }
        assert_eq!(made(text).root, built.root, "{text}");
    }
}

#[test]
fn an_attestation_in_the_index_is_bound_as_buildkit_binds_it() {
    let built =
        made("attestations = [{ predicate = 'spdx' }, { predicate = 'provenance-v1', home = 'index-artifact' }]");
    let index = manifest(&built, "index");
    let Manifest::Index(index) = index.value() else { panic!("no index") };
    let image = index.manifests[0].digest.clone().unwrap();
    assert_eq!(index.manifests.len(), 3);
    for entry in &index.manifests[1..] {
        assert!(entry.platform.as_ref().unwrap().is_unknown());
        assert_eq!(entry.annotations["vnd.docker.reference.type"], "attestation-manifest");
        assert_eq!(entry.annotations["vnd.docker.reference.digest"], image.to_string());
        let document: Document<Manifest> =
            Document::read(built.store.bytes(entry.digest.as_ref().unwrap()).unwrap().clone()).unwrap();
        let Manifest::Image(attestation) = document.value() else { panic!("no manifest") };
        let subject = attestation.subject.as_ref().map(|subject| subject.digest.clone().unwrap());
        let artifact = attestation.artifact_type.is_some();
        assert_eq!(subject, artifact.then(|| image.clone()));
        let layer = &attestation.layers[0];
        let statement =
            Statement::read(built.store.bytes(layer.digest.as_ref().unwrap()).unwrap(), &layer.media_type).unwrap();
        assert_eq!(layer.annotations["in-toto.io/predicate-type"], statement.predicate_type);
        assert_eq!(statement.subjects[0].digests["sha256"], image.hex());
    }
}

#[test]
fn provenance_tells_its_mode_and_its_builder() {
    for predicate in ["provenance-v1", "provenance-v0.2"] {
        for (mode, max) in [("min", false), ("max", true)] {
            let built = made(&format!(
                "attestations = [{{ predicate = '{predicate}', mode = '{mode}', builder-id = 'https://ci.example', home = 'referrer', \
                 materials = {{ 'pkg:docker/alpine@3' = 'sha256:00' }}, args = {{ 'build-arg:A' = 'b' }}, source = 'https://git.example', revision = 'abc' }}]"
            ));
            let digest = built.names.digest("statement linux/amd64 0").unwrap();
            let statement = Statement::read(built.store.bytes(digest).unwrap(), &MediaType::new("")).unwrap();
            let provenance = statement.provenance.unwrap();
            assert_eq!(provenance.mode_max, max, "{predicate}");
            assert_eq!(provenance.builder_id.as_deref(), Some("https://ci.example"));
            assert_eq!(provenance.materials[0].digests["sha256"], "00");
            assert_eq!(provenance.arguments.said().unwrap()["build-arg:A"], "b");
            assert_eq!(provenance.source.said().map(String::as_str), Some("https://git.example"));
            assert_eq!(provenance.revision.said().map(String::as_str), Some("abc"));
        }
    }
}

#[test]
fn referrers_are_listed_by_the_api_or_under_the_fallback_tag() {
    let built = made("attestations = [{ predicate = 'spdx', home = 'referrer' }]");
    assert_eq!(built.store.referrers[&built.root].len(), 1);
    let built = made("attestations = [{ predicate = 'spdx', home = 'fallback-tag' }]");
    assert!(built.store.referrers.is_empty());
    assert!(built.store.tags.contains_key(&built.root.fallback_tag()));
    let both = described(
        "attestations = [{ predicate = 'spdx', home = 'referrer' }, { predicate = 'spdx', home = 'fallback-tag' }]",
    );
    assert!(matches!(build(&both), Err(BuildError::Contradiction(_))));
}

#[test]
fn a_patch_changes_the_digest_and_all_that_names_it() {
    let plain = made("platforms = ['linux/amd64', 'linux/arm64']");
    let patched = made(
        "platforms = ['linux/amd64', 'linux/arm64']\n\
         patch = [{ document = 'config linux/arm64', pointer = '/config/User', value = '0' }]",
    );
    assert_ne!(plain.root, patched.root);
    assert_eq!(plain.names.digest("config linux/amd64"), patched.names.digest("config linux/amd64"));
    assert_ne!(plain.names.digest("config linux/arm64"), patched.names.digest("config linux/arm64"));
}

#[test]
fn a_root_that_is_replaced_is_served_as_what_it_says() {
    let docker1 = "application/vnd.docker.distribution.manifest.v1+json";
    let patch = format!(
        "patch = [{{ document = 'manifest', text = '{{\"schemaVersion\":1,\"mediaType\":\"{docker1}\",\"fsLayers\":[]}}' }}]"
    );
    assert_eq!(made(&patch).served_as, docker1);
    assert_eq!(made("served-as = 'text/html'").served_as, "text/html");
}
