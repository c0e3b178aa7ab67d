//! Descriptors: how one document of an image names another (image-spec, descriptor.md).

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Serialize;

use super::{Digest, DigestError, LayerClass, MediaType, Platform, json::quoted, reading::Object};

/// Annotations or labels: names and values, both strings (image-spec, annotations.md).
pub type Annotations = BTreeMap<String, String>;

/// What names a document or blob: its type, digest and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Descriptor {
    /// The type of the content; empty when the field is absent.
    pub media_type: MediaType,
    /// The digest, or why the text is none.
    #[serde(serialize_with = "digest_text")]
    pub digest: Result<Digest, DigestError>,
    /// The size in bytes; `None` when absent, negative, or not a whole number.
    pub size: Option<u64>,
    /// Where the content can be had besides the registry. Never followed.
    pub urls: Vec<String>,
    /// The annotations of the descriptor.
    pub annotations: Annotations,
    /// The platform of an index entry; `None` when it is absent or names neither os nor architecture.
    pub platform: Option<Platform>,
    /// The type of the artifact that this descriptor leads to.
    pub artifact_type: Option<MediaType>,
    /// The content itself in base64, not checked.
    pub data: Option<String>,
}

fn digest_text<S: serde::Serializer>(digest: &Result<Digest, DigestError>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match digest {
        Ok(digest) => digest.as_str(),
        Err(error) => error.text(),
    })
}

impl Descriptor {
    /// A descriptor of something that was named in another way: the root of a graph.
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Descriptor {
        Descriptor {
            media_type,
            digest: Ok(digest),
            size: Some(size),
            urls: Vec::new(),
            annotations: Annotations::new(),
            platform: None,
            artifact_type: None,
            data: None,
        }
    }

    pub(super) fn read(object: Object<'_>) -> Descriptor {
        object.require("size");
        let digest = object.required_text("digest").map(|text| text.parse());
        if let Some(Err(error @ DigestError::Malformed { .. })) = &digest {
            object.defect_at("digest", error);
        }
        let descriptor = Descriptor {
            media_type: MediaType::new(object.required_text("mediaType").unwrap_or_default()),
            digest: digest.unwrap_or_else(|| "".parse()),
            size: object.count("size"),
            urls: object.strings("urls").unwrap_or_default(),
            annotations: object.string_map("annotations"),
            platform: object.object("platform", read_platform).flatten(),
            artifact_type: object.text("artifactType").map(MediaType::new),
            data: object.text("data"),
        };
        if let Some(problem) = descriptor.data_problem() {
            object.defect_at("data", problem);
        }
        descriptor
    }

    fn data_problem(&self) -> Option<String> {
        let data = self.data.as_deref()?;
        let Ok(bytes) = BASE64_STANDARD.decode(data) else {
            return Some("`data` is not base64".to_owned());
        };
        if let Some(size) = self.size.filter(|size| !same(*size, bytes.len())) {
            let length = bytes.len();
            return Some(format!("`data` holds {length} bytes, `size` says {size}"));
        }
        match &self.digest {
            Ok(digest) if !digest.matches(&bytes) => Some(format!("`data` does not have the digest {digest}")),
            // What cannot be computed here is not judged.
            Ok(_) | Err(_) => None,
        }
    }

    /// The content given in `data`, when it matches digest and size.
    pub fn inline_data(&self) -> Option<Bytes> {
        let bytes = BASE64_STANDARD.decode(self.data.as_deref()?).ok()?;
        let sized = self.size.is_some_and(|size| same(size, bytes.len()));
        let named = self.digest.as_ref().is_ok_and(|digest| digest.matches(&bytes));
        (sized && named).then(|| bytes.into())
    }

    /// How the layer is compressed and made, by its type and annotations; empty when the type is unknown.
    ///
    /// eStargz and a Nydus bootstrap are gzip as well, zstd:chunked is zstd as well; overlaybd and encrypted layers are nothing else.
    pub fn layer_classes(&self) -> BTreeSet<LayerClass> {
        let Some(class) = self.media_type.layer_class() else {
            return BTreeSet::new();
        };
        let mut classes = BTreeSet::from([class]);
        let has = |name: &str| self.annotations.contains_key(name);
        match class {
            LayerClass::None if has("containerd.io/snapshot/overlaybd/blob-digest") => {
                classes = BTreeSet::from([LayerClass::Overlaybd]);
            }
            LayerClass::Gzip if has("containerd.io/snapshot/stargz/toc.digest") => {
                classes.insert(LayerClass::Estargz);
            }
            LayerClass::Gzip if has("containerd.io/snapshot/nydus-bootstrap") => {
                classes.insert(LayerClass::Nydus);
            }
            LayerClass::Zstd
                if has("io.github.containers.zstd-chunked.manifest-checksum")
                    || has("io.containers.zstd-chunked.manifest-checksum") =>
            {
                classes.insert(LayerClass::ZstdChunked);
            }
            _ => {}
        }
        classes
    }
}

