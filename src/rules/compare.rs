mod growth;
mod previous;
mod seen;
mod word;

use std::sync::Arc;

use self::growth::Growth;
use self::seen::Seen;
use self::word::Word;
use super::layers;
use super::prelude::*;
use crate::oci::Reference;
use crate::target::Target;

declare_rule! {
    /// The image lost and gained nothing unwanted since the release before.
    ///
    /// # What it checks
    ///
    /// This image beside an earlier one, platform by platform: the release before it among the tags of its repository, or what
    /// `--against` names: another reference, a layout, an archive, a snapshot. The release before `1.3.0` is the highest version
    /// below it, `1.2.9`, if there is one of as many numbers and as much a `v`; that of `1.3.0-alpine` is an earlier `-alpine`; release
    /// candidates count only for release candidates. The evidence says which digest was compared with.
    ///
    /// A platform that the earlier image has not got passes, and so does the first release. An image without a tag that is a
    /// version is unknown unless `--against` says what to compare with. A file or directory has a release before only under the
    /// name that `--as` gives it, and its tags are then looked up in the registry; without a name the rule is not applicable.
    ///
    /// # Why
    ///
    /// Most rules say what an image must be. Whoever runs it also wants to know what changed without being
    /// announced: arm64 is missing, the process runs as root again, a debugger's port is open, half of the file system is new.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.compare]
    /// deny = ["lost-platform", "became-root", "new-port", "attestation-lost"]
    /// max-growth = "20MiB or 10%"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `against` (`"previous-tag"` by default, or `"argument"`): what to compare with where `--against` names nothing:
    ///   the release before; or nothing, so that the answer is unknown without `--against`.
    /// - `deny` (list of words, empty by default): the changes that are refused.
    /// - `max-growth` (size, percent, or both joined by `or`; none by default): the most by which the layers of a platform may
    ///   have grown, compressed. Of two, the larger one counts: `"20MiB or 10%"`.
    ///
    /// The words of `deny`:
    ///
    /// | word | what is refused |
    /// |---|---|
    /// | `lost-platform` | a platform of the earlier image is missing; of Windows, a build |
    /// | `became-root` | the user is root, as the rule `user` means it, and was not |
    /// | `new-port`, `new-volume` | a port or volume is declared that was not |
    /// | `new-capability` | Podman's label `io.containers.capabilities` asks for one that it did not, or no longer narrows the default ones |
    /// | `label-removed`, `annotation-removed` | one that had a value is missing or empty; annotations of the index, its entry and the manifest count as one |
    /// | `entrypoint-changed` | `Entrypoint` and `Cmd` are others |
    /// | `base-changed` | the base image is of another repository, or no longer named |
    /// | `builder-changed` | provenance names another builder, or none any more; what differs with each run and version is left out |
    /// | `attestation-lost` | a kind of attestation is missing: SBOM, provenance, any other predicate type |
    /// | `signature-lost` | no signature is attached, and one was; leave it out where images are judged before they are signed |
    ///
    /// # How to fix
    ///
    /// Look at what changed: `crane config IMAGE`, `crane manifest IMAGE`, `regctl image inspect IMAGE`, and the same of the
    /// earlier one. What is meant to change is accepted for one release by a waiver on its digest.
    ///
    /// # What it cannot see
    ///
    /// What changed inside the layers. What is new with a variant (`-alpine`) that no earlier release has, or with a platform: there is
    /// nothing to compare it with. Whether the earlier image was right: it is the measure, not a proof. A rise in
    /// size that is spread over many small releases. An image config says nothing of capabilities; those that a deployment grants are
    /// not known.
    Compare: "compare"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Compare {
    against: Against,
    deny: BTreeSet<Word>,
    max_growth: Option<Growth>,
}

/// What to compare with where the user names nothing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Against {
    #[default]
    PreviousTag,
    Argument,
}

/// What was found in the image that is compared with.
struct Before<T> {
    /// The image, as messages name it.
    name: String,
    /// What was asked for; `None` where it has not got the platform.
    found: Option<T>,
}

impl Check for Compare {
    fn judges(&self) -> Judges {
        let of_platforms = self.max_growth.is_some() || self.of_platforms().next().is_some();
        match (self.deny.contains(&Word::LostPlatform), of_platforms) {
            (true, true) => Judges::Both,
            (true, false) => Judges::Root,
            (false, _) => Judges::EachPlatform,
        }
    }

    fn takes_against(&self) -> bool {
        true
    }

    fn problems(&self) -> Vec<Problem> {
        if self.deny.is_empty() && self.max_growth.is_none() {
            return vec![Problem::missing(
                "nothing is refused: say `deny = [\"lost-platform\", \"became-root\"]` or `max-growth = \"10%\"`",
            )];
        }
        Vec::new()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let Some(target) = self.earlier(view)? else {
            return Ok(Verdict::Pass(
                "the first release: no tag of the repository is an earlier one of the same kind".to_owned(),
            ));
        };
        match subject {
            Subject::Root => judge_platforms(&target, view),
            Subject::Platform(entry) => self.judge_platform(entry, &target, view),
        }
    }
}

impl Compare {
    fn of_platforms(&self) -> impl Iterator<Item = Word> {
        self.deny.iter().copied().filter(|word| *word != Word::LostPlatform)
    }

