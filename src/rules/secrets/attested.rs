//! The provenance of a platform, and of the image as a whole.

use std::cell::RefCell;

use super::super::carriers::{Content, Coverage, Home, Sought};
use crate::oci::{PredicateClass, Provenance};
use crate::rules::prelude::*;

/// Provenance statements with the digests of their blobs, and why there may be more.
pub(super) type Attested<'g> = (Vec<(Digest, &'g Provenance)>, Option<Why>);

/// Every provenance statement that hangs on a platform or on the image as a whole in one of the homes, whatever it is about.
pub(super) fn attested<'g>(homes: &[Home], entry: &Entry, view: &View<'g>) -> Fact<Attested<'g>> {
    let sought = Statements { homes, read: RefCell::default() };
    let (_, doubt) = Coverage::Either.search(&sought, Subject::Platform(entry), view)?.all()?;
    let mut statements = Vec::new();
    for layer in sought.read.into_inner() {
        if let (Some(provenance), Ok(digest)) = (&view.statement(&layer)?.provenance, layer.digest) {
            statements.push((digest, provenance));
        }
    }
    Ok((statements, doubt))
}

/// Gathers the blobs of the statements that are found.
struct Statements<'p> {
    homes: &'p [Home],
    read: RefCell<Vec<Descriptor>>,
}

impl Sought for Statements<'_> {
    fn noun(&self) -> String {
        "provenance".to_owned()
    }

    fn homes(&self) -> &[Home] {
        self.homes
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        content.class() == Some(PredicateClass::Provenance)
    }

    fn examine(&self, content: &Content<'_>, _: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        if let Content::Statement { layer, .. } = content {
            view.statement(layer)?;
            self.read.borrow_mut().push((*layer).clone());
        }
        Ok(Ok(content.to_string()))
    }
}
