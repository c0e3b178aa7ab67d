mod form;
mod group;

use std::fmt::Write;

use self::form::Form;
use self::group::{Group, Named};
use super::prelude::*;
use crate::finding::ImageName;
use crate::oci::Reference;

declare_rule! {
    /// Moving tags such as `1` and `1.2` name the newest release of their line.
    ///
    /// # What it checks
    ///
    /// The tags of the repository that belong to one release: the tag that the user named, the newest release of its line, and
    /// every moving tag whose newest release that is. All of them have to name one digest. With the tags `1.2.3`, `1.2.4`,
    /// `1.3.0`, `1.3`, `1.2` and `1`, the tag `1.2` goes with `1.2.4`, and `1.3` and `1` go with `1.3.0`; `1.2.3` goes with none,
    /// because newer ones have taken its place. Tags that are not there are not missed.
    ///
    /// What follows the numbers after a hyphen makes a line of its own: `1.2-alpine` goes with `1.2.4-alpine`, and `1.3.0-rc.1`
    /// is in nobody's way. So does a `v` before them. A repository that has releases of two numbers only, such as `16.2`,
    /// is judged by these. Of a layout or archive with `--as`, the names in it are taken for the tags.
    ///
    /// Of a reference with a tag and a digest, what counts is what the tag names now. The rule is not applicable to a reference
    /// without a tag that the groups know: one by digest alone, or `main`.
    ///
    /// # Why
    ///
    /// A release is pushed under several tags, one request each. When one of them fails, whoever follows `1.2` stays on the
    /// old release without a word, and misses the fix that the new one was made for.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.tag-alias]
    /// groups = [["latest", "{major}", "{major}.{minor}", "{major}.{minor}.{patch}"]]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `groups` (list of lists of names, default `[["{major}", "{major}.{minor}", "{major}.{minor}.{patch}"]]`): tags that go
    ///   together. `{major}`, `{minor}` and `{patch}` stand for numbers; the fullest form is that of the releases. A name without
    ///   them, such as `latest` or `stable`, names the newest release of all. Text around the numbers is taken literally:
    ///   `["alpine", "{major}.{minor}.{patch}-alpine"]`.
    ///
    /// Where `2.440` and `2.440.1` are two lines of releases, or a tag of three numbers stays as it was pushed while `1.2` is built
    /// anew every night, leave the form out of the groups that is no alias.
    ///
    /// # How to fix
    ///
    /// Let the moving tag name the release; nothing is copied, and the digest stays:
    ///
    /// ```sh
    /// crane tag IMAGE@DIGEST 1.2
    /// regctl image copy IMAGE:1.2.4 IMAGE:1.2
    /// ```
    ///
    /// With docker/metadata-action, `type=semver,pattern={{major}}.{{minor}}` beside `{{version}}` pushes both in one step. Where a
    /// release was taken back, delete its tag, so that it no longer counts as the newest.
    ///
    /// # What it cannot see
    ///
    /// Which release was published last: newest means the highest version. Whether a tag of the repository was moved
    /// before or after this run.
    TagAlias: "tag-alias"
}

/// Groups, and names in a group, that a policy may have at most: each name costs a request.
const MOST: usize = 16;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct TagAlias {
    groups: Vec<Vec<Form>>,
}

impl Default for TagAlias {
    fn default() -> Self {
        let forms = ["{major}", "{major}.{minor}", "{major}.{minor}.{patch}"].into_iter().map(Form::new);
        Self { groups: vec![forms.map(|form| form.expect("invariant: they are forms")).collect()] }
    }
}

impl Check for TagAlias {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn judges_artifacts(&self) -> bool {
        true
    }

    fn problems(&self) -> Vec<Problem> {
        let message = if self.groups.is_empty() {
            "no tags go together: name them, such as `groups = [[\"{major}\", \"{major}.{minor}.{patch}\"]]`".to_owned()
        } else if self.groups.iter().any(|group| group.len() < 2) {
            "a group of fewer than two names is never at odds: name the tags that go together".to_owned()
        } else if self.groups.len() > MOST || self.groups.iter().any(|group| group.len() > MOST) {
            format!("there may be {MOST} groups of {MOST} names each")
        } else {
            return Vec::new();
        };
        vec![Problem::with("groups", message)]
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let reference = words::reference(view)?;
        let tag = self.tag(reference)?;
        if view.root().kind == RootKind::SavedConfig {
            return Err(Why::new(format!("reading the tags of {reference}"), Cause::NoManifest).into());
        }
        let listed: BTreeSet<&str> = view.tags()?.iter().map(String::as_str).chain([tag]).collect();
        let named: Vec<Named<'_>> =
            self.groups.iter().flat_map(|group| Group::new(group, &listed).named(tag)).collect();
        let own = own(reference, tag, view)?;
        let mut findings = Findings::new();
        let (mut agreeing, mut told) = (BTreeSet::new(), BTreeSet::new());
        let asked: Vec<_> = named.iter().map(|named| (named, Judged::of(named, (tag, own), view))).collect();
        for (named, judged) in asked {
            let Some(judged) = findings.note(judged) else { continue };
            agreeing.extend(judged.agreeing);
            judged.stops.into_iter().for_each(|stop| findings.stop(stop));
            for (alias, digest) in judged.astray {
                if !told.insert(alias.clone()) {
                    continue;
                }
                let message = message(&alias, &digest, named.release, &judged.wanted);
                findings.add_keyed(message, Location::reference(), fix(reference, &alias, &judged.wanted), alias);
            }
        }
        findings.verdict(|| evidence(tag, &agreeing, &named))
    }
}

