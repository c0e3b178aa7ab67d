//! Deploy targets as a policy names them: `docker>=20.10`, `aws-lambda`.

use std::borrow::Cow;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::table::{Limit, TARGETS, Target, find};
use super::versions::{SYNTAX, Versions};
use crate::graph::Entry;

/// A target, and which of its versions must all take the image.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// As the policy writes it.
    pub(super) text: String,
    pub(super) target: &'static Target,
    versions: Versions,
}

impl Wanted {
    /// What the wanted versions refuse, each of them or some.
    pub(super) fn limits(&self) -> impl Iterator<Item = &'static Limit> {
        self.target.limits.iter().filter(|limit| limit.versions().meets(self.versions))
    }

    /// Whether it may run that platform; one that is not known may be any.
    pub(super) fn runs(&self, entry: &Entry) -> bool {
        let platforms = self.target.platforms();
        platforms.is_empty()
            || entry.platform.as_ref().map_or(true, |found| platforms.iter().any(|platform| platform.matches(found)))
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, versions) = text.split_at(text.find(['<', '>', '=', '@', ',']).unwrap_or(text.len()));
        let name = name.trim();
        let Some(target) = find(name) else {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name.as_str()).collect();
            return Err(format!("`{name}` is no deploy target: expected one of {}", names.join(", ")));
        };
        let versions = match (target.has_versions(), versions) {
            (true, "") => {
                return Err(format!("`{name}` is said without its versions, which are written {SYNTAX}"));
            }
            (false, "") => Versions::ALL,
            (false, _) => return Err(format!("`{name}` has no versions that are known, expected `{name}` alone")),
            (true, versions) => versions.parse().map_err(|error| format!("`{text}`: {error}"))?,
        };
        Ok(Self { text: text.to_owned(), target, versions })
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::oci::from_text(deserializer, "a deploy target such as \"docker>=20.10\"", str::parse)
    }
}

impl JsonSchema for Wanted {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let named = |with: bool| {
            let names = TARGETS.iter().filter(|target| target.has_versions() == with).map(|target| &*target.name);
            names.collect::<Vec<_>>().join("|")
        };
        let version = r"\s*[0-9]+(\.[0-9]+){0,2}\s*";
        let versions = format!(r"(@{version}|(>=|<){version}(,\s*(>=|<){version})?)");
        json_schema!({ "type": "string", "pattern": format!(r"^(({})|({})\s*{versions})$", named(false), named(true)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<Wanted>().unwrap_err()
    }

    #[test]
    fn a_target_with_versions_says_which() {
        assert!("docker>=20.10".parse::<Wanted>().is_ok());
        assert!("docker >= 20.10, < 23".parse::<Wanted>().is_ok());
        assert!("aws-lambda".parse::<Wanted>().is_ok());
        assert!(error("docker").contains("without its versions"));
        assert!(error("aws-lambda>=1").contains("`aws-lambda` alone"));
        assert!(error("docker<=23").contains("versions are written"));
        assert!(error("docker>=24,<23").contains("no version is"));
    }

    #[test]
    fn an_unknown_target_is_told_with_the_known_ones() {
        let error = error("dokcer>=20.10");
        assert!(error.starts_with("`dokcer` is no deploy target: expected one of docker, containerd, "), "{error}");
    }

    #[test]
    fn the_schema_takes_what_the_policy_takes() {
        let schema = Wanted::json_schema(&mut SchemaGenerator::default());
        let pattern = regex::Regex::new(schema.get("pattern").and_then(|pattern| pattern.as_str()).unwrap()).unwrap();
        for text in ["docker", "docker@20.10", "docker >= 20.10, < 23", "docker<=23", "aws-lambda", "aws-lambda<2", "x"]
        {
            assert_eq!(pattern.is_match(text), text.parse::<Wanted>().is_ok(), "{text}");
        }
    }
}
