//! Platforms: operating system, architecture, variant.

use std::{borrow::Cow, fmt, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::from_text::from_text;

/// What an image runs on, as a descriptor, a configuration or the user states it (image-spec, "Image Index", `platform`).
///
/// The fields are what was written; compare [`normalised`](Self::normalised) platforms. Text shows the normalised form, and every
/// character that could mean something to a terminal or a shell percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `linux`, `windows` …
    pub os: String,
    /// `amd64`, `arm64` …, GOARCH's names.
    pub architecture: String,
    /// `v7` of `arm/v7`.
    pub variant: Option<String>,
    /// `os.version`, the Windows build.
    pub os_version: Option<String>,
    /// `os.features`.
    pub os_features: Vec<String>,
}

impl Platform {
    /// A platform of an operating system and an architecture only.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self {
            os: os.into(),
            architecture: architecture.into(),
            variant: None,
            os_version: None,
            os_features: Vec::new(),
        }
    }

    /// Reads `os/architecture[/variant]` and normalises it.
    ///
    /// A version and features of the operating system may be given in parentheses, behind it as containerd writes them
    /// (`windows(10.0.17763+win32k)/amd64`), or at the end as this type shows them (`windows/amd64 (10.0.17763+win32k)`).
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        let error = |problem| PlatformError { text: text.into(), problem };
        let (plain, details) = without_parentheses(text).ok_or_else(|| error(PlatformProblem::Parentheses))?;
        let (os, architecture, variant) = parts(&plain).map_err(error)?;
        let mut platform = Self::new(os, architecture);
        platform.variant = variant.map(Into::into);
        let mut details = details.split('+').map(decoded);
        platform.os_version = details.next().flatten();
        platform.os_features = details.flatten().collect();
        let named = [os, architecture].into_iter().chain(variant);
        match named.flat_map(str::chars).find(|&c| !is_plain(c)) {
            Some(bad) => Err(error(PlatformProblem::Character(bad))),
            None => Ok(platform.normalised()),
        }
    }

    /// The same platform under the names that the Go world uses, in lower case and without default variants, as containerd compares them.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let os = self.os.to_ascii_lowercase();
        let (architecture, variant) =
            normalised_architecture(&self.architecture, self.variant.as_deref().unwrap_or_default());
        let mut os_features = self.os_features.clone();
        os_features.sort_unstable();
        os_features.dedup();
        Self {
            os: if os == "macos" { "darwin".into() } else { os },
            architecture,
            variant: Some(variant).filter(|variant| !variant.is_empty()),
            os_version: self.os_version.clone().filter(|version| !version.is_empty()),
            os_features,
        }
    }

    /// Whether the operating system or the architecture is `unknown`: what BuildKit writes on entries that no runtime is to select.
    pub fn is_unknown(&self) -> bool {
        [&self.os, &self.architecture].into_iter().any(|name| name.eq_ignore_ascii_case("unknown"))
    }

    /// The normalised `os/architecture[/variant]` alone: letters, digits and `_ . - / %`, fit for a command line.
    pub fn short(&self) -> String {
        self.normalised().name()
    }

    /// The same of a platform that is normalised.
    fn name(&self) -> String {
        let mut name = [&*encoded(&self.os), &*encoded(&self.architecture)].join("/");
        if let Some(variant) = &self.variant {
            name.push('/');
            name.push_str(&encoded(variant));
        }
        name
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let this = self.normalised();
        let mut text = this.name();
        if this.os_version.is_some() || !this.os_features.is_empty() {
            let details = [this.os_version.unwrap_or_default()].into_iter().chain(this.os_features);
            let details: Vec<String> = details.map(|detail| encoded(&detail).into_owned()).collect();
            text = format!("{text} ({})", details.join("+"));
        }
        f.pad(&text)
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        Self::parse(text)
    }
}

impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a platform", str::parse)
    }
}

/// A set of platforms, as policies name it: `*`, `linux/*`, `linux/arm64`, `linux/arm/v7`, `linux/arm/*`.
///
/// Without a variant it means the architecture's default one: `linux/arm` is `linux/arm/v7`, and `linux/arm64` is not `linux/arm64/v9`.
/// Versions and features of the operating system play no part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformPattern {
    os: Option<String>,
    architecture: Option<String>,
    variant: Variant,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Variant {
    Any,
    Is(Option<String>),
}

