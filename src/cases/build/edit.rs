//! Changes to documents before they are hashed: what makes a case hostile.

use serde::Deserialize;
use thiserror::Error;

use super::Tree;
use crate::oci::pointer_unescape;

/// One change to every document of a name. Exactly one of the actions is given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Edit {
    /// Which documents, as in `config linux/amd64`: every document whose name holds these words in this order.
    pub document: String,
    /// Where in the document, RFC 6901; for the actions on one value.
    #[serde(default)]
    pub pointer: String,
    /// Lets this be the value there; a member that is missing is added, `-` appends to a list.
    pub value: Option<Tree>,
    /// Takes the member or element away.
    #[serde(default)]
    pub remove: bool,
    /// Adds a second member of the same name, with this value.
    pub duplicate: Option<Tree>,
    /// Gives the member another name.
    pub rename: Option<String>,
    /// Replaces the whole document by this text.
    pub text: Option<String>,
    /// Adds this text behind the document.
    pub append: Option<String>,
}

/// An edit that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// Not exactly one action.
    #[error(
        "a patch needs exactly one of `value`, `remove`, `duplicate`, `rename`, `text`, `append`; `{document}` has {found}"
    )]
    Actions {
        /// The document that the patch names.
        document: String,
        /// How many it has.
        found: usize,
    },
    /// Nothing at the pointer.
    #[error("`{document}` has nothing at `{pointer}`")]
    Nowhere {
        /// The document.
        document: String,
        /// The pointer.
        pointer: String,
    },
    /// Its name is no document's.
    #[error("no document is called `{document}`; there are: {known}")]
    Unknown {
        /// The name in the patch.
        document: String,
        /// The names there are.
        known: String,
    },
}

/// Whether a document's name is meant: it holds the words in their order.
pub(super) fn is_meant(words: &str, name: &str) -> bool {
    let mut left = name.split(' ');
    words.split_whitespace().all(|word| left.any(|known| known == word))
}

impl Edit {
    /// Puts a value at a pointer of a tree, or takes away what is there.
    pub(super) fn make(tree: &mut Tree, document: &str, pointer: &str, value: Option<&Tree>) -> Result<(), EditError> {
        let (document, pointer) = (document.to_owned(), pointer.to_owned());
        Self { document, pointer, value: value.cloned(), remove: value.is_none(), ..Self::default() }.apply(tree)
    }

    /// Checks that there is exactly one action.
    pub fn check(&self) -> Result<(), EditError> {
        let actions = [
            self.value.is_some(),
            self.remove,
            self.duplicate.is_some(),
            self.rename.is_some(),
            self.text.is_some(),
            self.append.is_some(),
        ];
        match actions.into_iter().filter(|given| *given).count() {
            1 => Ok(()),
            found => Err(EditError::Actions { document: self.document.clone(), found }),
        }
    }

    /// Makes the change in the tree; the changes of the text are left to [`Edit::apply_text`].
    pub fn apply(&self, tree: &mut Tree) -> Result<(), EditError> {
        let done = if let Some(value) = &self.value {
            self.place(tree).and_then(|(parent, name)| set(parent, &name, value))
        } else if self.remove {
            self.place(tree).and_then(|(parent, name)| remove(parent, &name))
        } else if let Some(value) = &self.duplicate {
            self.place(tree).and_then(|(parent, name)| duplicate(parent, name, value))
        } else if let Some(to) = &self.rename {
            self.place(tree).and_then(|(parent, name)| rename(parent, &name, to))
        } else {
            Some(())
        };
        done.ok_or_else(|| EditError::Nowhere { document: self.document.clone(), pointer: self.pointer.clone() })
    }

    /// Makes the change in the text.
    pub fn apply_text(&self, bytes: &mut Vec<u8>) {
        if let Some(text) = &self.text {
            bytes.clear();
            bytes.extend_from_slice(text.as_bytes());
        }
        if let Some(text) = &self.append {
            bytes.extend_from_slice(text.as_bytes());
        }
    }

    /// The container that the pointer's last segment is in, and that segment.
    fn place<'t>(&self, tree: &'t mut Tree) -> Option<(&'t mut Tree, String)> {
        let mut segments: Vec<String> = self.pointer.split('/').map(|raw| pointer_unescape(raw).into_owned()).collect();
        let last = segments.pop()?;
        let (first, parents) = segments.split_first()?;
        if !first.is_empty() {
            return None;
        }
        let parent = parents.iter().try_fold(tree, |tree, segment| child(tree, segment))?;
        Some((parent, last))
    }
}

