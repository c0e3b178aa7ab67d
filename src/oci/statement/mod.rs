//! In-toto statements: what an attestation says about which digests, without the bulk of its predicate.

mod bounded;
pub mod predicate;
mod provenance;
#[cfg(test)]
mod tests;
mod text;
mod told;

use std::collections::BTreeMap;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    MediaType, Sbom, SbomError, Untrusted,
    json::{Text, quoted, without_place},
    sbom::other_format,
};
use bounded::Members;
pub use predicate::PredicateClass;
pub use provenance::{Claims, Material, Provenance, ProvenanceVersion, Workflow};
pub use text::{StatementText, StatementTextError};
pub use told::Told;

/// An in-toto statement, however it was wrapped. The wrapping's signature is not checked here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The predicate's type, a URI.
    pub predicate_type: String,
    /// What the statement is about; BuildKit leaves it empty for an image without a name.
    pub subjects: Vec<StatementSubject>,
    /// Whether there is a predicate at all; in-toto lets it be omitted.
    pub has_predicate: bool,
    /// What the predicate says, if its type is one of provenance.
    pub provenance: Option<Provenance>,
    /// What the predicate says, or why it cannot be read, if its type is one of SPDX or `CycloneDX`.
    pub sbom: Option<Result<Sbom, SbomError>>,
    /// How the statement was wrapped.
    pub wrapping: Wrapping,
}

/// One thing a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementSubject {
    /// Its name, often a package URL.
    #[serde(default)]
    pub name: Option<String>,
    /// Hexadecimal digests by algorithm (`sha256`).
    #[serde(default, rename = "digest", deserialize_with = "bounded::map")]
    pub digests: BTreeMap<String, String>,
}

/// What a statement was wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrapping {
    /// Nothing: the statement is unsigned.
    None,
    /// A DSSE envelope.
    Envelope,
    /// A DSSE envelope in a Sigstore bundle.
    Bundle,
}

/// Why bytes are not read as a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The JSON is broken or a field has another type than it must.
    #[error("the {part} is not readable: {problem}")]
    Json {
        /// What was read: the document, the envelope, the statement, the predicate.
        part: &'static str,
        /// The parser's words, escaped.
        problem: String,
    },
    /// The payload of an envelope is not base64.
    #[error("the payload of the envelope is not base64")]
    Base64,
    /// The document is something else: a signature over a digest, a payload of another type.
    #[error("the document is no in-toto statement but {found}")]
    NotAStatement {
        /// What it is instead, escaped.
        found: String,
    },
    /// The document is several things at once, of which each reader may see another.
    #[error("the document has members of several kinds")]
    SeveralKinds,
}

impl Statement {
    /// Reads a statement as it is, in a DSSE envelope, or in a Sigstore bundle; which of them is decided by the members of
    /// the document, the media type only helps to say what was expected.
    pub fn read(bytes: &[u8], media_type: &MediaType) -> Result<Statement, StatementError> {
        let document = Written::read(bytes)?;
        match document.wrapped(media_type)? {
            Some((signed, wrapping)) => statement(&parse(&signed, STATEMENT)?, wrapping),
            None => statement(&document, Wrapping::None),
        }
    }

    /// The class of the predicate type.
    pub fn class(&self) -> PredicateClass {
        predicate::class(&self.predicate_type)
    }
}

/// How errors name a statement that was read out of its wrapping, or that needed none.
const STATEMENT: &str = "statement";

/// The versions of the in-toto statement; a reader has to refuse any other.
const STATEMENT_TYPES: [&str; 2] = ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"];

/// What is read of a document: the members that tell what it is, and those of a statement, as they are written.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow, default, rename = "dsseEnvelope")]
    bundled: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "messageSignature")]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payload: Option<Text<'a>>,
    #[serde(borrow, default, rename = "payloadType")]
    payload_type: Option<Text<'a>>,
    #[serde(borrow, default, rename = "_type")]
    statement_type: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "predicateType")]
    predicate_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    subject: Option<&'a RawValue>,
    #[serde(borrow, default)]
    predicate: Option<&'a RawValue>,
}

