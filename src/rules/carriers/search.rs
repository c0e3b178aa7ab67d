//! The search for carriers, home by home.

mod weigh;

use std::borrow::Cow;

use super::super::prelude::*;
use super::content::{BUNDLE_PREDICATE, signs_a_digest};
use super::found::{CarrierName, Reason};
use super::index;
use super::{Content, Found, Home, Missing, SignatureKind, Sought};
use crate::graph::Home as ListHome;
use crate::oci::Role;

/// A search for what a rule wants to know of one subject.
///
/// The homes are asked in their order, and only for what is not satisfied yet; all requests of one stage go out side by side.
/// A home that cannot be looked at does not end the search: it makes "missing" unknown.
pub(in super::super) struct Search<'s, 'g> {
    sought: &'s dyn Sought,
    view: &'s View<'g>,
    /// What a carrier may be about, the most specific first.
    subjects: Vec<Digest>,
    /// The entry that the first subject is, unless the search is about the image as a whole.
    entry: Option<&'s Entry>,
    exhaustive: bool,
    /// The candidates so far: subject, manifest, and how it was to be bound.
    seen: BTreeSet<(Digest, Digest, Bound)>,
    /// The carriers so far: one manifest may be found in several homes.
    carriers: BTreeSet<(Digest, Digest)>,
    found: Vec<Found<'g>>,
    dismissed: Vec<(CarrierName<'g>, Reason<'g>)>,
    looked: Vec<String>,
    unknown: Option<Why>,
}

/// How a carrier is bound to its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    /// By the name under which it was found; its own `subject` must agree if it has one.
    ByName,
    /// By its own `subject`, listed as a referrer.
    Listed,
    /// By its own `subject`, in the index.
    Unlinked,
}

/// A manifest that may be a carrier.
struct Candidate<'g> {
    name: CarrierName<'g>,
    digest: Digest,
    subject: Digest,
    bound: Bound,
    manifest: Fact<&'g Manifest>,
}

/// A candidate that is bound to a subject.
#[derive(Clone)]
struct Carrier<'g> {
    name: CarrierName<'g>,
    digest: Digest,
    /// What it is bound to.
    about: Digest,
}

/// Whether a listed referrer is worth fetching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// What the list says of it is what is looked for.
    Likely,
    /// The list does not tell.
    Vague,
    /// The list says that it is something else.
    None,
}

impl<'s, 'g> Search<'s, 'g> {
    pub(super) fn new(
        sought: &'s dyn Sought,
        view: &'s View<'g>,
        subjects: Vec<Digest>,
        entry: Option<&'s Entry>,
    ) -> Self {
        Self {
            sought,
            view,
            subjects,
            entry,
            exhaustive: false,
            seen: BTreeSet::new(),
            carriers: BTreeSet::new(),
            found: Vec::new(),
            dismissed: Vec::new(),
            looked: Vec::new(),
            unknown: None,
        }
    }

    /// A search for what is about the manifest of one platform itself.
    pub(in super::super) fn about(sought: &'s dyn Sought, entry: &'s Entry, view: &'s View<'g>) -> Fact<Self> {
        Ok(Self::new(sought, view, vec![entry.digest()?.clone()], Some(entry)))
    }

