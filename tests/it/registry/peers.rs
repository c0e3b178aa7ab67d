//! Another client of the same specification reads the same.

use super::{REPOSITORY, Run, digest, manifest, put_image, referrer, served};
use crate::support::{Access, Authority, OCI_INDEX, OCI_MANIFEST, Registry};
use oci_distribution::Reference;
use oci_distribution::client::{Client, ClientConfig, ClientProtocol};
use oci_distribution::secrets::RegistryAuth;
use ocilint::oci::{Digest, MANIFEST_ACCEPT};
use ocilint::source::{Part, Source as _};
use serde_json::json;

/// An index, two manifests, a referrer and a blob; the names under which manifests can be asked for.
fn fill(registry: &Registry) -> (Vec<String>, Digest) {
    let first = put_image(registry);
    let second = digest(&registry.store().put_manifest(REPOSITORY, None, manifest("second"), OCI_MANIFEST));
    let entry = |digest: &Digest| json!({ "mediaType": OCI_MANIFEST, "digest": digest, "size": 1 });
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry(&first), entry(&second)] });
    registry.store().put_manifest(REPOSITORY, Some("index"), index.to_string(), OCI_INDEX);
    registry.store().put_manifest(REPOSITORY, Some("signature"), referrer(&first, "x"), OCI_MANIFEST);
    let blob = digest(&registry.store().put_blob(REPOSITORY, "a layer"));
    let tags = ["1.0", "index", "signature"].map(|tag| format!(":{tag}"));
    (tags.into_iter().chain([format!("@{second}")]).collect(), blob)
}

#[tokio::test]
async fn both_read_the_same_bytes_and_digests() {
    // The other client builds TLS in any case, and panics without a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    for access in [Access::Open, Access::bearer(&Authority::anonymous())] {
        let registry = Registry::builder().access(access).start();
        let (names, blob) = fill(&registry);
        let config =
            ClientConfig { protocol: ClientProtocol::HttpsExcept(vec![registry.host()]), ..ClientConfig::default() };
        let other = Client::try_from(config).unwrap();
        let transport = Run::new().transport();
        let accept: Vec<&str> = MANIFEST_ACCEPT.split(", ").collect();
        for name in names {
            let image = format!("{REPOSITORY}{name}");
            let reference: Reference = registry.reference(&image).parse().unwrap();
            let (bytes, digest) = other.pull_manifest_raw(&reference, &RegistryAuth::Anonymous, &accept).await.unwrap();
            let ours = served(super::source(&transport, &registry, &image).resolve().await.unwrap());
            assert_eq!((ours.bytes, ours.digest.to_string()), (bytes, digest), "{name}");

            let mut layer = Vec::new();
            other.pull_blob(&reference, blob.as_str(), &mut layer).await.unwrap();
            let whole = Part::Whole { cap: 4096 };
            assert_eq!(super::source(&transport, &registry, &image).blob(&blob, whole).await.unwrap(), layer);
        }
    }
}
