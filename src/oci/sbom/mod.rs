//! Bills of materials (SBOMs): SPDX 2 and 3 and CycloneDX, in JSON, as an extract of what rules ask about.
//!
//! A document of many mebibytes is read in one pass, and only the extract is kept. What has the wrong type or is missing is
//! no error but a [defect](Sbom::defects): tools write many documents that are not quite valid, and say enough all the same.

mod cyclonedx;
mod hashes;
mod lenient;
mod package;
mod spdx2;
mod spdx3;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Untrusted;
use hashes::Hashes;
use lenient::{Lenient, List, Object, Text};
use package::Kept;
pub use package::{License, Package};

/// Packages of one document that are read. Images of ten gigabytes have some twenty thousand.
pub const MOST_PACKAGES: usize = 65_536;
/// Text of one document that is kept, in bytes.
const MOST_TEXT: usize = 16 << 20;
/// Creators of a document that are kept.
const MOST_CREATORS: usize = 32;
/// Defects that are told; the others are counted.
const MOST_DEFECTS: usize = 20;

/// What a bill of materials says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sbom {
    /// The format.
    pub format: SbomFormat,
    /// The version of the format, as the document writes it but for `SPDX-`.
    pub version: String,
    /// When the document was made, as it writes that.
    pub created: Option<String>,
    /// Who or which tools made it, as it writes that.
    pub creators: Vec<String>,
    /// What tells this document from all others: SPDX's namespace, CycloneDX's serial number.
    pub identity: Option<String>,
    /// The packages, with what contains them.
    pub packages: Vec<Package>,
    /// What the document says of licences that only it defines, by their identifier (`LicenseRef-…`): the name, and the
    /// beginning of the text.
    pub own_licenses: BTreeMap<String, String>,
    /// Whether it says of any two things how they are related, beyond what the document describes.
    pub has_relationships: bool,
    /// What is not as the specification of the format wants it, as far as it is checked.
    pub defects: Defects,
}

/// The format of a bill of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SbomFormat {
    /// SPDX.
    Spdx,
    /// `CycloneDX`.
    CycloneDx,
}

impl std::fmt::Display for SbomFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Spdx => "SPDX",
            Self::CycloneDx => "CycloneDX",
        })
    }
}

/// Why a document is not read as a bill of materials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum SbomError {
    /// The JSON is broken.
    #[error("the SBOM is not readable: {0}")]
    Json(String),
    /// It is compressed, or text of another format.
    #[error("the SBOM is {0} and not JSON")]
    NotJson(&'static str),
    /// It is JSON, and no SPDX document or CycloneDX BOM that is known here.
    #[error("the document is no SBOM that can be read but {0}")]
    NotAnSbom(String),
    /// It is too large to be kept.
    #[error("the SBOM lists more than the {MOST_PACKAGES} packages, or 16 MiB of names, that are read")]
    TooLarge,
}

/// What is wrong with a document: the first few, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Defects {
    /// The first ones, as sentences; what comes from the document is escaped.
    pub first: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// The first one behind which there may be packages, or names, versions and licences of packages, that were not read.
    pub hiding: Option<String>,
}

impl Defects {
    /// Adds a defect behind which there may be something of packages.
    fn hide(&mut self, defect: impl FnOnce() -> String) {
        let defect = defect();
        self.hiding.get_or_insert_with(|| defect.clone());
        self.add(|| defect);
    }

    fn add(&mut self, defect: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < MOST_DEFECTS {
            self.first.push(defect());
        }
    }

    fn append(&mut self, other: Defects) {
        self.count += other.count;
        self.hiding = self.hiding.take().or(other.hiding);
        let room = MOST_DEFECTS - self.first.len();
        self.first.extend(other.first.into_iter().take(room));
    }
}

impl Sbom {
    /// Reads a document that is a bill of materials, or what older versions of cosign wrap it in (`{"Data": …}`).
    pub fn read(bytes: &[u8]) -> Result<Sbom, SbomError> {
        if let Some(other) = other_format(bytes) {
            return Err(SbomError::NotJson(other));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| SbomError::Json(error.to_string()))?;
        // Tools on Windows write a byte order mark, which readers may ignore (RFC 8259, 8.1).
        read(text.strip_prefix('\u{feff}').unwrap_or(text), true)
    }