    /// The first carrier that counts, or proof that there is none. Unknown only if no home satisfied the search and one could
    /// not be looked at.
    pub(in super::super) fn first(mut self) -> Fact<Result<Found<'g>, Missing>> {
        for stage in [Self::in_index, Self::referrers, Self::last_resorts] {
            stage(&mut self)?;
            if !self.found.is_empty() {
                return Ok(Ok(self.found.swap_remove(0)));
            }
        }
        if let Some(why) = self.unknown {
            return Err(why.into());
        }
        let mut dismissed: Vec<String> =
            self.dismissed.iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
        if self.is_home(Home::InIndex) {
            dismissed.extend(index::unbound(self.view, self.entry.is_none()));
        }
        Ok(Err(Missing { looked: self.looked, dismissed }))
    }

    /// Every carrier that counts, in every home, whatever lists say; and why that may not be all.
    pub(in super::super) fn all(mut self) -> Fact<(Vec<Found<'g>>, Option<Why>)> {
        self.exhaustive = true;
        for stage in [Self::in_index, Self::referrers, Self::last_resorts] {
            stage(&mut self)?;
        }
        Ok((self.found, self.unknown))
    }

    fn is_home(&self, home: Home) -> bool {
        self.sought.homes().contains(&home)
    }

    /// Whether the index can hold what is about the subject.
    fn is_in_index(&self) -> bool {
        self.is_home(Home::InIndex) && self.entry.is_some_and(|entry| matches!(entry.place, Place::Index { .. }))
    }

    /// Entries of the index that are bound to the subject by their descriptor.
    fn in_index(&mut self) -> Fact<()> {
        if !self.is_in_index() {
            return Ok(());
        }
        self.looked.push("the index".to_owned());
        let subject = self.subjects[0].clone();
        let about: Vec<_> =
            index::attestations(self.view).filter(|(_, named)| named.contains(&Some(subject.as_str()))).collect();
        let mut candidates = Vec::new();
        for (descriptor, named) in about {
            let name = CarrierName::InIndex(descriptor);
            if named.iter().flatten().any(|named| *named != subject.as_str()) {
                let reason = "its annotations name two manifests";
                if self.exhaustive {
                    let why = || Why::undecidable(format!("reading {name}"), reason);
                    self.unknown.get_or_insert_with(why);
                }
                self.dismiss(name, reason);
                continue;
            }
            candidates.extend(self.candidate(name, descriptor, &subject, Bound::ByName));
        }
        self.weigh(candidates)
    }

    /// Listed referrers that the list promises to be what is looked for.
    fn referrers(&mut self) -> Fact<()> {
        if !self.is_home(Home::Referrers) && !self.is_home(Home::Bundles) {
            return Ok(());
        }
        let candidates = self.listed(Promise::Likely)?;
        self.weigh(candidates)
    }

    /// Entries of the index and listed referrers that do not tell what they are, and cosign's tags.
    fn last_resorts(&mut self) -> Fact<()> {
        let mut candidates = Vec::new();
        if self.is_in_index() {
            let subject = self.subjects[0].clone();
            for descriptor in index::unlinked(self.view) {
                let name = CarrierName::Unlinked(descriptor);
                candidates.extend(self.candidate(name, descriptor, &subject, Bound::Unlinked));
            }
        }
        if self.is_home(Home::Referrers) || self.is_home(Home::Bundles) {
            candidates.extend(self.listed(Promise::Vague)?);
        }
        if self.is_home(Home::Tags) {
            candidates.extend(self.tagged()?);
        }
        self.weigh(candidates)
    }

    fn listed(&mut self, wanted: Promise) -> Fact<Vec<Candidate<'g>>> {
        let view = self.view;
        let subjects = self.subjects.clone();
        let lists: Vec<_> = subjects.iter().map(|subject| (subject, view.referrers(subject))).collect();
        if lists.iter().any(|(_, list)| matches!(list, Err(Stop::Pending))) {
            return Err(Stop::Pending);
        }
        let mut candidates = Vec::new();
        for (subject, list) in lists {
            let Some(list) = self.note(list)? else { continue };
            if let Some(why) = &list.doubt {
                self.unknown.get_or_insert_with(|| why.clone());
            }
            if wanted == Promise::Likely {
                self.looked.push(place(list.home, subject));
            }
            for descriptor in &list.descriptors {
                let name = CarrierName::Referrer(descriptor);
                // GitLab answers the fallback tag with the subject itself, whose entries then look like referrers.
                if descriptor.digest.as_ref() == Ok(subject) {
                    continue;
                }
                match self.promise(descriptor) {
                    promise if promise == wanted => {
                        candidates.extend(self.candidate(name, descriptor, subject, Bound::Listed));
                    }
                    Promise::None if wanted == Promise::Likely => self.dismiss(name, what_is_listed(descriptor)),
                    _ => {}
                }
            }
        }
        Ok(candidates)
    }

    /// What a list says of a referrer.
    fn promise(&self, descriptor: &'g Descriptor) -> Promise {
        if self.exhaustive {
            return Promise::Likely;
        }
        let Some(artifact_type) = descriptor.artifact_type.as_ref() else { return Promise::Vague };
        let signature = |kind| self.sought.wants(&Content::Signature(kind));
        let wanted = match artifact_type.role() {
            Role::Bundle if signs_a_digest(&descriptor.annotations) => signature(SignatureKind::Cosign),
            Role::Bundle => descriptor.annotations.get(BUNDLE_PREDICATE).is_none_or(|predicate_type| {
                self.sought
                    .wants(&Content::Statement { predicate_type: Cow::Borrowed(predicate_type), layer: descriptor })
            }),
            Role::Statement | Role::Envelope | Role::AttestationManifest => self.sought.may_be_statement(),
            Role::Sbom => self.sought.wants(&Content::Sbom { media_type: artifact_type, layer: descriptor }),
            Role::NotationSignature => signature(SignatureKind::Notation),
            Role::SimpleSigning => signature(SignatureKind::Cosign),
            Role::CosignArtifact => true,
            Role::Accelerator => self.sought.wants(&Content::Other(artifact_type)),
            Role::ScanResult => false,
            _ => return Promise::Vague,
        };
        if wanted { Promise::Likely } else { Promise::None }
    }

    fn tagged(&mut self) -> Fact<Vec<Candidate<'g>>> {
        let view = self.view;
        let suffixes = self.sought.tags();
        let mut asked = Vec::new();
        for subject in self.subjects.clone() {
            let shown = suffixes.iter().map(|suffix| format!(".{suffix}"));
            self.looked.extend(shown.map(|shown| format!("cosign's tag {shown} of {}", subject.short())));
            let tags = suffixes.iter().map(|suffix| (*suffix, view.tag(&subject.cosign_tag(suffix))));
            asked.extend(tags.map(|(suffix, tag)| (subject.clone(), suffix, tag)));
        }
        let mut candidates = Vec::new();
        for (subject, suffix, tag) in asked {
            let Some(Some(tagged)) = self.note(tag)? else { continue };
            let manifest = tagged.document.unambiguous().map_err(|ambiguities| {
                let detail = ambiguities.first().map(ToString::to_string).unwrap_or_default();
                Stop::Unknown(Why::new(format!("reading {}", tagged.digest.short()), Cause::Ambiguous { detail }))
            });
            let name = CarrierName::Tagged(&tagged.digest, suffix);
            if tagged.digest == subject {
                self.dismiss(name, "it is the image itself");
            } else if self.seen.insert((subject.clone(), tagged.digest.clone(), Bound::ByName)) {
                candidates.push(Candidate {
                    name,
                    digest: tagged.digest.clone(),
                    subject,
                    bound: Bound::ByName,
                    manifest,
                });
            }
        }
        Ok(candidates)
    }

    /// A candidate, unless it was looked at in the same way before.
    fn candidate(
        &mut self,
        name: CarrierName<'g>,
        descriptor: &'g Descriptor,
        subject: &Digest,
        bound: Bound,
    ) -> Option<Candidate<'g>> {
        let digest = match &descriptor.digest {
            Ok(digest) => digest.clone(),
            Err(error) => {
                let cause = Cause::BadDigest { detail: error.to_string() };
                self.unknown.get_or_insert(Why::new(format!("reading {name}"), cause));
                return None;
            }
        };
        let fresh = self.seen.insert((subject.clone(), digest.clone(), bound));
        fresh.then(|| Candidate {
            name,
            digest,
            subject: subject.clone(),
            bound,
            manifest: self.view.manifest(descriptor),
        })
    }

    /// The fact, or `None` after noting why it cannot be known.
    fn note<T>(&mut self, fact: Fact<T>) -> Fact<Option<T>> {
        match fact {
            Ok(fact) => Ok(Some(fact)),
            Err(Stop::Unknown(why)) => {
                self.unknown.get_or_insert(why);
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    fn dismiss(&mut self, name: CarrierName<'g>, reason: impl Into<Reason<'g>>) {
        self.dismissed.push((name, reason.into()));
    }
}

fn place(home: ListHome, subject: &Digest) -> String {
    let subject = subject.short();
    match home {
        ListHome::Api => format!("the referrers of {subject}"),
        ListHome::FallbackTag => {
            format!(
                "the fallback tag of {subject} (without a referrers API, what was pushed without that tag cannot be seen)"
            )
        }
        ListHome::Layout => format!("the referrers of {subject} in the layout"),
    }
}

fn what_is_listed(descriptor: &Descriptor) -> String {
    let predicate = descriptor.annotations.get(BUNDLE_PREDICATE);
    let artifact_type = descriptor.artifact_type.as_ref();
    match (predicate, artifact_type.and_then(MediaType::description)) {
        (Some(predicate), _) => format!("it is listed as a statement of type '{}'", ImageText(predicate)),
        (None, Some(description)) => format!("it is listed as {description}"),
        (None, None) => "it is listed as something else".to_owned(),
    }
}
