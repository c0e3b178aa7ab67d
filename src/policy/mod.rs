//! Policies: which rules are judged, at which level, for which images, with which waivers.

mod clock;
mod keys;
mod ledger;
mod load;
mod overlong;
mod rulings;
mod schema;
mod scope;
mod starter;
mod waiver;

pub use clock::{day, moment};
pub use ledger::{Due, ledger};
pub use load::{
    Entry, Fetched, Loading, Parent, PolicyError, PolicyErrors, Words, did_you_mean, discover, is_test_file, load_files,
};
pub(crate) use load::{TESTS, strict};
pub use rulings::{Ruling, Rulings, WaiverScope};
pub use schema::{schema, schema_text};
pub use scope::{ImagePatternError, ImageScope, PlatformScope};
pub use starter::{AllowedNames, Pack, Starter};
pub use waiver::{EXPIRING_DAYS, Waiver};

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use memchr::memchr_iter;
use serde::{Deserialize, Serialize};

use crate::rules::{Check, Rule};

/// How much a violation matters (SARIF's own levels).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Not judged.
    Off,
    /// Worth knowing.
    Note,
    /// Shown, and does not fail the run.
    Warning,
    /// Fails the run.
    Error,
}

impl Level {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is asked of images: one or several policy files, merged.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What was named as policies: paths as they were named, `ocilint:NAME` of built-in ones.
    pub named: Vec<String>,
    /// Where it is said what the policy is called and for (`name`, `description`); of several that were named, nowhere.
    pub title: BTreeMap<String, Origin>,
    /// The files it was loaded from, in the order named.
    pub sources: Vec<Arc<PolicySource>>,
    /// The order in which they count, by their places in `sources`: what is extended comes before what extends it.
    pub order: Vec<usize>,
    /// The rules to judge, under their own names, sorted by name; the always-on ones included.
    pub instances: Vec<Instance>,
    /// Exceptions.
    pub waivers: Vec<Waiver>,
    /// What is demanded of the exceptions.
    pub rulings: Rulings,
    /// Whether it is the built-in `baseline` because none was named and no `ocilint.toml` was found.
    pub fallback: bool,
}

/// One policy file.
#[derive(Debug, PartialEq, Eq)]
pub struct PolicySource {
    /// The path as it was named, or `ocilint:NAME` of a built-in pack.
    pub name: String,
    /// Its text.
    pub text: String,
    /// sha256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Where something in a policy was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub source: Arc<PolicySource>,
    /// The bytes of it.
    pub span: Range<usize>,
}

impl Origin {
    /// Line and column, both from 1, the column in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let text = &self.source.text;
        let (start, line_start) = self.starts();
        (memchr_iter(b'\n', &text.as_bytes()[..line_start]).count() + 1, text[line_start..start].chars().count() + 1)
    }

    /// The line that it stands on, without its end.
    pub fn line_text(&self) -> &str {
        let (_, line_start) = self.starts();
        self.source.text[line_start..].lines().next().unwrap_or_default()
    }

    /// Where it begins, and where its line does.
    fn starts(&self) -> (usize, usize) {
        let text = &self.source.text;
        let start = text.floor_char_boundary(self.span.start);
        (start, text[..start].rfind('\n').map_or(0, |at| at + 1))
    }
}

/// One use of a rule: its level, its scope, its parameters.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its name: the table's name in the policy.
    pub name: String,
    /// The rule it uses.
    pub rule: &'static Rule,
    /// How much a violation matters.
    pub level: Level,
    /// The images it is for; `None` for all.
    pub images: Option<ImageScope>,
    /// The platforms it is for; `None` for all.
    pub platforms: Option<PlatformScope>,
    /// The policy author's own words of help.
    pub help: Option<String>,
    /// The policy author's own page about it.
    pub url: Option<String>,
    /// The first day (UTC) on which a violation counts as its level says; before it, it warns.
    pub effective_from: Option<Date>,
    /// Whether it is locked: what extends it can only raise its level.
    pub locked: bool,
    /// The rule with its parameters.
    pub check: Arc<dyn Check>,
    /// Where it was written; `None` for an always-on rule that no policy names.
    pub origin: Option<Origin>,
    /// Where each of its keys was written, which may be in different files (`extends`).
    pub origins: BTreeMap<String, Origin>,
    /// Where the lists of `[data]` stand that its keys take.
    pub lists: BTreeMap<String, Origin>,
}

impl Instance {
    /// Whether a policy names it; an always-on rule that none names does not count as covering an image.
    pub fn is_explicit(&self) -> bool {
        self.origin.is_some()
    }

    /// How much a violation matters on a day: no more than a warning before the rule takes effect.
    pub fn level_on(&self, today: Date) -> Level {
        if self.takes_effect_after(today).is_some() { Level::Warning } else { self.level }
    }

    /// The first day on which it counts at its level, where that is a later day and the level is lowered until then.
    pub fn takes_effect_after(&self, today: Date) -> Option<Date> {
        self.effective_from.filter(|&from| from > today && self.level > Level::Warning)
    }

    /// Where a key of it was written, or the table if it was not.
    pub fn origin_of(&self, key: &str) -> Option<&Origin> {
        self.origins.get(key).or(self.origin.as_ref())
    }
}
