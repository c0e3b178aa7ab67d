//! The changes that may be refused.

use super::super::prelude::*;
use super::seen::{self, Seen};

/// Findings of one kind on a platform, beyond which they are only counted.
const SHOWN: usize = 20;

/// A change that may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Word {
    /// A platform is missing.
    LostPlatform,
    /// The user is root, and was not.
    BecameRoot,
    /// A port is exposed that was not.
    NewPort,
    /// A volume is declared that was not.
    NewVolume,
    /// Podman is asked for a capability that it was not asked for.
    NewCapability,
    /// A label is missing or empty.
    LabelRemoved,
    /// An annotation is missing or empty.
    AnnotationRemoved,
    /// What is run is another command.
    EntrypointChanged,
    /// The base image is another, or no longer named.
    BaseChanged,
    /// The builder is another, or no longer named.
    BuilderChanged,
    /// A kind of attestation is missing.
    AttestationLost,
    /// No signature is attached any more.
    SignatureLost,
}

/// Which difference between two sets is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Added,
    Removed,
    /// Anything else where there was something.
    Changed,
}

impl Word {
    /// What a platform has of what this is about.
    pub(super) fn read(self, entry: &Entry, view: &View<'_>) -> Fact<Seen> {
        match self {
            Self::LostPlatform => Ok(Seen::none(entry)),
            Self::BecameRoot => seen::root(entry, view),
            Self::NewPort => seen::ports(entry, view),
            Self::NewVolume => seen::volumes(entry, view),
            Self::NewCapability => seen::capabilities(entry, view),
            Self::LabelRemoved => seen::labels(entry, view),
            Self::AnnotationRemoved => seen::annotations(entry, view),
            Self::EntrypointChanged => seen::command(entry, view),
            Self::BaseChanged => seen::base(entry, view),
            Self::BuilderChanged => seen::builders(entry, view),
            Self::AttestationLost => seen::attestations(entry, view),
            Self::SignatureLost => seen::signatures(entry, view),
        }
    }

    fn refused(self) -> Refused {
        match self {
            Self::BecameRoot | Self::NewPort | Self::NewVolume | Self::NewCapability => Refused::Added,
            Self::EntrypointChanged | Self::BaseChanged | Self::BuilderChanged => Refused::Changed,
            Self::LostPlatform
            | Self::LabelRemoved
            | Self::AnnotationRemoved
            | Self::AttestationLost
            | Self::SignatureLost => Refused::Removed,
        }
    }