fn same(size: u64, length: usize) -> bool {
    usize::try_from(size) == Ok(length)
}

/// A platform object; `None` when it names neither os nor architecture.
fn read_platform(object: Object<'_>) -> Option<Platform> {
    let platform = Platform {
        os: object.text("os").unwrap_or_default(),
        architecture: object.text("architecture").unwrap_or_default(),
        variant: object.text("variant"),
        os_version: object.text("os.version"),
        os_features: object.strings("os.features").unwrap_or_default(),
    };
    let (has, lacks) = match (platform.os.is_empty(), platform.architecture.is_empty()) {
        (true, true) => return None,
        (false, false) => return Some(platform),
        (false, true) => (format!("os {}", quoted(&platform.os)), "architecture"),
        (true, false) => (format!("architecture {}", quoted(&platform.architecture)), "os"),
    };
    object.defect(format_args!("the platform names the {has} but no {lacks}"));
    Some(platform)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::oci::Manifest;

    fn layer(descriptor: &Value) -> Descriptor {
        let manifest = json!({"layers": [descriptor]});
        let Ok((Manifest::Image(mut manifest), _)) = Manifest::read(&(&manifest).into()) else { panic!("{manifest}") };
        manifest.layers.remove(0)
    }

    fn classes(media_type: &str, annotation: &str) -> Vec<LayerClass> {
        let descriptor = layer(&json!({"mediaType": media_type, "annotations": {annotation: "x"}}));
        descriptor.layer_classes().into_iter().collect()
    }

    #[test]
    fn a_layer_has_a_set_of_classes() {
        use LayerClass::{Encrypted, Estargz, Gzip, None, Nydus, Overlaybd, Zstd, ZstdChunked};
        let oci = "application/vnd.oci.image.layer.v1.tar";
        let stargz = "containerd.io/snapshot/stargz/toc.digest";
        let overlaybd = "containerd.io/snapshot/overlaybd/blob-digest";
        for (media_type, annotation, expected) in [
            (oci.to_owned(), "", vec![None]),
            (format!("{oci}+gzip"), "", vec![Gzip]),
            (format!("{oci}+gzip"), stargz, vec![Gzip, Estargz]),
            (format!("{oci}+zstd"), stargz, vec![Zstd]),
            (format!("{oci}+zstd"), "io.github.containers.zstd-chunked.manifest-checksum", vec![Zstd, ZstdChunked]),
            (format!("{oci}+zstd"), "io.containers.zstd-chunked.manifest-checksum", vec![Zstd, ZstdChunked]),
            (oci.to_owned(), overlaybd, vec![Overlaybd]),
            (format!("{oci}+gzip+encrypted"), stargz, vec![Encrypted]),
            ("application/vnd.oci.image.layer.nydus.blob.v1".to_owned(), "", vec![Nydus]),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip".to_owned(), "", vec![Gzip]),
            ("application/x-unknown".to_owned(), stargz, vec![]),
        ] {
            assert_eq!(classes(&media_type, annotation), expected, "{media_type} {annotation}");
        }
    }

    #[test]
    fn inline_data_counts_only_when_it_is_what_the_descriptor_names() {
        let data = |digest: &str, size: Value, data: &str| {
            layer(&json!({"digest": digest, "size": size, "data": data})).inline_data()
        };
        let empty = Digest::EMPTY_JSON;
        assert_eq!(data(empty, json!(2), "e30=").as_deref(), Some(b"{}".as_slice()));
        assert_eq!(data(empty, json!(3), "e30="), None);
        assert_eq!(data(empty, json!(null), "e30="), None);
        assert_eq!(data(empty, json!(2), "W10="), None);
        assert_eq!(data("blake3:00", json!(2), "e30="), None);
        assert_eq!(data(empty, json!(2), "e3 0="), None);
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let broken = layer(&json!({"mediaType": 1, "digest": "sha1:00", "size": -1, "platform": 7, "urls": ["u", 1]}));
        assert_eq!(broken.media_type, "");
        let unsupported = Err(DigestError::UnsupportedAlgorithm { text: "sha1:00".to_owned() });
        assert_eq!(broken.digest, unsupported);
        assert_eq!((broken.size, broken.platform), (None, None));
        assert_eq!(broken.urls, ["u", ""]);
    }

    #[test]
    fn the_platform_keeps_what_was_written() {
        let platform = json!({"os": "windows", "architecture": "amd64", "variant": "", "os.version": "10.0.20348.1",
            "os.features": ["win32k"], "features": null});
        let read = layer(&json!({"platform": platform})).platform.unwrap();
        assert_eq!((read.os.as_str(), read.architecture.as_str(), read.variant), ("windows", "amd64", None));
        assert_eq!((read.os_version.as_deref(), read.os_features), (Some("10.0.20348.1"), vec!["win32k".to_owned()]));
    }
}
