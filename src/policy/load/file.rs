//! What one policy file says by itself.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::data::{self, Lists};
use super::defaults::Defaults;
use super::header::Header;
use super::mistake::{Mistake, Mistakes, Span};
use super::sources::{Kept, Place};
use super::suggest::{any_of, did_you_mean};
use super::syntax;
use super::tree::{Key, Value, kind, moved};

/// Size up to which every syntax error is looked for, in bytes; of a larger file only the first is told.
const RECOVERED_SIZE: usize = 1 << 20;

const TABLES: &[&str] = &["policy", "defaults", "data", "rules", "waivers"];

/// The tables of rules, by the names of the instances.
pub(super) type Rules<'a> = BTreeMap<String, RuleTable<'a>>;

/// The table of one instance.
#[derive(Debug, Clone)]
pub(super) struct RuleTable<'a> {
    /// Its header, or the key where it has none.
    pub(super) header: Span,
    /// Its name, where it is written.
    pub(super) name: Span,
    /// Its keys.
    pub(super) keys: DeTable<'a>,
    /// The keys that take a list of `[data]`, and where that stands.
    pub(super) lists: BTreeMap<String, Span>,
    /// The keys that were taken out because they were wrong.
    pub(super) blamed: BTreeSet<String>,
}

/// One policy file, read but not yet understood.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    /// Where it is.
    pub(super) place: Place,
    /// What it builds on, and what it demands of waivers.
    pub(super) header: Header,
    /// The addresses of its bytes.
    pub(super) range: Span,
    /// The files that it builds on, as far as they could be read.
    pub(super) bases: Vec<usize>,
    /// What its rules have where they say nothing.
    pub(super) defaults: Defaults<'a>,
    /// Its named lists.
    pub(super) lists: Lists<'a>,
    /// Its rules.
    pub(super) rules: Rules<'a>,
    /// Its waivers.
    pub(super) waivers: Vec<Spanned<DeTable<'a>>>,
    /// Whether something in it that may have been meant as a rule is none.
    pub(super) misread: bool,
}

impl<'a> Sheet<'a> {
    /// Reads the text of a file.
    pub(super) fn read(place: Place, kept: &'a Kept, mistakes: &mut Mistakes) -> Self {
        let mut sheet = Self {
            place,
            header: Header::default(),
            range: kept.range(),
            bases: Vec::new(),
            defaults: Defaults::default(),
            lists: Lists::new(),
            rules: Rules::new(),
            waivers: Vec::new(),
            misread: false,
        };
        for (key, value) in moved(parse(kept, mistakes), kept.base()) {
            match key.get_ref().as_ref() {
                "policy" => sheet.read_header(value, mistakes),
                "defaults" => sheet.defaults = Defaults::read(value, mistakes),
                "data" => sheet.lists = data::read(value, mistakes),
                "rules" => sheet.read_rules(value, mistakes),
                "waivers" => sheet.read_waivers(value, mistakes),
                name => {
                    sheet.misread = true;
                    let mistake = unknown(&key, "the policy", TABLES);
                    let mistake = mistake.help(format!("a rule is written as `[rules.{name}]`"));
                    // A key may stand here only because the header above it was lost, or never closed.
                    let is_table = value.get_ref().is_table() && value.span().len() > 1;
                    mistakes.add(if is_table { mistake } else { mistake.consequent() });
                }
            }
        }
        sheet
    }

    fn read_header(&mut self, value: Value<'a>, mistakes: &mut Mistakes) {
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            let mistake = Mistake::at(span, "`policy`: expected a table");
            mistakes.add(mistake.help("write `[policy]`, and `name = \"…\"` below it"));
            return;
        };
        self.header = Header::read(table, mistakes);
    }

    fn read_rules(&mut self, value: Value<'a>, mistakes: &mut Mistakes) {
        let span = value.span();
        let table = match value.into_inner() {
            DeValue::Table(table) => table,
            other => {
                self.misread = true;
                let mistake = Mistake::at(span, format!("`rules`: expected a table, found {}", kind(&other)));
                mistakes.add(mistake.help("each rule is a table of its own: `[rules.NAME]`"));
                return;
            }
        };
        for (key, value) in table {
            let (name, span) = (key.get_ref().as_ref(), value.span());
            match value.into_inner() {
                DeValue::Table(keys) => {
                    let (lists, blamed) = (BTreeMap::new(), BTreeSet::new());
                    let rule = RuleTable { header: span, name: key.span(), keys, lists, blamed };
                    self.rules.insert(name.to_owned(), rule);
                }
                other => {
                    self.misread = true;
                    let message = format!("`{name}`: expected the table of a rule, found {}", kind(&other));
                    let help = format!("write `[rules.{name}]`, and its keys below");
                    mistakes.add(Mistake::at(span, message).help(help));
                }
            }
        }
    }

    fn read_waivers(&mut self, value: Value<'a>, mistakes: &mut Mistakes) {
        let help = "each waiver begins with `[[waivers]]`, in double brackets";
        let span = value.span();
        let array = match value.into_inner() {
            DeValue::Array(array) => array,
            other => {
                let message = format!("`waivers`: expected a list of tables, found {}", kind(&other));
                mistakes.add(Mistake::at(span, message).help(help));
                return;
            }
        };
        for element in array {
            let span = element.span();
            match element.into_inner() {
                DeValue::Table(table) => self.waivers.push(Spanned::new(span, table)),
                other => {
                    let message = format!("a waiver is a table, found {}", kind(&other));
                    mistakes.add(Mistake::at(span, message).help(help));
                }
            }
        }
    }
}

/// The places of a file and of all that it extends.
pub(super) fn below(sheets: &[Sheet<'_>], number: usize) -> Vec<Span> {
    let (mut found, mut next) = (BTreeSet::new(), vec![number]);
    while let Some(number) = next.pop() {
        if found.insert(number) {
            next.extend(&sheets[number].bases);
        }
    }
    found.into_iter().map(|number| sheets[number].range.clone()).collect()
}

/// Parses a file as far as it is TOML; what is not is told.
pub(super) fn parse<'a>(kept: &'a Kept, mistakes: &mut Mistakes) -> DeTable<'a> {
    let (table, errors) = if kept.text().len() <= RECOVERED_SIZE {
        let (table, errors) = DeTable::parse_recoverable(kept.text());
        (table.into_inner(), errors)
    } else {
        match DeTable::parse(kept.text()) {
            Ok(table) => (table.into_inner(), Vec::new()),
            Err(error) => (DeTable::new(), vec![error]),
        }
    };
    syntax::tell(kept, &table, &errors, mistakes);
    table
}

/// A key that is not known in a place.
pub(super) fn unknown(key: &Key<'_>, place: &str, known: &[&str]) -> Mistake {
    let name = key.get_ref();
    let message = format!("unknown key `{name}` in {place}, expected {}", any_of(known));
    Mistake::at(key.span(), message).help_if(did_you_mean(name, known))
}
