//! Loading policies: from TOML to rules that are ready to judge, or to all of their mistakes at once.
//!
//! Files are read and laid over each other as tables ([`merge`]), every key keeping its place; only what comes out of that is
//! given to the rules, so that a file may complete what another one began.

mod data;
mod dates;
mod defaults;
mod file;
mod find;
mod gather;
mod header;
mod instances;
mod limits;
mod locks;
mod merge;
mod mistake;
mod parents;
mod scopes;
mod sources;
pub(crate) mod strict;
mod suggest;
mod syntax;
mod tree;
mod waivers;
mod wording;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;

pub(crate) use find::TESTS;
pub use find::is_test_file;
pub use mistake::{PolicyError, PolicyErrors};
pub use parents::{Fetched, Loading, Parent};
pub use suggest::did_you_mean;
pub use words::{Entry, Words};

use file::{Rules, Sheet};
pub use find::discover;
use find::{choose, files};
use mistake::{Mistake, Mistakes, Span};
use sources::{Place, Sources};

use super::{Instance, Level, Policy, Rulings, Waiver};
use crate::rules::{RULES, Rule};

/// Rules that one policy may hold, and waivers.
const ENTRIES: usize = 10_000;

impl Policy {
    /// Loads the policy to judge by: what `arguments` name (paths, seen from `start_dir`, or built-in policies such as
    /// `ocilint:strict`); else `ocilint.toml` in `start_dir` or above it, up to the directory that holds `.git`; else the
    /// built-in `ocilint:baseline`, marked as [`fallback`](Policy::fallback).
    pub fn load(arguments: &[String], start_dir: &Path) -> Result<Self, PolicyErrors> {
        let (places, fallback) = places(arguments, start_dir);
        load_places(places, fallback)
    }

    /// Loads a policy from its text, which is shown as `name`; what it extends is looked for in `directory`.
    pub fn from_text(name: &str, text: &str, directory: &Path) -> Result<Self, PolicyErrors> {
        load_places(vec![Ok(Place::of_text(name, text, directory))], false)
    }
}

/// The policies of files that are each loaded for themselves, or all of their mistakes. A directory stands for the `*.toml`
/// files in it but for `*.test.toml`, which test policies; a directory without any is a mistake.
pub fn load_files(paths: &[PathBuf]) -> Result<Vec<Policy>, PolicyErrors> {
    let (mut policies, mut errors) = (Vec::new(), Vec::<PolicyError>::new());
    for path in paths {
        let found = match files(path) {
            Ok(files) => files.into_iter().flat_map(|file| load_file(&file, &mut policies)).collect(),
            Err(mistake) => vec![mistake.resolve(&Sources::new())],
        };
        // A file that several extend would be told several times.
        let known = errors.len();
        for error in found {
            if !errors[..known].contains(&error) {
                errors.push(error);
            }
        }
    }
    if errors.is_empty() { Ok(policies) } else { Err(PolicyErrors(errors)) }
}

/// Adds the policy of a file; its mistakes if it has any.
fn load_file(path: &Path, policies: &mut Vec<Policy>) -> Vec<PolicyError> {
    let arguments = [path.to_string_lossy().into_owned()];
    match Policy::load(&arguments, Path::new("")) {
        Ok(policy) => policies.push(policy),
        Err(errors) => return errors.0,
    }
    Vec::new()
}

/// What to load, and whether that is the fallback.
fn places(arguments: &[String], start_dir: &Path) -> (Vec<Result<Place, Mistake>>, bool) {
    let (arguments, fallback) = choose(arguments, start_dir);
    (arguments.iter().map(|argument| Place::new(argument, start_dir)).collect(), fallback)
}

/// Loads policies where nothing is fetched: what would have to be is a mistake.
fn load_places(places: Vec<Result<Place, Mistake>>, fallback: bool) -> Result<Policy, PolicyErrors> {
    let sources = Sources::new();
    let named = places.iter().flatten().map(|place| place.shown().to_owned()).collect();
    let mut loader = Loader::new(&sources, None);
    let mut policy = loader.load(places);
    policy.named = named;
    policy.fallback = fallback;
    for parent in std::mem::take(&mut loader.parents) {
        loader.mistakes.add(parents::unfetched(parent));
    }
    loader.finish(policy)
}

struct Loader<'a> {
    sources: &'a Sources,
    mistakes: Mistakes,
    /// Every file that was read.
    sheets: Vec<Sheet<'a>>,
    /// The files read, by identity.
    known: BTreeMap<PathBuf, usize>,
    /// The files that extend one another, down to the one being looked at.
    active: Vec<usize>,
    /// What was fetched.
    fetched: Option<&'a Fetched>,
    /// What has to be fetched, and where it is named.
    parents: Vec<parents::Wanted>,
}

impl<'a> Loader<'a> {
    fn new(sources: &'a Sources, fetched: Option<&'a Fetched>) -> Self {
        let (mistakes, sheets, known) = (Mistakes::default(), Vec::new(), BTreeMap::new());
        Self { sources, mistakes, sheets, known, active: Vec::new(), fetched, parents: Vec::new() }
    }

    fn load(&mut self, places: Vec<Result<Place, Mistake>>) -> Policy {
        let is_one = places.len() == 1;
        let (tables, order) = self.gather(places);
        // What is named comes after all that it builds on.
        let named = order.last().copied().filter(|_| is_one);
        let title = named.map(|number| self.sheets[number].header.title.clone()).unwrap_or_default();
        let title = title.into_iter().map(|(key, place)| (key, self.sources.origin(&place))).collect();
        Policy { title, ..self.understand(tables, &order) }
    }

