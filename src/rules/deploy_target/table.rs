//! The table of deploy targets.

use std::fmt::{self, Display};
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

use super::versions::Versions;
use crate::oci::{LayerClass, PlatformPattern};
use crate::rules::{Size, words};

/// Every target, in the order of the file.
pub(super) static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("targets.toml")).expect("invariant: a test reads the table");
    file.target
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    target: Vec<Target>,
}

/// Something that images are deployed to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// Its name in policies.
    pub(super) name: String,
    /// What it is called.
    pub(super) title: String,
    #[serde(rename = "limit")]
    pub(super) limits: Vec<Limit>,
}

/// One thing that a target refuses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    /// As written; `None` for all versions.
    versions: Option<String>,
    pub(super) refuses: Refusal,
    /// What it takes instead.
    pub(super) takes: String,
    /// The address of what says so.
    pub(super) source: String,
    pub(super) date: Date,
}

/// What is refused.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Refusal {
    Index,
    OciManifests,
    AttestationArtifacts,
    Layers(Vec<LayerClass>),
    LayerTypes(Vec<String>),
    PlatformsBut(Vec<PlatformPattern>),
    MoreLayersThan(usize),
    LayersLargerThan(Size),
}

/// The target of that name.
pub(super) fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// Whether anything depends on its version.
    pub(super) fn has_versions(&self) -> bool {
        self.limits.iter().any(|limit| limit.versions.is_some())
    }

    /// The platforms that it runs; none where it may run any.
    pub(super) fn platforms(&self) -> &[PlatformPattern] {
        let named = self.limits.iter().find_map(|limit| match &limit.refuses {
            Refusal::PlatformsBut(platforms) => Some(platforms.as_slice()),
            _ => None,
        });
        named.unwrap_or_default()
    }
}

impl Limit {
    /// The versions that have it.
    pub(super) fn versions(&self) -> Versions {
        let parsed = self.versions.as_ref().map(|text| text.parse().expect("invariant: a test reads every version"));
        parsed.unwrap_or(Versions::ALL)
    }

    /// The target as far as it has this limit: `Docker Engine <23`.
    pub(super) fn title(&self, target: &Target) -> String {
        match &self.versions {
            Some(versions) => format!("{} {versions}", target.title),
            None => target.title.clone(),
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index => f.write_str("an index"),
            Self::OciManifests => f.write_str("OCI manifests and indexes"),
            Self::AttestationArtifacts => f.write_str("attestations that are OCI artifacts"),
            Self::Layers(classes) => write!(f, "{} layers", words::listed(classes)),
            Self::LayerTypes(types) => {
                let quoted = types.iter().map(|text| format!("`{text}`"));
                write!(f, "layers of the type {}", words::either(quoted))
            }
            Self::PlatformsBut(platforms) => write!(f, "what is not {}", words::either(platforms)),
            Self::MoreLayersThan(most) => write!(f, "more than {most} layers"),
            Self::LayersLargerThan(size) => write!(f, "layers larger than {size}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_limit_has_a_source_and_a_date() {
        let mut names = BTreeSet::new();
        for target in &*TARGETS {
            let name = &target.name;
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(names.insert(name), "{name} is there twice");
            assert!(!target.title.is_empty() && !target.limits.is_empty(), "{name}");
            for limit in &target.limits {
                let url = url::Url::parse(&limit.source).unwrap();
                assert_eq!(url.scheme(), "https", "{name}: {}", limit.source);
                assert!(limit.date >= Date::constant(2013, 3, 1), "{name}: {}", limit.date);
                assert!(!limit.takes.is_empty() && !limit.takes.ends_with('.'), "{name}: {}", limit.takes);
                assert!(limit.versions().meets(Versions::ALL), "{name}: {:?}", limit.versions);
                assert_ne!(limit.refuses.to_string(), "", "{name}");
            }
        }
    }

    /// `platforms` takes the first, and looks at no version.
    #[test]
    fn a_target_says_once_which_platforms_it_runs() {
        for target in &*TARGETS {
            let said = target.limits.iter().filter(|limit| matches!(limit.refuses, Refusal::PlatformsBut(_)));
            let said: Vec<_> = said.collect();
            assert!(said.len() <= 1 && said.iter().all(|limit| limit.versions.is_none()), "{}", target.name);
        }
    }

    /// The documentation is what `ocilint rules deploy-target` shows.
    #[test]
    fn the_documentation_lists_the_targets_as_the_table_has_them() {
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let documented = one_line(super::super::RULE.docs);
        let listed: Vec<String> = TARGETS.iter().map(documentation).collect();
        for line in &listed {
            assert!(documented.contains(&one_line(line)), "missing in the documentation:\n{}", listed.join("\n"));
        }
        let bullets = super::super::RULE.docs.lines().filter(|line| line.starts_with(" - **")).count();
        assert_eq!(bullets, TARGETS.len(), "the documentation lists a target that the table has not");
    }

    fn documentation(target: &Target) -> String {
        let limits = target.limits.iter().map(|limit| match &limit.versions {
            Some(versions) => format!("{} (`{versions}`)", limit.refuses),
            None => limit.refuses.to_string(),
        });
        let versions = if target.has_versions() { ", with versions" } else { "" };
        format!("- **{}** ({}{versions}) refuses {}.", target.name, target.title, words::listed(limits))
    }
}
