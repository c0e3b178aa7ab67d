//! A document as it came: its bytes, its digest, and what was read from it.

use bytes::Bytes;
use serde_json::Value;

use super::{
    Ambiguity, Defect, Digest, ImageConfig, Json, JsonError, Manifest, Shape,
    manifest::NotAManifest,
};

/// A manifest, index or config with the bytes it was read from and everything that is wrong with it.
#[derive(Debug, Clone)]
pub struct Document<T> {
    bytes: Bytes,
    digest: Digest,
    value: T,
    ambiguities: Vec<Ambiguity>,
    defects: Vec<Defect>,
}

/// Why bytes cannot be read as a document of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They are no JSON text that every reader accepts.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// They are JSON, but no manifest.
    #[error(transparent)]
    NotAManifest(#[from] NotAManifest),
}

impl<T: Read> Document<T> {
    /// Reads the bytes; the document's digest is their SHA-256.
    pub fn read(bytes: Bytes) -> Result<Document<T>, Unreadable> {
        let digest = Digest::sha256(&bytes);
        Document::read_as(bytes, digest)
    }

    /// Reads bytes whose digest was computed already, with whatever algorithm they were asked for.
    pub fn read_as(bytes: Bytes, digest: Digest) -> Result<Document<T>, Unreadable> {
        let (bytes, json, mut ambiguities) = Json::parse(bytes, T::SHAPE)?.into_parts();
        ambiguities.extend(T::ambiguity(&json));
        let (value, defects) = T::read(&json)?;
        Ok(Document {
            bytes,
            digest,
            value,
            ambiguities,
            defects,
        })
    }
}

impl<T> Document<T> {
    /// What the document says, to those who take the last of equal names and heed case. Judge by
    /// [`unambiguous`](Document::unambiguous) instead.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What the document says, unless clients may read different things in it.
    pub fn unambiguous(&self) -> Result<&T, &[Ambiguity]> {
        if self.ambiguities.is_empty() {
            Ok(&self.value)
        } else {
            Err(&self.ambiguities)
        }
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The text, for excerpts.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.bytes).expect("invariant: the bytes were parsed as UTF-8")
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Where clients may read different things.
    pub fn ambiguities(&self) -> &[Ambiguity] {
        &self.ambiguities
    }

    /// What the specification forbids and the document holds all the same (only the first of a flood).
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// The document as plain JSON, parsed anew: the tree takes many times the memory of the bytes, and few ask for it.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("invariant: the bytes were parsed before")
    }
}

/// What can be read from a document.
pub trait Read: Sized + sealed::Sealed {
    /// Where names are compared with known ones.
    const SHAPE: Shape;

    /// The typed form and its defects.
    fn read(value: &Value) -> Result<(Self, Vec<Defect>), Unreadable>;

    /// An ambiguity that the names alone do not show.
    fn ambiguity(_: &Value) -> Option<Ambiguity> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Manifest {}
    impl Sealed for super::ImageConfig {}
}

impl Read for Manifest {
    const SHAPE: Shape = Shape::Manifest;

    fn read(value: &Value) -> Result<(Self, Vec<Defect>), Unreadable> {
        Ok(Manifest::read(value)?)
    }

    fn ambiguity(value: &Value) -> Option<Ambiguity> {
        Manifest::ambiguity(value)
    }
}

impl Read for ImageConfig {
    const SHAPE: Shape = Shape::Config;

    fn read(value: &Value) -> Result<(Self, Vec<Defect>), Unreadable> {
        Ok(ImageConfig::read(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_manifest_is_read() {
        let text = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",
            "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
        let document = Document::<Manifest>::read(Bytes::from_static(text.as_bytes())).unwrap();
        assert_eq!(document.defects(), []);
        let Ok(Manifest::Image(manifest)) = document.unambiguous() else {
            panic!("{document:?}")
        };
        assert_eq!(manifest.config.as_ref().unwrap().size, Some(2));
    }

    #[test]
    fn an_ambiguous_document_gives_no_value() {
        let text = br#"{"os":"linux","OS":"windows","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let document = Document::<ImageConfig>::read(Bytes::from_static(text)).unwrap();
        assert_eq!(document.unambiguous().unwrap_err(), document.ambiguities());
        assert_eq!(document.ambiguities()[0].pointer, "/OS");
    }
}
