//! Which names the Go programs know at which place of a document.

/// What a document is expected to be, which says where names are compared with the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A manifest or an index of any kind: the known names of all of them, so that a body is checked before its kind is
    /// known.
    Manifest,
    /// An image config.
    Config,
    /// Something else: duplicate names only.
    Any,
    /// No check of names: statements and SBOMs, which no runtime decodes.
    Lenient,
}

impl Shape {
    pub(super) fn root(self) -> Place {
        match self {
            Shape::Manifest => Place::Object(MANIFEST),
            Shape::Config => Place::Object(CONFIG),
            Shape::Any | Shape::Lenient => Place::Any,
        }
    }
}

/// How Go decodes what stands at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Into a map, a plain value, or not at all: names are taken as they are.
    Any,
    /// Into a struct with these fields.
    Object(Names),
    /// Into a list of such structs.
    List(Names),
}

impl Place {
    pub(super) fn element(self) -> Place {
        match self {
            Place::List(names) => Place::Object(names),
            Place::Any | Place::Object(_) => Place::Any,
        }
    }

    pub(super) fn names(self) -> Option<Names> {
        match self {
            Place::Object(names) => Some(names),
            Place::Any | Place::List(_) => None,
        }
    }
}

/// The fields of a struct, each with how its value is decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names(&'static [(&'static str, Place)]);

impl Names {
    /// The place of the field of exactly this name.
    pub(super) fn exact(self, name: &str) -> Option<Place> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, place)| *place)
    }

    /// The field that Go's `encoding/json` takes this name for.
    pub(super) fn folded(self, name: &str) -> Option<(&'static str, Place)> {
        self.0
            .iter()
            .find(|(known, _)| folds_to(name, known))
            .copied()
    }
}

/// Whether the name equals the ASCII name `known` under Unicode's simple folding, as Go compares: besides upper and lower
/// case, U+017F (ſ) folds to s and U+212A (the Kelvin sign) to k.
fn folds_to(name: &str, known: &str) -> bool {
    let folded = name.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    folded.eq(known.chars().map(|c| c.to_ascii_lowercase()))
}

use Place::{Any, List, Object};

const PLATFORM: Names = Names(&[
    ("architecture", Any),
    ("os", Any),
    ("os.version", Any),
    ("os.features", Any),
    ("variant", Any),
    ("features", Any),
]);

const DESCRIPTOR: Names = Names(&[
    ("mediaType", Any),
    ("digest", Any),
    ("size", Any),
    ("urls", Any),
    ("annotations", Any),
    ("data", Any),
    ("platform", Object(PLATFORM)),
    ("artifactType", Any),
]);

const MANIFEST: Names = Names(&[
    ("schemaVersion", Any),
    ("mediaType", Any),
    ("artifactType", Any),
    ("config", Object(DESCRIPTOR)),
    ("layers", List(DESCRIPTOR)),
    ("manifests", List(DESCRIPTOR)),
    ("subject", Object(DESCRIPTOR)),
    ("annotations", Any),
]);

const CONFIG: Names = Names(&[("architecture", Any), ("os", Any), ("config", Any)]);
