//! The one door through which rules see facts.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;

use super::entries::Place;
use super::runnable::{not_runnable, not_selectable};
use super::{Cause, Demand, Entry, Graph, Known, LayerHead, ReferrerList, Root, Subjects, Tagged, Why};
use crate::oci::{
    Descriptor, Digest, Document, ImageConfig, ImageManifest, Manifest, MediaType, Role, Sbom, Statement, StatementText,
};
use crate::target::Target;

/// A fact that a rule asked for. `?` on it suspends the rule or ends it as unknown; neither can be forgotten.
pub type Fact<T> = Result<T, Stop>;

/// Why a rule cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The fact was not asked for yet; it has been demanded now.
    Pending,
    /// The fact could not be known.
    Unknown(Why),
    /// The subject turned out to be no runnable image: the rule does not apply to it.
    NotApplicable(String),
}

impl From<Stop> for Why {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Unknown(why) => why,
            Stop::NotApplicable(reason) => Self::undecidable("looking at the image", reason),
            Stop::Pending => Self::new("gathering the facts", Cause::Rounds),
        }
    }
}

impl From<Why> for Stop {
    fn from(why: Why) -> Self {
        Self::Unknown(why)
    }
}

/// The facts of one graph, and a record of what was demanded of it.
#[derive(Debug)]
pub struct Facts<'g> {
    graph: &'g Graph,
    wants: RefCell<BTreeSet<Demand>>,
}

/// What a rule sees: the facts, and the subjects of the image.
#[derive(Debug)]
pub struct View<'g> {
    facts: Facts<'g>,
    subjects: &'g Subjects,
}

impl<'g> View<'g> {
    /// A view of a graph whose subjects are known.
    pub fn new(graph: &'g Graph, subjects: &'g Subjects) -> Self {
        Self { facts: Facts::new(graph), subjects }
    }

    /// The platforms of the image, and what else its index names.
    pub fn subjects(&self) -> &'g Subjects {
        self.subjects
    }

    /// Looks at another image (a base, an earlier release) as at this one: resolves it, finds its platforms, and lets `ask` see
    /// them. Unknown when it cannot be read.
    pub fn other<T>(&self, target: &Arc<Target>, ask: impl FnOnce(&View<'_>) -> Fact<T>) -> Fact<T> {
        let known = self.facts.graph.others.get(target).map(Result::as_ref);
        let graph = self.facts.answer(known, || Demand::Other(Arc::clone(target)))?;
        let subjects = Subjects::find(graph).map_err(|(stop, demands)| {
            self.demand_within(target, demands);
            stop
        })?;
        let view = View::new(graph, &subjects);
        let answer = ask(&view);
        self.demand_within(target, view.into_demands());
        answer
    }

    fn demand_within(&self, target: &Arc<Target>, demands: BTreeSet<Demand>) {
        let within = demands.into_iter().map(|demand| Demand::Within(Arc::clone(target), Box::new(demand)));
        self.facts.wants.borrow_mut().extend(within);
    }

    /// What was demanded through this view.
    pub fn into_demands(self) -> BTreeSet<Demand> {
        self.facts.wants.into_inner()
    }
}

impl<'g> Deref for View<'g> {
    type Target = Facts<'g>;

    fn deref(&self) -> &Facts<'g> {
        &self.facts
    }
}

