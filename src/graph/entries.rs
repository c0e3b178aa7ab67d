//! Which entries of an index are images that a runtime could select.
//!
//! containerd, Podman and crane look only at an entry's platform. So everything that has one is judged, whatever its
//! annotations, `artifactType` or `subject` say; an entry is left out only if its os or architecture is `unknown`, or if its
//! *fetched* manifest is no image.

use std::collections::BTreeSet;

use super::runnable::{not_runnable, not_selectable};
use super::view::{Facts, digest_of};
use super::{Cause, Demand, Fact, Graph, RootKind, Stop, Why};
use crate::oci::{Descriptor, Digest, Index, Manifest, MediaType, Platform, Role};

/// Entries of all indexes of an image together, beyond which it is not judged.
const MAX_ENTRIES: usize = 1_000;
/// Characters of a platform's name in reports; a real one has a dozen.
const MAX_LABEL: usize = 120;
/// Levels of nested indexes beyond which the image is not judged.
const MAX_DEPTH: usize = 6;
/// The os and the architecture of what is no image.
const UNKNOWN: &str = "unknown";

/// What a cell is about: the root, or one platform of it.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// What the target points to.
    Root,
    /// One runnable entry.
    Platform(&'a Entry),
}

impl<'a> Subject<'a> {
    /// The platform that a rule judges which judges nothing else; unknown for the root.
    pub fn platform(self) -> Fact<&'a Entry> {
        match self {
            Self::Platform(entry) => Ok(entry),
            Self::Root => Err(Why::undecidable("judging the root", "the rule judges platforms only").into()),
        }
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In an index.
    Index {
        /// The index.
        digest: Digest,
        /// The JSON pointer of its descriptor there.
        pointer: String,
    },
    /// The root is a plain manifest, and this is it.
    Root,
    /// The root is the config of a classic `docker save` archive, and this is it.
    Saved,
}

/// One image that a runtime could select.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The descriptor: the index's own, or one made for a root that is a plain manifest.
    pub descriptor: Descriptor,
    /// Where it stands.
    pub place: Place,
    /// The platform, normalised; or why it is not known. An entry of an index that has none declared is judged by its config.
    pub platform: Result<Platform, Why>,
    /// Whether the platform is what the index declares, not looked up in the config.
    pub declared: bool,
    /// The name of this subject in reports, unique in the image: `linux/arm64`, `linux/arm64#2`.
    pub label: String,
}

impl Entry {
    /// The digest of the manifest.
    pub fn digest(&self) -> Result<&Digest, Why> {
        digest_of(&self.descriptor)
    }
}

/// An entry that is left out, and why.
#[derive(Debug, Clone)]
pub struct Excluded {
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Where it stands.
    pub place: Place,
    /// Why it is left out.
    pub reason: String,
}

impl Excluded {
    /// The platform that it is for. What may be an index is for none: it can hold others than its descriptor declares.
    pub fn platform(&self) -> Option<&Platform> {
        let media_type = &self.descriptor.media_type;
        self.descriptor.platform.as_ref().filter(|_| media_type.is_manifest_like() && !media_type.is_index())
    }
}

/// What the root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nature {
    /// An image: a manifest that runtimes run, or an index with at least one entry that they could select.
    Image,
    /// Docker's schema 1: an image of the oldest form.
    Schema1,
    /// No image: a chart, a signature, a bare artifact.
    Artifact {
        /// Its artifact type, else its config's media type.
        artifact_type: MediaType,
        /// Why it is no image.
        reason: String,
    },
    /// An index without an entry that a runtime could select.
    NothingRunnable,
    /// The root's document could not be read, or can be read in more than one way.
    Undetermined(Why),
}

/// The subjects of an image.
#[derive(Debug, Clone)]
pub struct Subjects {
    /// What the root is.
    pub nature: Nature,
    /// What a runtime could select, in the order of the index.
    pub entries: Vec<Entry>,
    /// Entries that may be runnable and could not be looked at.
    pub undetermined: Vec<(Excluded, Why)>,
    /// Entries that are left out.
    pub excluded: Vec<Excluded>,
    /// The indexes that were opened: the root, and nested ones.
    pub indexes: Vec<Digest>,
}

impl Subjects {
    /// Finds the subjects of a graph, or says what has to be fetched first.
    pub fn find(graph: &Graph) -> Result<Self, (Stop, BTreeSet<Demand>)> {
        let facts = Facts::new(graph);
        match Finder::new(&facts).find() {
            Ok(subjects) => Ok(subjects),
            Err(stop) => Err((stop, facts.into_demands())),
        }
    }

    /// No subjects but the root.
    pub fn of(nature: Nature) -> Self {
        Self { nature, entries: Vec::new(), undetermined: Vec::new(), excluded: Vec::new(), indexes: Vec::new() }
    }
}