    fn finish(self, policy: Policy) -> Result<Policy, PolicyErrors> {
        let errors = self.mistakes.resolve(self.sources);
        if errors.is_empty() { Ok(policy) } else { Err(PolicyErrors(errors)) }
    }

    /// Makes the policy of the tables.
    fn understand(&mut self, tables: Rules<'a>, order: &[usize]) -> Policy {
        self.count(&tables, order);
        let mut names: Vec<String> = tables.keys().cloned().collect();
        let locks = tables.iter().filter_map(|(name, table)| Some((name.clone(), locks::lock(table)?))).collect();
        let mut instances = Vec::new();
        let mut reader = instances::Reader { sources: self.sources, mistakes: &mut self.mistakes };
        for (name, table) in tables {
            instances.extend(reader.read(&name, table));
        }
        self.require_rules(&names, &instances);
        let implicit = Self::implicit(&instances);
        names.extend(implicit.iter().map(|instance| instance.name.clone()));
        names.sort();
        let rulings = self.rulings(order, &names);
        self.guard_waivers(order, &locks);
        let waivers = self.waivers(order, &names, &rulings);
        instances.extend(implicit);
        instances.sort_by(|a, b| a.name.cmp(&b.name));
        let rulings = rulings.map(|span| self.sources.origin(&span));
        Policy {
            named: Vec::new(),
            title: BTreeMap::new(),
            sources: self.sources.files(),
            order: order.to_vec(),
            instances,
            waivers,
            rulings,
            fallback: false,
        }
    }

    /// What the files demand of waivers together.
    fn rulings(&mut self, order: &[usize], names: &[String]) -> Rulings<Span> {
        let mut rulings = Rulings::default();
        for &number in order {
            rulings.tighten(std::mem::take(&mut self.sheets[number].header.rulings));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for (name, span) in rulings.forbidden.iter().filter(|(name, _)| names.binary_search(&name.as_str()).is_err()) {
            let message = format!("`forbid-waivers`: no rule of the policy is named `{name}`");
            let mistake = Mistake::at(span.clone(), message).inherited().consequent();
            let mistake = mistake.help_if(self.mistakes.did_you_mean(name, &names));
            self.mistakes.add(mistake.help("name a rule by its table: `[rules.NAME]`"));
        }
        rulings
    }

    fn count(&mut self, tables: &Rules<'_>, order: &[usize]) {
        let mut headers: Vec<&Span> = tables.values().map(|table| &table.header).collect();
        headers.sort_by_key(|header| header.start);
        if let Some(&header) = headers.get(ENTRIES) {
            let mistake = Mistake::at(header.clone(), format!("a policy holds at most {ENTRIES} rules"));
            self.mistakes.add(mistake.help("split it into several policies, and run each"));
        }
        let mut waivers = order.iter().flat_map(|&number| &self.sheets[number].waivers);
        if let Some(waiver) = waivers.nth(ENTRIES) {
            let mistake = Mistake::at(waiver.span(), format!("a policy holds at most {ENTRIES} waivers"));
            self.mistakes.add(mistake.help("one waiver may name many images"));
        }
    }

    /// A policy without rules would pass everything.
    fn require_rules(&mut self, names: &[String], instances: &[Instance]) {
        let off = || instances.len() == names.len() && instances.iter().all(|instance| instance.level == Level::Off);
        let message = if names.is_empty() {
            "the policy has no rules"
        } else if off() {
            "every rule of the policy is off"
        } else {
            return;
        };
        // A file that could not be read, or holds rules in the wrong form, has had its own mistake.
        if !self.sheets.is_empty() && !self.sheets.iter().any(|sheet| sheet.misread) {
            let mistake = Mistake::file(0, message).inherited().consequent();
            self.mistakes.add(mistake.help("add one, such as `[rules.platforms]`; `ocilint rules` lists them"));
        }
    }

    /// The rules that are always on: each is judged for the images that no instance of it in the policy is for.
    fn implicit(instances: &[Instance]) -> Vec<Instance> {
        let for_all = |rule: &Rule| {
            let mut explicit = instances.iter().filter(|instance| instance.rule.name == rule.name);
            explicit.any(|instance| instance.images.is_none())
        };
        let instance = |rule: &'static Rule| {
            let check = rule.implicit.filter(|_| !for_all(rule))?;
            Some(Instance {
                name: rule.name.to_owned(),
                rule,
                level: Level::Error,
                images: None,
                platforms: None,
                help: None,
                url: None,
                effective_from: None,
                locked: false,
                check: Arc::from(check()),
                origin: None,
                origins: BTreeMap::new(),
                lists: BTreeMap::new(),
            })
        };
        RULES.iter().copied().filter_map(instance).collect()
    }

    fn guard_waivers(&mut self, order: &[usize], locks: &BTreeMap<String, Span>) {
        for waiver in order.iter().flat_map(|&number| &self.sheets[number].waivers) {
            locks::guard_waiver(waiver, locks, self.sources, &mut self.mistakes);
        }
    }

    fn waivers(&mut self, order: &[usize], names: &[String], rulings: &Rulings<Span>) -> Vec<Waiver> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tables: Vec<Spanned<_>> =
            order.iter().flat_map(|&number| std::mem::take(&mut self.sheets[number].waivers)).collect();
        let read = |table| waivers::read(table, &names, rulings, self.sources, &mut self.mistakes);
        tables.into_iter().filter_map(read).collect()
    }
}
