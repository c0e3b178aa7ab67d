//! A policy to begin with, for `ocilint init`.

use std::fmt::Write;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::oci::{PlatformPattern, is_unsafe};
use crate::rules::NameGlob;

/// What a new policy says.
#[derive(Debug, Clone)]
pub struct Starter {
    /// What it builds on.
    pub pack: Pack,
    /// The platforms that every image has; none for any.
    pub platforms: Vec<PlatformPattern>,
    /// Where images may come from; none for anywhere.
    pub registries: Vec<AllowedNames>,
    /// Whether the schema of policies stands beside it.
    pub has_schema: bool,
    /// The day from which the days in its examples are counted.
    pub today: Date,
}

/// A built-in policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pack {
    /// What is wrong with an image whatever it is for.
    #[default]
    Baseline,
    /// What a carefully built image has.
    Strict,
    /// Where an image comes from, what is in it, and that it is what was built.
    SupplyChain,
    /// What runs on Kubernetes without root.
    Kubernetes,
    /// What it takes to build an image again.
    Reproducible,
    /// What the OCI image specification asks of an image.
    OciConformance,
    /// What Docker's official images keep to.
    DockerOfficial,
}

/// The globs for what somebody calls a registry: `ghcr.io`, `ghcr.io/acme`, or a glob over names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedNames(Vec<String>);

impl FromStr for AllowedNames {
    type Err = String;

    /// Reads a registry, or a registry and the beginning of names in it, which stands for the repository of that name and all
    /// below it. A text with a wildcard is a glob and stands for itself.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_strange = |c: char| is_unsafe(c) || c.is_whitespace() || matches!(c, '"' | '\'' | '\\');
        if text.contains(is_strange) {
            return Err("a name has no spaces, quotes or backslashes".to_owned());
        }
        if text.contains(['*', '?', '[', '{']) {
            return NameGlob::new(text).map(|_| Self(vec![text.to_owned()])).map_err(|error| error.to_string());
        }
        let below = format!("{}/**", text.strip_suffix('/').unwrap_or(text));
        NameGlob::new(&below).map_err(|error| error.to_string())?;
        // A registry alone is no name, and neither is a user of Docker Hub.
        let own = Some(text.to_owned()).filter(|text| NameGlob::new(text).is_ok());
        Ok(Self(own.into_iter().chain([below]).collect()))
    }
}

impl Pack {
    fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "ocilint:baseline",
            Self::Strict => "ocilint:strict",
            Self::SupplyChain => "ocilint:supply-chain",
            Self::Kubernetes => "ocilint:kubernetes",
            Self::Reproducible => "ocilint:reproducible",
            Self::OciConformance => "ocilint:oci-conformance",
            Self::DockerOfficial => "ocilint:docker-official",
        }
    }

    fn explained(self) -> &'static str {
        match self {
            Self::Baseline => {
                "What is wrong with an image whatever it is for. `ocilint:strict` asks for what a carefully built image has."
            }
            Self::Strict => {
                "What a carefully built image has. `ocilint:baseline` asks only for what holds whatever an image is for."
            }
            Self::SupplyChain => "Where an image comes from, what is in it, and that it is what was built.",
            Self::Kubernetes => "What runs on Kubernetes without root.",
            Self::Reproducible => "What it takes to build an image again.",
            Self::OciConformance => "What the OCI image specification asks of an image.",
            Self::DockerOfficial => "What Docker's official images keep to.",
        }
    }
}

