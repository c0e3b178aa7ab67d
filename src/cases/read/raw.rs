//! Case files as they are written.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::cases::build::{Image, words};
use crate::cases::expect::Expected;
use crate::cases::format::Others;

/// A file without its cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawFile {
    pub(super) policy: Option<String>,
    pub(super) policy_file: Option<String>,
    #[serde(rename = "case")]
    _case: Option<IgnoredAny>,
}

/// A case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawCase {
    pub(super) name: String,
    pub(super) policy: Option<String>,
    pub(super) policy_file: Option<String>,
    pub(super) image: Option<RawImage>,
    pub(super) target: Option<String>,
    #[serde(rename = "as")]
    pub(super) named: Option<String>,
    #[serde(default, deserialize_with = "words")]
    pub(super) platform: Vec<String>,
    #[serde(default)]
    pub(super) elsewhere: BTreeMap<String, Image>,
    pub(super) against: Option<String>,
    #[serde(default)]
    pub(super) deny_warnings: bool,
    pub(super) at: Option<toml::value::Datetime>,
    #[serde(default)]
    pub(super) failures: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) expect: BTreeMap<String, Expected>,
    #[serde(default)]
    pub(super) others: Others,
    #[serde(default)]
    pub(super) asks: BTreeMap<String, usize>,
    pub(super) exit: Option<u8>,
    pub(super) refused: Option<String>,
}

/// An image: described, or the target of one that is stored.
pub(super) enum RawImage {
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