impl TagAlias {
    /// The tag that is judged. Not applicable where the groups know none.
    fn tag<'r>(&self, reference: &'r Reference) -> Fact<&'r str> {
        let not_applicable = |reason: String| Err(Stop::NotApplicable(reason));
        if reference.tag().is_none() && reference.digest().is_some() {
            return not_applicable("the reference names a digest and no tag".to_owned());
        }
        let tag = reference.tag_or_latest();
        let known = self.groups.iter().flatten().any(|form| form.fit(tag).is_some());
        if known { Ok(tag) } else { not_applicable(format!("no group has a tag such as '{tag}'")) }
    }
}

/// What the tag names that the user named: the image, but where a digest beside the tag says which image is meant.
fn own<'v>(reference: &Reference, tag: &str, view: &View<'v>) -> Fact<&'v Digest> {
    if reference.digest().is_none() {
        return Ok(&view.root().digest);
    }
    let tagged = view.tag(tag)?;
    tagged.map(|tagged| &tagged.digest).ok_or_else(|| Stop::NotApplicable(format!("there is no tag '{tag}' any more")))
}

/// What the tags of one group name.
struct Judged {
    /// The digest of the release.
    wanted: Digest,
    /// Tags that name it, but for the one that the user named.
    agreeing: Vec<String>,
    /// Tags that name something else, and what.
    astray: Vec<(String, Digest)>,
    /// Why others are not known.
    stops: Vec<Stop>,
}

impl Judged {
    /// `own` is the tag that the user named, and what it names.
    fn of(named: &Named<'_>, (own, root): (&str, &Digest), view: &View<'_>) -> Fact<Self> {
        let others = named.tags.iter().filter(|tag| *tag != own);
        let digest_of = |tag: &String| view.tag(tag).map(|tagged| tagged.map(|tagged| &tagged.digest));
        let mut digests: BTreeMap<&String, Fact<Option<&Digest>>> = others.map(|tag| (tag, digest_of(tag))).collect();
        let release = named.release.and_then(|release| Some((release, digests.remove(&release.to_owned())?)));
        let wanted = match release.clone() {
            None => root,
            Some((release, digest)) => digest?.ok_or_else(|| {
                let detail = format!("the tag '{release}' is listed, and not there");
                Why::undecidable("reading the newest release", detail)
            })?,
        };
        let mut judged = Self { wanted: wanted.clone(), agreeing: Vec::new(), astray: Vec::new(), stops: Vec::new() };
        judged.agreeing.extend(release.map(|(release, _)| release.to_owned()));
        for (tag, digest) in digests {
            match digest {
                Ok(Some(digest)) if digest == wanted => judged.agreeing.push(tag.clone()),
                Ok(Some(digest)) => judged.astray.push((tag.clone(), digest.clone())),
                // What is listed and not there has been deleted meanwhile, and names nothing.
                Ok(None) => {}
                Err(stop) => judged.stops.push(stop),
            }
        }
        if root != wanted {
            judged.astray.push((own.to_owned(), root.clone()));
        }
        Ok(judged)
    }
}

fn message(alias: &str, digest: &Digest, release: Option<&str>, wanted: &Digest) -> String {
    let (digest, wanted) = (digest.short(), wanted.short());
    let alias = ImageText(alias);
    match release {
        Some(release) => format!(
            "the tag '{alias}' names {digest}, wanted {wanted} as '{}', the newest release that it stands for",
            ImageText(release)
        ),
        None => format!("the tag '{alias}' names {digest}, wanted {wanted} as the tag that was named"),
    }
}

fn fix(reference: &Reference, alias: &str, wanted: &Digest) -> Fix {
    let pinned = Reference::clone(reference).with_digest(wanted);
    let moved = reference.with_tag(alias).ok();
    let moved = ImageName(moved.as_ref());
    Fix::new("regctl image copy {} {}").with(&ImageName(Some(&pinned))).with(&moved)
}

fn evidence(tag: &str, agreeing: &BTreeSet<String>, named: &[Named<'_>]) -> String {
    let mut evidence = match agreeing.len() {
        0 => format!("no other tag has to name what '{tag}' names"),
        _ => format!("'{tag}' names the same digest as {}", words::listed(agreeing)),
    };
    if let Some(newer) = named.iter().find_map(|named| named.newer) {
        let _ = write!(evidence, "; '{}' is newer", ImageText(newer));
    }
    evidence
}
