//! What hangs on an image: statements, signatures, its base.

use serde_json::Value;

use super::Probe;
use crate::labels::Labels;

const SPDX: &str = "https://spdx.dev/Document";
const PROVENANCE: &str = "https://slsa.dev/provenance/";

pub(super) const PROBES: &[Probe] = &[
    Probe { rule: "sbom", parameters: "coverage = 'each-platform'", meets: |labels| has(labels, SPDX) },
    Probe { rule: "provenance", parameters: "coverage = 'each-platform'", meets: |labels| has(labels, PROVENANCE) },
    Probe {
        rule: "attestation",
        parameters: "coverage = 'each-platform'\nrequire = ['https://spdx.dev/Document']",
        meets: |labels| has(labels, SPDX),
    },
    Probe { rule: "attestation", parameters: "deny = ['**']", meets: |labels| has_statements(labels).map(|any| !any) },
    Probe {
        rule: "signature",
        parameters: "coverage = 'either'",
        meets: |labels| is_alone(labels).filter(|alone| *alone).map(|_| false),
    },
    Probe {
        rule: "base-image",
        parameters: "claim = 'trusted'",
        meets: |labels| {
            let platforms = labels.platforms()?;
            let named = |value: &Value| value["org.opencontainers.image.base.name"].is_string();
            let declares = |annotations: [&Value; 3]| annotations.into_iter().any(named);
            let root = &labels.raw()?.root()["annotations"];
            let all = platforms.iter().all(|platform| {
                declares([&platform.manifest["annotations"], &platform.entry["annotations"], root])
                    || named(platform.member("Labels"))
            });
            let other = has_statements(labels)? || platforms.iter().any(by_buildpacks);
            (all || !other).then_some(all)
        },
    },
];

fn by_buildpacks(platform: &crate::raw::RawPlatform) -> bool {
    platform.member("Labels").as_object().into_iter().flatten().any(|(name, _)| name.starts_with("io.buildpacks"))
}

/// Whether nothing in the layout hangs on anything else in it but what stands in indexes.
fn is_alone(labels: &Labels) -> Option<bool> {
    labels.platforms()?;
    let none = |name: &str| {
        labels.layout(name).is_some_and(|value| *value == 0 || value.as_array().is_some_and(Vec::is_empty))
    };
    Some(none("with_subject") && none("cosign_tags") && none("cosign_kinds"))
}

/// The predicate types of the statements about each platform.
fn statements(labels: &Labels) -> Option<Vec<Vec<String>>> {
    if !is_alone(labels)? {
        return None;
    }
    let raw = labels.raw()?;
    if raw.entries().is_none() {
        return Some(vec![Vec::new()]);
    }
    let types = |manifest: &Value| -> Vec<String> {
        let layers = manifest["layers"].as_array().into_iter().flatten();
        layers
            .filter_map(|layer| layer["annotations"]["in-toto.io/predicate-type"].as_str().map(str::to_owned))
            .collect()
    };
    let of = |entry: &Value| Some(raw.attestations(entry)?.iter().flat_map(types).collect());
    labels.platforms()?.iter().map(|platform| of(&platform.entry)).collect()
}

/// Whether each platform has a statement of a type.
fn has(labels: &Labels, kind: &str) -> Option<bool> {
    Some(statements(labels)?.iter().all(|types| types.iter().any(|it| it.starts_with(kind))))
}

/// Whether any platform has any statement.
fn has_statements(labels: &Labels) -> Option<bool> {
    Some(statements(labels)?.iter().any(|types| !types.is_empty()))
}
