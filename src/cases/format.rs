//! Reading case files: strict, with the place of every mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Formatter};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use thiserror::Error;
use toml::Spanned;

use super::build::{Image, words};
use super::expect::{Expectation, Expected};
use super::source::{CAUSES, cause};
use crate::graph::Cause;
use crate::judge::Options;
use crate::oci::{Platform, Reference};
use crate::policy::{Policy, PolicyErrors};
use crate::target::{Target, TargetKind};

/// The clock of a case that says none: later than the images that cases build.
const NOW: &str = "2026-06-01T00:00:00Z";
/// What an inline image is called if the case does not say.
const TARGET: &str = "registry.example/app:1.0";

/// The cases of one file.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The file as it was named.
    pub file: String,
    /// Its cases, in their order.
    pub cases: Vec<Case>,
}

/// One case: a policy, an image, and what is to come of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// Where its policy is from.
    pub(super) policy: PolicyText,
    pub(super) image: CaseImage,
    pub(super) target: Target,
    pub(super) options: Options,
    pub(super) now: Timestamp,
    pub(super) failures: Vec<(String, Cause)>,
    pub(super) expect: Vec<Expectation>,
    pub(super) others: Others,
    pub(super) asks: BTreeMap<String, usize>,
    pub(super) exit: Option<u8>,
    pub(super) refused: Option<String>,
}

/// The policy of a case.
#[derive(Debug, Clone)]
pub(super) enum PolicyText {
    Inline { name: String, text: String, directory: PathBuf },
    File { path: String, directory: PathBuf },
}

/// The image of a case.
#[derive(Debug, Clone)]
pub(super) enum CaseImage {
    Inline(Box<Image>),
    /// The layout or archive that is the target.
    Stored,
}

/// Whether the case must mention every rule of its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Others {
    #[default]
    Mentioned,
    Any,
}

