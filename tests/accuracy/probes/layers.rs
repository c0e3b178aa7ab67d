//! Layers: number, size, compression.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Probe, each};
use crate::raw::Raw;

/// What a layer of no file is: an archive of zeros only, and two ways in which Go and others compress it.
const EMPTY: [&str; 3] = [
    "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
    "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
];

pub(super) const PROBES: &[Probe] = &[
    Probe {
        rule: "layer-compression",
        parameters: "deny = ['none']",
        meets: |labels| {
            let compressed = |media_type: &&str| media_type.rsplit_once('.').is_none_or(|(_, kind)| kind != "tar");
            Some(labels.layers()?.iter().all(compressed))
        },
    },
    Probe {
        rule: "layer-content",
        parameters: "",
        meets: |labels| {
            let raw = labels.raw()?;
            let platforms = labels.platforms()?;
            let layers: Vec<&Value> = platforms.iter().flat_map(|platform| platform.layers()).collect();
            layers
                .iter()
                .map(|layer| as_declared(raw, layer))
                .collect::<Option<Vec<_>>>()
                .map(|all| !all.contains(&false))
        },
    },
    Probe { rule: "layer-count", parameters: "max = 3", meets: |labels| Some(labels.number("layers")? <= 3) },
    Probe {
        rule: "image-size",
        parameters: "max = '2MiB'",
        meets: |labels| Some(labels.number("compressed_size")? <= 2 << 20),
    },
    Probe {
        rule: "layer-size",
        parameters: "max = '2MiB'",
        // The sum bounds each layer; of one layer it is its size.
        meets: |labels| match (labels.number("compressed_size")?, labels.number("layers")?) {
            (sum, _) if sum <= 2 << 20 => Some(true),
            (_, 1) => Some(false),
            _ => None,
        },
    },
    Probe {
        rule: "layer-duplicates",
        parameters: "",
        meets: |labels| {
            each(labels, |platform| {
                let diff_ids = platform.config["rootfs"]["diff_ids"].as_array().cloned().unwrap_or_default();
                let full: Vec<&Value> =
                    diff_ids.iter().filter(|diff_id| !EMPTY.iter().any(|it| *diff_id == it)).collect();
                full.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len() == full.len()
            })
        },
    },
    Probe {
        rule: "empty-layers",
        parameters: "",
        meets: |labels| {
            each(labels, |platform| {
                let diff_ids = platform.config["rootfs"]["diff_ids"].as_array().into_iter().flatten();
                let digests = platform.layers().into_iter().map(|layer| &layer["digest"]);
                !diff_ids.chain(digests).any(|digest| EMPTY.iter().any(|empty| digest == empty))
            })
        },
    },
    Probe {
        rule: "lazy-pull",
        parameters: "require = ['estargz']\nmin-size = '0B'",
        meets: |labels| {
            each(labels, |platform| {
                let toc = |layer: &&Value| layer["annotations"]["containerd.io/snapshot/stargz/toc.digest"].is_string();
                platform.layers().iter().all(toc)
            })
        },
    },
    Probe {
        rule: "foreign-layers",
        parameters: "",
        meets: |labels| {
            let foreign = |media_type: &&str| media_type.contains("nondistributable") || media_type.contains("foreign");
            if labels.layers()?.iter().any(foreign) {
                return Some(false);
            }
            each(labels, |platform| platform.layers().iter().all(|layer| layer["urls"].is_null()))
        },
    },
];

/// Whether a layer begins as its media type says; `None` if it is not there.
fn as_declared(raw: &Raw, layer: &Value) -> Option<bool> {
    let bytes = raw.read(layer)?;
    let begins = match bytes.as_slice() {
        [0x1f, 0x8b, ..] => "gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        _ => "tar",
    };
    Some(layer["mediaType"].as_str()?.ends_with(begins))
}
