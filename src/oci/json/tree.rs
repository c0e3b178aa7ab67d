//! A JSON value that borrows from the text it was read from.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::Number;

/// The members of an object by name; of equal names the last one counts.
pub type Members<'t> = BTreeMap<Cow<'t, str>, Tree<'t>>;

/// A JSON value as it stands in a text. Strings without escapes are borrowed from it: most of a document is strings, and
/// most of them are looked at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, without its escapes.
    String(Cow<'t, str>),
    /// The elements of an array.
    Array(Vec<Tree<'t>>),
    /// The members of an object.
    Object(Members<'t>),
}

impl<'t> Tree<'t> {
    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, if this is a whole one that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Number(value) = self { value.as_u64() } else { None }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Tree<'t>]> {
        if let Self::Array(value) = self { Some(value) } else { None }
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&Members<'t>> {
        if let Self::Object(value) = self { Some(value) } else { None }
    }

    /// The member of this name, if this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Tree<'t>> {
        self.as_object()?.get(name)
    }
}

/// A string, borrowed where it holds no escapes.
#[derive(Debug, Deserialize)]
pub(crate) struct Text<'t>(#[serde(borrow)] pub(crate) Cow<'t, str>);

/// As if it had been read from a text of its own.
#[cfg(test)]
impl<'t> From<&'t serde_json::Value> for Tree<'t> {
    fn from(value: &'t serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(value) => Self::Number(value.clone()),
            Value::String(value) => Self::String(value.into()),
            Value::Array(list) => Self::Array(list.iter().map(Tree::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
        }
    }
}
