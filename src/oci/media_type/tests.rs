use super::*;

const NONE: Option<Compression> = Some(Compression::None);
const GZIP: Option<Compression> = Some(Compression::Gzip);
const ZSTD: Option<Compression> = Some(Compression::Zstd);

/// Every known type, written out once more, with what is promised about it.
#[rustfmt::skip] // one row a type
const PROMISED: &[(&str, Family, Role, Option<Compression>)] = {
    use Family::{Docker, Oci, Other};
    use Role::*;
    &[
        ("application/vnd.docker.distribution.manifest.v1+json", Docker, Schema1, None),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", Docker, Schema1, None),
        ("application/vnd.docker.distribution.manifest.v2+json", Docker, Manifest, None),
        ("application/vnd.docker.distribution.manifest.list.v2+json", Docker, Index, None),
        ("application/vnd.oci.image.manifest.v1+json", Oci, Manifest, None),
        ("application/vnd.oci.image.index.v1+json", Oci, Index, None),
        ("application/vnd.oci.artifact.manifest.v1+json", Oci, ArtifactManifest, None),
        ("application/vnd.cncf.oras.artifact.manifest.v1+json", Other, ArtifactManifest, None),
        ("application/vnd.oci.descriptor.v1+json", Oci, LayoutPart, None),
        ("application/vnd.oci.layout.header.v1+json", Oci, LayoutPart, None),
        ("application/json", Other, Generic, None),
        ("application/octet-stream", Other, Generic, None),
        ("text/plain", Other, Generic, None),
        ("text/html", Other, Generic, None),
        ("", Other, Generic, None),
        ("application/vnd.docker.container.image.v1+json", Docker, ImageConfig, None),
        ("application/vnd.oci.image.config.v1+json", Oci, ImageConfig, None),
        ("application/vnd.oci.empty.v1+json", Oci, EmptyConfig, None),
        ("application/vnd.docker.plugin.v1+json", Docker, ArtifactConfig, None),
        ("application/vnd.buildkit.cacheconfig.v0", Other, ArtifactConfig, None),
        ("application/vnd.oci.source.image.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.containerd.container.checkpoint.config.v1+proto", Other, ArtifactConfig, None),
        ("application/vnd.nydus.image.config.v1+json", Other, Accelerator, None),
        ("application/vnd.docker.image.rootfs.diff.tar", Docker, Layer, NONE),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", Docker, Layer, GZIP),
        ("application/vnd.docker.image.rootfs.diff.tar.zstd", Docker, Layer, ZSTD),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar", Docker, Layer, NONE),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Docker, Layer, GZIP),
        ("application/vnd.oci.image.layer.v1.tar", Oci, Layer, NONE),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Oci, Layer, GZIP),
        ("application/vnd.oci.image.layer.v1.tar+zstd", Oci, Layer, ZSTD),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", Oci, Layer, NONE),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Oci, Layer, GZIP),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Oci, Layer, ZSTD),
        ("application/vnd.oci.image.layer.v1.tar+encrypted", Other, Layer, None),
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", Other, Layer, None),
        ("application/vnd.oci.image.layer.v1.tar+zstd+encrypted", Other, Layer, None),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+encrypted", Other, Layer, None),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip+encrypted", Other, Layer, None),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd+encrypted", Other, Layer, None),
        ("application/vnd.erofs.layer.v1", Other, Layer, None),
        ("application/vnd.oci.image.layer.nydus.blob.v1", Other, Layer, None),
        ("application/vnd.oci.image.layer.v2.tar+brotli", Other, Layer, None),
        ("application/vnd.amazon.soci.index.v1+json", Other, Accelerator, None),
        ("application/vnd.amazon.soci.index.v2+json", Other, Accelerator, None),
        ("application/vnd.amazon.soci.prefetch.v1+json", Other, Accelerator, None),
        ("application/vnd.nydus.image.manifest.v1+json", Other, Accelerator, None),
        ("application/vnd.containerd.overlaybd.native.v1+json", Other, Accelerator, None),
        ("application/vnd.containerd.overlaybd.turbo.v1+json", Other, Accelerator, None),
        ("application/vnd.cncf.helm.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", Other, ArtifactLayer, None),
        ("application/vnd.cncf.helm.chart.provenance.v1.prov", Other, ArtifactLayer, None),
        ("application/tar+gzip", Other, ArtifactLayer, None),
        ("application/vnd.helm.plugin.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.wasm.config.v0+json", Other, ArtifactConfig, None),
        ("application/vnd.wasm.config.v1+json", Other, ArtifactConfig, None),
        ("application/wasm", Other, ArtifactLayer, None),
        ("application/vnd.wasm.content.layer.v1+wasm", Other, ArtifactLayer, None),
        ("application/vnd.unknown.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.unknown.artifact.v1", Other, ArtifactConfig, None),
        ("application/vnd.cncf.flux.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.cncf.flux.content.v1.tar+gzip", Other, ArtifactLayer, None),
        ("application/vnd.timoni.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.timoni.content.v1.tar+gzip", Other, ArtifactLayer, None),
        ("application/vnd.cncf.openpolicyagent.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.cncf.openpolicyagent.policy.layer.v1+rego", Other, ArtifactLayer, None),
        ("application/vnd.cncf.openpolicyagent.data.layer.v1+json", Other, ArtifactLayer, None),
        ("application/vnd.sylabs.sif.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.sylabs.sif.layer.v1.sif", Other, ArtifactLayer, None),
        ("application/vnd.docker.compose.project", Other, ArtifactConfig, None),
        ("application/vnd.docker.compose.config.empty.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.docker.compose.file+yaml", Other, ArtifactLayer, None),
        ("application/vnd.docker.compose.envfile", Other, ArtifactLayer, None),
        ("application/vnd.cncf.model.manifest.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.cncf.model.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.cncf.model.weight.v1.tar+zstd", Other, ArtifactLayer, None),
        ("application/vnd.cncf.model.weight.config.v1.raw", Other, ArtifactLayer, None),
        ("application/vnd.cnai.model.manifest.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.cnai.model.config.v1+json", Other, ArtifactConfig, None),
        ("application/vnd.cnai.model.doc.v1.tar", Other, ArtifactLayer, None),
        ("application/vnd.docker.ai.model.config.v0.1+json", Other, ArtifactConfig, None),
        ("application/vnd.docker.ai.model.config.v0.2+json", Other, ArtifactConfig, None),
        ("application/vnd.docker.ai.gguf.v3", Other, ArtifactLayer, None),
        ("application/vnd.docker.ai.chat.template.jinja", Other, ArtifactLayer, None),
        ("text/spdx", Other, Sbom, None),
        ("text/spdx+json", Other, Sbom, None),
        ("text/spdx+xml", Other, Sbom, None),
        ("application/spdx+json", Other, Sbom, None),
        ("application/vnd.cyclonedx", Other, Sbom, None),
        ("application/vnd.cyclonedx+json", Other, Sbom, None),
        ("application/vnd.cyclonedx+xml", Other, Sbom, None),
        ("application/vnd.syft+json", Other, Sbom, None),
        ("application/sarif+json", Other, ScanResult, None),
        ("application/vnd.in-toto+json", Other, Statement, NONE),
        ("application/vnd.in-toto.spdx+dsse", Other, Envelope, None),
        ("application/vnd.in-toto.provenance+dsse", Other, Envelope, None),
        ("application/vnd.in-toto.spdx+json", Other, Statement, None),
        ("application/vnd.in-toto.bundle", Other, Envelope, None),
        ("application/vnd.dsse.envelope.v1+json", Other, Envelope, None),
        ("application/vnd.docker.attestation.manifest.v1+json", Other, AttestationManifest, None),
        ("application/vnd.dev.cosign.simplesigning.v1+json", Other, SimpleSigning, None),
        ("application/vnd.dev.cosign.artifact.sig.v1+json", Other, CosignArtifact, None),
        ("application/vnd.dev.cosign.artifact.att.v1+json", Other, CosignArtifact, None),
        ("application/vnd.dev.cosign.artifact.sbom.v1+json", Other, CosignArtifact, None),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", Other, Bundle, None),
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", Other, Bundle, None),
        ("application/vnd.dev.sigstore.bundle+json;version=0.3", Other, Bundle, None),
        ("application/vnd.cncf.notary.signature", Other, NotationSignature, None),
        ("application/jose+json", Other, SignatureEnvelope, None),
        ("application/cose", Other, SignatureEnvelope, None),
        ("application/vnd.example.nobody.knows.v1", Other, Unknown, None),
    ]
};

