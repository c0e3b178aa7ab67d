//! `ocilint rules`: the list of rules, and the documentation of one.

use std::io::{self, Write};

use ocilint::report::ExitStatus;
use ocilint::rules::{self, RULES, Rule};

use super::{usage, written};
use crate::cli;

pub(super) fn run(command: &cli::Rules) -> ExitStatus {
    match &command.rule {
        None => written(list(&mut io::stdout().lock())),
        Some(name) => match rules::find(name) {
            Some(rule) => written(explain(rule, &mut io::stdout().lock())),
            None => usage(&format!("there is no rule `{name}`"), &nearest(name)),
        },
    }
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for rule in RULES {
        let always = if rule.implicit.is_some() { " (always on)" } else { "" };
        writeln!(out, "{:width$}  {}{always}", rule.name, rule.summary)?;
    }
    writeln!(out, "\n`ocilint rules NAME` explains one.")
}

fn explain(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n", rule.name)?;
    for line in rule.docs.lines() {
        // Doc comments keep the space behind `///`; their headings stand below the rule's name here.
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        let deeper = if line.starts_with("# ") { "#" } else { "" };
        writeln!(out, "{deeper}{line}")?;
    }
    Ok(())
}

fn nearest(name: &str) -> String {
    let distance = |rule: &Rule| strsim::damerau_levenshtein(rule.name, name);
    match RULES.iter().min_by_key(|rule| distance(rule)) {
        Some(rule) if distance(rule) <= 3 => format!("did you mean `{}`?", rule.name),
        _ => "`ocilint rules` lists them all".to_owned(),
    }
}
