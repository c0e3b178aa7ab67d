//! From the table of a rule to an instance of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use super::dates::take_date;
use super::file::RuleTable;
use super::mistake::{Mistake, Mistakes, Span};
use super::scopes::{take_images, take_platforms};
use super::sources::Sources;
use super::suggest::{any_of, did_you_mean, nearest};
use super::tree::{
    Cut, Key, cut, cut_within, holds, is_reference, keep, place, size, take_address, take_dotted, take_flag,
    take_reserved, take_text,
};
use super::wording;
use crate::policy::{Instance, Level, Origin, keys};
use crate::rules::{self, Check, RULES, Rule, Takes};

const LEVELS: &[Level] = &[Level::Error, Level::Warning, Level::Note, Level::Off];
/// Length beyond which a name is refused, in bytes.
const NAME_LENGTH: usize = 100;
/// How many values may be copied in looking for the next mistake of one table.
pub(super) const COPIES: usize = 200_000;

/// Reads the tables of rules.
pub(super) struct Reader<'r> {
    /// The files that the tables are from.
    pub(super) sources: &'r Sources,
    /// Where mistakes go.
    pub(super) mistakes: &'r mut Mistakes,
}

impl Reader<'_> {
    /// Reads the table of one instance; `None` if something in it is wrong.
    pub(super) fn read(&mut self, name: &str, table: RuleTable<'_>) -> Option<Instance> {
        let before = self.mistakes.len();
        let RuleTable { header, name: name_span, mut keys, lists, blamed } = table;
        let origins = self.origins(&keys);
        if self.is_dotted(name, &header, &name_span, &keys) {
            return None;
        }
        take_reserved(&mut keys, self.mistakes);
        let level = take_level(&mut keys, self.mistakes);
        let images = take_images(&mut keys, self.mistakes);
        let platforms = take_platforms(&mut keys, self.mistakes);
        let help = take_text(&mut keys, "help", self.mistakes).map(Spanned::into_inner);
        let url = take_address(&mut keys, "url", self.mistakes);
        let effective_from = take_date(&mut keys, "effective-from", "the first day on which it counts", self.mistakes);
        let locked = take_flag(&mut keys, "locked", self.mistakes).is_some_and(|(locked, _)| locked);
        let rule = self.rule(name, name_span.clone(), &mut keys);
        self.check_name(name, name_span, rule);
        let rule = rule?;
        let blamed = self.check_keys(rule, &mut keys, blamed);
        let check = self.configure(rule, &header, keys, blamed)?;
        let origin = Some(self.sources.origin(&header));
        let instance = Instance {
            name: name.to_owned(),
            rule,
            level,
            images,
            platforms,
            help,
            url,
            effective_from,
            locked,
            check: Arc::from(check),
            origin,
            origins,
            lists: lists.into_iter().map(|(key, span)| (key, self.sources.origin(&span))).collect(),
        };
        (self.mistakes.len() == before).then_some(instance)
    }

    fn origins(&self, keys: &DeTable<'_>) -> BTreeMap<String, Origin> {
        let origin = |(key, value): (&super::tree::Key<'_>, &super::tree::Value<'_>)| {
            (key.get_ref().to_string(), self.sources.origin(&place(key, value)))
        };
        keys.iter().map(origin).collect()
    }

    /// The rule that `rule` names, or else the table's own name.
    fn rule(&mut self, name: &str, name_span: Span, keys: &mut DeTable<'_>) -> Option<&'static Rule> {
        let has_key = keys.contains_key("rule");
        let (word, span) = if has_key {
            let written = take_text(keys, "rule", self.mistakes)?;
            (written.get_ref().clone(), written.span())
        } else {
            (name.to_owned(), name_span)
        };
        if let Some(rule) = rules::find(&word) {
            return Some(rule);
        }
        let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        let help = if has_key {
            "`ocilint rules` lists the rules"
        } else {
            "a rule under a name of its own says which rule it is: `rule = \"…\"`; `ocilint rules` lists them"
        };
        let mistake = Mistake::at(span, format!("there is no rule `{word}`"));
        let mistake = if has_key { mistake } else { mistake.inherited() };
        self.mistakes.add(mistake.help_if(did_you_mean(&word, &names)).help(help));
        None
    }

    fn check_name(&mut self, name: &str, span: Span, rule: Option<&Rule>) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_LENGTH || !name.chars().all(plain) {
            let message =
                format!("`{name}` is no name for a rule, expected letters, digits, `-` and `_`, at most {NAME_LENGTH}");
            self.mistakes.add(Mistake::at(span, message).help("give it a name such as `team-labels`"));
            return;
        }
        let taken = RULES.iter().find(|other| other.implicit.is_some() && other.name == name);
        if let (Some(taken), Some(rule)) = (taken, rule)
            && taken.name != rule.name
        {
            let message =
                format!("`{name}` is the name of a rule that is always on, and cannot be one of `{}`", rule.name);
            self.mistakes.add(Mistake::at(span, message).help("give it another name"));
        }
    }

    /// Whether the table only came to be by a dot in the name of another (`[rules.team.labels]`), which is a mistake.
    fn is_dotted(&mut self, name: &str, header: &Span, span: &Span, keys: &DeTable<'_>) -> bool {
        let named = rules::find(name).is_some();
        let dotted = !named && header == span && keys.values().all(|value| value.get_ref().is_table());
        for key in keys.keys().filter(|_| dotted) {
            let span = span.start.min(key.span().start)..key.span().end;
            let name = format!("{name}.{}", key.get_ref());
            let mistake = Mistake::at(span, format!("`{name}` is no name for a rule: it has a dot"));
            self.mistakes.add(mistake.help(format!("write `[rules.{}]`", name.replace('.', "-"))));
        }
        dotted
    }

    /// Takes out what is no parameter of the rule, and names that were written without their quotes. Returns the parameters
    /// that may be missing for it.
    fn check_keys(&mut self, rule: &Rule, keys: &mut DeTable<'_>, mut blamed: BTreeSet<String>) -> BTreeSet<String> {
        let parameters = (rule.parameters)();
        let words: Vec<&str> = parameters.iter().chain(keys::INSTANCE).copied().collect();
        let unknown = keys.keys().filter(|key| !parameters.contains(&key.get_ref().as_ref()));
        for key in unknown.cloned().collect::<Vec<_>>() {
            let name = key.get_ref();
            let message = if parameters.is_empty() {
                format!("unknown parameter `{name}`: `{}` has none", rule.name)
            } else {
                format!("unknown parameter `{name}` of `{}`, expected {}", rule.name, any_of(parameters))
            };
            let mistake = Mistake::at(key.span(), message).help_if(did_you_mean(name, &words));
            self.mistakes.add(mistake.help(explained(rule)));
            blamed.extend(nearest(name, parameters).map(str::to_owned));
            keys.remove(name.as_ref());
        }
        let takes_value = |key: &Key<'_>| (rule.takes)(key.get_ref()) == Takes::Value;
        let named = keys.iter().filter(|(key, value)| is_reference(value) && takes_value(key));
        for (key, span) in named.map(|(key, value)| (key.get_ref().to_string(), value.span())).collect::<Vec<_>>() {
            let mistake = Mistake::at(span, format!("`{key}` of `{}` takes no list", rule.name));
            self.mistakes.add(mistake.help(explained(rule)));
            keys.remove(key.as_str());
            blamed.insert(key);
        }
        for (key, value) in keys.iter_mut() {
            for dotted in take_dotted(value) {
                let message = format!("a dot in a key of `{}` makes tables within tables", key.get_ref());
                let mistake = Mistake::at(dotted.span, message);
                self.mistakes.add(mistake.help(format!("quote the key: `\"{}\"`", dotted.name)));
                blamed.insert(key.get_ref().to_string());
            }
        }
        blamed
    }

    /// Makes the check from its parameters. On a mistake, what is to blame is taken out and the rest is tried again, so that
    /// every mistake is found.
    fn configure(
        &mut self,
        rule: &Rule,
        header: &Span,
        mut keys: DeTable<'_>,
        mut blamed: BTreeSet<String>,
    ) -> Option<Box<dyn Check>> {
        for _ in 0..=COPIES / size(&keys).max(1) {
            let error = match (rule.configure)(Spanned::new(header.clone(), keys.clone())) {
                Ok(check) => {
                    self.check_whole(rule, &*check, header, &keys, &blamed);
                    return Some(check);
                }
                Err(error) => error,
            };
            let span = error.span().unwrap_or_else(|| header.clone());
            let cut = if span == *header { None } else { cut_blamed(rule, header, &mut keys, &span) };
            let Some(cut) = cut else {
                // What is missing may be what was taken out.
                if blamed.is_empty() {
                    let mistake = Mistake::at(span, wording::of_table(rule.name, error.message()));
                    self.mistakes.add(mistake.consequent().help(explained(rule)));
                }
                return None;
            };
            let (message, help) = wording::of_parameter(&cut, error.message());
            self.mistakes.add(Mistake::at(span, message).help_if(help).help(explained(rule)));
            blamed.insert(cut.key);
        }
        None
    }

    /// What is wrong with the parameters as a whole, unless it may come from what was taken out.
    fn check_whole(
        &mut self,
        rule: &Rule,
        check: &dyn Check,
        header: &Span,
        keys: &DeTable<'_>,
        blamed: &BTreeSet<String>,
    ) {
        for problem in check.problems() {
            let entry = problem.parameter.and_then(|name| keys.get_key_value(name));
            let follows = match problem.parameter {
                None => !blamed.is_empty(),
                Some(name) => blamed.contains(name),
            };
            if follows {
                continue;
            }
            let span = entry.map_or_else(|| header.clone(), |(key, value)| place(key, value));
            let mistake = Mistake::at(span, format!("`{}`: {}", rule.name, problem.message));
            let mistake = if entry.is_none() { mistake.consequent() } else { mistake };
            self.mistakes.add(mistake.help(explained(rule)));
        }
    }
}

