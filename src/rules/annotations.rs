use std::cell::LazyCell;

use super::config_part::manifest_annotations;
use super::prelude::*;
use super::value_type::ValueType;
use super::values::{Held, Wanted};

declare_rule! {
    /// The annotations of the image are as wanted.
    ///
    /// # What it checks
    ///
    /// Annotations stand in three places: in the index, in the manifest of a platform, and in the descriptor by which the index
    /// names that manifest. Each platform is judged by its manifest, its descriptor, and the index that the reference points
    /// to: what is wanted must be as wanted in one of these places, and what is denied must be in none of them. The report says
    /// where each was found. What is denied in the index is reported once, for the root. `on` narrows the places.
    ///
    /// With `on = ["index"]` only the root is judged: its index, or its manifest where the reference points to one. An artifact
    /// that is no image, a chart for example, is judged by its own annotations.
    ///
    /// # Why
    ///
    /// Annotations say what an image is, where it comes from and whom to ask, without pulling its config. Registries show them,
    /// and an annotation, unlike a label, is never inherited from a base image.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.annotations]
    /// require = ["org.opencontainers.image.source"]
    /// match = { "org.opencontainers.image.vendor" = 'Acme (Inc|Ltd)' }
    /// types = { "org.opencontainers.image.created" = "rfc3339" }
    /// deny = ["com.example.internal.**"]
    /// deprecated = { "org.label-schema.vcs-url" = "org.opencontainers.image.source" }
    /// on = ["manifest", "index"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `require` (list of names, empty by default): annotations that must be there and neither empty nor blank.
    /// - `match` (table of name and regular expression, empty by default): annotations that must be there, the whole value
    ///   matching.
    /// - `types` (table of name and form, empty by default): the form of a value where the annotation is there: `"rfc3339"`,
    ///   `"semver"`, `"url"`, `"spdx"`, `"digest"` or `"email"`.
    /// - `deny` (list of globs over names, empty by default): annotations that must not be there.
    /// - `deprecated` (table of old and new name, empty by default): annotations that must not be there, and what to write
    ///   instead.
    /// - `on` (list of `"index"`, `"manifest"` and `"descriptor"`, all of them by default): the places that count; one of them
    ///   suffices. To want an annotation in two places, use the rule twice under two names.
    ///
    /// Where one annotation has several conditions, one value must meet all of them.
    ///
    /// # How to fix
    ///
    /// Give them to the build: `docker buildx build --annotation "index,manifest:NAME=VALUE" …`; the places are `index`,
    /// `manifest` and `manifest-descriptor`. An index is written only for several platforms or with attestations, and since
    /// BuildKit 0.31 annotations on an index or a descriptor are refused together with `oci-mediatypes=false`. An image that
    /// cannot be built again is changed with `regctl image mod --annotation NAME=VALUE IMAGE` or
    /// `crane mutate --annotation NAME=VALUE IMAGE`; that changes its digest, so sign it afterwards.
    ///
    /// # What it cannot see
    ///
    /// Whether what an annotation says is true. Labels, which are no annotations: see the rule `labels`.
    ImageAnnotations: "annotations"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ImageAnnotations {
    require: Vec<String>,
    r#match: BTreeMap<String, Pattern>,
    types: BTreeMap<String, ValueType>,
    deny: Vec<Glob>,
    deprecated: BTreeMap<String, String>,
    on: Option<BTreeSet<On>>,
}

/// A place where annotations stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum On {
    Index,
    Manifest,
    Descriptor,
}

impl Check for ImageAnnotations {
    fn judges(&self) -> Judges {
        match (self.only(On::Index), self.only(On::Descriptor)) {
            (true, _) => Judges::Root,
            (_, true) => Judges::EachPlatform,
            _ => Judges::Both,
        }
    }

    fn judges_artifacts(&self) -> bool {
        self.judges() != Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let nowhere = self.on.as_ref().is_some_and(BTreeSet::is_empty);
        let nowhere = nowhere.then(|| Problem::with("on", "name a place, or leave `on` out for all of them"));
        self.wanted().problems().into_iter().chain(nowhere).collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        match subject {
            Subject::Root => self.judge_root(view),
            Subject::Platform(entry) => self.judge_platform(entry, view),
        }
    }
}

