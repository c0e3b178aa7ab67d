//! Looking through what an image says of itself, part by part.

use std::fmt::Display;

use super::super::config_part::ConfigPart;
use super::super::sensitive::{Criteria, Kind};
use super::attested::{Attested, attested};
use super::{Part, Secret, Secrets, fix};
use crate::finding::Concealed;
use crate::oci::{Document, Told, Untrusted, pointer};
use crate::rules::prelude::*;

/// Secrets of one subject that are told one by one; the others are counted.
const TOLD: usize = 32;
/// Bytes of a name that a message and a pointer repeat.
const NAME: usize = 200;

/// What was found so far.
pub(super) struct Inspection<'p, 'v> {
    rule: &'p Secrets,
    criteria: Criteria<'p>,
    view: &'v View<'v>,
    findings: Findings,
    /// How many were found.
    number: usize,
    /// The values of those that are only counted.
    untold: Concealed,
}

/// What is looked at in a config, and where it stands.
const CONFIG: [(Part, &[&str]); 4] = [
    (Part::Env, &["/config/Env"]),
    (Part::Labels, &["/config/Labels"]),
    (Part::Commands, &["/config/Entrypoint", "/config/Cmd", "/config/Healthcheck"]),
    (Part::History, &["/history"]),
];

impl<'p, 'v> Inspection<'p, 'v> {
    pub(super) fn new(rule: &'p Secrets, view: &'v View<'v>) -> Self {
        Self {
            rule,
            criteria: rule.criteria(),
            view,
            findings: Findings::new(),
            number: 0,
            untold: Concealed::default(),
        }
    }

    pub(super) fn verdict(mut self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        if self.number > TOLD {
            let more = self.number - TOLD;
            let place = match subject {
                Subject::Platform(entry) => Location::entry(entry),
                Subject::Root => Location::root(view, ""),
            };
            let message = format!("there are {more} more secrets");
            self.findings.add_concealed(message, place, fix(self.view), "more", self.untold);
        }
        self.findings.verdict(|| "nothing looks like a secret".to_owned())
    }

    /// The annotations of all indexes, and of the descriptors in them.
    pub(super) fn indexes(&mut self, view: &View<'_>) -> Fact<()> {
        let is_index = view.root().kind == RootKind::Manifest && matches!(view.root_manifest()?, Manifest::Index(_));
        if !is_index {
            return Err(Stop::NotApplicable("there is no index, and platforms are judged one by one".to_owned()));
        }
        for digest in &view.subjects().indexes {
            let Some(document) = self.findings.note(view.document(digest)) else { continue };
            self.defects(document);
            let Manifest::Index(index) = document.value() else { continue };
            let at = |pointer: String| Location::new(NodeRole::Index, digest, pointer);
            self.pairs("annotation", &index.annotations, "/annotations", at);
            for (number, descriptor) in index.manifests.iter().enumerate() {
                self.pairs("annotation", &descriptor.annotations, &format!("/manifests/{number}/annotations"), at);
            }
        }
        Ok(())
    }

    /// All that is about one platform.
    pub(super) fn platform(&mut self, entry: &Entry, view: &View<'_>) {
        // A classic archive holds neither a manifest nor attestations.
        let is_saved = entry.place == Place::Saved;
        let attested =
            (!is_saved && self.rule.looks_at(Part::Provenance)).then(|| attested(self.rule.homes(), entry, view));
        let config = CONFIG.iter().any(|(part, _)| self.rule.looks_at(*part)).then(|| view.config(entry));
        // Every round begins anew: nothing is looked through before all of it is there.
        if matches!(attested, Some(Err(Stop::Pending))) || matches!(config, Some(Err(Stop::Pending))) {
            self.findings.stop(Stop::Pending);
            return;
        }
        self.config(entry, view);
        if !is_saved && self.rule.looks_at(Part::Annotations) {
            self.manifest(entry, view);
        }
        if let Some(attested) = attested {
            self.provenance(attested);
        }
    }

    fn config(&mut self, entry: &Entry, view: &View<'_>) {
        for (part, pointers) in CONFIG.iter().filter(|(part, _)| self.rule.looks_at(*part)) {
            let Some(read) = self.findings.note(ConfigPart::read(entry, view, pointers)) else { continue };
            match part {
                Part::Env => self.env(&read),
                Part::Labels => self.pairs("label", &read.config.labels, "/config/Labels", |pointer| read.at(pointer)),
                Part::Commands => self.commands(&read),
                _ => self.history(&read),
            }
        }
    }

    fn env(&mut self, read: &ConfigPart<'_>) {
        for (number, variable) in read.config.env.iter().enumerate() {
            let at = || read.at(format!("/config/Env/{number}"));
            match variable.split_once('=') {
                Some((name, value)) => self.pair("variable", name, value, at),
                None => self.text("Env", variable, at),
            }
        }
    }

    fn commands(&mut self, read: &ConfigPart<'_>) {
        let config = read.config;
        for (name, pointer, words) in [
            ("Entrypoint", "/config/Entrypoint", &config.entrypoint),
            ("Cmd", "/config/Cmd", &config.cmd),
            ("the health check", "/config/Healthcheck/Test", &config.healthcheck),
        ] {
            let words = words.as_deref().unwrap_or_default();
            for (number, secret) in self.criteria.in_words(words) {
                self.add(name, &secret, &words[number], || read.at(format!("{pointer}/{number}")));
            }
        }
    }