const HEAD: &str = "\
# The policy by which `ocilint check` judges images.
#
# A line that begins with `#` and no space is an example: take the `#` away to use it. `ocilint rules` lists the rules,
# `ocilint rules RULE` explains one and its parameters, and `ocilint policy check` finds every mistake in this file.
";
const SCHEMA_LINE: &str = "#:schema ./ocilint.schema.json\n";
const SCHEMA_HELP: &str = "\
#
# For completion and explanations in an editor: `ocilint policy schema > ocilint.schema.json` beside this file, and
# `#:schema ./ocilint.schema.json` as its first line.
";
const LABELS: &str = "
# What images of your own are labelled with. A rule may be used several times, each time under a name of its own, with a level
# (\"error\", \"warning\", \"note\" or \"off\") and for some images only.
#[rules.team-labels]
#rule = \"labels\"
#level = \"warning\"
#images = [\"ghcr.io/acme/**\"]
#require = [\"org.opencontainers.image.source\"]
";

impl Starter {
    /// The text of the policy.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        if self.has_schema {
            out.write_str(SCHEMA_LINE)?;
        }
        out.write_str(HEAD)?;
        if !self.has_schema {
            out.write_str(SCHEMA_HELP)?;
        }
        writeln!(out, "\n[policy]\n# {}\nextends = [\"{}\"]", self.pack.explained(), self.pack.as_str())?;

        let platforms: Vec<String> = self.platforms.iter().map(ToString::to_string).collect();
        writeln!(out, "\n# The platforms that every image has.")?;
        write_list(out, "[rules.platforms]", "require", &platforms, &["linux/amd64", "linux/arm64"])?;
        let names: Vec<String> = self.registries.iter().flat_map(|names| names.0.clone()).collect();
        writeln!(
            out,
            "\n# Where images come from: registry/repository, `*` for any name and `**` for any number of them."
        )?;
        write_list(out, "[rules.registries]", "allow", &names, &["ghcr.io/acme/**", "docker.io/library/*"])?;

        out.write_str(LABELS)?;
        let day = |days: i32| self.today.saturating_add(days.days());
        writeln!(out, "\n# What will be asked for: until that day the rule only warns.")?;
        writeln!(out, "#[rules.sbom]\n#effective-from = {}\n#coverage = \"each-platform\"", day(30))?;
        writeln!(
            out,
            "\n# An exception. Every report shows it with its reason, and after that day it no longer counts."
        )?;
        writeln!(out, "#[[waivers]]\n#rule = \"platform-agreement\"\n#images = [\"ghcr.io/acme/legacy\"]")?;
        writeln!(out, "#reason = \"Rebuild planned, see issue 1234\"\n#expires = {}", day(90))
    }
}

/// Writes the table of a rule with one list; where the list is empty, as an example.
fn write_list(out: &mut String, header: &str, key: &str, values: &[String], example: &[&str]) -> std::fmt::Result {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut list: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|value| seen.insert(value.clone()));
    if list.is_empty() {
        let list: Vec<String> = example.iter().map(|value| quoted(value)).collect();
        return writeln!(out, "#{header}\n#{key} = [{}]", list.join(", "));
    }
    writeln!(out, "{header}\n{key} = [{}]", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, String> {
        text.parse::<AllowedNames>().map(|names| names.0)
    }

    #[test]
    fn a_registry_stands_for_all_that_is_in_it() {
        assert_eq!(names("ghcr.io").unwrap(), ["ghcr.io/**"]);
        assert_eq!(names("localhost:5000").unwrap(), ["localhost:5000/**"]);
        assert_eq!(names("docker.io/acme").unwrap(), ["docker.io/acme/**"]);
    }

    #[test]
    fn a_name_stands_for_itself_and_all_below_it() {
        assert_eq!(names("ghcr.io/acme/app").unwrap(), ["ghcr.io/acme/app", "ghcr.io/acme/app/**"]);
        assert_eq!(names("*.example.com/base-?").unwrap(), ["*.example.com/base-?"]);
    }

    #[test]
    fn what_could_be_no_name_is_refused() {
        for hostile in [
            "",
            "acme",
            "acme/app",
            "GHCR.io",
            "https://ghcr.io",
            "a.io/x\"]",
            "a.io/\n[rules.user]",
            "a.io/[",
            "{a.io/x",
        ] {
            assert!(names(hostile).is_err(), "{hostile}");
        }
    }
}