impl ImageAnnotations {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            noun: "annotation",
            require: &self.require,
            matches: &self.r#match,
            types: &self.types,
            deny: &self.deny,
            deprecated: &self.deprecated,
        }
    }

    fn counts(&self, place: On) -> bool {
        self.on.as_ref().is_none_or(|on| on.contains(&place))
    }

    fn only(&self, place: On) -> bool {
        self.on.as_ref().is_some_and(|on| on.len() == 1 && on.contains(&place))
    }

    fn judge_root(&self, view: &View<'_>) -> Fact<Verdict> {
        let by_platform = view.subjects().nature == Nature::Image && !self.only(On::Index);
        let in_index = self.counts(On::Index)
            && view.root().kind == RootKind::Manifest
            && matches!(view.root_manifest()?, Manifest::Index(_));
        if by_platform && !(in_index && self.wanted().forbids()) {
            return Err(Stop::NotApplicable("the annotations are judged for each platform".to_owned()));
        }
        let held = held_by_root(view)?;
        let mut findings = Findings::new();
        self.wanted().forbid(&held, &mut findings, || remove(view));
        if by_platform {
            return findings.verdict(|| "the index holds no annotation that is denied".to_owned());
        }
        let place = if in_index { "index" } else { "manifest" };
        let absent = Location::root(view, "");
        let evidence = self.wanted().require(&[held], &absent, &mut findings, add(place, view));
        findings.verdict(|| evidence)
    }

    fn judge_platform(&self, entry: &Entry, view: &View<'_>) -> Fact<Verdict> {
        let wanted = self.wanted();
        let mut findings = Findings::new();
        let descriptor = if self.counts(On::Descriptor) { held_by_descriptor(entry, view) } else { None };
        let in_index = self.counts(On::Index) && matches!(entry.place, Place::Index { .. });
        let index = in_index.then(|| held_by_root(view));
        let (mut places, mut unread) = (Vec::new(), Findings::new());
        places.extend(descriptor.into_iter().chain(index).filter_map(|held| unread.note(held)));
        // What one place tells may settle it: then the manifest need not be fetched, nor the others be known.
        let settled = |places: &[Held<'_>]| !wanted.forbids() && wanted.is_met(places);
        if self.counts(On::Manifest) && !settled(&places) {
            places.splice(0..0, unread.note(held_by_manifest(entry, view)));
        }
        for held in places.iter().filter(|held| held.name != INDEX) {
            wanted.forbid(held, &mut findings, || remove(view));
        }
        let unread = unread.verdict(String::new);
        if unread.is_err() && !settled(&places) {
            findings.note(unread);
            return findings.verdict(String::new);
        }
        let place = if self.counts(On::Manifest) { "manifest" } else { "manifest-descriptor" };
        let evidence = wanted.require(&places, &Location::entry(entry), &mut findings, add(place, view));
        findings.verdict(|| evidence)
    }
}

const INDEX: &str = "the index";

fn held_by_root<'g>(view: &View<'g>) -> Fact<Held<'g>> {
    let manifest = view.root_manifest()?;
    let none = || Why::undecidable("reading the annotations of the root", format!("a {} knows none", manifest.kind()));
    let (name, role) = match manifest {
        Manifest::Index(_) => (INDEX, NodeRole::Index),
        _ => ("the manifest", NodeRole::Manifest),
    };
    let (values, digest) = (manifest.annotations().ok_or_else(none)?, view.root().digest.clone());
    legible(&digest, "/annotations", view)?;
    Ok(Held { name, values, role, digest, pointer: "/annotations".to_owned() })
}

fn held_by_manifest<'g>(entry: &Entry, view: &View<'g>) -> Fact<Held<'g>> {
    let values = manifest_annotations(entry, view)?;
    let digest = entry.digest()?.clone();
    Ok(Held { name: "the manifest", values, role: NodeRole::Manifest, digest, pointer: "/annotations".to_owned() })
}

/// What the index says of an entry; a root that is one manifest has no descriptor.
fn held_by_descriptor<'g>(entry: &'g Entry, view: &View<'_>) -> Option<Fact<Held<'g>>> {
    let Place::Index { digest, pointer } = &entry.place else { return None };
    let pointer = format!("{pointer}/annotations");
    Some(legible(digest, &pointer, view).map(|()| Held {
        name: "its descriptor",
        values: &entry.descriptor.annotations,
        role: NodeRole::Index,
        digest: digest.clone(),
        pointer,
    }))
}

/// Unknown where annotations are not what they must be: they then seem to lack what some reader may find there.
fn legible(digest: &Digest, pointer: &str, view: &View<'_>) -> Fact<()> {
    view.document(digest)?.defect_of(pointer).map_or(Ok(()), |defect| {
        let detail = format!("{} ({})", defect.message, defect.pointer);
        Err(Why::undecidable("reading the annotations", detail).into())
    })
}

/// How to add an annotation of some name.
fn add(place: &str, view: &View<'_>) -> impl Fn(&str) -> Fix {
    let command =
        "docker buildx build --platform {} --output type=registry,oci-mediatypes=true -t {} --annotation {} .";
    let build = LazyCell::new(|| words::build(command, view));
    move |name| LazyCell::force(&build).clone().with(&PolicyWord(&format!("{place}:{name}=VALUE")))
}

fn remove(view: &View<'_>) -> Fix {
    Fix::new("take the `--annotation` out of the build, then build again:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}
