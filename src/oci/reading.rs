//! Lenient reading: whatever the specification forbids becomes a defect with its place, and reading goes on.

use std::{borrow::Cow, cell::RefCell, fmt::Display};

use serde::Serialize;

use super::{
    Annotations,
    json::{Bounded, Members, Path, Tree, quoted},
};

/// More defects than these say nothing new about a document.
pub(super) const MAX_DEFECTS: usize = 200;

/// A breach of the image specification that one document alone shows, in a document that can be read all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// RFC 6901 pointer to the value concerned; for a missing member, to the object that lacks it.
    pub pointer: String,
    /// The value found and what is wanted, escaped.
    pub message: String,
}

/// Collects what is wrong while a document is read.
#[derive(Debug)]
pub(super) struct Defects(RefCell<Bounded<Defect>>);

impl Defects {
    pub(super) fn new() -> Defects {
        Defects(RefCell::new(Bounded::new(MAX_DEFECTS)))
    }

    pub(super) fn add(&self, path: &Path<'_>, message: impl Display) {
        let make = || Defect { pointer: path.to_pointer(), message: message.to_string() };
        self.0.borrow_mut().push(make);
    }

    pub(super) fn into_vec(self) -> Vec<Defect> {
        self.0.into_inner().into_vec()
    }
}

/// An object being read, with its place. `null` counts as absent everywhere, as in Go.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    members: &'a Members<'a>,
    path: &'a Path<'a>,
    defects: &'a Defects,
}

