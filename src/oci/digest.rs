//! Content digests, as the OCI image specification's "Digests" section describes them.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha512};

use super::from_text::from_text;

/// The digest of some content: `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits.
///
/// No other text can be in it. That is why this is the only type that may build a URL or a path from what a registry said.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Arc<str>);

impl Digest {
    /// The SHA-256 digest of `{}`, the OCI empty descriptor's content (image-spec, "Guidance for an Empty Descriptor").
    pub const EMPTY_JSON: &'static str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    /// The SHA-256 digest of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::of(Algorithm::Sha256, bytes)
    }

    /// The digest of `bytes` under `algorithm`.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The algorithm in front of the colon.
    pub fn algorithm(&self) -> Algorithm {
        if self.0.starts_with("sha512:") { Algorithm::Sha512 } else { Algorithm::Sha256 }
    }

    /// The hexadecimal digits behind the colon.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm and the first 12 hexadecimal digits, for people to read.
    pub fn short(&self) -> String {
        format!("{}:{:.12}", self.algorithm(), self.hex())
    }

    /// Whether `bytes` have this digest.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        Self::of(self.algorithm(), bytes) == *self
    }

    /// A hasher of this digest's algorithm, for content that arrives in pieces.
    pub fn hasher(&self) -> Hasher {
        Hasher::new(self.algorithm())
    }

    /// The tag under which the referrers of this digest are listed where a registry has no referrers API
    /// (distribution-spec, "Referrers Tag Schema": the hexadecimal part is cut to 64 digits).
    pub fn fallback_tag(&self) -> String {
        format!("{}-{:.64}", self.algorithm(), self.hex())
    }

    /// The tag under which cosign keeps an artifact about this digest: `sha256-<hex>.<suffix>`, the suffix being `sig`, `att` or `sbom`.
    pub fn cosign_tag(&self, suffix: &str) -> String {
        format!("{}-{}.{suffix}", self.algorithm(), self.hex())
    }

    /// Whether this is the digest of `{}`, the content of the OCI empty descriptor.
    pub fn is_empty_json(&self) -> bool {
        &*self.0 == Self::EMPTY_JSON
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a digest", str::parse)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let malformed = || DigestError::Malformed { text: kept(text) };
        let (name, encoded) = text.split_once(':').ok_or_else(malformed)?;
        match Algorithm::named(name) {
            Some(algorithm) if encoded.len() == algorithm.hex_len() && encoded.bytes().all(is_lower_hex) => {
                Ok(Self(text.into()))
            }
            None if is_algorithm_name(name) && is_encoded(encoded) => {
                Err(DigestError::UnsupportedAlgorithm { text: kept(text) })
            }
            _ => Err(malformed()),
        }
    }
}