/// The members of a statement.
struct RawStatement<'a> {
    predicate_type: Text<'a>,
    subjects: Vec<StatementSubject>,
    predicate: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Subjects(#[serde(deserialize_with = "bounded::list")] Vec<StatementSubject>);

impl<'a> Written<'a> {
    /// Reads a document of any kind.
    fn read(bytes: &'a [u8]) -> Result<Self, StatementError> {
        parse(bytes, "document")
    }

    /// The text that is wrapped in the document, and in what; nothing if the document is a statement itself.
    fn wrapped(&self, media_type: &MediaType) -> Result<Option<(Vec<u8>, Wrapping)>, StatementError> {
        match (self.bundled, self.message, &self.payload, self.predicate_type) {
            (Some(envelope), None, None, None) => {
                let envelope: Written<'_> = parse(envelope.get().as_bytes(), "envelope")?;
                Ok(Some((envelope.signed()?, Wrapping::Bundle)))
            }
            (None, Some(_), None, None) => Err(not("a bundle that signs a digest")),
            (None, None, Some(_), None) => Ok(Some((self.signed()?, Wrapping::Envelope))),
            (None, None, None, Some(_)) => Ok(None),
            (None, None, None, None) => {
                let claimed = quoted(media_type.as_str());
                Err(not(&format!(
                    "an object without `predicateType`, `payload` or `dsseEnvelope`, served as {claimed}"
                )))
            }
            _ => Err(StatementError::SeveralKinds),
        }
    }

    /// What the envelope says that it signs.
    fn signed(&self) -> Result<Vec<u8>, StatementError> {
        let payload_type = self.payload_type.as_ref().map_or("", |text| &text.0);
        let in_toto = payload_type == "application/vnd.in-toto+json"
            || (payload_type.starts_with("application/vnd.in-toto.") && payload_type.ends_with("+json"));
        if !in_toto {
            return Err(not(&format!("an envelope of type {}", quoted(payload_type))));
        }
        let payload = self.payload.as_ref().ok_or_else(|| not("an envelope without payload"))?;
        decode(&payload.0)
    }

    /// The statement; refuses what says of itself that it is something else.
    fn statement(&self) -> Result<RawStatement<'a>, StatementError> {
        let untyped = || StatementError::Json { part: STATEMENT, problem: "`predicateType` is missing".to_owned() };
        let predicate_type = member("predicateType", self.predicate_type)?.ok_or_else(untyped)?;
        let Subjects(subjects) = member("subject", self.subject)?.unwrap_or_default();
        let statement_type: Option<Text<'_>> = member("_type", self.statement_type)?;
        let statement_type = statement_type.as_ref().map_or("", |text| &text.0);
        if !STATEMENT_TYPES.contains(&statement_type) {
            return Err(not(&format!("an object of `_type` {}", quoted(statement_type))));
        }
        Ok(RawStatement { predicate_type, subjects, predicate: self.predicate })
    }
}

fn statement(document: &Written<'_>, wrapping: Wrapping) -> Result<Statement, StatementError> {
    let raw = document.statement()?;
    let predicate_type = raw.predicate_type.0.into_owned();
    let class = predicate::class(&predicate_type);
    let (provenance, sbom) = match (class, raw.predicate) {
        (PredicateClass::Provenance, Some(predicate)) => (Some(provenance::read(&predicate_type, predicate)?), None),
        (PredicateClass::Spdx | PredicateClass::CycloneDx, Some(predicate)) => {
            (None, Some(Sbom::of_predicate(predicate)))
        }
        _ => (None, None),
    };
    Ok(Statement {
        predicate_type,
        subjects: raw.subjects,
        has_predicate: raw.predicate.is_some(),
        provenance,
        sbom,
        wrapping,
    })
}

/// Decodes base64 of either alphabet, as the DSSE specification asks of readers.
fn decode(payload: &str) -> Result<Vec<u8>, StatementError> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if payload.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, CONFIG).decode(payload).map_err(|_| StatementError::Base64)
}

/// Reads an object.
fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], part: &'static str) -> Result<T, StatementError> {
    let read: serde_json::Result<Members<T>> = serde_json::from_slice(bytes);
    let problem = |error: serde_json::Error| match other_format(bytes) {
        Some(other) => format!("it is {other} and not JSON"),
        None => Untrusted(&error.to_string()).to_string(),
    };
    read.map(|Members(value)| value).map_err(|error| StatementError::Json { part, problem: problem(error) })
}

/// Reads a member of a statement.
fn member<'a, T: Deserialize<'a>>(name: &str, written: Option<&'a RawValue>) -> Result<Option<T>, StatementError> {
    let wrong = |error: serde_json::Error| {
        // The place that the parser tells is one in the member.
        let problem = format!("`{name}`: {}", Untrusted(&without_place(&error)));
        StatementError::Json { part: STATEMENT, problem }
    };
    written.map(|written| serde_json::from_str(written.get())).transpose().map_err(wrong)
}

fn not(found: &str) -> StatementError {
    StatementError::NotAStatement { found: found.to_owned() }
}
