//! The file of a baseline: JSON, sorted, one finding a line, so that a change to it can be reviewed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Baseline, Entry};

/// The version that is written, and the only one that is read.
const SCHEMA: &str = "ocilint/baseline/v1";

/// Why a file is no baseline.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// It is no JSON, or not of the shape.
    #[error("it is no baseline: {0}")]
    Shape(#[from] serde_json::Error),
    /// Another version.
    #[error("it says `{}`, and this version of ocilint reads `{SCHEMA}`", crate::oci::Untrusted(.0))]
    Version(String),
    /// A fingerprint that is none.
    #[error("`{}` is no fingerprint: `v1:` and 16 hexadecimal digits", crate::oci::Untrusted(.0))]
    Fingerprint(String),
    /// One finding twice.
    #[error("the fingerprint `{0}` is there twice")]
    Duplicate(String),
}

#[derive(Deserialize)]
struct Versioned {
    schema: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(rename = "schema")]
    _schema: String,
    policies: Vec<String>,
    findings: Vec<Entry>,
}

impl Baseline {
    /// Reads the text of a baseline.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        // The version first: of another one, nothing else can be expected.
        let versioned: Versioned = serde_json::from_str(text)?;
        if let Some(schema) = versioned.schema.filter(|schema| schema != SCHEMA) {
            return Err(BaselineError::Version(schema));
        }
        let whole: Whole = serde_json::from_str(text)?;
        let mut entries = BTreeMap::new();
        for entry in whole.findings {
            let fingerprint = entry.fingerprint.clone();
            if !is_fingerprint(&fingerprint) {
                return Err(BaselineError::Fingerprint(fingerprint));
            }
            if entries.insert(fingerprint.clone(), entry).is_some() {
                return Err(BaselineError::Duplicate(fingerprint));
            }
        }
        Ok(Self { policies: whole.policies, entries })
    }

    /// Writes it: the same findings give the same bytes.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{{\n  \"schema\": {},\n  \"policies\": {},", json(SCHEMA)?, json(&self.policies)?)?;
        write!(out, "  \"findings\": [")?;
        for (number, entry) in self.entries().into_iter().enumerate() {
            write!(out, "{}\n    {}", if number == 0 { "" } else { "," }, json(entry)?)?;
        }
        writeln!(out, "{}]\n}}", if self.entries.is_empty() { "" } else { "\n  " })
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> io::Result<String> {
    Ok(serde_json::to_string(value)?)
}

fn is_fingerprint(text: &str) -> bool {
    let digits = text.strip_prefix("v1:").unwrap_or_default();
    digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