/// Image-spec: `component (separator component)*`, a component being `[a-z0-9]+` and a separator one of `+ . _ -`.
fn is_algorithm_name(name: &str) -> bool {
    name.split(['+', '.', '_', '-']).all(|component| {
        !component.is_empty() && component.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// Image-spec: `[a-zA-Z0-9=_-]+`.
fn is_encoded(encoded: &str) -> bool {
    !encoded.is_empty() && encoded.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'))
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// A digest algorithm that the image specification registers and this crate computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, what nearly all content is named by.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The name in front of a digest's colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Computes a digest from content that arrives in pieces.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes in the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => named(Algorithm::Sha256, &state.finalize()),
            State::Sha512(state) => named(Algorithm::Sha512, &state.finalize()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

fn named(algorithm: Algorithm, hash: &[u8]) -> Digest {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    let mut text = String::with_capacity(algorithm.as_str().len() + 1 + 2 * hash.len());
    text.push_str(algorithm.as_str());
    text.push(':');
    text.extend(hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    Digest(text.into())
}

/// Why a text is not a digest. It keeps the text as it was, cut to 200 characters; displaying it escapes the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The text does not have a digest's form, or not the length and alphabet that its algorithm asks for.
    #[error("`{}` is not a digest: sha256: and 64, or sha512: and 128 lower-case hexadecimal digits are expected", text.escape_default())]
    Malformed {
        /// What was found.
        text: String,
    },
    /// The form is right, but the algorithm is neither `sha256` nor `sha512`.
    #[error("the digest `{}` is of an unsupported algorithm: sha256 and sha512 are supported", text.escape_default())]
    UnsupportedAlgorithm {
        /// What was found.
        text: String,
    },
}

impl DigestError {
    /// What was found, cut to 200 characters and otherwise as it was: escape it before showing it.
    pub fn text(&self) -> &str {
        match self {
            Self::Malformed { text } | Self::UnsupportedAlgorithm { text } => text,
        }
    }
}

fn kept(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn parse(text: &str) -> Result<Digest, DigestError> {
        text.parse()
    }

    fn malformed(text: &str) -> bool {
        matches!(parse(text), Err(DigestError::Malformed { text: kept }) if kept == text)
    }

    #[test]
    fn content_is_hashed() {
        assert_eq!(Digest::sha256(b"abc").as_str(), ABC);
        assert_eq!(Digest::sha256(b"{}").as_str(), Digest::EMPTY_JSON);
        assert!(Digest::sha256(b"{}").is_empty_json());
        assert!(!Digest::sha256(b"{ }").is_empty_json());
        let sha512 = Digest::of(Algorithm::Sha512, b"abc");
        assert!(sha512.as_str().starts_with("sha512:ddaf35a193617abacc417349ae204131"));
        assert_eq!(parse(sha512.as_str()), Ok(sha512));
    }

    #[test]
    fn pieces_hash_as_the_whole() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let whole = Digest::of(algorithm, b"abc");
            let mut hasher = whole.hasher();
            hasher.update(b"a");
            hasher.update(b"bc");
            assert_eq!(hasher.finish(), whole);
            assert!(whole.matches(b"abc"));
            assert!(!whole.matches(b"abd"));
        }
    }

    #[test]
    fn the_parts_are_named() {
        let digest = parse(ABC).unwrap();
        assert_eq!(digest.algorithm(), Algorithm::Sha256);
        assert_eq!(format!("sha256:{}", digest.hex()), ABC);
        assert_eq!(digest.short(), "sha256:ba7816bf8f01");
        assert_eq!(digest.to_string(), ABC);
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{ABC}\""));
    }

    #[test]
    fn tags_are_derived() {
        let digest = parse(ABC).unwrap();
        assert_eq!(digest.fallback_tag(), ABC.replace(':', "-"));
        assert_eq!(digest.cosign_tag("sig"), format!("{}.sig", ABC.replace(':', "-")));
        let sha512 = Digest::of(Algorithm::Sha512, b"abc");
        assert_eq!(sha512.fallback_tag(), format!("sha512-{}", &sha512.hex()[..64]));
    }

    #[test]
    fn only_canonical_digests_are_accepted() {
        let hex = "ab".repeat(32);
        assert!(parse(&format!("sha256:{hex}")).is_ok());
        for bad in [
            String::new(),
            ":".into(),
            "sha256".into(),
            "sha256:".into(),
            hex.clone(),
            format!("sha256:{}", &hex[1..]),
            format!("sha256:{hex}a"),
            format!("sha256:{}", hex.to_uppercase()),
            format!("SHA256:{hex}"),
            format!("sha256:{}", hex.replace('a', "g")),
            format!("sha512:{hex}"),
            format!("sha256:{hex}\n"),
            format!(" sha256:{hex}"),
            format!("sha256:../{}", &hex[3..]),
            format!("sha256__b64:{hex}"),
        ] {
            assert!(malformed(&bad), "{bad:?}");
        }
    }

    #[test]
    fn another_algorithm_is_told_from_a_malformed_digest() {
        for text in ["sha384:abc", "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "a.b_c-d+e:="] {
            assert_eq!(parse(text), Err(DigestError::UnsupportedAlgorithm { text: text.into() }));
        }
    }

    #[test]
    fn errors_keep_little_and_escape_it() {
        let error = parse(&format!("\u{1b}[31m\u{202e}{}", "x".repeat(1000))).unwrap_err();
        assert_eq!(error.text().chars().count(), 200);
        let message = error.to_string();
        assert!(message.starts_with(r"`\u{1b}[31m\u{202e}xx"), "{message}");
        assert!(message.is_ascii());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_keeps_the_text(text in "(sha(256|512):)?([0-9a-f]{64}|[0-9a-f]{128}|\\PC*)") {
            if let Ok(digest) = parse(&text) {
                prop_assert_eq!(digest.as_str(), &text);
                prop_assert_eq!(digest.hex().len(), digest.algorithm().hex_len());
            }
        }
    }
}
