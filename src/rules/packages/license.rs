//! Licences that a policy denies.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use spdx::{Expression, LicenseReq, identifiers, license_id};

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
    /// How the names of those that it matches begin, in words: `gnu general public license`.
    titles: BTreeSet<String>,
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
        let glob = Glob::new(&lower)?;
        let meant = identifiers::LICENSES.iter().filter(|it| names(it.name).any(|name| glob.matches(&name)));
        let titles = meant.filter_map(|it| title(it.full_name)).collect();
        Ok(Self { text, glob, family, titles })
    }
}

/// The names of one licence, in lower case. The list has had several for those of GNU: `GPL-3.0` is `GPL-3.0-only`, `GPL-3.0+` is
/// `GPL-3.0-or-later`, and what it called `GPL-2.0-with-…` is `GPL-2.0-only` with an exception.
fn names(name: &str) -> impl Iterator<Item = String> {
    let plain = name.split_once("-with-").map_or(name, |(plain, _)| plain);
    let only = plain.strip_suffix("-only").unwrap_or(plain);
    let later = plain.strip_suffix("-or-later").map(|base| format!("{base}+"));
    let is_only = license_id(&format!("{only}-only")).is_some();
    let both = is_only.then(|| [only.to_owned(), format!("{only}-only")]).into_iter().flatten();
    both.chain(later).chain([name.to_owned()]).map(|name| name.to_ascii_lowercase())
}

/// How the name of a licence begins, up to its version; none where that is a word that says little.
fn title(full_name: &str) -> Option<String> {
    let words = words(full_name).skip_while(|word| word == "the");
    let says =
        |word: &String| !word.contains(|c: char| c.is_ascii_digit()) && !matches!(word.as_str(), "v" | "version");
    let words: Vec<String> = words.take_while(says).collect();
    (words.len() > 1).then(|| words.join(" "))
}

/// The words of a text, in lower case and American spelling.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.to_lowercase().replace("licence", "license"))
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

/// What a licence statement comes to under a list of denied licences; `own` tells of those that only the document defines.
pub(super) fn judge(license: &License, denied: &[DeniedLicense], own: &BTreeMap<String, String>) -> Answer {
    let text = license.text();
    let expression = (text.len() <= LENGTH).then(|| Expression::parse_mode(text, LICENSES).ok()).flatten();
    let Some(expression) = expression else {
        let said = Said::new(text);
        return if denied.iter().any(|denied| denied.is_mentioned(&said)) { Answer::Unclear } else { Answer::Allowed };
    };
    let is = |req: &LicenseReq| denied.iter().any(|denied| denied.is(req));
    let may_be = |req: &LicenseReq| is(req) || denied.iter().any(|denied| denied.may_be(req, own));
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
        names(&req.license.to_string()).any(|name| self.glob.matches(&name))
    }

    /// Whether a term that only this document defines (`LicenseRef-GPL`) may be what is denied.
    fn may_be(&self, req: &LicenseReq, own: &BTreeMap<String, String>) -> bool {
        let name = req.license.to_string();
        let told = || own.get(&name).is_some_and(|told| self.is_mentioned(&Said::new(told)));
        req.license.id().is_none() && (self.is_mentioned(&Said::new(&name)) || told())
    }

    /// Whether words name the licence or its family, by its identifier or its name.
    fn is_mentioned(&self, said: &Said) -> bool {
        let family =
            |word: &str| !self.family.is_empty() && word.split('-').any(|part| part.starts_with(self.family.as_str()));
        said.identifiers().any(|word| self.glob.matches(word) || family(word))
            || self.titles.iter().any(|title| said.spelt.contains(&format!(" {title} ")))
    }
}

/// What is said in words, made ready once for all that is looked for in it.
struct Said {
    text: String,
    /// Its words, with a space around each.
    spelt: String,
}

impl Said {
    fn new(text: &str) -> Self {
        let spelt = format!(" {} ", words(text).collect::<Vec<_>>().join(" "));
        Self { text: text.to_ascii_lowercase(), spelt }
    }

    /// What may be an identifier of a licence.
    fn identifiers(&self) -> impl Iterator<Item = &str> {
        let words = self.text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-')));
        words.filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(denied: &[&str], license: &License) -> Answer {
        let denied: Vec<_> = denied.iter().map(|text| DeniedLicense::try_from((*text).to_owned()).unwrap()).collect();
        let own = BTreeMap::from([("LicenseRef-1".to_owned(), "GNU GENERAL PUBLIC LICENSE Version 3".to_owned())]);
        judge(license, &denied, &own)
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
            (&["GPL-3.0-only"], "LicenseRef-1", Answer::Unclear),
            (&["MIT"], "LicenseRef-1", Answer::Allowed),
            (&["GPL-3.0"], "GPL-3.0-only", Answer::Denied),
            (&["GPL-3.0"], "GPL-3.0-or-later", Answer::Allowed),
            (&["AGPL-3.0+"], "AGPL-3.0-or-later", Answer::Denied),
            (&["GPL-2.0-only"], "GPL-2.0-with-classpath-exception", Answer::Denied),
            (&["GPL-2.0"], "GPL-2.0-with-classpath-exception", Answer::Denied),
            (&["GPL-2.0-or-later"], "GPL-2.0-with-classpath-exception", Answer::Allowed),
            (&["Apache-2.0"], "Apache-2.0", Answer::Denied),
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
            ("GPL-3.0-only", "The GNU General Public License, Version 3", Answer::Unclear),
            ("GPL-3.0*", "GNU General Public Licence v3 or later", Answer::Unclear),
            ("AGPL-*", "GNU AFFERO GENERAL PUBLIC LICENSE", Answer::Unclear),
            ("GPL-3.0*", "GNU Lesser General Public License v3.0", Answer::Allowed),
            ("MPL-2.0", "Mozilla Public License 2.0", Answer::Unclear),
            ("BUSL-1.1", "Business Source License, of some kind", Answer::Unclear),
            ("MPL-2.0", "Eclipse Public License", Answer::Allowed),
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
