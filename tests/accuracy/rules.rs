//! Every rule over images with labels: how often it decides, and how often it is right.
//!
//! The labels were read off the bytes by other people's programs. A probe is a rule with parameters, and what the labels say
//! of it; where they say nothing the image does not count.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use ocilint::Policy;
use ocilint::engine::Engine;
use ocilint::judge::Options;
use ocilint::report::{CellVerdict, ImageReport};
use ocilint::source::registry::RegistryOptions;
use ocilint::source::{Silent, Sources};

use super::differences::Comparison;
use super::labels::{Labels, Subject, subjects};

/// A rule with parameters, and whether an image with these labels meets it.
struct Probe {
    rule: &'static str,
    parameters: &'static str,
    meets: fn(&Labels) -> Option<bool>,
}

/// The layers of the image specification, those that must not be distributed among them.
const OCI_LAYERS: [&str; 6] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
];

const PROBES: &[Probe] = &[
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
    Probe { rule: "shape", parameters: "kind = 'index'", meets: |labels| Some(labels.text("kind")? == "index") },
    Probe {
        rule: "platforms",
        parameters: "require = ['linux/amd64']",
        meets: |labels| {
            Some(labels.list("platforms").or_else(|| Some(vec![labels.text("platform")?]))?.contains(&"linux/amd64"))
        },
    },
    Probe {
        rule: "layer-compression",
        parameters: "deny = ['none']",
        meets: |labels| {
            Some(
                labels
                    .layers()?
                    .iter()
                    .all(|media_type| media_type.rsplit_once('.').is_none_or(|(_, kind)| kind != "tar")),
            )
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
        rule: "foreign-layers",
        parameters: "",
        meets: |labels| {
            let foreign = |media_type: &&str| media_type.contains("nondistributable") || media_type.contains("foreign");
            labels.layers()?.iter().any(foreign).then_some(false)
        },
    },
    Probe { rule: "user", parameters: "", meets: |labels| Some(!is_root(labels.optional("user")?)) },
    Probe {
        rule: "exposed-ports",
        parameters: "allow = [80]",
        meets: |labels| Some(labels.listed("exposed_ports")?.iter().all(|port| *port == "80/tcp")),
    },
    Probe {
        rule: "env",
        parameters: "require = ['PATH']",
        meets: |labels| Some(labels.listed("env_names")?.contains(&"PATH")),
    },
    Probe { rule: "healthcheck", parameters: "must-be = 'present'", meets: |labels| labels.flag("healthcheck") },
    Probe {
        rule: "labels",
        parameters: "require = ['maintainer']",
        meets: |labels| Some(labels.listed("labels")?.contains(&"maintainer")),
    },
    Probe {
        rule: "annotations",
        parameters: "require = ['org.opencontainers.image.title']\non = ['manifest']",
        meets: |labels| Some(labels.list("annotations")?.contains(&"org.opencontainers.image.title")),
    },
    Probe {
        rule: "created",
        parameters: "max-age = '1461d'",
        meets: |labels| {
            let created = labels.text("created")?;
            // Four years before the clock of the test; 1980 and before stand for no date.
            (created > "1981").then(|| created > "2022-11-24")
        },
    },
    Probe {
        rule: "history",
        parameters: "deny = ['dist-upgrade']",
        meets: |labels| {
            let findings = labels.upstream("dockle_findings")?.as_array()?;
            Some(!findings.iter().any(|finding| finding == "AvoidDistUpgrade"))
        },
    },
];

fn is_root(user: Option<&str>) -> bool {
    let name = user.unwrap_or_default().split(':').next().unwrap_or_default();
    name.is_empty() || name == "root" || name.parse() == Ok(0)
}

/// What came of one probe.
#[derive(Default)]
struct Tally {
    right: usize,
    unknown: usize,
    false_alarms: usize,
    missed: usize,
}

#[test]
fn every_rule_agrees_with_the_labels() {
    let mut policy = String::new();
    for probe in PROBES {
        let _ = writeln!(policy, "[rules.{}]\n{}", probe.rule, probe.parameters);
    }
    let policy = Policy::from_text("probes.toml", &policy, std::path::Path::new(".")).expect("the probes are a policy");
    let sources = Sources::new(RegistryOptions::default(), Arc::new(Silent));
    let now = "2026-11-24T00:00:00Z".parse().expect("a time");
    let engine = Engine::new(policy, Options::default(), sources, Arc::new(Silent)).at(now);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut comparison = Comparison::new("rules");
    let subjects = subjects();
    for subject in &subjects {
        let report = runtime.block_on(engine.judge(&subject.target));
        for probe in PROBES {
            compare(probe, subject, &report, tallies.entry(probe.rule).or_default(), &mut comparison);
        }
    }
    println!(
        "{} images\n{:<18} {:>8} {:>8} {:>8} {:>12} {:>8}",
        subjects.len(),
        "rule",
        "decided",
        "right",
        "unknown",
        "false alarm",
        "missed"
    );
    for (rule, tally) in &tallies {
        let decided = tally.right + tally.false_alarms + tally.missed;
        println!(
            "{rule:<18} {decided:>8} {:>8} {:>8} {:>12} {:>8}",
            tally.right, tally.unknown, tally.false_alarms, tally.missed
        );
    }
    comparison.settle();
}

fn compare(probe: &Probe, subject: &Subject, report: &ImageReport, tally: &mut Tally, comparison: &mut Comparison) {
    let Some(meets) = (probe.meets)(&subject.labels) else { return };
    let verdicts: Vec<CellVerdict> =
        report.cells.iter().filter(|cell| cell.rule == probe.rule).map(|cell| cell.verdict).collect();
    let said = if verdicts.contains(&CellVerdict::Violation) {
        Some(false)
    } else if verdicts.is_empty() || verdicts.iter().any(|verdict| *verdict != CellVerdict::Pass) {
        None
    } else {
        Some(true)
    };
    let Some(said) = said else {
        tally.unknown += 1;
        return;
    };
    match (meets, said) {
        (true, false) => tally.false_alarms += 1,
        (false, true) => tally.missed += 1,
        _ => tally.right += 1,
    }
    comparison.compare(&format!("{}: {}", probe.rule, subject.name), &meets, &said);
}