struct Finder<'f, 'g> {
    facts: &'f Facts<'g>,
    subjects: Subjects,
    /// Entries of the indexes opened so far, those included that are there twice or lead nowhere.
    entries: usize,
    seen: BTreeSet<Key<'g>>,
    pending: bool,
}

impl<'f, 'g> Finder<'f, 'g> {
    fn new(facts: &'f Facts<'g>) -> Self {
        Self { facts, subjects: Subjects::of(Nature::Image), entries: 0, seen: BTreeSet::new(), pending: false }
    }

    fn find(mut self) -> Fact<Subjects> {
        let root = self.facts.root();
        if root.kind == RootKind::SavedConfig {
            self.root_entry(Place::Saved)?;
            return Ok(self.finish());
        }
        match self.facts.root_manifest()? {
            Manifest::Schema1(_) => return Ok(Subjects::of(Nature::Schema1)),
            Manifest::Index(index) => {
                self.index(&root.digest, index, 1)?;
                if self.pending {
                    return Err(Stop::Pending);
                }
                if self.subjects.entries.is_empty() && self.subjects.undetermined.is_empty() {
                    self.subjects.nature = nature_of_empty(index);
                }
            }
            manifest @ Manifest::Image(_) => match not_runnable(manifest) {
                Some(reason) => {
                    let artifact_type = manifest.artifact_type_or_config().unwrap_or(&root.media_type).clone();
                    self.subjects.nature = Nature::Artifact { artifact_type, reason };
                }
                None => self.root_entry(Place::Root)?,
            },
        }
        Ok(self.finish())
    }

    fn finish(mut self) -> Subjects {
        label(&mut self.subjects.entries);
        self.subjects
    }

    /// The entry of a root that is one image; its platform is its config's.
    fn root_entry(&mut self, place: Place) -> Fact<()> {
        let root = self.facts.root();
        let descriptor = Descriptor::new(root.media_type.clone(), root.digest.clone(), root.size);
        let entry = Entry {
            descriptor,
            place,
            platform: Err(Why::undecidable("reading the platform", "not read")),
            declared: false,
            label: String::new(),
        };
        let platform = match self.platform_of(&entry) {
            Err(Stop::Pending) => return Err(Stop::Pending),
            Err(Stop::NotApplicable(reason)) => Err(Why::undecidable("reading the platform of the image", reason)),
            Err(Stop::Unknown(why)) => Err(why),
            Ok(platform) => Ok(platform),
        };
        self.subjects.entries.push(Entry { platform, ..entry });
        Ok(())
    }

    fn platform_of(&self, entry: &Entry) -> Fact<Platform> {
        let platform = self.facts.config(entry)?.platform();
        let missing =
            || Why::undecidable("reading the platform of the image", "its config names no os or no architecture");
        Ok(platform.ok_or_else(missing)?.normalised())
    }