impl PlatformPattern {
    /// Reads a pattern; each part may be `*`.
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        let error = |problem| PlatformError { text: text.into(), problem };
        let (os, architecture, variant) = if text == "*" { ("*", "*", None) } else { parts(text).map_err(error)? };
        let mut words = [os, architecture].into_iter().chain(variant).filter(|&part| part != "*");
        if let Some(bad) = words.find_map(|word| word.chars().find(|&c| !is_plain(c))) {
            return Err(error(PlatformProblem::Character(bad)));
        }
        if architecture == "*" && variant.is_some_and(|variant| variant != "*") {
            return Err(error(PlatformProblem::VariantOfAny));
        }
        let any_variant = architecture == "*" || variant == Some("*");
        let platform = Platform { variant: variant.map(Into::into), ..Platform::new(os, architecture) }.normalised();
        let unless_any = |part: String| Some(part).filter(|part| part != "*");
        Ok(Self {
            os: unless_any(platform.os),
            architecture: unless_any(platform.architecture),
            variant: if any_variant { Variant::Any } else { Variant::Is(platform.variant) },
        })
    }

    /// Whether the platform, once normalised, is one of the set.
    pub fn matches(&self, platform: &Platform) -> bool {
        let platform = platform.normalised();
        let fits = |wanted: &Option<String>, found: &String| wanted.as_ref().is_none_or(|wanted| wanted == found);
        fits(&self.os, &platform.os)
            && fits(&self.architecture, &platform.architecture)
            && match &self.variant {
                Variant::Any => true,
                Variant::Is(variant) => *variant == platform.variant,
            }
    }

    /// The one platform that the pattern names, if it has no `*`.
    pub fn as_platform(&self) -> Option<Platform> {
        let (Some(os), Some(architecture), Variant::Is(variant)) = (&self.os, &self.architecture, &self.variant) else {
            return None;
        };
        Some(Platform { variant: variant.clone(), ..Platform::new(os, architecture) })
    }
}

impl fmt::Display for PlatformPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".into());
        let (os, architecture) = (star(&self.os), star(&self.architecture));
        f.pad(&match &self.variant {
            Variant::Any if self.os.is_none() && self.architecture.is_none() => os,
            Variant::Any if self.architecture.is_some() => format!("{os}/{architecture}/*"),
            Variant::Is(Some(variant)) => format!("{os}/{architecture}/{variant}"),
            _ => format!("{os}/{architecture}"),
        })
    }
}

impl FromStr for PlatformPattern {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        Self::parse(text)
    }
}

impl Serialize for PlatformPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PlatformPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a platform", str::parse)
    }
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no platform: {problem}", text.escape_default())]
pub struct PlatformError {
    /// What was found.
    pub text: String,
    /// What is wrong with it.
    pub problem: PlatformProblem,
}

/// What is wrong with a platform's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlatformProblem {
    /// Not two or three parts.
    #[error("write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as in linux/amd64")]
    Parts,
    /// A part without text.
    #[error("a part of it is empty")]
    Empty,
    /// A character that no part may hold.
    #[error("it may not hold the character {0:?}")]
    Character(char),
    /// Parentheses that do not pair, or stand in an unexpected place.
    #[error("parentheses stand behind the operating system or at the end, as in windows(10.0.17763)/amd64")]
    Parentheses,
    /// A variant, but the architecture is `*`.
    #[error("a variant needs an architecture")]
    VariantOfAny,
}

/// Cuts `os/architecture[/variant]` into its parts.
fn parts(text: &str) -> Result<(&str, &str, Option<&str>), PlatformProblem> {
    let mut parts = text.split('/');
    let (Some(os), Some(architecture), variant, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(PlatformProblem::Parts);
    };
    let empty = os.is_empty() || architecture.is_empty() || variant == Some("");
    if empty { Err(PlatformProblem::Empty) } else { Ok((os, architecture, variant)) }
}

/// The text without its parenthesised part, and what stood in there; `None` when the parentheses are out of place.
fn without_parentheses(text: &str) -> Option<(String, &str)> {
    let Some((before, rest)) = text.split_once('(') else {
        return Some((text.into(), ""));
    };
    let (inside, after) = rest.split_once(')')?;
    let behind_os = !before.contains('/') && after.starts_with('/');
    let at_the_end = after.is_empty();
    (behind_os || at_the_end).then(|| (format!("{}{after}", before.trim_end_matches(' ')), inside))
}

/// As containerd does it (`platforms`, `normalizeArch`).
fn normalised_architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = (architecture.to_ascii_lowercase(), variant.to_ascii_lowercase());
    let (architecture, variant) = match (&*architecture, &*variant) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        _ => return (architecture, variant),
    };
    (architecture.into(), variant.into())
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Percent-encodes all but letters, digits and `_ . -`.
fn encoded(text: &str) -> Cow<'_, str> {
    const RISKY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-');
    utf8_percent_encode(text, RISKY).into()
}

/// Undoes percent-encoding; `None` for an empty text.
fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
    (!decoded.is_empty()).then_some(decoded)
}

#[cfg(test)]
mod tests;
