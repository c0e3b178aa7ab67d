//! Images beside one another: what a real image lost and gained since another real one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ocilint::judge::Options;

use super::labels::{Labels, Subject, subjects};
use super::raw::RawPlatform;
use super::rules::{engine, runtime};
use super::tally::{Table, verdict};

/// A demand of `compare`, and whether two images of one platform meet it, the earlier one first.
struct Probe {
    parameters: &'static str,
    meets: fn(&RawPlatform, &RawPlatform) -> bool,
}

const PROBES: &[Probe] = &[
    Probe { parameters: "max-growth = '10%'", meets: |earlier, later| later.size() * 10 <= earlier.size() * 11 },
    Probe { parameters: "deny = ['became-root']", meets: |earlier, later| is_root(earlier) || !is_root(later) },
    Probe {
        parameters: "deny = ['new-port']",
        meets: |earlier, later| names(later, "ExposedPorts").is_subset(&names(earlier, "ExposedPorts")),
    },
    Probe {
        parameters: "deny = ['new-volume']",
        meets: |earlier, later| names(later, "Volumes").is_subset(&names(earlier, "Volumes")),
    },
    Probe {
        parameters: "deny = ['label-removed']",
        meets: |earlier, later| names(earlier, "Labels").is_subset(&names(later, "Labels")),
    },
    Probe {
        parameters: "deny = ['entrypoint-changed']",
        meets: |earlier, later| ["Entrypoint", "Cmd"].iter().all(|name| earlier.member(name) == later.member(name)),
    },
];

/// How many images are compared with each other.
const IMAGES: usize = 16;

pub(super) fn compare(table: &mut Table) {
    let subjects: Vec<Subject> =
        subjects().into_iter().filter(|subject| platforms(&subject.labels).is_some()).collect();
    // The same image in two layouts tells nothing new; a step takes some of every publisher.
    let step = (subjects.len() / IMAGES).max(1);
    let chosen: Vec<&Subject> = subjects.iter().step_by(step).collect();
    let runtime = runtime();
    for earlier in &chosen {
        let options = Options { against: Some(Arc::new(earlier.target.clone())), ..Options::default() };
        let lost = std::iter::once(("compare", "deny = ['lost-platform']"));
        let engine = engine(lost.chain(PROBES.iter().map(|probe| ("compare", probe.parameters))), options);
        for later in &chosen {
            let report = runtime.block_on(engine.judge(&later.target));
            let before = platforms(&earlier.labels).expect("it has some");
            let after = platforms(&later.labels).expect("it has some");
            let input = |parameters: &str| format!("{} after {} with {parameters}", later.name, earlier.name);
            let kept = before.keys().all(|platform| after.contains_key(platform));
            table.count("compare", &input("deny = ['lost-platform']"), kept, verdict(&report, "probe-0"));
            let shared = || before.iter().filter_map(|(platform, earlier)| Some((earlier, after.get(platform)?)));
            for (number, probe) in PROBES.iter().enumerate().filter(|_| shared().next().is_some()) {
                let meets = shared().all(|(earlier, later)| (probe.meets)(earlier, later));
                table.count(
                    "compare",
                    &input(probe.parameters),
                    meets,
                    verdict(&report, &format!("probe-{}", number + 1)),
                );
            }
        }
    }
}

/// The platforms of an image by what their configs say, if each is another one.
fn platforms(labels: &Labels) -> Option<BTreeMap<String, RawPlatform>> {
    let all = labels.platforms()?;
    let count = all.len();
    let name = |platform: &RawPlatform| {
        // The variants that everybody takes for the default.
        let variant = match (platform.config["architecture"].as_str(), platform.config["variant"].as_str()) {
            (Some("arm64"), None | Some("v8")) => "",
            (Some("arm"), None) => "v7",
            (_, variant) => variant.unwrap_or_default(),
        };
        format!("{}/{}/{variant}", platform.config["os"], platform.config["architecture"])
    };
    let named: BTreeMap<String, RawPlatform> = all.into_iter().map(|platform| (name(&platform), platform)).collect();
    (named.len() == count).then_some(named)
}

fn is_root(platform: &RawPlatform) -> bool {
    matches!(platform.text("User").split(':').next(), None | Some("" | "0" | "root"))
}

fn names(platform: &RawPlatform, member: &str) -> BTreeSet<String> {
    platform.member(member).as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}