impl<'g> Facts<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        Self { graph, wants: RefCell::default() }
    }

    pub(super) fn into_demands(self) -> BTreeSet<Demand> {
        self.wants.into_inner()
    }

    /// The clock of the run.
    pub fn now(&self) -> Timestamp {
        self.graph.observed_at
    }

    /// The image that the user wants this one compared with (`--against`).
    pub fn against(&self) -> Option<&'g Arc<Target>> {
        self.graph.against.as_ref()
    }

    /// What the target points to.
    pub fn root(&self) -> &'g Root {
        &self.graph.root
    }

    /// The manifest or index that the target points to.
    pub fn root_manifest(&self) -> Fact<&'g Manifest> {
        if self.root().kind == super::RootKind::SavedConfig {
            return Err(Why::new(format!("reading the manifest of {}", self.root().target), Cause::NoManifest).into());
        }
        unambiguous(self.document(&self.root().digest)?)
    }

    /// A manifest or index by digest, ambiguous or not: for the rule `document` and for whoever only wants its bytes.
    pub fn document(&self, digest: &Digest) -> Fact<&'g Document<Manifest>> {
        let known = self.graph.manifests.get(digest).map(|known| known.as_ref().map(AsRef::as_ref));
        self.answer(known, || Demand::Manifest(digest.clone()))
    }

    /// An image config by digest, ambiguous or not.
    pub fn config_document(&self, digest: &Digest) -> Fact<&'g Document<ImageConfig>> {
        let known = self.graph.configs.get(digest).map(|known| known.as_ref().map(AsRef::as_ref));
        self.answer(known, || Demand::Config(digest.clone()))
    }

    /// A manifest or index that was already read, without asking for it.
    pub fn read_document(&self, digest: &Digest) -> Option<&'g Known<Arc<Document<Manifest>>>> {
        self.graph.manifests.get(digest)
    }

    /// A config that was already read, without asking for it.
    pub fn read_config(&self, digest: &Digest) -> Option<&'g Known<Arc<Document<ImageConfig>>>> {
        self.graph.configs.get(digest)
    }

    /// The manifest or index that a descriptor names.
    ///
    /// Unknown when it cannot be read, is ambiguous, differs from the descriptor's size, or says another media type than
    /// the descriptor does (image-spec, manifest.md and image-index.md: the types must agree).
    pub fn manifest(&self, descriptor: &Descriptor) -> Fact<&'g Manifest> {
        let digest = digest_of(descriptor)?;
        let document = self.document(digest)?;
        check_size(descriptor, document.bytes().len(), "manifest")?;
        let manifest = unambiguous(document)?;
        check_type(descriptor, digest, manifest)?;
        Ok(manifest)
    }

    /// The image manifest of a platform. Not applicable when it turns out to be no runnable image.
    pub fn image(&self, entry: &Entry) -> Fact<&'g ImageManifest> {
        if entry.place == Place::Saved {
            return Err(Why::new(format!("reading the manifest of {}", self.root().target), Cause::NoManifest).into());
        }
        let objection = if entry.declared { not_selectable } else { not_runnable };
        match self.manifest(&entry.descriptor)? {
            manifest if let Some(reason) = objection(manifest) => Err(Stop::NotApplicable(reason)),
            Manifest::Image(image) => Ok(image),
            other => Err(Stop::NotApplicable(format!("a {} is no image manifest", other.kind()))),
        }
    }

    /// The image config of a platform.
    pub fn config(&self, entry: &Entry) -> Fact<&'g ImageConfig> {
        unambiguous(self.config_of(entry)?)
    }

    /// The document of the image config of a platform, of the size that the manifest says, ambiguous or not.
    pub fn config_of(&self, entry: &Entry) -> Fact<&'g Document<ImageConfig>> {
        if entry.place == Place::Saved {
            return self.config_document(&self.root().digest);
        }
        let image = self.image(entry)?;
        let Some(descriptor) = &image.config else {
            return Err(Stop::NotApplicable("the manifest names no config".to_owned()));
        };
        let document = self.config_document(digest_of(descriptor)?)?;
        check_size(descriptor, document.bytes().len(), "config")?;
        Ok(document)
    }

    /// The digest of the config of a platform, for locations.
    pub fn config_digest(&self, entry: &Entry) -> Fact<Digest> {
        if entry.place == Place::Saved {
            return Ok(self.root().digest.clone());
        }
        match &self.image(entry)?.config {
            Some(descriptor) => Ok(digest_of(descriptor)?.clone()),
            None => Err(Stop::NotApplicable("the manifest names no config".to_owned())),
        }
    }

    /// The statement in a blob (in-toto, DSSE or Sigstore bundle).
    pub fn statement(&self, descriptor: &Descriptor) -> Fact<&'g Statement> {
        let digest = digest_of(descriptor)?;
        let known = self.graph.statements.get(digest).map(|known| known.as_ref().map(AsRef::as_ref));
        self.answer(known, || Demand::Statement {
            digest: digest.clone(),
            media_type: descriptor.media_type.clone(),
            size: descriptor.size.unwrap_or(0),
        })
    }

    /// The same as a whole: at most 4 MiB, and unknown where a name occurs twice in one of its objects.
    pub fn statement_text(&self, descriptor: &Descriptor) -> Fact<&'g StatementText> {
        let digest = digest_of(descriptor)?;
        let known = self.graph.texts.get(digest).map(|known| known.as_ref().map(AsRef::as_ref));
        self.answer(known, || Demand::StatementText {
            digest: digest.clone(),
            media_type: descriptor.media_type.clone(),
            size: descriptor.size.unwrap_or(0),
        })
    }

    /// The bill of materials in a blob that holds nothing else.
    pub fn sbom(&self, descriptor: &Descriptor) -> Fact<&'g Sbom> {
        let digest = digest_of(descriptor)?;
        let known = self.graph.sboms.get(digest).map(|known| known.as_ref().map(AsRef::as_ref));
        self.answer(known, || Demand::Sbom { digest: digest.clone(), size: descriptor.size.unwrap_or(0) })
    }

    /// The first bytes of a layer.
    pub fn head(&self, layer: &Descriptor) -> Fact<&'g LayerHead> {
        let digest = digest_of(layer)?;
        let demand = || Demand::Head { digest: digest.clone(), size: layer.size.unwrap_or(0) };
        self.answer(self.graph.heads.get(digest).map(Result::as_ref), demand)
    }

    /// What refers to a manifest, as listed. An empty list is proof that nothing does.
    pub fn referrers(&self, subject: &Digest) -> Fact<&'g ReferrerList> {
        let known = self.graph.referrers.get(subject).map(|known| known.as_ref().map(AsRef::as_ref));
        self.answer(known, || Demand::Referrers(subject.clone()))
    }

    /// What a tag of the same repository points to. `None` is proof that there is no such tag.
    pub fn tag(&self, tag: &str) -> Fact<Option<&'g Tagged>> {
        let known = self.graph.tags.get(tag).map(Result::as_ref);
        self.answer(known, || Demand::Tag(tag.to_owned())).map(Option::as_ref)
    }

    /// The tags of the repository, sorted; those that stand for attachments (`sha256-…`) are among them.
    pub fn tags(&self) -> Fact<&'g [String]> {
        let known = self.graph.tag_list.as_ref().map(|known| known.as_deref());
        self.answer(known, || Demand::Tags)
    }

    /// The tags of the repository that a target names, sorted. The image itself is not asked for, so that it need not be there yet.
    pub fn tags_of(&self, target: &Arc<Target>) -> Fact<&'g [String]> {
        let known = self.graph.tag_lists.get(target).map(|known| known.as_deref());
        self.answer(known, || Demand::TagsOf(Arc::clone(target)))
    }

    /// Asks for one fact about each of several things at once, so that all of them are fetched side by side.
    ///
    /// Pending if any is pending; otherwise the first stop, or all facts in order.
    pub fn each<T, R>(&self, things: impl IntoIterator<Item = T>, ask: impl FnMut(T) -> Fact<R>) -> Fact<Vec<R>> {
        let asked: Vec<Fact<R>> = things.into_iter().map(ask).collect();
        if asked.iter().any(|fact| matches!(fact, Err(Stop::Pending))) {
            return Err(Stop::Pending);
        }
        asked.into_iter().collect()
    }

    fn answer<T>(&self, known: Option<Result<T, &Why>>, demand: impl FnOnce() -> Demand) -> Fact<T> {
        match known {
            Some(Ok(fact)) => Ok(fact),
            Some(Err(why)) => Err(Stop::Unknown(why.clone())),
            None => {
                self.wants.borrow_mut().insert(demand());
                Err(Stop::Pending)
            }
        }
    }
}

