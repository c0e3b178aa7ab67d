//! What an image is made of: documents, media types, platforms.

use serde_json::Value;

use super::{Probe, each};

/// The layers of the image specification, those that must not be distributed among them.
const OCI_LAYERS: [&str; 6] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
];

pub(super) const PROBES: &[Probe] = &[
    Probe { rule: "document", parameters: "", meets: |labels| labels.flag("image_spec_schema_valid") },
    Probe {
        rule: "media-types",
        parameters: "family = 'oci'",
        meets: |labels| {
            let layers = labels.list("layer_media_types")?;
            let documents = labels.text("config_media_type").into_iter().chain(labels.text("media_type"));
            let is_oci = |media_type: &str| media_type.starts_with("application/vnd.oci.image.");
            Some(layers.iter().all(|layer| OCI_LAYERS.contains(layer)) && documents.into_iter().all(is_oci))
        },
    },
    Probe {
        rule: "artifact-type",
        parameters: "",
        meets: |labels| {
            let image = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
            let runnable = image.contains(&labels.text("config_media_type")?);
            match (runnable, labels.layers()?.is_empty(), labels.text("artifact_type")) {
                (true, false, None) => Some(true),
                (false, _, Some(_)) => Some(false),
                _ => None,
            }
        },
    },
    Probe {
        rule: "schema1",
        parameters: "",
        meets: |labels| {
            let is_schema1 = |entry: &Value| {
                entry["mediaType"].as_str().is_some_and(|it| it.contains("docker.distribution.manifest.v1+"))
            };
            match labels.text("kind")? {
                "v2s1" => Some(false),
                "manifest" | "index" => Some(!labels.raw()?.entries().into_iter().flatten().any(is_schema1)),
                _ => None,
            }
        },
    },
    Probe {
        rule: "shape",
        parameters: "kind = 'index'",
        meets: |labels| match labels.text("kind")? {
            "v2s1" => None,
            kind => Some(kind == "index"),
        },
    },
    Probe {
        rule: "platforms",
        parameters: "require = ['linux/amd64']",
        meets: |labels| {
            Some(labels.list("platforms").or_else(|| Some(vec![labels.text("platform")?]))?.contains(&"linux/amd64"))
        },
    },
    Probe {
        rule: "platforms",
        parameters: "allow-duplicates = false",
        meets: |labels| {
            let simple = labels.number("attestation_entries")? == 0 && labels.number("no_platform_entries")? == 0;
            simple.then(|| labels.list("duplicate_platforms").is_none_or(|duplicates| duplicates.is_empty()))
        },
    },
    Probe {
        rule: "platform-agreement",
        parameters: "",
        meets: |labels| {
            labels.raw()?.entries()?;
            each(labels, |platform| {
                let declared = &platform.entry["platform"];
                declared.is_null()
                    || ["os", "architecture"].iter().all(|member| declared[member] == platform.config[member])
            })
        },
    },
    Probe {
        rule: "platform-parity",
        parameters: "fields = ['user', 'workdir']",
        meets: |labels| {
            let platforms = labels.platforms().filter(|platforms| platforms.len() > 1)?;
            let said = |name: &str| platforms.iter().map(|platform| platform.text(name)).collect::<Vec<_>>();
            let alike = |name: &str| said(name).windows(2).all(|two| two[0] == two[1]);
            Some(alike("User") && alike("WorkingDir"))
        },
    },
    Probe {
        rule: "children",
        parameters: "",
        meets: |labels| {
            let raw = labels.raw()?;
            let entries = raw.entries()?;
            let manifests = |entry: &Value| {
                entry["mediaType"].as_str().is_some_and(|kind| ["manifest", "index"].iter().any(|it| kind.contains(it)))
            };
            entries.iter().all(manifests).then(|| entries.iter().all(|entry| raw.read(entry).is_some()))
        },
    },
    Probe {
        rule: "deploy-target",
        parameters: "targets = ['aws-lambda']",
        meets: |labels| match labels.text("kind")? {
            "index" => Some(false),
            "manifest" if labels.layers()?.iter().all(|layer| layer.ends_with("gzip")) => each(labels, |platform| {
                platform.config["os"] == "linux"
                    && ["amd64", "arm64"].iter().any(|one| platform.config["architecture"] == *one)
            }),
            _ => None,
        },
    },
];
