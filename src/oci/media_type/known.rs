//! The media types that code names.

use oci_distribution::manifest;

/// OCI image index.
pub const OCI_INDEX: &str = manifest::OCI_IMAGE_INDEX_MEDIA_TYPE;
/// OCI image manifest, of images and of artifacts.
pub const OCI_MANIFEST: &str = manifest::OCI_IMAGE_MEDIA_TYPE;
/// OCI image configuration; older artifacts use it as well.
pub const OCI_CONFIG: &str = manifest::IMAGE_CONFIG_MEDIA_TYPE;
/// The OCI empty descriptor, whose content is `{}`.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// OCI layer, uncompressed.
pub const OCI_LAYER: &str = manifest::IMAGE_LAYER_MEDIA_TYPE;
/// OCI layer, gzip.
pub const OCI_LAYER_GZIP: &str = manifest::IMAGE_LAYER_GZIP_MEDIA_TYPE;
/// OCI layer, zstd (since image-spec 1.1).
pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// Artifact manifest of the release candidates of image-spec 1.1, dead since.
pub const OCI_ARTIFACT_MANIFEST: &str = "application/vnd.oci.artifact.manifest.v1+json";
/// Artifact manifest of ORAS before image-spec 1.1, dead since.
pub const ORAS_ARTIFACT_MANIFEST: &str = "application/vnd.cncf.oras.artifact.manifest.v1+json";
/// Docker's manifest list, its index.
pub const DOCKER_LIST: &str = manifest::IMAGE_MANIFEST_LIST_MEDIA_TYPE;
/// Docker's image manifest, version 2 schema 2.
pub const DOCKER_MANIFEST: &str = manifest::IMAGE_MANIFEST_MEDIA_TYPE;
/// Docker's image manifest, schema 1, unsigned.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// Docker's image manifest, schema 1, signed; its digest covers the payload without the signatures.
pub const DOCKER_SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
/// Docker's image configuration.
pub const DOCKER_CONFIG: &str = manifest::IMAGE_DOCKER_CONFIG_MEDIA_TYPE;
/// Docker's layer, uncompressed.
pub const DOCKER_LAYER: &str = manifest::IMAGE_DOCKER_LAYER_TAR_MEDIA_TYPE;
/// Docker's layer, gzip.
pub const DOCKER_LAYER_GZIP: &str = manifest::IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE;
/// Docker's layer, zstd: in no specification, but BuildKit writes it.
pub const DOCKER_LAYER_ZSTD: &str = "application/vnd.docker.image.rootfs.diff.tar.zstd";
/// Layer blob of a Nydus image.
pub const NYDUS_BLOB: &str = "application/vnd.oci.image.layer.nydus.blob.v1";
/// in-toto statement, unsigned; also the payload type of a DSSE envelope.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// DSSE envelope, as cosign pushes it.
pub const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// Artifact type of BuildKit's attestation manifests.
pub const BUILDKIT_ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";
/// What every Sigstore bundle's type starts with; the rest is a version, written in several ways.
pub const SIGSTORE_BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
/// cosign's simple signing payload, the layer of a `.sig` manifest.
pub const COSIGN_SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Signature of the Notary Project.
pub const NOTATION_SIGNATURE: &str = "application/vnd.cncf.notary.signature";
/// Artifact type of a Nydus image beside an ordinary one.
pub const NYDUS_IMAGE: &str = "application/vnd.nydus.image.manifest.v1+json";
/// What tools before Nydus 2.3.5 put among the `os.features` of a Nydus image.
pub const NYDUS_FEATURE: &str = "nydus.remoteimage.v1";
/// Artifact type of a version 1 SOCI index, a referrer.
pub const SOCI_INDEX_V1: &str = "application/vnd.amazon.soci.index.v1+json";
/// Artifact type of a version 2 SOCI index, an entry of the image index.
pub const SOCI_INDEX_V2: &str = "application/vnd.amazon.soci.index.v2+json";
/// JSON of an unnamed kind.
pub const JSON: &str = "application/json";
/// Bytes of an unnamed kind.
pub const OCTET_STREAM: &str = "application/octet-stream";