    /// Reads the predicate of a statement: the document, what cosign wraps it in, or a string that holds it.
    pub(super) fn of_predicate(predicate: &RawValue) -> Result<Sbom, SbomError> {
        match serde_json::from_str::<String>(predicate.get()) {
            Ok(text) => Self::read(text.as_bytes()),
            Err(_) => read(predicate.get(), true),
        }
    }

    /// About how much memory the extract takes, in bytes.
    pub fn weight(&self) -> usize {
        let own = self.own_licenses.iter().map(|(id, told)| id.len() + told.len());
        self.packages.iter().map(Package::weight).chain(own).sum()
    }
}

/// What bytes are that cannot be JSON.
pub(super) fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.trim_ascii_start();
    match start {
        [0x1f, 0x8b, ..] => Some("compressed with gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("compressed with zstd"),
        [b'<', ..] => Some("XML"),
        _ if start.starts_with(b"SPDXVersion:") => Some("in SPDX's tag-value format"),
        _ => None,
    }
}

/// The members of documents of all formats; which of them there are tells the format.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default, rename = "spdxVersion")]
    spdx_version: Text<'a>,
    #[serde(borrow, default, rename = "SPDXID")]
    spdx_id: Text<'a>,
    #[serde(borrow, default, rename = "dataLicense")]
    data_license: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "documentNamespace")]
    namespace: Text<'a>,
    #[serde(borrow, default, rename = "creationInfo")]
    creation: Object<spdx2::Creation<'a>>,
    #[serde(borrow, default)]
    packages: List<spdx2::Packages<'a>>,
    #[serde(borrow, default, rename = "hasExtractedLicensingInfos")]
    extracted: List<spdx2::OwnLicenses<'a>>,
    #[serde(borrow, default)]
    relationships: List<spdx2::Relationships<'a>>,
    #[serde(borrow, default, rename = "bomFormat")]
    bom_format: Text<'a>,
    #[serde(borrow, default, rename = "specVersion")]
    spec_version: Text<'a>,
    #[serde(borrow, default, rename = "serialNumber")]
    serial_number: Text<'a>,
    #[serde(default)]
    version: Lenient<lenient::Whole>,
    #[serde(borrow, default)]
    metadata: Object<cyclonedx::Metadata<'a>>,
    #[serde(borrow, default)]
    components: List<cyclonedx::Components<'a>>,
    #[serde(borrow, default)]
    dependencies: List<cyclonedx::Dependencies<'a>>,
    #[serde(borrow, default, rename = "@context")]
    context: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "@graph")]
    graph: List<spdx3::Graph<'a>>,
    #[serde(borrow, default, rename = "Data")]
    data: Option<&'a RawValue>,
}

fn read(text: &str, may_be_wrapped: bool) -> Result<Sbom, SbomError> {
    let document: Object<Document<'_>> = serde_json::from_str(text).map_err(|error| broken(&error))?;
    let Lenient::Is(lenient::Members(document)) = document else {
        return Err(SbomError::Json("it is no object".to_owned()));
    };
    let (spdx2, spdx3) = (document.spdx_version.is_there(), document.graph.is_there());
    match (spdx2, spdx3, document.bom_format.is_there(), document.data) {
        (true, false, false, _) => spdx2::extract(document),
        (false, true, false, _) => spdx3::extract(document),
        (false, false, true, _) => cyclonedx::extract(document),
        (false, false, false, Some(data)) if may_be_wrapped => wrapped(data),
        (false, false, false, _) => {
            Err(SbomError::NotAnSbom("an object without `spdxVersion`, `bomFormat` or `@graph`".to_owned()))
        }
        _ => Err(SbomError::NotAnSbom("an object with members of several formats".to_owned())),
    }
}

/// Reads what cosign wrapped: the document, or its text.
fn wrapped(data: &RawValue) -> Result<Sbom, SbomError> {
    match serde_json::from_str::<String>(data.get()) {
        Ok(text) => match other_format(text.as_bytes()) {
            Some(other) => Err(SbomError::NotJson(other)),
            None => read(&text, false),
        },
        Err(_) => read(data.get(), false),
    }
}

fn broken(error: &serde_json::Error) -> SbomError {
    SbomError::Json(Untrusted(&error.to_string()).to_string())
}

/// The extract, unless it became too large.
fn finish(kept: Kept, sbom: impl FnOnce(Vec<Package>) -> Sbom) -> Result<Sbom, SbomError> {
    kept.into_packages().map(sbom).ok_or(SbomError::TooLarge)
}

/// A text of the document as messages show it.
fn shown(text: &str) -> String {
    format!("'{}'", Untrusted(text))
}
