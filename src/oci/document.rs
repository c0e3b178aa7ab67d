//! A document as it came: its bytes, its digest, and what was read from it.

use bytes::Bytes;
use serde_json::Value;

use super::{
    Ambiguity, Defect, Digest, ImageConfig, Json, JsonError, Manifest, Shape, json::Tree, manifest::NotAManifest,
    reading::MAX_DEFECTS,
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
        let (json, mut ambiguities) = Json::parse(&bytes, T::SHAPE)?.into_parts();
        ambiguities.extend(T::ambiguity(&json));
        let (value, defects) = T::read(&json)?;
        drop(json);
        Ok(Document { bytes, digest, value, ambiguities, defects })
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
        if self.ambiguities.is_empty() { Ok(&self.value) } else { Err(&self.ambiguities) }
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The text, for excerpts.
    pub fn text(&self) -> &str {
        // They were parsed as UTF-8 before.
        str::from_utf8(&self.bytes).unwrap_or_default()
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

    /// Whether there may be more defects than are listed.
    pub fn has_more_defects(&self) -> bool {
        self.defects.len() >= MAX_DEFECTS
    }

    /// The defect because of which a part, named by its RFC 6901 pointer, may hold something else than was read of it: one of the
    /// part itself, of something in it, or of what it stands in. In a flood of defects any part may have one.
    pub fn defect_of(&self, part: &str) -> Option<&Defect> {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_object = || self.text().trim_start().starts_with('{');
        let concerns = |defect: &&Defect| match defect.pointer.as_str() {
            // What the document lacks says nothing about what it has.
            "" => !is_object(),
            at => within(at, part) || within(part, at),
        };
        let flood = || self.defects.last().filter(|_| self.has_more_defects());
        self.defects.iter().find(concerns).or_else(flood)
    }

    /// The document as plain JSON, parsed anew: the tree takes many times the memory of the bytes, and few ask for it.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

/// What can be read from a document.
pub trait Read: Sized + sealed::Sealed {
    /// Where names are compared with known ones.
    const SHAPE: Shape;

    /// The typed form and its defects.
    fn read(value: &Tree<'_>) -> Result<(Self, Vec<Defect>), Unreadable>;

    /// An ambiguity that the names alone do not show.
    fn ambiguity(_: &Tree<'_>) -> Option<Ambiguity> {
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

    fn read(value: &Tree<'_>) -> Result<(Self, Vec<Defect>), Unreadable> {
        Ok(Manifest::read(value)?)
    }

    fn ambiguity(value: &Tree<'_>) -> Option<Ambiguity> {
        Manifest::ambiguity(value)
    }
}

impl Read for ImageConfig {
    const SHAPE: Shape = Shape::Config;

    fn read(value: &Tree<'_>) -> Result<(Self, Vec<Defect>), Unreadable> {
        Ok(ImageConfig::read(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Read>(text: &str) -> Document<T> {
        Document::read(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    const CONFIG: &str = r#""config":{"mediaType":"application/vnd.oci.image.config.v1+json",
        "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"#;

    #[test]
    fn a_document_is_its_bytes_and_what_they_say() {
        let text = format!(r#"{{"schemaVersion":2,{CONFIG},"layers":[]}} "#);
        let document = read::<Manifest>(&text);
        assert_eq!(document.defects(), []);
        assert_eq!(document.text(), text);
        assert_eq!(document.digest(), &Digest::sha256(text.as_bytes()));
        assert_eq!(document.json()["layers"], serde_json::json!([]));
        assert_eq!(document.unambiguous(), Ok(document.value()));
    }

    #[test]
    fn a_defect_is_of_what_it_is_in_and_of_what_is_in_it() {
        let of =
            |text: &str, part: &str| read::<ImageConfig>(text).defect_of(part).map(|defect| defect.pointer.clone());
        let wrong = Some("/config/Labels".to_owned());
        let text = r#"{"config":{"Labels":[],"LabelsToo":1}}"#;
        assert_eq!(of(text, "/config/Labels"), wrong);
        assert_eq!(of(text, "/config/Labels/a"), wrong);
        assert_eq!(of(text, "/config"), wrong);
        assert_eq!(of(text, "/config/Label"), None);
        assert_eq!(of(text, "/config/User"), None);
        assert_eq!(of(r#"{"config":7}"#, "/config/User").as_deref(), Some("/config"));
        assert_eq!(of(" []", "/config/User").as_deref(), Some(""));
        let flood = format!(r#"{{"config":{{"Env":[{}]}}}}"#, vec!["1"; MAX_DEFECTS].join(","));
        assert!(of(&flood, "/config/User").is_some());
    }

    /// Each of these was read differently by a Rust struct and by a client written in Go.
    #[test]
    fn shapes_that_go_reads_differently_are_ambiguous() {
        for (config, pointer) in [
            (r#"{"config":{"User":"1000","user":"0"}}"#, "/config/user"),
            (r#"{"config":{"User":"1000","U\u017fer":"0"}}"#, "/config/U\u{17f}er"),
            (r#"{"config":{"User":"1000"},"CONFIG":{"User":"0"}}"#, "/CONFIG"),
            (r#"{"os":"linux","OS":"windows"}"#, "/OS"),
            (r#"{"config":{"Labels":{"a":"good","a":"bad"}}}"#, "/config/Labels/a"),
        ] {
            let document = read::<ImageConfig>(config);
            let ambiguities = document.unambiguous().unwrap_err();
            assert_eq!(ambiguities.len(), 1, "{ambiguities:?}");
            assert_eq!(ambiguities[0].pointer, pointer);
        }
        for (manifest, pointer) in [
            (format!("{{{CONFIG},{CONFIG}}}"), "/config"),
            (format!(r#"{{{CONFIG},"Config":{{}}}}"#), "/Config"),
            (format!(r#"{{{CONFIG},"layers":[],"layer\u017f":[]}}"#), "/layer\u{17f}"),
        ] {
            let document = read::<Manifest>(&manifest);
            let ambiguities = document.unambiguous().unwrap_err();
            assert_eq!(ambiguities.len(), 1, "{ambiguities:?}");
            assert_eq!(ambiguities[0].pointer, pointer);
        }
    }

    #[test]
    fn documents_of_two_kinds_are_ambiguous() {
        for (members, contradiction) in [
            (r#""manifests":[],"config":{}"#, ["manifests", "config"]),
            (r#""layers":[],"manifests":null"#, ["manifests", "layers"]),
            (r#""fsLayers":[],"layers":[]"#, ["layers", "fsLayers"]),
            (r#""fsLayers":[],"manifests":[]"#, ["manifests", "fsLayers"]),
            (r#""history":[],"config":{}"#, ["config", "history"]),
            (r#""blobs":[],"manifests":[]"#, ["manifests", "blobs"]),
            (r#""fsLayers":[],"schemaVersion":2"#, ["schemaVersion", "fsLayers"]),
            (r#""mediaType":"application/vnd.oci.image.index.v1+json","layers":[]"#, ["mediaType", "layers"]),
            (
                r#""mediaType":"application/vnd.docker.distribution.manifest.v2+json","manifests":[]"#,
                ["mediaType", "manifests"],
            ),
        ] {
            let document = read::<Manifest>(&format!("{{{members}}}"));
            let names = contradiction.to_vec();
            let kinds: Vec<_> = document.ambiguities().iter().map(|a| a.kind.clone()).collect();
            assert_eq!(kinds, [crate::oci::AmbiguityKind::TwoKinds { names }], "{members}");
        }
        let schema1 = r#"{"schemaVersion":1,"fsLayers":[{}],"history":[{}],"name":"a"}"#;
        assert_eq!(read::<Manifest>(schema1).ambiguities(), []);
    }

    #[test]
    fn what_is_no_manifest_is_unreadable() {
        for text in ["[]", "null", "7", r#"{"errors":[{"code":"DENIED"}]}"#, r#"{"schemaVersion":2}"#] {
            let bytes = Bytes::copy_from_slice(text.as_bytes());
            let error = Document::<Manifest>::read(bytes).unwrap_err();
            assert!(matches!(error, Unreadable::NotAManifest(_)), "{text}: {error}");
        }
        let bytes = Bytes::from_static(br#"{"errors":[{"code":"DENIED"}]}"#);
        let error = Document::<Manifest>::read(bytes).unwrap_err();
        let message = r#"the document is no manifest but an object with "errors""#;
        assert_eq!(error.to_string(), message);
        let error = Document::<Manifest>::read(Bytes::from_static(b"<html>")).unwrap_err();
        assert!(matches!(error, Unreadable::Json(_)), "{error}");
    }
}
