//! `ocilint rules`: the list of rules, and the documentation of one.

use std::io::{self, Write};

use ocilint::policy::did_you_mean;
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

/// The name that was probably meant, found as it is for the names in a policy.
fn nearest(name: &str) -> String {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    did_you_mean(name, &names).unwrap_or_else(|| "`ocilint rules` lists them all".to_owned())
}