fn of_role(roles: &[Role]) -> Vec<&'static str> {
    let rows = PROMISED.iter().filter(|(_, _, role, _)| roles.contains(role));
    rows.map(|(text, ..)| *text).collect()
}

fn all_that(holds: impl Fn(&MediaType) -> bool) -> Vec<&'static str> {
    let texts = PROMISED.iter().map(|(text, ..)| *text);
    texts.filter(|&text| holds(&text.into())).collect()
}

#[test]
fn every_known_type_has_its_family_role_and_compression() {
    for &(text, family, role, compression) in PROMISED {
        let media_type = MediaType::from(text);
        let found = (media_type.family(), media_type.role(), media_type.compression());
        assert_eq!(found, (family, role, compression), "{text}");
        assert_eq!(media_type.description().is_some(), role != Role::Unknown, "{text}");
    }
}

#[test]
fn the_table_holds_no_row_twice_and_none_that_is_not_promised() {
    for (at, row) in table::EXACT.iter().enumerate() {
        assert!(table::EXACT[..at].iter().all(|earlier| earlier.text != row.text), "{}", row.text);
        assert!(PROMISED.iter().any(|(text, ..)| *text == row.text), "{}", row.text);
    }
}

#[test]
fn manifests_are_told_from_everything_else() {
    let manifests = of_role(&[Role::Index, Role::Manifest, Role::Schema1, Role::ArtifactManifest]);
    assert_eq!(manifests.len(), 8);
    assert_eq!(all_that(MediaType::is_manifest_like), manifests);
    assert_eq!(all_that(MediaType::is_index), [known::DOCKER_LIST, known::OCI_INDEX]);
    assert_eq!(all_that(MediaType::is_generic), of_role(&[Role::Generic]));
}

