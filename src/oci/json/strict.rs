//! The pass that builds the value and finds the ambiguities.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::btree_map::Entry,
    fmt,
};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::{
    Ambiguity, AmbiguityKind, Bounded, JsonError, JsonProblem, MAX_DEPTH, MAX_VALUES, Members, Path, Shape, Text, Tree,
    shape::{Names, Place},
    without_place,
};

/// A flood of ambiguities says no more than the first of them.
const MAX_AMBIGUITIES: usize = 32;

pub(super) fn parse(bytes: &[u8], shape: Shape) -> Result<(Tree<'_>, Vec<Ambiguity>), JsonError> {
    let text = utf8(bytes)?;
    let pass = Pass {
        lenient: shape == Shape::Lenient,
        values: Cell::new(0),
        stopped: Cell::new(None),
        found: RefCell::new(Bounded::new(MAX_AMBIGUITIES)),
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = Node { pass: &pass, path: Path::Root, depth: 0, place: shape.root() };
    let value = seed.deserialize(&mut reader).map_err(|error| {
        let problem = pass.stopped.get().unwrap_or(JsonProblem::Syntax);
        from_serde(text, problem, &error)
    })?;
    reader.end().map_err(|error| from_serde(text, JsonProblem::Trailing, &error))?;
    Ok((value, pass.found.into_inner().into_vec()))
}

fn utf8(bytes: &[u8]) -> Result<&str, JsonError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(error_at(bytes, 0, JsonProblem::Bom, "a byte order mark is not allowed".to_owned()));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(error_at(bytes, 0, JsonProblem::Empty, "the document is empty".to_owned()));
    }
    str::from_utf8(bytes).map_err(|error| {
        error_at(bytes, error.valid_up_to(), JsonProblem::NotUtf8, "the document is not UTF-8".to_owned())
    })
}

fn from_serde(text: &str, problem: JsonProblem, error: &serde_json::Error) -> JsonError {
    let line_start = match error.line().checked_sub(2) {
        Some(newlines) => {
            text.bytes().enumerate().filter(|(_, b)| *b == b'\n').nth(newlines).map_or(0, |(at, _)| at + 1)
        }
        None => 0,
    };
    let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    error_at(text.as_bytes(), offset, problem, without_place(error))
}

fn error_at(bytes: &[u8], offset: usize, problem: JsonProblem, message: String) -> JsonError {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let line = before.split(|b| *b == b'\n').count();
    JsonError { problem, offset, line, column: before.len() - line_start + 1, message }
}

/// What the whole pass shares.
struct Pass {
    lenient: bool,
    values: Cell<usize>,
    stopped: Cell<Option<JsonProblem>>,
    found: RefCell<Bounded<Ambiguity>>,
}

impl Pass {
    fn stop<E: de::Error>(&self, problem: JsonProblem, message: impl fmt::Display) -> E {
        self.stopped.set(Some(problem));
        E::custom(message)
    }

    /// Counts a value before it is read.
    fn count<E: de::Error>(&self) -> Result<(), E> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES && !self.lenient {
            return Err(self.stop(JsonProblem::TooMany, format_args!("more than {MAX_VALUES} values")));
        }
        Ok(())
    }

    fn report(&self, path: &Path<'_>, kind: impl FnOnce() -> AmbiguityKind) {
        let make = || Ambiguity { pointer: path.to_pointer(), kind: kind() };
        self.found.borrow_mut().push(make);
    }
}

/// One value about to be read.
struct Node<'p> {
    pass: &'p Pass,
    path: Path<'p>,
    depth: usize,
    place: Place,
}

impl Node<'_> {
    fn enter<E: de::Error>(&self) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.pass.stop(JsonProblem::TooDeep, format_args!("nested more than {MAX_DEPTH} deep")));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        self.pass.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'de>, E> {
        // JSON knows no other numbers than finite ones.
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::String(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree<'de>, A::Error> {
        let depth = self.enter()?;
        let mut list = Vec::new();
        loop {
            let path = Path::Element(&self.path, list.len());
            let node = Node { pass: self.pass, path, depth, place: self.place.element() };
            match elements.next_element_seed(node)? {
                Some(value) => list.push(value),
                None => return Ok(Tree::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let depth = self.enter()?;
        let names = self.place.names();
        let mut object = Members::new();
        while let Some(Text(name)) = members.next_key()? {
            let path = Path::Member(&self.path, &name);
            let place = self.member(&path, &name, names);
            let value = members.next_value_seed(Node { pass: self.pass, path, depth, place })?;
            match object.entry(name) {
                Entry::Vacant(vacant) => drop(vacant.insert(value)),
                Entry::Occupied(mut earlier) => {
                    self.repeated(earlier.key());
                    earlier.insert(value);
                }
            }
        }
        Ok(Tree::Object(object))
    }
}

impl Node<'_> {
    /// A name that occurred before.
    fn repeated(&self, name: &str) {
        if !self.pass.lenient {
            let kind = || AmbiguityKind::Duplicate { name: name.to_owned() };
            self.pass.report(&Path::Member(&self.path, name), kind);
        }
    }

    /// The place of a member, after its name was compared with the known ones.
    fn member(&self, path: &Path<'_>, name: &str, names: Option<Names>) -> Place {
        let Some(names) = names else {
            return Place::Any;
        };
        if let Some(place) = names.exact(name) {
            return place;
        }
        if let Some((known, place)) = names.folded(name) {
            self.pass.report(path, || AmbiguityKind::Fold { name: name.to_owned(), known });
            return place;
        }
        Place::Any
    }
}
