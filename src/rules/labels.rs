use super::base;
use super::config_part::ConfigPart;
use super::prelude::*;
use super::value_type::ValueType;
use super::values::{Held, Wanted};

declare_rule! {
    /// The labels of the image's config are as wanted.
    ///
    /// # What it checks
    ///
    /// `Labels` in each platform's config: that some are there and not empty, match a pattern or have a form, and that others
    /// are not there. Where one label has several conditions, its value must meet all of them.
    ///
    /// # Why
    ///
    /// Labels travel with an image into every runtime and say where it comes from and whom to ask. Tools that update, scan or
    /// attribute images (Renovate, GHCR's link to a repository) read them.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.labels]
    /// require = ["org.opencontainers.image.source"]
    /// match = { "org.opencontainers.image.vendor" = 'Acme (Inc|Ltd)' }
    /// types = { "org.opencontainers.image.licenses" = "spdx" }
    /// deny = ["com.example.internal.**"]
    /// deprecated = { "org.label-schema.vcs-url" = "org.opencontainers.image.source" }
    /// ```
    ///
    /// # Parameters
    ///
    /// - `require` (list of names, empty by default): labels that must be there and neither empty nor blank.
    /// - `match` (table of name and regular expression, empty by default): labels that must be there, the whole value matching.
    /// - `types` (table of name and form, empty by default): the form of a value where the label is there: `"rfc3339"`,
    ///   `"semver"`, `"url"`, `"spdx"`, `"digest"` or `"email"`.
    /// - `deny` (list of globs over names, empty by default): labels that must not be there.
    /// - `deprecated` (table of old and new name, empty by default): labels that must not be there, and what to write instead.
    /// - `not-inherited` (list of names, empty by default): labels that, where they are there, must have another value than in the
    ///   base image. The base is found and proven as the rule `base-image` does it; unknown where it cannot be.
    ///
    /// # How to fix
    ///
    /// Write `LABEL org.opencontainers.image.source=…` into the Dockerfile, or give it to the build:
    /// `docker buildx build --label NAME=VALUE …`. An image that cannot be built again is changed with
    /// `crane mutate --label NAME=VALUE IMAGE` or `regctl image mod --label NAME=VALUE IMAGE`; that changes its digest, so sign
    /// it afterwards. Labels of a base image cannot be removed in a Dockerfile, only overwritten.
    ///
    /// # What it cannot see
    ///
    /// Whether a label is the image's own, unless `not-inherited` names it: `title`, `version` and `vendor` are inherited from a
    /// base image that has them.
    /// Annotations, which are no labels: see the rule `annotations`.
    Labels: "labels"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Labels {
    require: Vec<String>,
    r#match: BTreeMap<String, Pattern>,
    types: BTreeMap<String, ValueType>,
    deny: Vec<Glob>,
    deprecated: BTreeMap<String, String>,
    not_inherited: Vec<String>,
}

impl Labels {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            noun: "label",
            require: &self.require,
            matches: &self.r#match,
            types: &self.types,
            deny: &self.deny,
            deprecated: &self.deprecated,
        }
    }
}

impl Check for Labels {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        if self.not_inherited.is_empty() { self.wanted().problems() } else { self.wanted().contradictions() }
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/config/Labels"])?;
        let values = &read.config.labels;
        let digest = read.digest.clone();
        let held =
            Held { name: "the config", values, role: NodeRole::Config, digest, pointer: "/config/Labels".to_owned() };
        let absent = read.at(if values.is_empty() { "/config" } else { "/config/Labels" });
        let mut findings = Findings::new();
        let wanted = self.wanted();
        wanted.forbid(&held, &mut findings, || remove(view));
        self.tell_inherited(entry, view, &read, &mut findings)?;
        let evidence = wanted.require(&[held], &absent, &mut findings, |name| add(name, view));
        findings.verdict(|| evidence)
    }
}

impl Labels {
    /// Finds labels that say of this image what they say of its base.
    fn tell_inherited(
        &self,
        entry: &Entry,
        view: &View<'_>,
        read: &ConfigPart<'_>,
        findings: &mut Findings,
    ) -> Fact<()> {
        let labels = &read.config.labels;
        let there: Vec<&String> = self.not_inherited.iter().filter(|name| labels.contains_key(*name)).collect();
        if there.is_empty() {
            return Ok(());
        }
        let Some(base) = base::proven(entry, view)? else { return Ok(()) };
        for name in there.into_iter().filter(|name| labels.get(*name) == base.labels.get(*name)) {
            let message = format!("the label '{name}' is the one of the base image; wanted one of the image's own");
            findings.add_keyed(message, read.at_member(&[&"Labels", &name]), add(name, view), name.clone());
        }
        Ok(())
    }
}

fn add(name: &str, view: &View<'_>) -> Fix {
    let label = format!("{name}=VALUE");
    words::build("docker buildx build --platform {} --output type=registry -t {} --label {} .", view)
        .with(&PolicyWord(&label))
}

fn remove(view: &View<'_>) -> Fix {
    Fix::new("take the `LABEL` out of the Dockerfile, or `--label` out of the build; one that a base image brings can only be overwritten:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}