/// A mistake in a case file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct FormatError {
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1; 1 if the whole line is meant.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl PolicyText {
    /// Loads the policy.
    pub(super) fn load(&self) -> Result<Policy, PolicyErrors> {
        match self {
            Self::Inline { name, text, directory } => Policy::from_text(name, text, directory),
            Self::File { path, directory } => Policy::load(std::slice::from_ref(path), directory),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawFile {
    policy: Option<String>,
    policy_file: Option<String>,
    case: Vec<Spanned<RawCase>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawCase {
    name: String,
    policy: Option<String>,
    policy_file: Option<String>,
    image: Option<RawImage>,
    target: Option<String>,
    #[serde(rename = "as")]
    named: Option<String>,
    #[serde(default, deserialize_with = "words")]
    platform: Vec<String>,
    #[serde(default)]
    deny_warnings: bool,
    at: Option<toml::value::Datetime>,
    #[serde(default)]
    failures: BTreeMap<String, String>,
    #[serde(default)]
    expect: BTreeMap<String, Expected>,
    #[serde(default)]
    others: Others,
    #[serde(default)]
    asks: BTreeMap<String, usize>,
    exit: Option<u8>,
    refused: Option<String>,
}

enum RawImage {
    Inline(Box<Image>),
    Stored(String),
}

impl<'de> Deserialize<'de> for RawImage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ImageVisitor)
    }
}

struct ImageVisitor;

impl<'de> Visitor<'de> for ImageVisitor {
    type Value = RawImage;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table that describes an image, or a layout or archive such as \"oci:DIR\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawImage, E> {
        Ok(RawImage::Stored(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<RawImage, A::Error> {
        Image::deserialize(MapAccessDeserializer::new(access)).map(|image| RawImage::Inline(Box::new(image)))
    }
}

impl Suite {
    /// Reads a file of cases.
    pub fn read(path: &Path) -> Result<Self, FormatError> {
        let file = path.to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).map_err(|error| FormatError {
            file: file.clone(),
            line: 1,
            column: 1,
            message: format!("cannot be read: {error}"),
        })?;
        Self::parse(&file, &text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads cases from text, which is shown as `file`; paths in it are seen from `directory`.
    pub fn parse(file: &str, text: &str, directory: &Path) -> Result<Self, FormatError> {
        let reader = Reader { file, text, directory };
        let raw: RawFile = toml::from_str(text).map_err(|error| reader.toml_error(&error))?;
        let shared = reader
            .policy(raw.policy.as_ref(), raw.policy_file.as_ref(), 0)
            .map_err(|message| reader.error(0, message))?;
        let mut names = BTreeSet::new();
        let mut cases = Vec::new();
        for spanned in raw.case {
            let start = spanned.span().start;
            let case = reader
                .case(spanned.into_inner(), start, shared.as_ref())
                .map_err(|message| reader.error(start, message))?;
            if !names.insert(case.name.clone()) {
                return Err(reader.error(start, format!("a second case is called `{}`", case.name)));
            }
            cases.push(case);
        }
        if cases.is_empty() {
            return Err(reader.error(0, "the file has no case".to_owned()));
        }
        Ok(Self { file: file.to_owned(), cases })
    }
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    directory: &'t Path,
}

impl Reader<'_> {
    fn error(&self, at: usize, message: String) -> FormatError {
        let (line, column) = self.place(at);
        FormatError { file: self.file.to_owned(), line, column, message }
    }

    fn toml_error(&self, error: &toml::de::Error) -> FormatError {
        self.error(error.span().map_or(0, |span| span.start), error.message().to_owned())
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    fn policy(&self, text: Option<&String>, file: Option<&String>, at: usize) -> Result<Option<PolicyText>, String> {
        let directory = self.directory.to_owned();
        match (text, file) {
            (Some(_), Some(_)) => Err("`policy` and `policy-file` exclude each other".to_owned()),
            (Some(text), None) => {
                let name = format!("{} (line {})", self.file, self.place(at).0);
                Ok(Some(PolicyText::Inline { name, text: text.clone(), directory }))
            }
            (None, Some(path)) => Ok(Some(PolicyText::File { path: path.clone(), directory })),
            (None, None) => Ok(None),
        }
    }

    fn case(&self, raw: RawCase, at: usize, shared: Option<&PolicyText>) -> Result<Case, String> {
        if raw.name.trim().is_empty() {
            return Err("a case needs a name that says what it shows".to_owned());
        }
        if raw.expect.is_empty() && raw.refused.is_none() && raw.exit.is_none() {
            return Err(format!("the case `{}` expects nothing: add `[case.expect]`", raw.name));
        }
        let policy = self.policy(raw.policy.as_ref(), raw.policy_file.as_ref(), at)?;
        let policy = policy
            .or_else(|| shared.cloned())
            .ok_or_else(|| format!("the case `{}` has no policy, and the file has none for all cases", raw.name))?;
        let (image, target) = self.image(raw.image, raw.target.as_deref(), raw.named.as_deref())?;
        let platforms = raw.platform.iter().map(|text| Platform::parse(text).map_err(|error| error.to_string()));
        let options = Options { platforms: platforms.collect::<Result<_, _>>()?, deny_warnings: raw.deny_warnings };
        Ok(Case {
            line: self.place(at).0,
            policy,
            image,
            target,
            options,
            now: now(raw.at)?,
            failures: failures(raw.failures)?,
            expect: raw.expect.into_iter().map(|(key, expected)| Expectation::new(&key, expected)).collect(),
            others: raw.others,
            asks: raw.asks,
            exit: raw.exit,
            refused: raw.refused,
            name: raw.name,
        })
    }

    fn image(
        &self,
        raw: Option<RawImage>,
        target: Option<&str>,
        named: Option<&str>,
    ) -> Result<(CaseImage, Target), String> {
        let (image, mut parsed) = match raw {
            Some(RawImage::Stored(text)) if target.is_none() => (CaseImage::Stored, self.stored(&text)?),
            Some(RawImage::Stored(_)) => return Err("an image in a layout or archive is its own target".to_owned()),
            inline => {
                let image = match inline {
                    Some(RawImage::Inline(image)) => image,
                    _ => Box::default(),
                };
                (CaseImage::Inline(image), parse_target(target.unwrap_or(TARGET))?)
            }
        };
        if let Some(name) = named {
            let name = Reference::parse(name).map_err(|error| format!("`as`: {error}"))?;
            parsed = parsed.named(name);
        }
        Ok((image, parsed))
    }

    /// A layout or archive, its path seen from the case file.
    fn stored(&self, text: &str) -> Result<Target, String> {
        let mut target = parse_target(text)?;
        match &mut target.kind {
            TargetKind::Layout { path, .. }
            | TargetKind::OciArchive { path, .. }
            | TargetKind::DockerArchive { path, .. }
            | TargetKind::Snapshot { path } => {
                *path = self.directory.join(&*path);
                Ok(target)
            }
            TargetKind::Registry(_) => Err(format!(
                "`{text}` is in a registry; a case judges an image that is described, or a layout or archive such as `oci:DIR`"
            )),
        }
    }
}

fn parse_target(text: &str) -> Result<Target, String> {
    Target::parse(text).map_err(|error| format!("{error}; {}", error.help()))
}

/// The clock: a date is its first moment in UTC.
fn now(at: Option<toml::value::Datetime>) -> Result<Timestamp, String> {
    let text = at.map_or_else(
        || NOW.to_owned(),
        |at| match (at.date, at.time) {
            (Some(date), None) => format!("{date}T00:00:00Z"),
            _ => at.to_string(),
        },
    );
    text.parse().map_err(|_| format!("`at` is a date or a time with its offset, not `{text}`"))
}

fn failures(raw: BTreeMap<String, String>) -> Result<Vec<(String, Cause)>, String> {
    let one = |(at, name): (String, String)| match cause(&name) {
        Some(cause) => Ok((at, cause)),
        None => Err(format!("there is no failure `{name}`; there are: {CAUSES}")),
    };
    raw.into_iter().map(one).collect()
}
