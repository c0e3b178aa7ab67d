//! The documents that a rule looks into.

use serde_json::Value;

use super::super::carriers::is_called_otherwise;
use super::super::prelude::*;
use super::Of;
use super::selector::Selector;
use crate::oci::{Document, StatementText};

/// The documents of one kind that a subject has: parts of one text.
#[derive(Debug)]
pub(super) struct Documents {
    json: Value,
    role: NodeRole,
    digest: Digest,
    /// The name of each part and its pointer in the text.
    parts: Vec<(String, String)>,
    /// What they are called together.
    pub(super) noun: &'static str,
}

/// One document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'d> {
    pub(super) name: &'d str,
    pub(super) pointer: &'d str,
    pub(super) value: &'d Value,
}

impl Documents {
    /// Opens the documents. Unknown when what is selected has another form there than the specification wants.
    pub(super) fn open(of: Of, selector: Selector<'_>, subject: Subject<'_>, view: &View<'_>) -> Fact<Self> {
        match (of, subject) {
            (Of::Config, Subject::Platform(entry)) => {
                view.config(entry)?;
                let document = view.config_of(entry)?;
                Self::read(document, selector, NodeRole::Config, "the config")
            }
            (Of::Manifest, Subject::Platform(entry)) => {
                view.image(entry)?;
                Self::read(view.document(entry.digest()?)?, selector, NodeRole::Manifest, "the manifest")
            }
            (Of::Layer, Subject::Platform(entry)) => {
                view.image(entry)?;
                Self::layers(view.document(entry.digest()?)?, selector)
            }
            (Of::Index, Subject::Root) => {
                let is_index = view.root_manifest()?.kind() == crate::oci::ManifestKind::Index;
                let document = view.document(&view.root().digest)?;
                if is_index {
                    return Self::read(document, selector, NodeRole::Index, "the index");
                }
                // A plain manifest has no index, in which nothing can be found.
                let digest = document.digest().clone();
                let (role, noun) = (NodeRole::Manifest, "the index (there is none)");
                Ok(Self { json: Value::Null, role, digest, parts: vec![(noun.to_owned(), String::new())], noun })
            }
            _ => Err(Why::undecidable("judging a field", "the subject has no such document").into()),
        }
    }

    fn read<T>(document: &Document<T>, selector: Selector<'_>, role: NodeRole, noun: &'static str) -> Fact<Self> {
        sound(document, selector, "")?;
        let parts = vec![(noun.to_owned(), String::new())];
        Ok(Self { json: document.json(), role, digest: document.digest().clone(), parts, noun })
    }

    fn layers<T>(document: &Document<T>, selector: Selector<'_>) -> Fact<Self> {
        let json = document.json();
        let number = json["layers"].as_array().map_or(0, Vec::len);
        let part = |at: usize| (words::layers(&[at], number), format!("/layers/{at}"));
        let parts: Vec<(String, String)> = (0..number).map(part).collect();
        for (_, pointer) in &parts {
            sound(document, selector, pointer)?;
        }
        let digest = document.digest().clone();
        Ok(Self { json, role: NodeRole::Manifest, digest, parts, noun: "the layers" })
    }

    /// A statement, of which every field counts as it is.
    pub(super) fn statement(text: &StatementText, layer: &Descriptor) -> Fact<Self> {
        let digest = layer
            .digest
            .clone()
            .map_err(|error| Why::new("reading a statement", Cause::BadDigest { detail: error.to_string() }))?;
        let (role, noun) = (NodeRole::Statement, "the statement");
        Ok(Self { json: text.json(), role, digest, parts: vec![(noun.to_owned(), String::new())], noun })
    }

    /// Why a statement is not what its manifest says.
    pub(super) fn is_called_otherwise(&self, said: &str) -> Option<String> {
        is_called_otherwise(said, self.json["predicateType"].as_str().unwrap_or_default())
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.parts.iter().filter_map(|(name, pointer)| {
            let value = if pointer.is_empty() { &self.json } else { self.json.pointer(pointer)? };
            Some(Part { name, pointer, value })
        })
    }

    /// The text as a whole.
    pub(super) fn root(&self) -> Location {
        Location::new(self.role, &self.digest, "")
    }

    /// A place in a part.
    pub(super) fn at(&self, part: Part<'_>, pointer: &str) -> Location {
        Location::new(self.role, &self.digest, format!("{}{pointer}", part.pointer))
    }
}

/// Unknown when what is selected may be something else to whoever reads the document with the specification in mind.
fn sound<T>(document: &Document<T>, selector: Selector<'_>, part: &str) -> Fact<()> {
    let defect = match selector.pointer() {
        Some(pointer) => document.defect_of(&format!("{part}{pointer}")),
        // What a query selects of a document that is not sound is anybody's guess.
        None => document.defects().iter().find(|defect| !defect.pointer.is_empty()),
    };
    match defect {
        None => Ok(()),
        Some(defect) => {
            let detail = format!("{} ({})", defect.message, ImageText(&defect.pointer));
            Err(Why::undecidable(format!("reading {}", document.digest().short()), detail).into())
        }
    }
}
