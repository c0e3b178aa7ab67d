//! The provenance in carriers, read.

use super::super::prelude::*;
use super::{Content, Sought, statement};
use crate::oci::{PredicateClass, Provenance};

/// Looks for provenance that a rule can use.
pub(in super::super) struct SoughtProvenance {
    /// What it is, in a sentence without an article.
    pub(in super::super) noun: &'static str,
    /// What to call it where that is not its type, or why it is of no use.
    pub(in super::super) called: fn(&Provenance) -> Result<Option<String>, String>,
}

impl SoughtProvenance {
    /// Whatever it says.
    pub(in super::super) const ANY: Self = Self { noun: "provenance", called: |_| Ok(None) };
}

impl Sought for SoughtProvenance {
    fn noun(&self) -> String {
        self.noun.to_owned()
    }

    fn tags(&self) -> &'static [&'static str] {
        &["att"]
    }

    fn wants(&self, content: &Content<'_>) -> bool {
        content.class() == Some(PredicateClass::Provenance)
    }

    fn examine(&self, content: &Content<'_>, about: &Digest, view: &View<'_>) -> Fact<Result<String, String>> {
        let called = provenance(content, about, view)?.and_then(|provenance| (self.called)(provenance));
        Ok(called.map(|called| called.unwrap_or_else(|| content.to_string())))
    }
}

/// The provenance in a content, in a carrier that is bound to `about`; or why it is none of that manifest.
pub(in super::super) fn provenance<'g>(
    content: &Content<'_>,
    about: &Digest,
    view: &View<'g>,
) -> Fact<Result<&'g Provenance, String>> {
    let provenance = |statement: &'g crate::oci::Statement| {
        let filled = statement.provenance.as_ref().filter(|provenance| !provenance.is_empty());
        filled.ok_or_else(|| "its provenance is empty".to_owned())
    };
    Ok(statement(content, about, view)?.and_then(provenance))
}
