//! SPDX 2.2 and 2.3 in JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Gather, Gathered, Lenient, List, Members, Object, Plain, Text, Texts};
use super::package::{MOST_PURLS, identifies, is_assertion, names_an_image};
use super::{
    Defects, Document, Hashes, Kept, License, MOST_CREATORS, Package, Sbom, SbomError, SbomFormat, finish, shown,
};

#[derive(Deserialize)]
pub(super) struct Creation<'a> {
    #[serde(borrow, default)]
    created: Text<'a>,
    #[serde(borrow, default)]
    creators: Lenient<Texts<'a>>,
}

#[derive(Deserialize)]
pub(super) struct RawPackage<'a> {
    #[serde(borrow, default, rename = "SPDXID")]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "versionInfo")]
    version: Text<'a>,
    #[serde(borrow, default)]
    supplier: Text<'a>,
    #[serde(borrow, default)]
    originator: Text<'a>,
    #[serde(borrow, default, rename = "downloadLocation")]
    download_location: Text<'a>,
    #[serde(borrow, default, rename = "licenseConcluded")]
    concluded: Text<'a>,
    #[serde(borrow, default, rename = "licenseDeclared")]
    declared: Text<'a>,
    #[serde(borrow, default, rename = "primaryPackagePurpose")]
    purpose: Text<'a>,
    #[serde(borrow, default)]
    checksums: List<Hashes<'a>>,
    #[serde(borrow, default, rename = "externalRefs")]
    references: List<References<'a>>,
}

/// Packages as they are read.
#[derive(Default)]
pub(super) struct Packages<'a> {
    kept: Kept,
    defects: Defects,
    _document: std::marker::PhantomData<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(borrow, default, rename = "referenceCategory")]
    category: Text<'a>,
    #[serde(borrow, default, rename = "referenceType")]
    kind: Text<'a>,
    #[serde(borrow, default, rename = "referenceLocator")]
    locator: Text<'a>,
}

/// What the external references of a package identify it by.
#[derive(Default)]
pub(super) struct References<'a> {
    purls: Vec<String>,
    identify: bool,
    broken: usize,
    /// Whether a package URL may be among what was not read.
    hides: bool,
    _document: std::marker::PhantomData<&'a str>,
}

impl<'de: 'a, 'a> Gather<'de> for References<'a> {
    type Element = Object<Reference<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let Lenient::Is(Members(Reference { category, kind, locator })) = element else {
            self.broken += 1;
            self.hides = true;
            return;
        };
        self.broken += usize::from([&category, &kind, &locator].iter().any(|text| text.get().is_none()));
        self.hides |= kind.is_wrong() || locator.is_wrong();
        // The category only sorts what the type names.
        let (Some(kind), Some(locator)) = (kind.get(), locator.get()) else { return };
        let kind = kind.rsplit('/').next().unwrap_or_default();
        self.identify |= identifies(kind, locator);
        if kind != "purl" {
        } else if self.purls.len() < MOST_PURLS {
            self.purls.push(locator.to_owned());
        } else {
            self.hides = true;
        }
    }
}

impl<'de: 'a, 'a> Gather<'de> for Packages<'a> {
    type Element = Object<RawPackage<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let number = self.kept.count;
        let Lenient::Is(Members(raw)) = element else {
            self.defects.hide(|| format!("packages/{number} is no object"));
            return self.kept.push(Package::unread());
        };
        self.check(number, &raw);
        let references = raw.references.gathered();
        let is_larger_or_smaller =
            matches!(raw.purpose.get(), Some("CONTAINER" | "FILE" | "OPERATING-SYSTEM" | "OPERATING_SYSTEM"));
        let mut package = Package {
            name: asserted(&raw.name),
            version: asserted(&raw.version),
            supplier: asserted(&raw.supplier).filter(|supplier| names_somebody(supplier)),
            // Before 2.3 there is no purpose.
            is_content: !is_larger_or_smaller && !references.purls.iter().any(|purl| names_an_image(purl)),
            purls: references.purls,
            licenses: Vec::new(),
            has_more_licenses: false,
            is_identified: references.identify,
            has_hash: raw.checksums.gathered().any,
        };
        for text in [&raw.declared, &raw.concluded].into_iter().filter_map(Text::owned) {
            package.license(License::Expression(text));
        }
        self.kept.push(package);
    }
}