/// Takes out what a place is to blame for. A list of `[data]` has one place in every parameter that takes it: then it is taken
/// out of the one that does not take it.
fn cut_blamed(rule: &Rule, header: &Span, keys: &mut DeTable<'_>, span: &Span) -> Option<Cut> {
    let shared: Vec<String> =
        keys.iter().filter(|(_, value)| holds(value, span)).map(|(key, _)| key.get_ref().to_string()).collect();
    for name in shared.iter().filter(|_| shared.len() > 1) {
        let mut probe = keys.clone();
        keep(&mut probe, |key, _| key.get_ref() == name || !shared.iter().any(|shared| key.get_ref() == shared));
        let error = (rule.configure)(Spanned::new(header.clone(), probe)).err().and_then(|error| error.span());
        if error.as_ref() == Some(span) {
            return cut_within(keys, name, span);
        }
    }
    cut(keys, span)
}

/// The level that a word names.
pub(super) fn level_of(word: &str) -> Option<Level> {
    LEVELS.iter().copied().find(|level| level.as_str() == word)
}

/// Takes the level out of a table; anything else is a mistake. Without one it is `error`.
pub(super) fn take_level(keys: &mut DeTable<'_>, mistakes: &mut Mistakes) -> Level {
    let Some(written) = take_text(keys, "level", mistakes) else { return Level::Error };
    let word = written.get_ref();
    level_of(word).unwrap_or_else(|| {
        let words: Vec<&str> = LEVELS.iter().map(|level| level.as_str()).collect();
        let message = format!("`{word}` is no level, expected {}", any_of(&words));
        let mistake = Mistake::at(written.span(), message).help_if(did_you_mean(word, &words));
        mistakes.add(mistake.help("`error` fails the run, `warning` and `note` are shown, `off` is not judged"));
        Level::Error
    })
}

fn explained(rule: &Rule) -> String {
    format!("`ocilint rules {}` explains its parameters", rule.name)
}
