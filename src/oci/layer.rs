//! Classes of layers, by compression and by the way they are mounted.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::from_text::from_text;

/// A class that a layer belongs to. A layer may be of several: an eStargz layer is a gzip layer as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerClass {
    /// Not compressed.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
    /// eStargz: gzip with a table of contents.
    Estargz,
    /// zstd:chunked: zstd with a table of contents.
    ZstdChunked,
    /// A Nydus blob or bootstrap.
    Nydus,
    /// An overlaybd block device.
    Overlaybd,
    /// Encrypted, so that nothing else can be told.
    Encrypted,
}

impl LayerClass {
    /// Every class, in the order of this type.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Gzip,
        Self::Zstd,
        Self::Estargz,
        Self::ZstdChunked,
        Self::Nydus,
        Self::Overlaybd,
        Self::Encrypted,
    ];

    /// The name that policies and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Estargz => "estargz",
            Self::ZstdChunked => "zstd:chunked",
            Self::Nydus => "nydus",
            Self::Overlaybd => "overlaybd",
            Self::Encrypted => "encrypted",
        }
    }
}

impl fmt::Display for LayerClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no class of layers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no class of layers: expected one of none, gzip, zstd, estargz, zstd:chunked, nydus, overlaybd, encrypted", text.escape_default())]
pub struct LayerClassError {
    /// What was found.
    pub text: String,
}

impl FromStr for LayerClass {
    type Err = LayerClassError;

    fn from_str(text: &str) -> Result<Self, LayerClassError> {
        let class = Self::ALL.into_iter().find(|class| class.as_str() == text);
        class.ok_or_else(|| LayerClassError { text: text.into() })
    }
}

impl Serialize for LayerClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LayerClass {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a class of layers", str::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for class in LayerClass::ALL {
            assert_eq!(class.to_string().parse(), Ok(class));
            let json = serde_json::to_string(&class).unwrap();
            assert_eq!(serde_json::from_str::<LayerClass>(&json).unwrap(), class);
        }
    }

    #[test]
    fn an_unknown_name_is_told_what_is_known() {
        let message = "brotli\n".parse::<LayerClass>().unwrap_err().to_string();
        assert!(message.starts_with(r"`brotli\n` is no class of layers"), "{message}");
        for class in LayerClass::ALL {
            assert!(message.contains(class.as_str()), "{message}");
        }
    }
}
