//! Lists of referrers as a snapshot keeps them: descriptors under the names of the image specification.

use serde::{Deserialize, Serialize};

use crate::graph::{Home, ReferrerList, Why};
use crate::oci::{Annotations, Descriptor, Digest, DigestError, MediaType, Platform};

/// A list of referrers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    home: Home,
    descriptors: Vec<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Why>,
}

/// A descriptor, field by field as it was understood; what was malformed in it stays so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    media_type: MediaType,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Annotations::is_empty", with = "super::sorted")]
    annotations: Annotations,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<NamedPlatform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<MediaType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedPlatform {
    os: String,
    architecture: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    #[serde(default, rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    os_features: Vec<String>,
}

impl From<&ReferrerList> for Listed {
    fn from(list: &ReferrerList) -> Self {
        Self {
            home: list.home,
            descriptors: list.descriptors.iter().map(Named::from).collect(),
            doubt: list.doubt.clone(),
        }
    }
}

impl From<&Listed> for ReferrerList {
    fn from(listed: &Listed) -> Self {
        Self {
            home: listed.home,
            descriptors: listed.descriptors.iter().map(Descriptor::from).collect(),
            doubt: listed.doubt.clone(),
        }
    }
}

impl From<&Descriptor> for Named {
    fn from(descriptor: &Descriptor) -> Self {
        let digest = descriptor.digest.as_ref().map_or_else(DigestError::text, Digest::as_str);
        Self {
            media_type: descriptor.media_type.clone(),
            digest: digest.to_owned(),
            size: descriptor.size,
            urls: descriptor.urls.clone(),
            annotations: descriptor.annotations.clone(),
            platform: descriptor.platform.as_ref().map(NamedPlatform::from),
            artifact_type: descriptor.artifact_type.clone(),
            data: descriptor.data.clone(),
        }
    }
}

impl From<&Named> for Descriptor {
    fn from(named: &Named) -> Self {
        Self {
            media_type: named.media_type.clone(),
            digest: named.digest.parse(),
            size: named.size,
            urls: named.urls.clone(),
            annotations: named.annotations.clone(),
            platform: named.platform.as_ref().map(Platform::from),
            artifact_type: named.artifact_type.clone(),
            data: named.data.clone(),
        }
    }
}

impl From<&Platform> for NamedPlatform {
    fn from(platform: &Platform) -> Self {
        Self {
            os: platform.os.clone(),
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone(),
            os_version: platform.os_version.clone(),
            os_features: platform.os_features.clone(),
        }
    }
}

impl From<&NamedPlatform> for Platform {
    fn from(named: &NamedPlatform) -> Self {
        Self {
            os: named.os.clone(),
            architecture: named.architecture.clone(),
            variant: named.variant.clone(),
            os_version: named.os_version.clone(),
            os_features: named.os_features.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oci::{Document, Manifest};

    #[test]
    fn descriptors_come_back_as_they_were_understood() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let index = json!({"schemaVersion": 2, "manifests": [
            {"mediaType": "a/b", "digest": digest, "size": 3, "urls": ["https://x"], "annotations": {"b": "1", "a": "\u{1b}"},
             "platform": {"os": "windows", "architecture": "amd64", "variant": "v1", "os.version": "10", "os.features": ["f"]},
             "artifactType": "c/d", "data": "e30="},
            {"mediaType": 1, "digest": "sha1:00", "size": -1, "platform": 7},
            {"digest": "x".repeat(300), "platform": {"os": "linux"}},
            {},
        ]});
        let document: Document<Manifest> = Document::read(serde_json::to_vec(&index).unwrap().into()).unwrap();
        let Manifest::Index(index) = document.value() else { panic!("no index") };
        assert_eq!(index.manifests.len(), 4);
        let doubt = Some(Why::undecidable("listing", "a web page"));
        let list = ReferrerList { doubt, ..ReferrerList::new(index.manifests.clone(), Home::FallbackTag) };
        let text = serde_json::to_string(&Listed::from(&list)).unwrap();
        let back: Listed = serde_json::from_str(&text).unwrap();
        assert_eq!(ReferrerList::from(&back), list);
    }
}