    fn index(&mut self, digest: &Digest, index: &'g Index, depth: usize) -> Fact<()> {
        if self.subjects.indexes.contains(digest) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(budget(format!("indexes nested {MAX_DEPTH} deep")));
        }
        self.entries = self.entries.saturating_add(index.manifests.len());
        if self.entries > MAX_ENTRIES {
            return Err(budget(format!("{MAX_ENTRIES} entries in its indexes; it has {} or more", self.entries)));
        }
        self.subjects.indexes.push(digest.clone());
        self.subjects.entries.reserve(index.manifests.len());
        for (position, descriptor) in index.manifests.iter().enumerate() {
            let place = Place::Index { digest: digest.clone(), pointer: format!("/manifests/{position}") };
            self.entry(descriptor, place, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, descriptor: &'g Descriptor, place: Place, depth: usize) -> Fact<()> {
        if key(descriptor).is_some_and(|key| !self.seen.insert(key)) {
            return Ok(());
        }
        match descriptor.platform.as_ref() {
            Some(platform) if platform.is_unknown() => {
                self.exclude(descriptor, place, "its platform is unknown/unknown".to_owned());
                Ok(())
            }
            Some(platform) if is_plain_manifest(descriptor) => {
                self.accept(descriptor, place, platform.normalised(), true);
                Ok(())
            }
            None if is_certainly_no_manifest(&descriptor.media_type) => {
                self.exclude(descriptor, place, format!("{} is no manifest", descriptor.media_type));
                Ok(())
            }
            _ => self.look(descriptor, place, depth),
        }
    }

    /// Fetches what an entry names to see what it is.
    fn look(&mut self, descriptor: &Descriptor, place: Place, depth: usize) -> Fact<()> {
        match self.facts.manifest(descriptor) {
            Err(Stop::Pending) => self.pending = true,
            Err(Stop::NotApplicable(reason)) => self.exclude(descriptor, place, reason),
            Err(Stop::Unknown(why)) => self.leave_open(descriptor, place, why),
            Ok(Manifest::Index(nested)) => {
                let digest = digest_of(descriptor)?.clone();
                self.index(&digest, nested, depth + 1)?;
            }
            Ok(Manifest::Schema1(_)) => {
                let why = Why::undecidable(
                    format!("reading {}", descriptor.media_type),
                    "an entry of Docker's schema 1 is not judged",
                );
                self.leave_open(descriptor, place, why);
            }
            Ok(manifest) => match &descriptor.platform {
                Some(platform) => match not_selectable(manifest) {
                    Some(reason) => self.exclude(descriptor, place, reason),
                    None => self.accept(descriptor, place, platform.normalised(), true),
                },
                None => match not_runnable(manifest) {
                    Some(reason) => self.exclude(descriptor, place, reason),
                    None => self.accept_by_config(descriptor, place),
                },
            },
        }
        Ok(())
    }

    fn accept_by_config(&mut self, descriptor: &Descriptor, place: Place) {
        let unread = Err(Why::undecidable("reading the platform", "not read"));
        let entry =
            Entry { descriptor: descriptor.clone(), place, platform: unread, declared: false, label: String::new() };
        match self.platform_of(&entry) {
            Err(Stop::Pending) => self.pending = true,
            Err(Stop::NotApplicable(reason)) => self.exclude(descriptor, entry.place, reason),
            Err(Stop::Unknown(why)) => self.subjects.entries.push(Entry { platform: Err(why), ..entry }),
            // An attestation in the old form has an image config that says `unknown` of both; Podman runs what says so of the
            // architecture alone.
            Ok(platform) if platform.os == UNKNOWN && platform.architecture == UNKNOWN => {
                self.exclude(descriptor, entry.place, "its config says unknown/unknown".to_owned());
            }
            Ok(platform) => self.subjects.entries.push(Entry { platform: Ok(platform), ..entry }),
        }
    }

    fn accept(&mut self, descriptor: &Descriptor, place: Place, platform: Platform, declared: bool) {
        let entry =
            Entry { descriptor: descriptor.clone(), place, platform: Ok(platform), declared, label: String::new() };
        self.subjects.entries.push(entry);
    }

    fn exclude(&mut self, descriptor: &Descriptor, place: Place, reason: String) {
        self.subjects.excluded.push(Excluded { descriptor: descriptor.clone(), place, reason });
    }

    fn leave_open(&mut self, descriptor: &Descriptor, place: Place, why: Why) {
        let reason = why.to_string();
        self.subjects.undetermined.push((Excluded { descriptor: descriptor.clone(), place, reason }, why));
    }
}

/// An entry that says itself that it is an image manifest, without an artifact type that could make it something else.
fn is_plain_manifest(descriptor: &Descriptor) -> bool {
    descriptor.media_type.role() == Role::Manifest
        && descriptor.artifact_type.as_ref().is_none_or(|artifact_type| artifact_type.as_str().is_empty())
}

/// A type that is known to be something else than a manifest or index, such as a layer in a build cache.
fn is_certainly_no_manifest(media_type: &MediaType) -> bool {
    !media_type.is_manifest_like() && !media_type.is_generic() && media_type.role() != Role::Unknown
}

fn nature_of_empty(index: &Index) -> Nature {
    match &index.artifact_type {
        Some(artifact_type) if !artifact_type.as_str().is_empty() => {
            Nature::Artifact { artifact_type: artifact_type.clone(), reason: "an index of artifacts".to_owned() }
        }
        _ => Nature::NothingRunnable,
    }
}

/// What two entries must have in common for the second to be left out: everything that decides whether a runtime could
/// select it, and where it fetches it from. `None` where the digest is no digest.
type Key<'g> = (&'g Digest, Option<Platform>, &'g MediaType, Option<&'g MediaType>, Option<u64>, &'g [String]);

fn key(descriptor: &Descriptor) -> Option<Key<'_>> {
    let Descriptor { digest, media_type, artifact_type, size, urls, .. } = descriptor;
    let platform = descriptor.platform.as_ref().map(Platform::normalised);
    Some((digest.as_ref().ok()?, platform, media_type, artifact_type.as_ref(), *size, urls))
}

fn budget(what: String) -> Stop {
    Why::new("looking through the index", Cause::Budget { what }).into()
}

/// Gives each entry its name in reports: the platform, cut where it is long, and numbered where it occurs more than once.
fn label(entries: &mut [Entry]) {
    let mut names: Vec<String> = Vec::with_capacity(entries.len());
    for entry in entries {
        let platform = entry.platform.as_ref().map_or_else(|_| "platform".to_owned(), ToString::to_string);
        let name: String = platform.chars().take(MAX_LABEL).collect();
        let earlier = names.iter().filter(|earlier| **earlier == name).count();
        entry.label = if earlier == 0 { name.clone() } else { format!("{name}#{}", earlier + 1) };
        names.push(name);
    }
}
