mod version;

use super::config_part::{ConfigPart, manifest_annotations};
use super::prelude::*;
use crate::oci::{Reference, pointer};
use version::Version;

/// The label, and the annotation of the same name (image-spec, annotations.md).
const NAME: &str = "org.opencontainers.image.version";

declare_rule! {
    /// The version that the image says it has is the one in its tag.
    ///
    /// # What it checks
    ///
    /// The label `org.opencontainers.image.version` in each platform's config against the tag that the user wrote. A leading `v` and
    /// what follows a version besides a pre-release do not count (`v1.2.3` is `1.2.3`, `1.2.3-alpine3.20` is `1.2.3`). A shorter tag
    /// agrees with every version that it begins: `1.2` with `1.2.3`. In the label a name may stand before the version (`jdk-17.0.1`); of
    /// several versions in it the first counts. A pre-release is another version than the release: `1.2.3-rc.1`
    /// does not agree with `1.2.3`.
    ///
    /// A tag that names no version, such as `latest`, `main` or a commit, says nothing of it: the rule is not applicable there, nor to
    /// a reference by digest alone.
    ///
    /// # Why
    ///
    /// Updaters, scanners and people read the label. One that was forgotten in a release, or that was never set and is the base
    /// image's own, tells them another version than the one that runs.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.version-label]
    /// on = ["label", "annotation"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `on` (list of `"label"` and `"annotation"`, default `["label"]`): where the version may stand. `annotation` is that of the
    ///   manifest. Each that is there must agree, and one must be there.
    /// - `missing` (`"fail"` by default, or `"pass"`): what becomes of an image that says no version at all.
    ///
    /// # How to fix
    ///
    /// ```sh
    /// docker buildx build --label org.opencontainers.image.version=1.2.3 -t IMAGE:1.2.3 …
    /// ```
    ///
    /// GitHub's `docker/metadata-action` writes label and tags from one source. A label of the base image (Ubuntu, UBI) can only be
    /// overwritten.
    ///
    /// # What it cannot see
    ///
    /// Which version the program has, and whose label it is: one that is inherited from a base image and happens to agree passes. The
    /// name of a file or directory: the rule is not applicable there unless `--as` gives the image a name.
    VersionLabel: "version-label"
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct VersionLabel {
    on: BTreeSet<On>,
    missing: Missing,
}

impl Default for VersionLabel {
    fn default() -> Self {
        Self { on: [On::Label].into(), missing: Missing::default() }
    }
}

/// Where a version may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum On {
    Label,
    Annotation,
}

impl On {
    fn noun(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Annotation => "annotation",
        }
    }

    fn read<'g>(self, entry: &Entry, view: &View<'g>) -> Fact<Option<Said<'g>>> {
        let (text, location) = match self {
            Self::Label => {
                let read = ConfigPart::read(entry, view, &["/config/Labels"])?;
                (read.config.labels.get(NAME), read.at_member(&[&"Labels", &NAME]))
            }
            Self::Annotation => {
                let text = manifest_annotations(entry, view)?.get(NAME);
                (text, Location::manifest(entry, format!("/annotations{}", pointer(&[&NAME]))))
            }
        };
        Ok(text.map(|text| Said { on: self, text, location }))
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Missing {
    #[default]
    Fail,
    Pass,
}

/// A version that the image says it has.
struct Said<'g> {
    on: On,
    text: &'g str,
    location: Location,
}

impl Check for VersionLabel {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let nowhere = self.on.is_empty().then(|| Problem::with("on", "name a place: \"label\" or \"annotation\""));
        nowhere.into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let (tag, wanted) = tagged_version(words::reference(view)?)?;
        let entry = subject.platform()?;
        let mut findings = Findings::new();
        let read = self.on.iter().map(|on| findings.note(on.read(entry, view))).collect::<Vec<_>>();
        let complete = read.iter().all(Option::is_some);
        let said: Vec<Said<'_>> = read.into_iter().flatten().flatten().collect();
        for said in said.iter().filter(|said| !wanted.agrees_with(said.text)) {
            let on = said.on;
            let inherited = if on == On::Label { "; it may be the base image's own" } else { "" };
            let message = format!(
                "the {} '{NAME}' is '{}', wanted the version of the tag '{tag}'{inherited}",
                on.noun(),
                ImageText(said.text)
            );
            findings.add_keyed(message, said.location.clone(), fix(on, view), on.noun());
        }
        // What could not be read may hold it.
        if said.is_empty() && complete && self.missing == Missing::Fail {
            let nouns = words::either(self.on.iter().map(|on| on.noun()));
            let message = format!("no {nouns} '{NAME}' says the version, wanted that of the tag '{tag}'");
            let location = Location::new(NodeRole::Config, &view.config_digest(entry)?, "/config");
            findings.add_keyed(message, location, fix(On::Label, view), "missing");
        }
        findings.verdict(|| evidence(&said, tag))
    }
}

/// The tag and the version in it. Not applicable when the user named none.
fn tagged_version(reference: &Reference) -> Fact<(&str, Version<'_>)> {
    let not_applicable = |reason: String| Err(Stop::NotApplicable(reason));
    let tag = match reference.tag() {
        None if reference.digest().is_some() => return not_applicable("the reference names no tag".to_owned()),
        _ => reference.tag_or_latest(),
    };
    Version::of_tag(tag)
        .map(|version| (tag, version))
        .map_or_else(|| not_applicable(format!("the tag '{tag}' names no version")), Ok)
}

fn evidence(said: &[Said<'_>], tag: &str) -> String {
    if said.is_empty() {
        return "the image says no version".to_owned();
    }
    let places = words::listed(said.iter().map(|said| format!("the {} '{}'", said.on.noun(), ImageText(said.text))));
    format!("{places} and the tag '{tag}' agree")
}

fn fix(on: On, view: &View<'_>) -> Fix {
    let command = match on {
        On::Label => {
            "docker buildx build --platform {} --output type=registry -t {} --label org.opencontainers.image.version=VERSION ."
        }
        On::Annotation => {
            "docker buildx build --platform {} --output type=registry,oci-mediatypes=true -t {} --annotation manifest:org.opencontainers.image.version=VERSION ."
        }
    };
    Fix::new("say the version of the tag, or push under the tag of the version:").or(&words::build(command, view))
}