impl Packages<'_> {
    /// SPDX 2.3, §7; what the JSON schema requires, and the forms of identifiers and suppliers.
    fn check(&mut self, number: usize, raw: &RawPackage<'_>) {
        let required = [("name", &raw.name), ("SPDXID", &raw.id), ("downloadLocation", &raw.download_location)];
        for (name, text) in required {
            required_text(&mut self.defects, text, || format!("packages/{number}/{name}"));
        }
        let texts = [
            ("versionInfo", &raw.version),
            ("supplier", &raw.supplier),
            ("originator", &raw.originator),
            ("licenseConcluded", &raw.concluded),
            ("licenseDeclared", &raw.declared),
            ("primaryPackagePurpose", &raw.purpose),
        ];
        for (name, _) in texts.iter().filter(|(_, text)| text.is_wrong()) {
            self.defects.hide(|| format!("packages/{number}/{name} is no text"));
        }
        if let Some(id) = raw.id.get().filter(|id| !is_id(id)) {
            self.defects.add(|| format!("packages/{number}/SPDXID is {}, wanted SPDXRef-…", shown(id)));
        }
        for (name, text) in [("supplier", &raw.supplier), ("originator", &raw.originator)] {
            if let Some(text) = text.get().filter(|text| !is_actor(text)) {
                self.defects.add(|| {
                    format!("packages/{number}/{name} is {}, wanted 'Organization: …' or 'Person: …'", shown(text))
                });
            }
        }
        match &raw.checksums {
            Lenient::Wrong => self.defects.add(|| format!("packages/{number}/checksums is no list")),
            Lenient::Is(checksums) if checksums.0.broken > 0 => {
                self.defects.add(|| format!("packages/{number}/checksums holds one without algorithm or value"));
            }
            _ => {}
        }
        match &raw.references {
            Lenient::Wrong => self.defects.hide(|| format!("packages/{number}/externalRefs is no list")),
            Lenient::Is(Gathered(references)) => {
                let broken =
                    || format!("packages/{number}/externalRefs holds a reference without category, type or locator");
                match (references.hides, references.broken) {
                    (true, 0) => self
                        .defects
                        .hide(|| format!("packages/{number}/externalRefs names more than {MOST_PURLS} package URLs")),
                    (true, _) => self.defects.hide(broken),
                    (false, 0) => {}
                    (false, _) => self.defects.add(broken),
                }
            }
            Lenient::Absent => {}
        }
        let purls = matches!(&raw.references, Lenient::Is(Gathered(references)) if !references.purls.is_empty());
        nameless(&mut self.defects, &raw.name, purls, || format!("packages/{number}"));
    }
}

#[derive(Deserialize)]
pub(super) struct OwnLicense<'a> {
    #[serde(borrow, default, rename = "licenseId")]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "extractedText")]
    text: Text<'a>,
}

/// Licences that only the document defines, as they are read.
#[derive(Default)]
pub(super) struct OwnLicenses<'a> {
    told: BTreeMap<String, String>,
    more: bool,
    _document: std::marker::PhantomData<&'a str>,
}

/// Licences of its own that are kept of a document.
const MOST_OWN_LICENSES: usize = 8_192;
/// How much is kept of what is told of one, in bytes: texts of licences begin with their names.
const TOLD: usize = 256;

impl<'de: 'a, 'a> Gather<'de> for OwnLicenses<'a> {
    type Element = Object<OwnLicense<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let Some(OwnLicense { id, name, text }) = element.members() else { return };
        let Some(id) = id.get().filter(|id| id.len() <= TOLD) else { return };
        self.more |= self.told.len() == MOST_OWN_LICENSES;
        if self.more {
            return;
        }
        let told = self.told.entry(id.to_owned()).or_default();
        for text in [&name, &text].into_iter().filter_map(Text::get) {
            told.push(' ');
            told.push_str(&text[..text.floor_char_boundary(TOLD)]);
        }
        told.truncate(told.floor_char_boundary(2 * TOLD));
    }
}

#[derive(Deserialize)]
pub(super) struct Relationship<'a> {
    #[serde(borrow, default, rename = "spdxElementId")]
    from: Text<'a>,
    #[serde(borrow, default, rename = "relatedSpdxElement")]
    to: Text<'a>,
    #[serde(borrow, default, rename = "relationshipType")]
    kind: Text<'a>,
}

/// Relationships as they are read.
#[derive(Default)]
pub(super) struct Relationships<'a> {
    any: bool,
    count: usize,
    defects: Defects,
    _document: std::marker::PhantomData<&'a str>,
}

impl<'de: 'a, 'a> Gather<'de> for Relationships<'a> {
    type Element = Object<Relationship<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let number = self.count;
        self.count += 1;
        let whole = element.members().is_some_and(|Relationship { from, to, kind }| {
            let described = matches!(kind.get(), Some("DESCRIBES" | "DESCRIBED_BY"));
            let whole = [&from, &to, &kind].into_iter().all(|text| text.get().is_some());
            self.any |= whole && !described && relates(&from, &to);
            whole
        });
        if !whole {
            self.defects.add(|| format!("relationships/{number} lacks one of its ends or its type"));
        }
    }
}