impl<'a> Object<'a> {
    /// The whole document.
    pub(super) fn root(members: &'a Members<'a>, defects: &'a Defects) -> Object<'a> {
        Object { members, path: &Path::Root, defects }
    }

    /// The object at `path`; anything else is a defect, and then nothing is in it.
    pub(super) fn read<T>(
        value: &Tree<'_>,
        path: &Path<'_>,
        defects: &Defects,
        read: impl FnOnce(Object<'_>) -> T,
    ) -> Option<T> {
        if let Tree::Object(members) = value {
            return Some(read(Object { members, path, defects }));
        }
        defects.add(path, format_args!("found {}, expected an object", kind(value)));
        None
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The member, unless it is absent or null.
    pub(super) fn get(self, name: &str) -> Option<&'a Tree<'a>> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Notes a defect of the object itself.
    pub(super) fn defect(self, message: impl Display) {
        self.defects.add(self.path, message);
    }

    /// Notes a defect of a member.
    pub(super) fn defect_at(self, name: &str, message: impl Display) {
        self.defects.add(&Path::Member(self.path, name), message);
    }

    /// Notes that a member which must be there is not.
    pub(super) fn require(self, name: &str) {
        if !self.has(name) {
            self.defect(format_args!("`{name}` is missing"));
        }
    }

    /// Notes that a list which must be there is not. For a list, null is another way to write that it is empty.
    pub(super) fn require_list(self, name: &str) {
        if !self.members.contains_key(name) {
            self.defect(format_args!("`{name}` is missing"));
        }
    }

    fn wrong(self, name: &str, value: &Tree<'_>, expected: &str) {
        self.defect_at(name, format_args!("`{name}` is {}, expected {expected}", found(value)));
    }

    pub(super) fn string(self, name: &str) -> Option<&'a str> {
        let value = self.get(name)?;
        if value.as_str().is_none() {
            self.wrong(name, value, "a string");
        }
        value.as_str()
    }

    /// The string, unless it is empty.
    pub(super) fn text(self, name: &str) -> Option<String> {
        self.string(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A string that must be there and not be empty.
    pub(super) fn required_text(self, name: &str) -> Option<String> {
        self.require(name);
        let text = self.string(name)?;
        if text.is_empty() {
            self.defect_at(name, format_args!("`{name}` is empty"));
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn boolean(self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        if value.as_bool().is_none() {
            self.wrong(name, value, "a boolean");
        }
        value.as_bool()
    }

    /// A count of something: what fits Go's `int64` and is not negative.
    pub(super) fn count(self, name: &str) -> Option<u64> {
        let value = self.get(name)?;
        let count = value.as_u64().filter(|count| i64::try_from(*count).is_ok());
        if count.is_none() {
            self.wrong(name, value, "a non-negative integer");
        }
        count
    }

    /// A list of strings. An element of another type is a defect and read as "", so that the others keep their index.
    pub(super) fn strings(self, name: &str) -> Option<Vec<String>> {
        let list = self.list(name)?;
        let path = Path::Member(self.path, name);
        let read = |(index, value): (usize, &Tree<'_>)| {
            if value.as_str().is_none() {
                self.defects
                    .add(&Path::Element(&path, index), format_args!("found {}, expected a string", kind(value)));
            }
            value.as_str().unwrap_or_default().to_owned()
        };
        Some(list.iter().enumerate().map(read).collect())
    }

    /// A map of strings; members of another type are defects and left out.
    pub(super) fn string_map(self, name: &str) -> Annotations {
        let Some(members) = self.members(name) else {
            return Annotations::new();
        };
        let path = Path::Member(self.path, name);
        let read = |(key, value): (&Cow<'_, str>, &Tree<'_>)| {
            if value.as_str().is_none() {
                self.defects.add(&Path::Member(&path, key), format_args!("found {}, expected a string", kind(value)));
            }
            Some((key.to_string(), value.as_str()?.to_owned()))
        };
        members.iter().filter_map(read).collect()
    }

    /// The names of a map whose values say nothing: Go's `map[string]struct{}`.
    pub(super) fn names(self, name: &str) -> Vec<String> {
        self.members(name).map(|members| members.keys().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// The object of that name as `read` makes it.
    pub(super) fn object<T>(self, name: &str, read: impl FnOnce(Object<'_>) -> T) -> Option<T> {
        let value = self.get(name)?;
        Object::read(value, &Path::Member(self.path, name), self.defects, read)
    }

    /// A list of objects as `read` makes them; an element of another type is a defect and read as an empty object would be,
    /// without further defects.
    pub(super) fn objects<T>(self, name: &str, read: impl Fn(Object<'_>) -> T) -> Vec<T> {
        let list = self.list(name).unwrap_or_default();
        let path = Path::Member(self.path, name);
        let one = |(index, value): (usize, &Tree<'_>)| {
            Object::read(value, &Path::Element(&path, index), self.defects, &read).unwrap_or_else(|| {
                let unheard = Defects::new();
                read(Object::root(&Members::new(), &unheard))
            })
        };
        list.iter().enumerate().map(one).collect()
    }

    fn list(self, name: &str) -> Option<&'a [Tree<'a>]> {
        let value = self.get(name)?;
        if value.as_array().is_none() {
            self.defect_at(name, format_args!("`{name}` is {}, expected a list", kind(value)));
        }
        value.as_array()
    }

    fn members(self, name: &str) -> Option<&'a Members<'a>> {
        let value = self.get(name)?;
        if value.as_object().is_none() {
            self.defect_at(name, format_args!("`{name}` is {}, expected an object", kind(value)));
        }
        value.as_object()
    }
}

/// How a message names a value where variables may stand: without what it is, which is not to be shown.
fn kind(value: &Tree<'_>) -> String {
    match value {
        Tree::String(_) => "a string".to_owned(),
        Tree::Number(_) => "a number".to_owned(),
        other => found(other),
    }
}

/// How a message names a value of the document.
pub(super) fn found(value: &Tree<'_>) -> String {
    match value {
        Tree::Null => "null".to_owned(),
        Tree::Bool(value) => format!("the boolean {value}"),
        Tree::Number(value) => format!("the number {value}"),
        Tree::String(text) => format!("the string {}", quoted(text)),
        Tree::Array(list) if list.is_empty() => "an empty list".to_owned(),
        Tree::Array(_) => "a list".to_owned(),
        Tree::Object(_) => "an object".to_owned(),
    }
}