#[test]
fn a_manifest_request_accepts_every_manifest_that_registries_serve() {
    let accepted: Vec<MediaType> = MANIFEST_ACCEPT.split(", ").map(Into::into).collect();
    let served = of_role(&[Role::Index, Role::Manifest, Role::Schema1]);
    assert!(accepted.iter().all(|media_type| served.contains(&media_type.as_str())));
    assert_eq!(accepted.len(), served.len());
}

#[test]
fn foreign_and_encrypted_layers_are_known_by_their_type() {
    let foreign = all_that(MediaType::is_foreign);
    assert_eq!(foreign.len(), 8);
    assert!(foreign.iter().all(|text| text.contains("foreign") || text.contains("nondistributable")));
    let encrypted = all_that(MediaType::is_encrypted);
    assert_eq!(encrypted.len(), 6);
    assert!(encrypted.iter().all(|text| text.ends_with("+encrypted")));
    assert!(!MediaType::from("application/vnd.example.foreign.doc+encrypted").is_foreign());
    assert!(!MediaType::from("application/vnd.example.foreign.doc+encrypted").is_encrypted());
}

#[test]
fn layers_have_the_class_of_their_type() {
    use LayerClass::{Encrypted, Gzip, None as Plain, Nydus, Zstd};
    for &(text, _, role, _) in PROMISED {
        let expected = match text {
            _ if role != Role::Layer => None,
            "application/vnd.erofs.layer.v1" | "application/vnd.oci.image.layer.v2.tar+brotli" => None,
            known::NYDUS_BLOB => Some(Nydus),
            _ if text.ends_with("encrypted") => Some(Encrypted),
            _ if text.ends_with("zstd") => Some(Zstd),
            _ if text.ends_with("gzip") => Some(Gzip),
            _ => Some(Plain),
        };
        assert_eq!(MediaType::from(text).layer_class(), expected, "{text}");
    }
}

#[test]
fn what_a_runtime_may_unpack_is_tar_like() {
    for text in of_role(&[Role::Layer, Role::Generic]) {
        assert!(MediaType::from(text).is_tar_like(), "{text}");
    }
    for text in ["application/vnd.example.layer.v1.tar", "application/x-tar", "application/gzip"] {
        assert!(MediaType::from(text).is_tar_like(), "{text}");
    }
    for text in of_role(&[
        Role::Statement,
        Role::Envelope,
        Role::Bundle,
        Role::SimpleSigning,
        Role::SignatureEnvelope,
        Role::Sbom,
        Role::ScanResult,
        Role::Unknown,
    ]) {
        assert!(!MediaType::from(text).is_tar_like(), "{text}");
    }
    assert!(!MediaType::from("application/vnd.cncf.openpolicyagent.policy.layer.v1+rego").is_tar_like());
    assert!(!MediaType::from("application/wasm").is_tar_like());
}

#[test]
fn runtimes_run_image_configs_and_some_generic_types() {
    assert_eq!(
        all_that(MediaType::is_runnable_config),
        [known::JSON, known::OCTET_STREAM, "text/html", "", known::DOCKER_CONFIG, known::OCI_CONFIG]
    );
}

#[test]
fn types_in_documents_are_compared_byte_for_byte() {
    for other in ["Application/vnd.oci.image.index.v1+json", " application/vnd.oci.image.index.v1+json"] {
        assert_eq!(MediaType::from(other).role(), Role::Unknown);
        assert_eq!(MediaType::from(other).as_str(), other);
    }
}

#[test]
fn content_types_lose_parameters_and_case() {
    for header in [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.index.v1+json; charset=utf-8",
        " Application/VND.oci.image.index.v1+JSON ;",
    ] {
        assert_eq!(MediaType::from_content_type(header), MediaType::from(known::OCI_INDEX));
    }
    assert_eq!(MediaType::from_content_type(";").as_str(), "");
}
