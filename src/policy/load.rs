//! Loading policies: from TOML to rules that are ready to judge, or to all of their mistakes at once.
//!
//! Files are read and laid over each other as tables ([`merge`]), every key keeping its place; only what comes out of that is
//! given to the rules, so that a file may complete what another one began.

mod dates;
mod file;
mod header;
mod instances;
mod limits;
mod merge;
mod mistake;
mod scopes;
mod sources;
mod suggest;
mod syntax;
mod tree;
mod waivers;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;

pub use mistake::{PolicyError, PolicyErrors};
pub use suggest::did_you_mean;

use file::{Rules, Sheet};
use mistake::{Mistake, Mistakes, Span};
use sources::{Place, Sources};

use super::{Instance, Level, Policy, Rulings, Waiver};
use crate::rules::{RULES, Rule};

/// The policy that is found without being named.
const DISCOVERED: &str = "ocilint.toml";
/// The built-in policy where none is named and none found.
const FALLBACK: &str = "ocilint:baseline";
/// Rules that one policy may hold, and waivers.
const ENTRIES: usize = 10_000;

impl Policy {
    /// Loads the policy to judge by: what `arguments` name (paths, seen from `start_dir`, or built-in policies such as
    /// `ocilint:strict`); else `ocilint.toml` in `start_dir` or above it, up to the directory that holds `.git`; else the
    /// built-in `ocilint:baseline`, marked as [`fallback`](Policy::fallback).
    pub fn load(arguments: &[String], start_dir: &Path) -> Result<Self, PolicyErrors> {
        load(arguments, start_dir, RULES)
    }

    /// Loads a policy from its text, which is shown as `name`; what it extends is looked for in `directory`.
    pub fn from_text(name: &str, text: &str, directory: &Path) -> Result<Self, PolicyErrors> {
        load_places(vec![Ok(Place::of_text(name, text, directory))], false, RULES)
    }
}

/// The mistakes of policy files that are each loaded for themselves. A directory stands for the `*.toml` files in it; a path
/// without any is a mistake.
pub fn check_files(paths: &[PathBuf]) -> Vec<PolicyError> {
    check(paths, RULES)
}

/// The policies of files that are each loaded for themselves, as [`check_files`] finds them; or all of their mistakes.
pub fn load_files(paths: &[PathBuf]) -> Result<Vec<Policy>, PolicyErrors> {
    let (policies, errors) = load_each(paths, RULES);
    if errors.is_empty() { Ok(policies) } else { Err(PolicyErrors(errors)) }
}