    fn history(&mut self, read: &ConfigPart<'_>) {
        for (number, step) in read.config.history.iter().enumerate() {
            for (member, text) in [("created_by", &step.created_by), ("comment", &step.comment)] {
                let text = text.as_deref().unwrap_or_default();
                let at = || read.at(format!("/history/{number}/{member}"));
                self.text(format_args!("step {} of the history", number + 1), text, at);
            }
        }
    }

    fn manifest(&mut self, entry: &Entry, view: &View<'_>) {
        let read = view.image(entry).and_then(|image| Ok((image, view.document(entry.digest()?)?)));
        let Some((image, document)) = self.findings.note(read) else { return };
        self.defects(document);
        let at = |pointer: String| Location::manifest(entry, pointer);
        self.pairs("annotation", &image.annotations, "/annotations", at);
        if let Some(config) = &image.config {
            self.pairs("annotation", &config.annotations, "/config/annotations", at);
        }
        for (number, layer) in image.layers.iter().enumerate() {
            self.pairs("annotation", &layer.annotations, &format!("/layers/{number}/annotations"), at);
        }
    }

    /// An annotation of another type than text may be a secret to some reader.
    fn defects(&mut self, document: &Document<Manifest>) {
        let lost = |pointer: &str| pointer.contains("annotations") || matches!(pointer, "/manifests" | "/layers");
        if let Some(defect) = document.defects().iter().find(|defect| lost(&defect.pointer)) {
            let detail = format!("{} ({})", defect.message, defect.pointer);
            self.findings.stop(Why::undecidable("reading the annotations", detail).into());
        }
    }

    fn provenance(&mut self, attested: Fact<Attested<'_>>) {
        let Some((statements, doubt)) = self.findings.note(attested) else { return };
        if let Some(why) = doubt {
            self.findings.stop(why.into());
        }
        for (digest, provenance) in statements {
            let at = || Location::new(NodeRole::Statement, &digest, "");
            for (name, value) in provenance.arguments.said().into_iter().flatten() {
                self.pair("argument of the build in provenance", name, value, at);
            }
            for request in provenance.requests.said().into_iter().flat_map(BTreeMap::values) {
                self.text("a request within that of the build in provenance", request, at);
            }
            if [&provenance.arguments, &provenance.requests].contains(&&Told::Garbled) {
                let detail = "they are of another type than they must be";
                self.findings.stop(Why::undecidable("reading the build arguments in provenance", detail).into());
            }
            let sources = [&provenance.source, &provenance.client_source].into_iter().filter_map(Told::said);
            let materials = provenance.materials.iter().filter_map(|material| material.uri.as_ref());
            for address in materials.chain(sources) {
                self.text("an address in provenance", address, at);
            }
        }
    }

    fn pairs(&mut self, noun: &str, values: &Annotations, outer: &str, at: impl Fn(String) -> Location) {
        for (name, value) in values {
            self.text(format_args!("the name of a {noun}"), name, || at(outer.to_owned()));
            let place = || if is_telling(name) { outer.to_owned() } else { format!("{outer}{}", pointer(&[name])) };
            self.pair(noun, name, value, || at(place()));
        }
    }

    fn pair(&mut self, noun: &str, name: &str, value: &str, at: impl FnOnce() -> Location) {
        let mut found = self.criteria.in_value(name, value);
        found.retain(|secret| !self.rule.allows(secret));
        if let Some(first) = found.first() {
            let shown = name_of(name);
            let values = Concealed::of(found.iter().map(|secret| &value[secret.range.clone()]));
            self.tell(format_args!("the {noun} '{shown}' holds {}", what(first.kind)), at(), values, &shown);
        }
    }

    fn text(&mut self, place: impl Display, text: &str, at: impl Fn() -> Location) {
        for secret in self.criteria.in_text(text) {
            self.add(&place, &secret, text, &at);
        }
    }

    fn add(&mut self, place: impl Display, secret: &Secret<'_, '_>, text: &str, at: impl FnOnce() -> Location) {
        if self.rule.allows(secret) {
            return;
        }
        let name = secret.name.map(name_of);
        let of = name.as_ref().map(|name| format!(" for '{name}'")).unwrap_or_default();
        let key = name.unwrap_or_else(|| secret.kind.id().to_owned());
        let value = Concealed::of([&text[secret.range.clone()]]);
        self.tell(format_args!("{place} holds {}{of}", what(secret.kind)), at(), value, &key);
    }

    fn tell(&mut self, message: impl Display, at: Location, values: Concealed, key: &str) {
        self.number += 1;
        if self.number <= TOLD {
            self.findings.add_concealed(message, at, fix(self.view), key, values);
        } else {
            self.untold.add(&values);
        }
    }
}

/// The kind with its name in policies, for `allow`.
fn what(kind: Kind<'_>) -> String {
    match kind {
        Kind::Format(format) => format!("{kind} ({})", format.id),
        _ => kind.to_string(),
    }
}

/// A name as messages and fingerprints repeat it: not if it is a secret itself.
fn name_of(name: &str) -> String {
    if is_telling(name) { "…".to_owned() } else { Untrusted(name).to_string() }
}

fn is_telling(name: &str) -> bool {
    name.len() > NAME || !Criteria::default().in_text(name).is_empty()
}
