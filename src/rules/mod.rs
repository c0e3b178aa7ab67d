//! The rules. One rule is one file: its documentation, its parameters, its check.
//!
//! A rule is pure and synchronous: it sees facts through the [`View`] and never fetches. To add one, write its file, name it
//! in the list below, and write `tests/rules/<rule>.toml`.

mod base;
mod carriers;
mod config_part;
mod duration;
mod hosts;
mod image_purl;
mod layers;
mod name_glob;
mod parameters;
mod paths;
mod pre_release;
mod prelude;
mod schema;
pub(crate) mod sensitive;
mod shell;
mod size;
mod soci;
mod takes;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod value_type;
mod values;
mod versions;
mod words;

mod annotations;
mod artifact_type;
mod attestation;
mod base_image;
mod children;
mod compare;
mod created;
mod deploy_target;
mod document;
mod empty_layers;
mod entrypoint;
mod env;
mod exposed_ports;
mod field;
mod foreign_layers;
mod healthcheck;
mod history;
mod image_size;
mod labels;
mod layer_compression;
mod layer_content;
mod layer_count;
mod layer_duplicates;
mod layer_size;
mod lazy_pull;
mod media_types;
mod packages;
mod platform_agreement;
mod platform_parity;
mod platforms;
mod provenance;
mod reference;
mod registries;
mod sbom;
mod schema1;
mod secrets;
mod shape;
mod signature;
mod stop_signal;
mod tag_alias;
mod tag_digest;
mod user;
mod version_label;
mod volumes;
mod workdir;

pub use duration::Duration;
pub use name_glob::{NameGlob, NameGlobError};
pub use parameters::{Glob, Pattern, Problem};
pub(crate) use schema::explained;
pub use size::Size;
pub use takes::Takes;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::finding::Verdict;
use crate::graph::{Fact, Subject, View};

/// Every rule, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &document::RULE,
    &media_types::RULE,
    &schema1::RULE,
    &shape::RULE,
    &artifact_type::RULE,
    &foreign_layers::RULE,
    &deploy_target::RULE,
    &platforms::RULE,
    &platform_agreement::RULE,
    &platform_parity::RULE,
    &children::RULE,
    &layer_compression::RULE,
    &layer_content::RULE,
    &layer_count::RULE,
    &layer_size::RULE,
    &image_size::RULE,
    &layer_duplicates::RULE,
    &empty_layers::RULE,
    &lazy_pull::RULE,
    &user::RULE,
    &exposed_ports::RULE,
    &env::RULE,
    &healthcheck::RULE,
    &secrets::RULE,
    &entrypoint::RULE,
    &workdir::RULE,
    &volumes::RULE,
    &stop_signal::RULE,
    &history::RULE,
    &annotations::RULE,
    &labels::RULE,
    &version_label::RULE,
    &created::RULE,
    &sbom::RULE,
    &provenance::RULE,
    &signature::RULE,
    &attestation::RULE,
    &packages::RULE,
    &base_image::RULE,
    &reference::RULE,
    &registries::RULE,
    &tag_digest::RULE,
    &tag_alias::RULE,
    &field::RULE,
    &compare::RULE,
];

/// The rule of that name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// One rule: what it governs, and how to make a check of it from parameters.
#[derive(Debug)]
pub struct Rule {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// One line: what it checks.
    pub summary: &'static str,
    /// The documentation, Markdown under fixed headings.
    pub docs: &'static str,
    /// The check to judge by where no policy names the rule, of a rule that is always on.
    pub implicit: Option<fn() -> Box<dyn Check>>,
    /// The names of its parameters.
    pub parameters: fn() -> &'static [&'static str],
    /// What kind of value a parameter takes.
    pub takes: fn(&str) -> Takes,
    /// The JSON Schema of its parameters.
    pub schema: fn() -> schemars::Schema,
    /// Reads its parameters from a policy's table (without the keys that the policy owns).
    pub configure: fn(Spanned<DeTable<'_>>) -> Configured,
}

/// A check made from a policy's table, or what is wrong with the table, with its span.
pub type Configured = Result<Box<dyn Check>, toml::de::Error>;

/// Which subjects a check judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judges {
    /// What the reference points to.
    Root,
    /// Each runnable platform.
    EachPlatform,
    /// The root and each platform.
    Both,
}

/// A rule with its parameters, ready to judge.
pub trait Check: Send + Sync + std::fmt::Debug {
    /// Which subjects it judges; may depend on the parameters.
    fn judges(&self) -> Judges;

    /// Whether it also judges a root that is no image (a chart, a signature).
    fn judges_artifacts(&self) -> bool {
        false
    }

    /// Whether it looks at the image that the user names to compare with (`--against`).
    fn takes_against(&self) -> bool {
        false
    }

    /// Parameters that contradict each other, or that require nothing.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Judges one subject. `?` on a fact either suspends the rule (not asked for yet) or ends it as unknown.
    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict>;
}

/// Reads a rule's parameters from its table; the spans in an error are those of the policy file.
pub fn configure<C: Check + DeserializeOwned + 'static>(table: Spanned<DeTable<'_>>) -> Configured {
    let span = table.span();
    let value = Spanned::new(span, DeValue::Table(table.into_inner()));
    Ok(Box::new(C::deserialize(ValueDeserializer::from(value))?))
}

/// Declares a rule: its documentation, its name and the struct of its parameters, which is also its check. A rule that is
/// always on adds what makes the check where no policy names it: `Document: "document", implicit = Document::passive`.
///
/// ```text
/// declare_rule! {
///     /// The image does not run as root.      ← the summary: the first paragraph
///     ///
///     /// # What it checks
///     /// …
///     User: "user"
/// }
/// ```
macro_rules! declare_rule {
    ($(#[doc = $doc:literal])+ $check:ty : $name:literal $(, implicit = $implicit:expr)?) => {
        /// The rule, as it stands in the list of rules.
        pub(super) static RULE: crate::rules::Rule = crate::rules::Rule {
            name: $name,
            summary: crate::rules::first_line(&[$($doc),+]),
            docs: concat!($($doc, "\n"),+),
            implicit: crate::rules::declare_rule!(@implicit $check $(, $implicit)?),
            parameters: crate::rules::parameters::names::<$check>,
            takes: crate::rules::takes::of::<$check>,
            schema: crate::rules::schema::of::<$check>,
            configure: crate::rules::configure::<$check>,
        };
    };
    (@implicit $check:ty) => { None };
    (@implicit $check:ty, $implicit:expr) => {
        Some(|| {
            let check: $check = $implicit();
            Box::new(check)
        })
    };
}
use declare_rule;

const fn first_line(lines: &[&'static str]) -> &'static str {
    lines[0].trim_ascii()
}