/// The digest of a descriptor, or why it cannot be followed.
pub(super) fn digest_of(descriptor: &Descriptor) -> Result<&Digest, Why> {
    descriptor.digest.as_ref().map_err(|error| {
        let doing = format!("following a descriptor of type {}", descriptor.media_type);
        Why::new(doing, Cause::BadDigest { detail: error.to_string() })
    })
}

/// What a document says, if all readers read the same in it.
pub fn unambiguous<T>(document: &Document<T>) -> Fact<&T> {
    match document.ambiguities().first() {
        None => Ok(document.value()),
        Some(first) => {
            let doing = format!("reading {}", document.digest().short());
            Err(Why::new(doing, Cause::Ambiguous { detail: first.to_string() }).into())
        }
    }
}

fn check_size(descriptor: &Descriptor, got: usize, what: &str) -> Result<(), Why> {
    let got = got as u64;
    match descriptor.size {
        // Some tools write 0 for "not known"; the digest has been checked in any case.
        None | Some(0) => Ok(()),
        Some(wanted) if wanted == got => Ok(()),
        Some(wanted) => {
            let doing = format!("reading {what} {}", shown(descriptor));
            Err(Why::new(doing, Cause::SizeMismatch { wanted, got }))
        }
    }
}

fn check_type(descriptor: &Descriptor, digest: &Digest, manifest: &Manifest) -> Result<(), Why> {
    let Some(said) = contradicted_type(descriptor, manifest) else { return Ok(()) };
    let detail = format!("its descriptor says {}, it says {said}", descriptor.media_type);
    Err(Why::new(format!("reading {}", digest.short()), Cause::Ambiguous { detail }))
}

/// What a manifest says it is, when its descriptor says something else: another media type, or, of a manifest that names
/// none, another kind of document than it has the shape of.
///
/// A descriptor without a media type contradicts nothing; it is invalid.
pub fn contradicted_type(descriptor: &Descriptor, manifest: &Manifest) -> Option<MediaType> {
    let shape = manifest.effective_media_type();
    let role = descriptor.media_type.role();
    let other_shape = || matches!(role, Role::Index | Role::Manifest | Role::Schema1) && role != shape.role();
    let differs = manifest.media_type().map_or_else(other_shape, |said| *said != descriptor.media_type);
    (differs && !descriptor.media_type.as_str().is_empty()).then_some(shape)
}

fn shown(descriptor: &Descriptor) -> String {
    descriptor.digest.as_ref().map_or_else(|_| "(bad digest)".to_owned(), Digest::short)
}
