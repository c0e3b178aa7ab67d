//! `ocilint init`: a commented policy to begin with.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ocilint::output;
use ocilint::policy::{self, Starter, schema_text};
use ocilint::report::ExitStatus;

use super::{say, usage, written};
use crate::cli;

const SCHEMA: &str = "ocilint.schema.json";
const POLICY: &str = "ocilint.toml";

pub(super) fn run(command: &cli::Init) -> ExitStatus {
    let text = starter(command).text();
    if command.path == Path::new("-") {
        if command.schema {
            return usage(
                "`--schema` writes beside a file, and `-` is none",
                "`ocilint policy schema` writes it alone",
            );
        }
        return written(io::stdout().write_all(text.as_bytes()));
    }
    let path = if command.path.is_dir() { command.path.join(POLICY) } else { command.path.clone() };
    if let Some(missing) = directory_of(&path).filter(|directory| !directory.exists()) {
        return usage(&format!("there is no directory `{}`", missing.display()), "make it first");
    }
    let mut files = vec![(path.clone(), text)];
    if command.schema {
        files.push((path.with_file_name(SCHEMA), schema_text()));
    }
    // Nothing is written where not all can be.
    let differs = |(path, text): &&(PathBuf, String)| {
        path.symlink_metadata().is_ok() && std::fs::read(path).ok().as_deref() != Some(text.as_bytes())
    };
    if let Some((path, _)) = files.iter().find(differs).filter(|_| !command.force) {
        let help = "`--force` overwrites it; `ocilint init -` writes to standard output";
        return usage(&format!("`{}` is there already", path.display()), help);
    }
    for (path, text) in &files {
        if let Err(error) = write(path, text, command.force) {
            say(&format!("writing `{}`: {error}", path.display()), "");
            return ExitStatus::Internal;
        }
    }
    written(tell(&path, command.schema, &mut io::stdout().lock()))
}

/// The directory that a file is to be written in; `x/` can only be meant as one.
fn directory_of(path: &Path) -> Option<&Path> {
    if path.to_string_lossy().ends_with(std::path::is_separator) {
        return Some(path);
    }
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}

fn starter(command: &cli::Init) -> Starter {
    Starter {
        pack: command.pack.into(),
        platforms: command.platform.clone(),
        registries: command.registry.clone(),
        has_schema: command.schema,
        today: policy::day(Timestamp::now()),
    }
}

/// Writes a file; one that has come to be since it was looked for is left as it is, unless it may be overwritten.
fn write(path: &Path, text: &str, overwrite: bool) -> io::Result<()> {
    let same = || std::fs::read(path).is_ok_and(|found| found == text.as_bytes());
    if overwrite {
        return output::file::write(path, |out| out.write_all(text.as_bytes()));
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && same() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Says what to do next.
fn tell(path: &Path, has_schema: bool, out: &mut dyn Write) -> io::Result<()> {
    let shown = ocilint::oci::escape(&path.to_string_lossy());
    let found = path == Path::new(POLICY) || path == Path::new("./ocilint.toml");
    let argument = if found { String::new() } else { format!(" --policy {shown}") };
    let schema = if has_schema { format!(" and, beside it, {SCHEMA}") } else { String::new() };
    writeln!(out, "wrote {shown}{schema}; next:")?;
    writeln!(out, "  ocilint policy check {shown}")?;
    writeln!(out, "  ocilint check IMAGE{argument}")
}