    /// The image to compare with; `None` for a first release.
    fn earlier(&self, view: &View<'_>) -> Fact<Option<Arc<Target>>> {
        let undecidable = |detail: String| {
            Err(Why::undecidable("looking for what to compare with", format!("{detail}: name it with `--against`"))
                .into())
        };
        if let Some(named) = view.against() {
            return Ok(Some(Arc::clone(named)));
        }
        if self.against == Against::Argument {
            return undecidable("the policy wants an image to be named".to_owned());
        }
        let reference = words::reference(view)?;
        if reference.tag().is_none() && reference.digest().is_some() {
            return undecidable("the reference names a digest and no tag, so that it has no release before".to_owned());
        }
        let tag = reference.tag_or_latest();
        if !previous::is_version(tag) {
            return undecidable(format!("the tag '{tag}' is no version, so that it has no release before"));
        }
        let previous = previous::of(tag, tags(reference, view)?);
        let reference = previous.map(|tag| reference.with_tag(tag)).transpose();
        let reference = reference.map_err(|error| Why::undecidable("reading the tags", error.to_string()))?;
        Ok(reference.map(|reference| Arc::new(Target::of(reference))))
    }

    fn judge_platform(&self, entry: &Entry, target: &Arc<Target>, view: &View<'_>) -> Fact<Verdict> {
        let platform = entry.platform.as_ref().map_err(Clone::clone)?;
        let before = look(target, view, |before| {
            let Some(part) = seen::same_platform(platform, before)? else { return Ok(None) };
            let seen: Vec<(Word, Fact<Seen>)> =
                self.of_platforms().map(|word| (word, word.read(part, before))).collect();
            Ok(Some((seen, self.max_growth.is_some().then(|| size(part, before)))))
        })?;
        let Some((seen, size_before)) = before.found else {
            return Ok(Verdict::Pass(format!("{} has no {}", before.name, ImageText(&entry.label))));
        };
        let mut findings = Findings::new();
        for (word, was) in seen {
            let now = findings.note(word.read(entry, view));
            let was = findings.note(was);
            if let Some((was, now)) = was.zip(now) {
                word.compare(&was, &now, &before.name, &mut findings, (entry, view));
            }
        }
        let mut grown = None;
        if let (Some(max), Some(was)) = (&self.max_growth, size_before) {
            let now = findings.note(size(entry, view));
            let was = findings.note(was);
            if let Some((was, now)) = was.zip(now) {
                let growth = growth::Shown { was, now };
                if !max.admits(was, now) {
                    let message = format!("the layers {growth} since {}, at most {max} is wanted", before.name);
                    findings.add_keyed(
                        message,
                        Location::manifest(entry, "/layers"),
                        growth::fix(entry, view),
                        "growth",
                    );
                }
                grown = Some(format!("; the layers {growth}"));
            }
        }
        findings.verdict(|| format!("compared with {}{}", before.name, grown.unwrap_or_default()))
    }
}

/// The tags of the repository. Those in a file or directory are not those of the repository that it is to be pushed to.
fn tags<'g>(reference: &Reference, view: &View<'g>) -> Fact<&'g [String]> {
    if view.root().target.is_local() {
        view.tags_of(&Arc::new(Target::of(reference.without_digest())))
    } else {
        view.tags()
    }
}

/// Looks at the image to compare with. Unknown unless it is an image.
fn look<T>(target: &Arc<Target>, view: &View<'_>, ask: impl FnOnce(&View<'_>) -> Fact<Option<T>>) -> Fact<Before<T>> {
    view.other(target, |before| {
        let root = before.root();
        match &before.subjects().nature {
            Nature::Image => {}
            Nature::Undetermined(why) => return Err(why.clone().into()),
            _ => {
                let detail = "it is no image with platforms, so that there is nothing to compare with".to_owned();
                return Err(Why::new(format!("reading {}", root.target), Cause::NotAnImage { detail }).into());
            }
        }
        let name = if root.target.text.ends_with(root.digest.as_str()) {
            root.target.to_string()
        } else {
            format!("{} ({})", root.target, root.digest)
        };
        Ok(Before { name, found: ask(before)? })
    })
}

/// The bytes of the layers of a platform.
fn size(entry: &Entry, view: &View<'_>) -> Fact<u128> {
    let sizes = layers::of(entry, view)?.iter().map(|layer| layers::known_size(layer).map(u128::from));
    sizes.sum::<Option<u128>>().ok_or_else(|| {
        let doing = format!("adding up the sizes of the layers of {}", view.root().target);
        Why::undecidable(doing, "the descriptor of a layer gives no size").into()
    })
}

fn judge_platforms(target: &Arc<Target>, view: &View<'_>) -> Fact<Verdict> {
    let mut findings = Findings::new();
    let before = look(target, view, |before| Ok(Some(seen::platforms(before))))?;
    let (was, doubt) = before.found.unwrap_or_default();
    let (now, own_doubt) = seen::platforms(view);
    let lost: Vec<&String> = was.difference(&now).collect();
    for platform in lost.iter().filter(|_| own_doubt.is_none()) {
        let message = format!("{} has the platform {}, and this image has not", before.name, ImageText(platform));
        let fix = words::build("docker buildx build --platform {},OS/ARCH --output type=registry -t {} .", view);
        findings.add_keyed(message, Location::root(view, ""), fix, platform.as_str());
    }
    // What could not be looked at here may be what is missing, and what could not be looked at there may be missing here.
    for why in doubt.into_iter().chain(own_doubt.filter(|_| !lost.is_empty())) {
        findings.stop(why.into());
    }
    let evidence = format!("compared with {}; has {}", before.name, words::listed(&now));
    findings.verdict(|| evidence)
}
