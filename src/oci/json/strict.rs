//! The pass that builds the value and finds the ambiguities.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{
    Ambiguity, AmbiguityKind, Bounded, JsonError, JsonProblem, MAX_DEPTH, MAX_VALUES, Path, Shape,
    shape::{Names, Place},
};

/// A flood of ambiguities says no more than the first of them.
const MAX_AMBIGUITIES: usize = 32;

pub(super) fn parse(bytes: &[u8], shape: Shape) -> Result<(Value, Vec<Ambiguity>), JsonError> {
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
    let message = error.to_string();
    let message = message.rfind(" at line ").map_or(message.as_str(), |at| &message[..at]);
    error_at(text.as_bytes(), offset, problem, message.to_owned())
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
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.pass.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let depth = self.enter()?;
        let mut list = Vec::new();
        loop {
            let path = Path::Element(&self.path, list.len());
            let node = Node { pass: self.pass, path, depth, place: self.place.element() };
            match elements.next_element_seed(node)? {
                Some(value) => list.push(value),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let depth = self.enter()?;
        let names = self.place.names();
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Member(&self.path, &name);
            let place = self.member(&path, &name, names);
            let value = members.next_value_seed(Node { pass: self.pass, path, depth, place })?;
            if !self.pass.lenient && object.contains_key(&name) {
                self.pass.report(&path, || AmbiguityKind::Duplicate { name: name.clone() });
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

impl Node<'_> {
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
