//! Licences that a policy denies.

use serde::Deserialize;
use spdx::{Expression, LicenseReq};

use super::super::Glob;
use super::super::value_type::LICENSES;
use crate::oci::License;

/// The word for a package of which no licence is known.
const NO_ASSERTION: &str = "NOASSERTION";
/// Length beyond which no text is read as an expression, in bytes.
const LENGTH: usize = 4_096;

/// A licence of the SPDX list, a `LicenseRef-…`, a glob over them, or `NOASSERTION`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct DeniedLicense {
    text: String,
    /// Over identifiers in lower case.
    glob: Glob,
    /// What the identifiers begin with, in lower case: `gpl` of `GPL-3.0*`.
    family: String,
}

impl TryFrom<String> for DeniedLicense {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = !text.contains(['*', '?', '[', '{', '\\']);
        let known = || Expression::parse_mode(&text, LICENSES).is_ok_and(|it| it.requirements().count() == 1);
        if plain && text != NO_ASSERTION && (text.contains(" WITH ") || !known()) {
            return Err(format!(
                "`{text}` is no licence of the SPDX list: write one such as `GPL-3.0-only`, a glob such as `GPL-3.0*`, a `LicenseRef-…`, or `{NO_ASSERTION}` for none known"
            ));
        }
        let lower = text.to_ascii_lowercase();
        let family = lower.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned();
        Ok(Self { glob: Glob::new(&lower)?, family, text })
    }
}

/// What a licence statement comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It can be met without what is denied.
    Allowed,
    /// It cannot.
    Denied,
    /// It is no expression that could be read, and names what may be denied.
    Unclear,
}

/// Whether having no known licence is denied.
pub(super) fn denies_none(denied: &[DeniedLicense]) -> bool {
    denied.iter().any(|denied| denied.text == NO_ASSERTION)
}

/// What a licence statement comes to under a list of denied licences.
pub(super) fn judge(license: &License, denied: &[DeniedLicense]) -> Answer {
    let text = license.text();
    let expression = (text.len() <= LENGTH).then(|| Expression::parse_mode(text, LICENSES).ok()).flatten();
    let Some(expression) = expression else {
        return if denied.iter().any(|denied| denied.is_mentioned(text)) { Answer::Unclear } else { Answer::Allowed };
    };
    let is = |req: &LicenseReq| denied.iter().any(|denied| denied.is(req));
    let may_be = |req: &LicenseReq| is(req) || denied.iter().any(|denied| denied.may_be(req));
    if expression.evaluate(|req| !may_be(req)) {
        Answer::Allowed
    } else if expression.evaluate(|req| !is(req)) {
        Answer::Unclear
    } else {
        Answer::Denied
    }
}

impl DeniedLicense {
    /// Whether a term of an expression is denied. An exception (`WITH`) does not change that.
    fn is(&self, req: &LicenseReq) -> bool {
        let name = req.license.to_string();
        let plain = req.license.id().filter(|id| id.is_gnu() && id.is_deprecated() && id.name == name);
        // What the list calls deprecated is the same licence under its old name.
        let current = plain.map(|id| format!("{}-only", id.name));
        [Some(name), current].into_iter().flatten().any(|name| self.glob.matches(&name.to_ascii_lowercase()))
    }

    /// Whether a term that only this document defines (`LicenseRef-GPL`) may be what is denied.
    fn may_be(&self, req: &LicenseReq) -> bool {
        req.license.id().is_none() && self.is_mentioned(&req.license.to_string())
    }

    /// Whether words name the licence or its family.
    fn is_mentioned(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-')));
        let family =
            |word: &str| !self.family.is_empty() && word.split('-').any(|part| part.starts_with(self.family.as_str()));
        words.any(|word| !word.is_empty() && (self.glob.matches(word) || family(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(denied: &[&str], license: &License) -> Answer {
        let denied: Vec<_> = denied.iter().map(|text| DeniedLicense::try_from((*text).to_owned()).unwrap()).collect();
        judge(license, &denied)
    }

    #[test]
    fn what_cannot_be_met_without_a_denied_licence_is_denied() {
        let expression = |text: &str| License::Expression(text.to_owned());
        for (denied, text, expected) in [
            (&["GPL-3.0-only"][..], "GPL-3.0-only", Answer::Denied),
            (&["GPL-3.0-only"], "MIT OR GPL-3.0-only", Answer::Allowed),
            (&["GPL-3.0-only"], "MIT AND GPL-3.0-only", Answer::Denied),
            (&["GPL-3.0-only"], "(MIT AND GPL-3.0-only) OR Zlib", Answer::Allowed),
            (&["GPL-3.0-only", "MIT"], "MIT OR GPL-3.0-only", Answer::Denied),
            (&["GPL-3.0-only"], "GPL-3.0", Answer::Denied),
            (&["GPL-3.0-only"], "GPL-3.0-or-later", Answer::Allowed),
            (&["GPL-3.0-or-later"], "GPL-3.0+", Answer::Denied),
            (&["GPL-3.0*"], "GPL-3.0-or-later", Answer::Denied),
            (&["GPL-3.0*"], "LGPL-3.0-only", Answer::Allowed),
            (&["*GPL-3.0*"], "LGPL-3.0-only", Answer::Denied),
            (&["GPL-2.0-only"], "GPL-2.0-only WITH Classpath-exception-2.0", Answer::Denied),
            (&["LicenseRef-acme"], "LicenseRef-acme", Answer::Denied),
            (&["GPL-3.0-only"], "LicenseRef-GPL", Answer::Unclear),
            (&["GPL-3.0-only"], "MIT OR LicenseRef-GPL", Answer::Allowed),
            (&["GPL-3.0-only"], "LicenseRef-public-domain", Answer::Allowed),
        ] {
            assert_eq!(answer(denied, &expression(text)), expected, "{denied:?}: {text}");
        }
    }

    #[test]
    fn words_that_name_a_denied_licence_are_unclear() {
        let name = |text: &str| License::Name(text.to_owned());
        for (denied, text, expected) in [
            ("GPL-3.0-only", "GNU GPL, version 3", Answer::Unclear),
            ("GPL-3.0-only", "GPLv3", Answer::Unclear),
            ("GPL-3.0-only", "gpl-3.0-only with changes", Answer::Unclear),
            ("GPL-3.0-only", "LGPL, of some version", Answer::Allowed),
            ("Apache-2.0", "The Apache Software License, Version 2.0", Answer::Unclear),
            ("Apache-2.0", "public domain, more or less", Answer::Allowed),
            ("NOASSERTION", "public domain, more or less", Answer::Allowed),
            ("MIT", "mit", Answer::Unclear),
        ] {
            assert_eq!(answer(&[denied], &name(text)), expected, "{denied}: {text}");
        }
        assert_eq!(answer(&["MIT"], &name(&"MIT AND ".repeat(10_000))), Answer::Unclear);
    }

    #[test]
    fn what_is_no_licence_is_refused() {
        for wrong in ["GPL", "MIT OR Zlib", "gpl-3.0-only", "", "[", "GPL-2.0-only WITH Classpath-exception-2.0"] {
            assert!(DeniedLicense::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
