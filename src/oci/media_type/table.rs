//! Every media type with a known meaning, one row each.

use super::{
    Compression::{self, Gzip, Zstd},
    Family::{self, Docker, Oci, Other},
    Role::{
        self, Accelerator, ArtifactConfig, ArtifactLayer, ArtifactManifest, AttestationManifest, Bundle,
        CosignArtifact, EmptyConfig, Envelope, Generic, ImageConfig, Index, Layer, LayoutPart, Manifest,
        NotationSignature, Sbom, ScanResult, Schema1, SignatureEnvelope, SimpleSigning, Statement,
    },
    known,
};

/// What is known about one media type.
pub(super) struct Row {
    pub(super) text: &'static str,
    pub(super) family: Family,
    pub(super) role: Role,
    pub(super) compression: Option<Compression>,
    /// With its article, to be put into a sentence.
    pub(super) description: &'static str,
}

const fn row(text: &'static str, family: Family, role: Role, description: &'static str) -> Row {
    Row { text, family, role, compression: None, description }
}

const fn layer(text: &'static str, family: Family, compression: Compression, description: &'static str) -> Row {
    Row { text, family, role: Layer, compression: Some(compression), description }
}

/// The types known by their exact text.
#[rustfmt::skip] // one row a type
pub(super) const EXACT: &[Row] = &[
    // Manifests and indexes
    row(known::OCI_INDEX, Oci, Index, "an OCI image index"),
    row(known::OCI_MANIFEST, Oci, Manifest, "an OCI image manifest"),
    row(known::DOCKER_LIST, Docker, Index, "a Docker manifest list"),
    row(known::DOCKER_MANIFEST, Docker, Manifest, "a Docker image manifest"),
    row(known::DOCKER_SCHEMA1, Docker, Schema1, "a Docker schema 1 manifest"),
    row(known::DOCKER_SCHEMA1_SIGNED, Docker, Schema1, "a signed Docker schema 1 manifest"),
    row(known::OCI_ARTIFACT_MANIFEST, Oci, ArtifactManifest, "an OCI artifact manifest (withdrawn from the specification)"),
    row(known::ORAS_ARTIFACT_MANIFEST, Other, ArtifactManifest, "an ORAS artifact manifest (superseded)"),
    row("application/vnd.oci.descriptor.v1+json", Oci, LayoutPart, "an OCI descriptor"),
    row("application/vnd.oci.layout.header.v1+json", Oci, LayoutPart, "an OCI layout header"),
    // What says nothing
    row("", Other, Generic, "nothing"),
    row(known::JSON, Other, Generic, "JSON of an unnamed kind"),
    row(known::OCTET_STREAM, Other, Generic, "bytes of an unnamed kind"),
    row("text/plain", Other, Generic, "plain text"),
    row("text/html", Other, Generic, "a web page"),
    // Image configurations
    row(known::OCI_CONFIG, Oci, ImageConfig, "an OCI image configuration"),
    row(known::DOCKER_CONFIG, Docker, ImageConfig, "a Docker image configuration"),
    row(known::OCI_EMPTY, Oci, EmptyConfig, "an OCI empty descriptor"),
    // Image layers
    layer(known::OCI_LAYER, Oci, Compression::None, "an uncompressed OCI layer"),
    layer(known::OCI_LAYER_GZIP, Oci, Gzip, "a gzip OCI layer"),
    layer(known::OCI_LAYER_ZSTD, Oci, Zstd, "a zstd OCI layer"),
    layer("application/vnd.oci.image.layer.nondistributable.v1.tar", Oci, Compression::None, "an uncompressed non-distributable OCI layer"),
    layer("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Oci, Gzip, "a gzip non-distributable OCI layer"),
    layer("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Oci, Zstd, "a zstd non-distributable OCI layer"),
    layer(known::DOCKER_LAYER, Docker, Compression::None, "an uncompressed Docker layer"),
    layer(known::DOCKER_LAYER_GZIP, Docker, Gzip, "a gzip Docker layer"),
    layer(known::DOCKER_LAYER_ZSTD, Docker, Zstd, "a zstd Docker layer"),
    layer("application/vnd.docker.image.rootfs.foreign.diff.tar", Docker, Compression::None, "an uncompressed foreign Docker layer"),
    layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Docker, Gzip, "a gzip foreign Docker layer"),
    row("application/vnd.oci.image.layer.v1.tar+encrypted", Other, Layer, "an encrypted layer"),
    row("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", Other, Layer, "an encrypted layer"),
    row("application/vnd.oci.image.layer.v1.tar+zstd+encrypted", Other, Layer, "an encrypted layer"),
    row("application/vnd.oci.image.layer.nondistributable.v1.tar+encrypted", Other, Layer, "an encrypted non-distributable layer"),
    row("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip+encrypted", Other, Layer, "an encrypted non-distributable layer"),
    row("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd+encrypted", Other, Layer, "an encrypted non-distributable layer"),
    row("application/vnd.erofs.layer.v1", Other, Layer, "an EROFS layer"),
    row(known::NYDUS_BLOB, Other, Layer, "a Nydus blob"),
    // Accelerators: ways to start an image before all of it has arrived
    row(known::SOCI_INDEX_V1, Other, Accelerator, "a SOCI index"),
    row(known::SOCI_INDEX_V2, Other, Accelerator, "a SOCI index"),
    row("application/vnd.amazon.soci.prefetch.v1+json", Other, Accelerator, "a SOCI prefetch list"),
    row(known::NYDUS_IMAGE, Other, Accelerator, "a Nydus image"),
    row("application/vnd.nydus.image.config.v1+json", Other, Accelerator, "a Nydus image"),
    row("application/vnd.containerd.overlaybd.native.v1+json", Other, Accelerator, "an overlaybd image"),
    row("application/vnd.containerd.overlaybd.turbo.v1+json", Other, Accelerator, "an overlaybd image"),
    // Other artifacts, by their artifactType or config
    row("application/vnd.docker.plugin.v1+json", Docker, ArtifactConfig, "a Docker engine plugin"),
    row("application/vnd.buildkit.cacheconfig.v0", Other, ArtifactConfig, "a BuildKit build cache"),
    row("application/vnd.oci.source.image.config.v1+json", Other, ArtifactConfig, "a source image"),
    row("application/vnd.cncf.helm.config.v1+json", Other, ArtifactConfig, "a Helm chart"),
    row("application/vnd.helm.plugin.v1+json", Other, ArtifactConfig, "a Helm plugin"),
    row("application/vnd.wasm.config.v0+json", Other, ArtifactConfig, "a WebAssembly component"),
    row("application/vnd.wasm.config.v1+json", Other, ArtifactConfig, "a WebAssembly module"),
    row("application/vnd.unknown.config.v1+json", Other, ArtifactConfig, "an artifact of an unnamed kind"),
    row("application/vnd.unknown.artifact.v1", Other, ArtifactConfig, "an artifact of an unnamed kind"),
    row("application/vnd.cncf.flux.config.v1+json", Other, ArtifactConfig, "a Flux artifact"),
    row("application/vnd.timoni.config.v1+json", Other, ArtifactConfig, "a Timoni module"),
    row("application/vnd.cncf.openpolicyagent.config.v1+json", Other, ArtifactConfig, "an Open Policy Agent bundle"),
    row("application/vnd.sylabs.sif.config.v1+json", Other, ArtifactConfig, "a Singularity image"),
    row("application/vnd.docker.compose.project", Other, ArtifactConfig, "a Compose project"),
    row("application/vnd.docker.compose.config.empty.v1+json", Other, ArtifactConfig, "a Compose project"),
    row("application/vnd.cncf.model.manifest.v1+json", Other, ArtifactConfig, "a machine learning model"),
    row("application/vnd.cncf.model.config.v1+json", Other, ArtifactConfig, "a machine learning model"),
    row("application/vnd.docker.ai.model.config.v0.1+json", Other, ArtifactConfig, "a Docker model"),
    row("application/vnd.docker.ai.model.config.v0.2+json", Other, ArtifactConfig, "a Docker model"),
    // What these artifacts consist of
    row("application/vnd.cncf.helm.chart.content.v1.tar+gzip", Other, ArtifactLayer, "a Helm chart archive"),
    row("application/vnd.cncf.helm.chart.provenance.v1.prov", Other, ArtifactLayer, "a Helm chart's provenance"),
    row("application/tar+gzip", Other, ArtifactLayer, "a gzip tar archive"),
    row("application/wasm", Other, ArtifactLayer, "WebAssembly"),
    row("application/vnd.wasm.content.layer.v1+wasm", Other, ArtifactLayer, "WebAssembly"),
    row("application/vnd.cncf.flux.content.v1.tar+gzip", Other, ArtifactLayer, "Flux content"),
    row("application/vnd.timoni.content.v1.tar+gzip", Other, ArtifactLayer, "Timoni content"),
    row("application/vnd.cncf.openpolicyagent.policy.layer.v1+rego", Other, ArtifactLayer, "an Open Policy Agent policy"),
    row("application/vnd.cncf.openpolicyagent.data.layer.v1+json", Other, ArtifactLayer, "Open Policy Agent data"),
    row("application/vnd.sylabs.sif.layer.v1.sif", Other, ArtifactLayer, "a Singularity image file"),
    row("application/vnd.docker.compose.file+yaml", Other, ArtifactLayer, "a Compose file"),
    row("application/vnd.docker.compose.envfile", Other, ArtifactLayer, "a Compose environment file"),
    // Bills of materials and scan results
    row("text/spdx", Other, Sbom, "an SPDX document"),
    row("text/spdx+json", Other, Sbom, "an SPDX document"),
    row("text/spdx+xml", Other, Sbom, "an SPDX document"),
    row("application/spdx+json", Other, Sbom, "an SPDX document"),
    row("application/vnd.cyclonedx", Other, Sbom, "a CycloneDX document"),
    row("application/vnd.cyclonedx+json", Other, Sbom, "a CycloneDX document"),
    row("application/vnd.cyclonedx+xml", Other, Sbom, "a CycloneDX document"),
    row("application/vnd.syft+json", Other, Sbom, "a Syft document"),
    row("application/sarif+json", Other, ScanResult, "a SARIF log"),
    // Attestations
    Row { text: known::IN_TOTO, family: Other, role: Statement, compression: Some(Compression::None), description: "an in-toto statement" },
    row("application/vnd.in-toto.bundle", Other, Envelope, "signed in-toto statements"),
    row(known::DSSE_ENVELOPE, Other, Envelope, "a DSSE envelope"),
    row(known::BUILDKIT_ATTESTATION, Other, AttestationManifest, "a BuildKit attestation"),
    // Signatures
    row(known::COSIGN_SIMPLE_SIGNING, Other, SimpleSigning, "a cosign signature"),
    row("application/vnd.dev.cosign.artifact.sig.v1+json", Other, CosignArtifact, "a cosign signature"),
    row("application/vnd.dev.cosign.artifact.att.v1+json", Other, CosignArtifact, "a cosign attestation"),
    row("application/vnd.dev.cosign.artifact.sbom.v1+json", Other, CosignArtifact, "an SBOM attached by cosign"),
    row(known::NOTATION_SIGNATURE, Other, NotationSignature, "a Notary Project signature"),
    row("application/jose+json", Other, SignatureEnvelope, "a JWS signature envelope"),
    row("application/cose", Other, SignatureEnvelope, "a COSE signature envelope"),
];

/// The types known by how their text starts and ends; the first that fits counts. The text of the row is the start.
#[rustfmt::skip] // one row a pattern
pub(super) const PATTERNS: &[(Row, &str)] = &[
    (row(known::SIGSTORE_BUNDLE_PREFIX, Other, Bundle, "a Sigstore bundle"), ""),
    // Media types of SBOMs may have parameters: `;version=1.6`.
    (row("application/spdx+json;", Other, Sbom, "an SPDX document"), ""),
    (row("application/vnd.cyclonedx+json;", Other, Sbom, "a CycloneDX document"), ""),
    (row("application/vnd.cyclonedx+xml;", Other, Sbom, "a CycloneDX document"), ""),
    (row("application/vnd.in-toto.", Other, Envelope, "a signed in-toto statement"), "+dsse"),
    (row("application/vnd.in-toto.", Other, Statement, "an in-toto statement"), "+json"),
    (row("application/vnd.containerd.container.", Other, ArtifactConfig, "a containerd checkpoint"), ""),
    // containerd takes all of these for layers, whatever follows.
    (row("application/vnd.oci.image.layer.", Other, Layer, "a layer of an unknown kind"), ""),
    (row("application/vnd.cnai.model.manifest.", Other, ArtifactConfig, "a machine learning model"), ""),
    (row("application/vnd.cnai.model.config.", Other, ArtifactConfig, "a machine learning model"), ""),
    (row("application/vnd.cncf.model.", Other, ArtifactLayer, "a part of a machine learning model"), ""),
    (row("application/vnd.cnai.model.", Other, ArtifactLayer, "a part of a machine learning model"), ""),
    (row("application/vnd.docker.ai.", Other, ArtifactLayer, "a part of a Docker model"), ""),
];