fn check(paths: &[PathBuf], rules: &[&'static Rule]) -> Vec<PolicyError> {
    load_each(paths, rules).1
}

fn load_each(paths: &[PathBuf], rules: &[&'static Rule]) -> (Vec<Policy>, Vec<PolicyError>) {
    let (mut policies, mut errors) = (Vec::new(), Vec::<PolicyError>::new());
    for path in paths {
        let found = match files(path) {
            Ok(files) => files.into_iter().flat_map(|file| load_file(&file, rules, &mut policies)).collect(),
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
    (policies, errors)
}

/// Adds the policy of a file; its mistakes if it has any.
fn load_file(path: &Path, rules: &[&'static Rule], policies: &mut Vec<Policy>) -> Vec<PolicyError> {
    let arguments = [path.to_string_lossy().into_owned()];
    match load(&arguments, Path::new(""), rules) {
        Ok(policy) => policies.push(policy),
        Err(errors) => return errors.0,
    }
    Vec::new()
}

/// The policy files that a path stands for, sorted.
fn files(path: &Path) -> Result<Vec<PathBuf>, Mistake> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unread = |error| Mistake::nowhere(format!("cannot read the directory `{}`: {error}", path.display()));
    let entries = fs::read_dir(path).map_err(unread)?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unread)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml") && !file.is_dir());
    files.sort();
    if files.is_empty() {
        let mistake = Mistake::nowhere(format!("there is no policy in `{}`", path.display()));
        return Err(mistake.help("policies are files named `*.toml`"));
    }
    Ok(files)
}

fn load(arguments: &[String], start_dir: &Path, rules: &[&'static Rule]) -> Result<Policy, PolicyErrors> {
    let (arguments, fallback) = choose(arguments, start_dir);
    let places = arguments.iter().map(|argument| Place::new(argument, start_dir)).collect();
    load_places(places, fallback, rules)
}

fn load_places(
    places: Vec<Result<Place, Mistake>>,
    fallback: bool,
    rules: &[&'static Rule],
) -> Result<Policy, PolicyErrors> {
    let sources = Sources::new();
    let mut loader = Loader {
        sources: &sources,
        rules,
        mistakes: Mistakes::default(),
        sheets: Vec::new(),
        known: BTreeMap::new(),
        active: Vec::new(),
    };
    let (tables, order) = loader.gather(places);
    let (instances, waivers, rulings) = loader.understand(tables, &order);
    let errors = loader.mistakes.resolve(&sources);
    if errors.is_empty() {
        let rulings = rulings.map(|span| sources.origin(&span));
        Ok(Policy { sources: sources.files(), instances, waivers, rulings, fallback })
    } else {
        Err(PolicyErrors(errors))
    }
}

/// The policies to load, and whether that is the fallback.
fn choose(arguments: &[String], start_dir: &Path) -> (Vec<String>, bool) {
    if !arguments.is_empty() {
        return (arguments.to_vec(), false);
    }
    match discover(start_dir) {
        Some(found) => (vec![found], false),
        None => (vec![FALLBACK.to_owned()], true),
    }
}

/// The nearest `ocilint.toml` from a directory up to the root of its repository, as a path seen from the directory. Outside of
/// a repository only the directory itself counts: what lies above may be anybody's.
fn discover(start_dir: &Path) -> Option<String> {
    let start = std::path::absolute(start_dir).ok()?;
    let depth = start.ancestors().position(|directory| exists(&directory.join(".git"))).unwrap_or(0);
    let mut directories = start.ancestors().take(depth + 1).enumerate();
    let (up, _) = directories.find(|(_, directory)| exists(&directory.join(DISCOVERED)))?;
    Some("../".repeat(up) + DISCOVERED)
}

/// Whether there is anything of that name; a file that cannot be looked at is there, and reading it says why it cannot be read.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().map_or_else(|error| error.kind() == std::io::ErrorKind::PermissionDenied, |_| true)
}

struct Loader<'a> {
    sources: &'a Sources,
    rules: &'a [&'static Rule],
    mistakes: Mistakes,
    /// Every file that was read.
    sheets: Vec<Sheet<'a>>,
    /// The files read, by identity.
    known: BTreeMap<PathBuf, usize>,
    /// The files that extend one another, down to the one being looked at.
    active: Vec<usize>,
}

impl<'a> Loader<'a> {
    /// Reads everything that was named, and returns the rules and the order in which the files count.
    fn gather(&mut self, places: Vec<Result<Place, Mistake>>) -> (Rules<'a>, Vec<usize>) {
        let (mut union, mut all) = (Rules::new(), Vec::new());
        for place in places {
            let mut order = Vec::new();
            match place {
                Ok(place) => self.follow(place, None, &mut order),
                Err(mistake) => self.mistakes.add(mistake),
            }
            let mut rules = Rules::new();
            for &number in &order {
                merge::lay_over(&mut rules, self.sheets[number].rules.clone(), &mut self.mistakes);
            }
            merge::unite(&mut union, rules, &mut self.mistakes);
            all.extend(order);
        }
        let mut seen = BTreeSet::new();
        all.retain(|&number| seen.insert(number));
        (union, all)
    }

    /// Reads a file and what it extends, and appends them to the order in which they count: what is extended comes first, and
    /// what is extended twice counts once, where it came first.
    fn follow(&mut self, place: Place, named_at: Option<Span>, order: &mut Vec<usize>) {
        let Some(number) = self.sheet(place, named_at.clone()) else { return };
        if let Some(at) = self.active.iter().position(|&active| active == number) {
            self.mistakes.add(self.cycle(&self.active[at..], number).named_at(named_at));
            return;
        }
        if order.contains(&number) {
            return;
        }
        self.active.push(number);
        for base in self.sheets[number].header.extends.clone() {
            match self.sheets[number].place.beside(base.get_ref()) {
                Ok(place) => self.follow(place, Some(base.span()), order),
                Err(mistake) => self.mistakes.add(mistake.named_at(Some(base.span()))),
            }
        }
        self.active.pop();
        order.push(number);
    }

    /// The number of a file, which is read if it was not yet.
    fn sheet(&mut self, place: Place, named_at: Option<Span>) -> Option<usize> {
        let identity = place.identity();
        if let Some(&number) = self.known.get(&identity) {
            return Some(number);
        }
        let (kept, mistake) = match self.sources.read(&place) {
            Ok(read) => read,
            Err(mistake) => {
                self.mistakes.add(mistake.named_at(named_at));
                return None;
            }
        };
        if let Some(mistake) = mistake {
            self.mistakes.add(mistake);
        }
        let number = self.sheets.len();
        self.sheets.push(Sheet::read(place, kept, &mut self.mistakes));
        self.known.insert(identity, number);
        Some(number)
    }

    fn cycle(&self, active: &[usize], number: usize) -> Mistake {
        let round = active.iter().chain([&number]).map(|&number| self.sheets[number].place.shown());
        let message = format!("the policy extends itself: {}", round.collect::<Vec<_>>().join(" → "));
        Mistake::nowhere(message).help("remove one of the steps")
    }

    /// Makes instances and waivers of the tables.
    fn understand(&mut self, tables: Rules<'a>, order: &[usize]) -> (Vec<Instance>, Vec<Waiver>, Rulings<Span>) {
        self.count(&tables, order);
        let mut names: Vec<String> = tables.keys().cloned().collect();
        let mut instances = Vec::new();
        let mut reader = instances::Reader { rules: self.rules, sources: self.sources, mistakes: &mut self.mistakes };
        for (name, table) in tables {
            instances.extend(reader.read(&name, table));
        }
        self.require_rules(&names, &instances);
        let implicit = self.implicit(&instances);
        names.extend(implicit.iter().map(|instance| instance.name.clone()));
        let rulings = self.rulings(order, &names);
        let waivers = self.waivers(order, &names, &rulings);
        instances.extend(implicit);
        instances.sort_by(|a, b| a.name.cmp(&b.name));
        (instances, waivers, rulings)
    }

    /// What the files demand of waivers together.
    fn rulings(&mut self, order: &[usize], names: &[String]) -> Rulings<Span> {
        let mut rulings = Rulings::default();
        for &number in order {
            rulings.tighten(std::mem::take(&mut self.sheets[number].header.rulings));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for (name, span) in rulings.forbidden.iter().filter(|(name, _)| !names.contains(&name.as_str())) {
            let message = format!("`forbid-waivers`: no rule of the policy is named `{name}`");
            let mistake = Mistake::at(span.clone(), message).consequent().help_if(did_you_mean(name, &names));
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
            let mistake = Mistake::file(0, message).consequent();
            self.mistakes.add(mistake.help("add one, such as `[rules.platforms]`; `ocilint rules` lists them"));
        }
    }

    /// The rules that are always on: each is judged for the images that no instance of it in the policy is for.
    fn implicit(&self, instances: &[Instance]) -> Vec<Instance> {
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
            })
        };
        self.rules.iter().copied().filter_map(instance).collect()
    }

    fn waivers(&mut self, order: &[usize], names: &[String], rulings: &Rulings<Span>) -> Vec<Waiver> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tables: Vec<Spanned<_>> =
            order.iter().flat_map(|&number| std::mem::take(&mut self.sheets[number].waivers)).collect();
        let read = |table| waivers::read(table, &names, rulings, self.sources, &mut self.mistakes);
        tables.into_iter().filter_map(read).collect()
    }
}
