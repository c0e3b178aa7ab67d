//! Scenarios as data: an image, what goes wrong, a policy, and what has to come of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::shelf::Shelf;

/// A family of scenarios, as one file in `tests/gate` holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sheet {
    /// What rows of this file say when they do not say it themselves.
    #[serde(default)]
    defaults: toml::Table,
    /// Documents that all rows of this file may use.
    #[serde(default)]
    documents: BTreeMap<String, String>,
    #[serde(default)]
    types: BTreeMap<String, String>,
    /// Values for words of several rows.
    #[serde(default)]
    lists: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    scenario: Vec<toml::Table>,
}

/// One row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Scenario {
    /// What is tried.
    pub(crate) name: String,
    /// Documents of its own, over the common ones.
    #[serde(default)]
    pub(crate) documents: BTreeMap<String, String>,
    /// Media types of documents, by name or its beginning.
    #[serde(default)]
    pub(crate) types: BTreeMap<String, String>,
    /// Words that are each replaced by each of their values: one row, many scenarios.
    #[serde(default)]
    vary: BTreeMap<String, BTreeMap<String, String>>,
    /// The same with lists of the file, by their names.
    #[serde(default)]
    vary_lists: BTreeMap<String, String>,
    /// The document that the tag points to.
    #[serde(default = "index")]
    pub(crate) root: String,
    /// Further tags.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    /// Documents that are there although nothing leads to them.
    #[serde(default)]
    pub(crate) serve: Vec<String>,
    /// Documents that are not there although something leads to them.
    #[serde(default)]
    pub(crate) missing: Vec<String>,
    /// Documents in whose place other bytes are kept.
    #[serde(default)]
    pub(crate) swapped: BTreeMap<String, String>,
    /// Whether the reference names the digest.
    #[serde(default)]
    pub(crate) by_digest: bool,
    /// Where the image is: `registry`, `layout`, `archive`, `saved`.
    #[serde(default = "registry")]
    pub(crate) over: Vec<Place>,
    /// How it is run.
    #[serde(default)]
    pub(crate) through: Through,
    /// Wrong answers of the registry.
    #[serde(default)]
    pub(crate) faults: Vec<FaultRow>,
    /// Whether there is a second registry, `${other}`, that serves the same. Nobody may ask it anything.
    #[serde(default)]
    pub(crate) other: bool,
    /// What the registry asks for: nothing, `token`, `private-token`, `basic`.
    #[serde(default)]
    pub(crate) access: String,
    /// Whether the referrers API is there; otherwise it answers with this status.
    #[serde(default)]
    pub(crate) no_referrers_api: Option<u16>,
    /// What is done to the files of a layout or archive.
    #[serde(default)]
    pub(crate) damage: Vec<String>,
    /// Whether the time for answers is short.
    #[serde(default)]
    pub(crate) impatient: bool,
    /// What is checked; `${target}` is the image.
    #[serde(default = "target")]
    pub(crate) targets: Vec<String>,
    /// Where standard output goes, if it is not read.
    #[serde(default)]
    pub(crate) stdout: String,
    /// The policy's text.
    pub(crate) policy: String,
    /// Further arguments.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// The exit status.
    pub(crate) exit: i32,
    /// The rule that decides, by its name in the policy.
    #[serde(default)]
    pub(crate) rule: Option<String>,
    /// The subject it decides on.
    #[serde(default)]
    pub(crate) subject: Option<String>,
    /// What it says.
    #[serde(default)]
    pub(crate) verdict: Option<String>,
    /// A fragment of why.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// Some requests, and what is wrong with their answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRow {
    /// Text in their path and query.
    pub(crate) on: String,
    /// The fault, as `fault::read` reads it.
    pub(crate) with: String,
    /// So many are left alone first.
    #[serde(default)]
    pub(crate) after: usize,
    /// It ends after so many.
    #[serde(default)]
    pub(crate) times: Option<usize>,
}

/// Where an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    Registry,
    Layout,
    Archive,
    /// What `docker save` wrote in its classic form; all files are `damage`.
    Saved,
}

/// How a scenario is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Through {
    /// In this process, where repetitions need no pauses.
    #[default]
    Engine,
    /// The built program.
    Binary,
    /// Both, one after the other.
    Both,
}

fn index() -> String {
    "index".to_owned()
}

fn target() -> Vec<String> {
    vec!["${target}".to_owned()]
}

fn registry() -> Vec<Place> {
    vec![Place::Registry]
}

/// All scenarios of one file, every variation on its own.
pub(crate) fn family(name: &str) -> Vec<Scenario> {
    let common = sheet("common");
    let sheet = sheet(name);
    let mut all = Vec::new();
    for row in sheet.scenario {
        let mut table = sheet.defaults.clone();
        table.extend(row);
        let mut scenario: Scenario = table.try_into().unwrap_or_else(|error| panic!("tests/gate/{name}.toml: {error}"));
        scenario.documents = overlaid(&[&common.documents, &sheet.documents, &scenario.documents]);
        scenario.types = overlaid(&[&common.types, &sheet.types, &scenario.types]);
        for (word, list) in std::mem::take(&mut scenario.vary_lists) {
            scenario.vary.insert(word, sheet.lists[&list].clone());
        }
        all.extend(scenario.variations());
    }
    assert!(!all.is_empty(), "tests/gate/{name}.toml holds no scenario");
    all
}

fn sheet(name: &str) -> Sheet {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate").join(name).with_extension("toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn overlaid(layers: &[&BTreeMap<String, String>]) -> BTreeMap<String, String> {
    layers.iter().flat_map(|layer| layer.iter().map(|(name, text)| (name.clone(), text.clone()))).collect()
}

impl Scenario {
    /// One scenario for each combination of values of the words that vary.
    fn variations(mut self) -> Vec<Self> {
        let vary = std::mem::take(&mut self.vary);
        let mut all = vec![self];
        for (word, values) in &vary {
            let variations = |scenario: &Self| {
                values.iter().map(|(name, value)| scenario.with(word, name, value)).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(variations).collect();
        }
        all
    }

    fn with(&self, word: &str, name: &str, value: &str) -> Self {
        let word = format!("${{{word}}}");
        let put = |text: &mut String| *text = text.replace(&word, value);
        let mut varied = self.clone();
        varied.name = format!("{} / {name}", self.name);
        let faults = varied.faults.iter_mut().flat_map(|fault| [&mut fault.on, &mut fault.with]);
        let texts = varied
            .documents
            .values_mut()
            .chain(varied.tags.values_mut())
            .chain(&mut varied.serve)
            .chain(&mut varied.damage)
            .chain(&mut varied.args)
            .chain(&mut varied.targets);
        faults.chain(texts).for_each(put);
        varied.reason.iter_mut().for_each(put);
        varied.types.values_mut().chain(varied.swapped.values_mut()).for_each(put);
        [&mut varied.policy, &mut varied.root, &mut varied.access].into_iter().for_each(put);
        varied
    }

    /// Its documents.
    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::new(self.documents.clone(), self.types.clone())
    }
}
