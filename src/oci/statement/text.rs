//! A statement as a whole, for whoever asks for any field of it.

use bytes::Bytes;
use serde_json::Value;

use super::{STATEMENT, StatementError, StatementSubject, Written, parse};
use crate::oci::json::{Json, Shape};
use crate::oci::{Ambiguity, MediaType};

/// An in-toto statement as JSON, out of its wrapping; every name occurs once in each of its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementText {
    text: Bytes,
    subjects: Vec<StatementSubject>,
}

/// Why a statement is not read as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementTextError {
    /// It is none, or no JSON that every reader accepts.
    #[error(transparent)]
    Unreadable(#[from] StatementError),
    /// It is larger than [`StatementText::MOST`].
    #[error("a statement of 4 MiB")]
    TooLarge,
    /// Readers may see different things in it.
    #[error("{0}")]
    Ambiguous(Ambiguity),
}

impl StatementText {
    /// A statement that is read as a whole is at most this large out of its wrapping, in bytes.
    pub const MOST: usize = 4 << 20;

    /// Reads a statement as it is, in a DSSE envelope, or in a Sigstore bundle.
    pub fn read(bytes: &[u8], media_type: &MediaType) -> Result<Self, StatementTextError> {
        let document = Written::read(bytes)?;
        let signed = document.wrapped(media_type)?;
        let text = signed.as_ref().map_or(bytes, |(signed, _)| signed);
        if text.len() > Self::MOST {
            return Err(StatementTextError::TooLarge);
        }
        let subjects = match &signed {
            Some(_) => parse::<Written<'_>>(text, STATEMENT)?.statement()?.subjects,
            None => document.statement()?.subjects,
        };
        let strict = Json::parse(text, Shape::Any).map_err(|error| {
            StatementTextError::Unreadable(StatementError::Json { part: STATEMENT, problem: error.to_string() })
        })?;
        match strict.problems().first() {
            Some(ambiguity) => Err(StatementTextError::Ambiguous(ambiguity.clone())),
            None => Ok(Self { text: Bytes::copy_from_slice(text), subjects }),
        }
    }

    /// The statement, parsed anew: the tree takes many times the memory of the text, and few ask for it.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.text).unwrap_or_default()
    }

    /// What the statement is about.
    pub fn subjects(&self) -> &[StatementSubject] {
        &self.subjects
    }

    /// How large the text is, in bytes.
    pub fn size(&self) -> usize {
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;

    fn read(text: &str) -> Result<StatementText, StatementTextError> {
        StatementText::read(text.as_bytes(), &MediaType::from("application/vnd.in-toto+json"))
    }

    const PLAIN: &str =
        r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.org/t","predicate":{"a":1}}"#;

    #[test]
    fn a_statement_is_the_same_in_every_wrapping() {
        let envelope = format!(
            r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{}","signatures":[]}}"#,
            BASE64_STANDARD.encode(PLAIN)
        );
        let bundle =
            format!(r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{envelope}}}"#);
        for text in [PLAIN, &envelope, &bundle] {
            assert_eq!(read(text).unwrap().json()["predicate"]["a"], 1, "{text}");
        }
    }

    #[test]
    fn what_is_too_large_ambiguous_or_no_statement_is_not_read() {
        let twice = PLAIN.replace(r#""a":1"#, r#""a":1,"a":2"#);
        assert!(matches!(read(&twice), Err(StatementTextError::Ambiguous(_))));
        let large = PLAIN.replace(r#""a":1"#, &format!(r#""a":"{}""#, "x".repeat(StatementText::MOST)));
        assert_eq!(read(&large), Err(StatementTextError::TooLarge));
        let deep = PLAIN.replace(r#""a":1"#, &format!(r#""a":{}{}"#, "[".repeat(100), "]".repeat(100)));
        let other = PLAIN.replace("Statement/v1", "Statement/v9");
        for text in [deep.as_str(), &other, "{}", "[", "7"] {
            assert!(matches!(read(text), Err(StatementTextError::Unreadable(_))), "{text}");
        }
    }
}