/// SPDX 2.3, §6 and §7.
pub(super) fn extract(document: Document<'_>) -> Result<Sbom, SbomError> {
    let Some(version) = document.spdx_version.get().and_then(|version| version.strip_prefix("SPDX-")) else {
        return Err(SbomError::NotAnSbom("an object whose `spdxVersion` is no version of SPDX".to_owned()));
    };
    let mut defects = Defects::default();
    if !matches!(version, "2.0" | "2.1" | "2.2" | "2.3") {
        defects.add(|| format!("spdxVersion is {}, wanted SPDX-2.2 or SPDX-2.3", shown(version)));
    }
    for (name, text) in [("name", &document.name), ("documentNamespace", &document.namespace)] {
        required_text(&mut defects, text, || name.to_owned());
    }
    for (name, text, wanted) in
        [("SPDXID", &document.spdx_id, "SPDXRef-DOCUMENT"), ("dataLicense", &document.data_license, "CC0-1.0")]
    {
        if text.get() != Some(wanted) {
            defects.add(|| format!("{name} is {}, wanted {wanted}", or_missing(text)));
        }
    }
    let (created, creators) = creation(document.creation, &mut defects);
    for (name, wrong) in
        [("packages", document.packages.is_wrong()), ("relationships", document.relationships.is_wrong())]
    {
        if wrong {
            defects.hide(|| format!("{name} is no list"));
        }
    }
    if document.extracted.is_wrong() {
        defects.hide(|| "hasExtractedLicensingInfos is no list".to_owned());
    }
    let (packages, relationships) = (document.packages.gathered(), document.relationships.gathered());
    let extracted = document.extracted.gathered();
    if extracted.more {
        defects.hide(|| format!("hasExtractedLicensingInfos defines more than {MOST_OWN_LICENSES} licences"));
    }
    defects.append(packages.defects);
    defects.append(relationships.defects);
    finish(packages.kept, |packages| Sbom {
        format: SbomFormat::Spdx,
        version: version.to_owned(),
        created,
        creators,
        identity: document.namespace.owned(),
        packages,
        own_licenses: extracted.told,
        has_relationships: relationships.any,
        defects,
    })
}

fn creation(creation: Object<Creation<'_>>, defects: &mut Defects) -> (Option<String>, Vec<String>) {
    let Some(Creation { created, creators }) = creation.members() else {
        defects.add(|| "creationInfo is missing".to_owned());
        return (None, Vec::new());
    };
    timestamp(defects, &created, "creationInfo/created", true);
    let creators = creators.into_option().unwrap_or_default();
    if creators.count == 0 {
        defects.add(|| "creationInfo/creators is missing".to_owned());
    }
    let is_creator = |text: &str| ACTORS.iter().any(|kind| text.starts_with(kind));
    if creators.others > 0 || creators.first.iter().any(|text| !is_creator(text)) {
        defects.add(|| {
            "creationInfo/creators names one that is no 'Person: …', 'Organization: …' or 'Tool: …'".to_owned()
        });
    }
    let named = creators.first.iter().filter(|text| names_somebody(text)).map(|text| text.as_ref().to_owned());
    (created.owned(), named.take(MOST_CREATORS).collect())
}

/// Notes a time that is missing, though it is required, or none.
pub(super) fn timestamp(defects: &mut Defects, text: &Text<'_>, name: &str, required: bool) {
    match text.get() {
        Some(text) if text.parse::<Timestamp>().is_err() => {
            defects.add(|| format!("{name} is {}, wanted a date and time of RFC 3339", shown(text)));
        }
        None if required || text.is_there() => defects.add(|| format!("{name} is {}", or_missing(text))),
        _ => {}
    }
}

/// Notes a text that is missing or no text.
pub(super) fn required_text(defects: &mut Defects, text: &Text<'_>, name: impl FnOnce() -> String) {
    if text.get().is_none() {
        defects.add(|| format!("{} is {}", name(), or_missing(text)));
    }
}

/// Notes a package that could be any: it has neither a package URL nor a name. An empty name is one, which tools write.
pub(super) fn nameless(defects: &mut Defects, name: &Text<'_>, has_purl: bool, place: impl FnOnce() -> String) {
    if !has_purl && !matches!(name, Lenient::Is(Plain(_))) {
        defects.hide(|| format!("{} has neither a name nor a package URL", place()));
    }
}

pub(super) fn or_missing(text: &Text<'_>) -> String {
    match text {
        Lenient::Is(text) if text.0.is_empty() => "empty".to_owned(),
        Lenient::Is(text) => shown(&text.0),
        Lenient::Wrong => "no text".to_owned(),
        Lenient::Absent => "missing".to_owned(),
    }
}

pub(super) fn asserted(text: &Text<'_>) -> Option<String> {
    text.get().filter(|text| is_assertion(text)).map(str::to_owned)
}

/// SPDX 2.3, §3.2: letters, digits, `.` and `-`. Tools write underscores and slashes too, which is told.
fn is_id(id: &str) -> bool {
    let rest = id.strip_prefix("SPDXRef-").unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// What stands before the name of whoever or whatever made something.
const ACTORS: [&str; 3] = ["Person:", "Organization:", "Tool:"];

/// Whether a name stands behind `Organization:` and the like.
fn names_somebody(text: &str) -> bool {
    is_assertion(ACTORS.iter().find_map(|kind| text.strip_prefix(kind)).unwrap_or(text))
}

/// Whether a relationship has two ends that are something, and not the same.
fn relates(from: &Text<'_>, to: &Text<'_>) -> bool {
    matches!((asserted(from), asserted(to)), (Some(from), Some(to)) if from != to)
}

fn is_actor(text: &str) -> bool {
    text == "NOASSERTION" || ["Person:", "Organization:"].iter().any(|kind| text.starts_with(kind))
}