    /// Adds a finding for each difference that is refused.
    pub(super) fn compare(
        self,
        was: &Seen,
        now: &Seen,
        before: &str,
        findings: &mut Findings,
        (entry, view): (&Entry, &View<'_>),
    ) {
        if self == Self::BecameRoot && (was.doubt.is_some() && now.doubt.is_some() || !was.things.is_empty()) {
            // It was root before, or the base images decide about both.
            return;
        }
        let added = || now.things.iter().filter(|(thing, _)| !was.things.contains_key(*thing));
        let removed = || was.things.keys().filter(|thing| !now.things.contains_key(*thing));
        let shown = |things: &Seen| words::listed(things.things.keys().map(|thing| format!("'{}'", ImageText(thing))));
        let mut found: Vec<(String, Location, &str)> = match self.refused() {
            Refused::Added => {
                added().map(|(thing, at)| (self.added(thing, before), at.clone(), thing.as_str())).collect()
            }
            Refused::Removed => {
                removed().map(|thing| (self.removed(thing, before), now.at.clone(), thing.as_str())).collect()
            }
            Refused::Changed if !was.things.is_empty() && (added().next().is_some() || removed().next().is_some()) => {
                let at = now.things.values().next().unwrap_or(&now.at).clone();
                vec![(format!("{} {}, and {} in {before}", self.changed(), shown(now), shown(was)), at, "")]
            }
            Refused::Changed => Vec::new(),
        };
        // What seems to be new may be where nobody could look before, and what seems to be lost where nobody can look now.
        let (hiding, incomplete) = match self.refused() {
            Refused::Added => (was.doubt.as_ref(), now.doubt.as_ref()),
            Refused::Removed => (now.doubt.as_ref(), was.doubt.as_ref()),
            Refused::Changed => (was.doubt.as_ref().or(now.doubt.as_ref()), None),
        };
        if let Some(why) = hiding.filter(|_| !found.is_empty()) {
            findings.stop(why.clone().into());
            found.clear();
        }
        if let Some(why) = incomplete {
            findings.stop(why.clone().into());
        }
        let more = found.len().saturating_sub(SHOWN);
        for (number, (message, at, key)) in found.into_iter().take(SHOWN).enumerate() {
            let message = if number + 1 == SHOWN && more > 0 { format!("{message}; and {more} more") } else { message };
            findings.add_keyed(message, at, self.fix(entry, view), format!("{self:?} {key}"));
        }
    }

    fn added(self, thing: &str, before: &str) -> String {
        let thing = ImageText(thing);
        match self {
            Self::BecameRoot => format!("the image runs as {thing}, and {before} did not"),
            Self::NewPort => format!("the image exposes port {thing}, which {before} did not"),
            Self::NewVolume => format!("the image declares the volume '{thing}', which {before} did not"),
            _ => format!("the image may get the capability {thing} from Podman, which {before} did not"),
        }
    }

    fn removed(self, thing: &str, before: &str) -> String {
        let thing = ImageText(thing);
        match self {
            Self::LabelRemoved => format!("the label '{thing}' is missing or empty, and {before} has it"),
            Self::AnnotationRemoved => format!("the annotation '{thing}' is missing or empty, and {before} has it"),
            Self::SignatureLost => format!("no signature is attached, and {before} has one"),
            _ => format!("no {thing} is attached, and {before} has one"),
        }
    }

    fn changed(self) -> &'static str {
        match self {
            Self::EntrypointChanged => "the image runs",
            Self::BaseChanged => "the base image is",
            _ => "the builder is",
        }
    }

    fn fix(self, entry: &Entry, view: &View<'_>) -> Fix {
        let build = || words::build("docker buildx build --platform {} --output type=registry -t {} .", view);
        let about = |command| words::about(command, Subject::Platform(entry), view);
        match self {
            Self::LostPlatform => build(),
            Self::BecameRoot => {
                Fix::new("say `USER 10001` in the Dockerfile after the steps that need root, then rebuild:")
                    .or(&build())
            }
            Self::NewPort => Fix::new("take its `EXPOSE` out of the Dockerfile and rebuild:").or(&build()),
            Self::NewVolume => Fix::new("take its `VOLUME` out of the Dockerfile and rebuild:").or(&build()),
            Self::NewCapability => {
                Fix::new("look at the label: crane config {} | jq .config.Labels").with(&image_name(view))
            }
            Self::LabelRemoved => {
                Fix::new("add it again with `LABEL` in the Dockerfile, or with `--label` to the build:").or(&build())
            }
            Self::AnnotationRemoved => Fix::new("add it again with `--annotation` to the build:").or(&build()),
            Self::EntrypointChanged => {
                Fix::new("look at what is run: crane config {} | jq '.config | {Entrypoint, Cmd}'")
                    .with(&image_name(view))
            }
            Self::BaseChanged => {
                Fix::new("look at the `FROM` of the last stage, and at the annotations of the build:").or(&build())
            }
            Self::BuilderChanged => Fix::new("build it where the earlier one was built, or find out why that changed:")
                .or(&about("docker buildx imagetools inspect --format '{{json .Provenance}}' {}")),
            Self::AttestationLost => words::build(
                "docker buildx build --platform {} --sbom=true --provenance=mode=max --output type=registry -t {} .",
                view,
            )
            .or(&about("cosign attest --type TYPE --predicate FILE {}")),
            Self::SignatureLost => about("cosign sign {}"),
        }
    }
}