fn child<'t>(tree: &'t mut Tree, segment: &str) -> Option<&'t mut Tree> {
    match tree {
        Tree::Object(members) => members.iter_mut().find(|(name, _)| name == segment).map(|(_, value)| value),
        Tree::List(values) => values.get_mut(segment.parse::<usize>().ok()?),
        _ => None,
    }
}

fn set(parent: &mut Tree, name: &str, value: &Tree) -> Option<()> {
    match parent {
        Tree::Object(_) => parent.put(name, value.clone()),
        Tree::List(values) if name == "-" => values.push(value.clone()),
        Tree::List(_) => *child(parent, name)? = value.clone(),
        _ => return None,
    }
    Some(())
}

fn remove(parent: &mut Tree, name: &str) -> Option<()> {
    match parent {
        Tree::Object(members) => {
            let at = members.iter().position(|(known, _)| known == name)?;
            members.remove(at);
        }
        Tree::List(values) => {
            let at = name.parse::<usize>().ok().filter(|at| *at < values.len())?;
            values.remove(at);
        }
        _ => return None,
    }
    Some(())
}

fn duplicate(parent: &mut Tree, name: String, value: &Tree) -> Option<()> {
    parent.get(&name)?;
    let Tree::Object(members) = parent else { return None };
    members.push((name, value.clone()));
    Some(())
}

fn rename(parent: &mut Tree, name: &str, to: &str) -> Option<()> {
    let Tree::Object(members) = parent else { return None };
    let member = members.iter_mut().find(|(known, _)| known == name)?;
    to.clone_into(&mut member.0);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(edit: &str) -> Result<String, EditError> {
        let edit: Edit = toml::from_str(&format!("document = 'config'\n{edit}")).unwrap();
        edit.check()?;
        let mut tree: Tree = serde_json::from_str(r#"{"a":{"b/c":1},"list":[1,2]}"#).unwrap();
        edit.apply(&mut tree)?;
        let mut bytes = tree.to_bytes();
        edit.apply_text(&mut bytes);
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn each_action_does_what_it_says() {
        let cases = [
            ("pointer = '/a/b~1c'\nvalue = 'x'", r#"{"a":{"b/c":"x"},"list":[1,2]}"#),
            ("pointer = '/new'\nvalue = true", r#"{"a":{"b/c":1},"list":[1,2],"new":true}"#),
            ("pointer = '/list/-'\nvalue = 3", r#"{"a":{"b/c":1},"list":[1,2,3]}"#),
            ("pointer = '/list/0'\nremove = true", r#"{"a":{"b/c":1},"list":[2]}"#),
            ("pointer = '/a'\nduplicate = 2", r#"{"a":{"b/c":1},"list":[1,2],"a":2}"#),
            ("pointer = '/a'\nrename = 'A'", r#"{"A":{"b/c":1},"list":[1,2]}"#),
            ("text = '<html>'", "<html>"),
            ("append = '{}'", r#"{"a":{"b/c":1},"list":[1,2]}{}"#),
        ];
        for (edit, expected) in cases {
            assert_eq!(edited(edit).unwrap(), expected, "{edit}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        for edit in [
            "pointer = '/x'\nremove = true",
            "pointer = '/a/x/y'\nvalue = 1",
            "pointer = '/list/2'\nvalue = 1",
            "pointer = 'a'\nvalue = 1",
        ] {
            assert!(matches!(edited(edit), Err(EditError::Nowhere { .. })), "{edit}");
        }
        assert!(matches!(edited("value = 1\nremove = true\npointer = '/a'"), Err(EditError::Actions { found: 2, .. })));
        assert!(matches!(edited(""), Err(EditError::Actions { found: 0, .. })));
    }

    #[test]
    fn a_name_is_meant_by_its_words_in_order() {
        assert!(is_meant("config", "config linux/amd64"));
        assert!(is_meant("layer linux/amd64 1", "layer linux/amd64 1"));
        assert!(is_meant("layer 1", "layer linux/amd64 1"));
        assert!(!is_meant("linux/amd64 layer", "layer linux/amd64 1"));
        assert!(!is_meant("config linux/arm64", "config linux/amd64"));
    }
}
