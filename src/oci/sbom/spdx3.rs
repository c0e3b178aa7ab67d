//! SPDX 3.0 in JSON-LD, as its own context serialises it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::lenient::{Gather, Lenient, List, Members, Object, Plain, Text, Texts};
use super::package::{MOST_PURLS, identifies, is_assertion, names_an_image};
use super::spdx2::{asserted, nameless, required_text, timestamp};
use super::{
    Defects, Document, Hashes, Kept, License, MOST_CREATORS, Package, Sbom, SbomError, SbomFormat, finish, shown,
};

/// The beginning of the context that SPDX 3 documents name.
const CONTEXT: &str = "https://spdx.org/rdf/3.";
/// The beginning of the addresses of listed licences.
const LISTED: &str = "https://spdx.org/licenses/";

#[derive(Deserialize)]
pub(super) struct Element<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default, rename = "spdxId")]
    id: Text<'a>,
    /// Of what is no element, such as a `CreationInfo`.
    #[serde(borrow, default, rename = "@id")]
    node: Text<'a>,
    /// How an element was created; by its identifier.
    #[serde(borrow, default, rename = "creationInfo")]
    creation: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "specVersion")]
    spec_version: Text<'a>,
    #[serde(borrow, default)]
    created: Text<'a>,
    #[serde(borrow, default, rename = "createdBy")]
    created_by: Lenient<Texts<'a>>,
    #[serde(borrow, default, rename = "createdUsing")]
    created_using: Lenient<Texts<'a>>,
    #[serde(borrow, default, rename = "software_packageVersion")]
    version: Text<'a>,
    #[serde(borrow, default, rename = "software_packageUrl")]
    purl: Text<'a>,
    #[serde(borrow, default, rename = "software_primaryPurpose")]
    purpose: Text<'a>,
    #[serde(borrow, default, rename = "suppliedBy")]
    supplied_by: Text<'a>,
    #[serde(borrow, default, rename = "verifiedUsing")]
    verified_using: List<Hashes<'a>>,
    #[serde(borrow, default, rename = "externalIdentifier")]
    identifiers: List<Identifiers<'a>>,
    #[serde(borrow, default)]
    from: Text<'a>,
    #[serde(borrow, default)]
    to: Lenient<Texts<'a>>,
    #[serde(borrow, default, rename = "relationshipType")]
    relationship: Text<'a>,
    #[serde(borrow, default, rename = "simplelicensing_licenseExpression")]
    expression: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Identifier<'a> {
    #[serde(borrow, default, rename = "externalIdentifierType")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    identifier: Text<'a>,
}

/// What a package is known by elsewhere.
#[derive(Default)]
pub(super) struct Identifiers<'a> {
    purls: Vec<String>,
    /// Whether there are more.
    more: bool,
    identify: bool,
    _document: std::marker::PhantomData<&'a str>,
}

impl<'de: 'a, 'a> Gather<'de> for Identifiers<'a> {
    type Element = Object<Identifier<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let Some(Identifier { kind, identifier }) = element.members() else { return };
        let (Some(kind), Some(identifier)) = (kind.get(), identifier.get()) else { return };
        self.identify |= identifies(kind, identifier);
        if kind != "packageUrl" {
        } else if self.purls.len() < MOST_PURLS {
            self.purls.push(identifier.to_owned());
        } else {
            self.more = true;
        }
    }
}

/// When and by whom elements were made.
#[derive(Default)]
struct Creation<'a> {
    id: Option<Cow<'a, str>>,
    spec_version: Option<String>,
    created: Option<String>,
    creators: Vec<Cow<'a, str>>,
}

/// The elements of a graph as they are read.
#[derive(Default)]
pub(super) struct Graph<'a> {
    kept: Kept,
    defects: Defects,
    count: usize,
    creations: Vec<Creation<'a>>,
    /// The `CreationInfo` of the document, by its identifier.
    created_as: Option<Cow<'a, str>>,
    identity: Option<String>,
    any_relationship: bool,
    /// Positions of packages, by identifier.
    packages: HashMap<Cow<'a, str>, usize>,
    /// Names of people, organisations and tools, by identifier.
    names: HashMap<Cow<'a, str>, Cow<'a, str>>,
    /// Licence expressions, by identifier.
    licenses: HashMap<Cow<'a, str>, Cow<'a, str>>,
    /// Which package has which licence.
    licensed: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Which package is supplied by whom.
    supplied: Vec<(usize, Cow<'a, str>)>,
}

fn text(text: Text<'_>) -> Option<Cow<'_, str>> {
    text.into_option().map(|Plain(text)| text).filter(|text| !text.is_empty())
}

impl<'de: 'a, 'a> Gather<'de> for Graph<'a> {
    type Element = Object<Element<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let number = self.count;
        self.count += 1;
        let Lenient::Is(Members(element)) = element else {
            return self.defects.hide(|| format!("@graph/{number} is no object"));
        };
        let kind = element.kind.owned().unwrap_or_default();
        if kind != "CreationInfo" {
            required_text(&mut self.defects, &element.id, || format!("@graph/{number}/spdxId"));
        }
        match kind.as_str() {
            "CreationInfo" => self.creation(number, element),
            "SpdxDocument" => {
                self.identity = element.id.owned();
                self.created_as = text(element.creation);
            }
            "software_Package" | "ai_AIPackage" | "dataset_DatasetPackage" => self.package(number, element),
            "Relationship" | "LifecycleScopedRelationship" => self.relationship(number, element),
            "simplelicensing_LicenseExpression" => {
                required_text(&mut self.defects, &element.expression, || {
                    format!("@graph/{number}/simplelicensing_licenseExpression")
                });
                self.remember(element.id, element.expression, |graph| &mut graph.licenses);
            }
            "Agent" | "Person" | "Organization" | "SoftwareAgent" | "Tool" => {
                self.remember(element.id, element.name, |graph| &mut graph.names);
            }
            // Of which nothing is read but what it is called.
            "simplelicensing_SimpleLicensingText" | "expandedlicensing_CustomLicense" => {
                self.remember(element.id, element.name, |graph| &mut graph.licenses);
            }
            "" => self.defects.hide(|| format!("@graph/{number}/type is missing or no text")),
            // JSON-LD has other ways to write the same type; the specification allows but one.
            _ if kind.contains([':', '/', '#']) => {
                self.defects.hide(|| format!("@graph/{number}/type is {}, wanted a name", shown(&kind)));
            }
            _ if element.purl.is_there() || element.version.is_there() => {
                self.defects.hide(|| format!("@graph/{number} is like a package, and is of type {}", shown(&kind)));
            }
            _ => {}
        }
    }
}

impl<'a> Graph<'a> {
    /// Keeps a text under an identifier, as long as there is room.
    fn remember(
        &mut self,
        id: Text<'a>,
        value: Text<'a>,
        map: impl FnOnce(&mut Self) -> &mut HashMap<Cow<'a, str>, Cow<'a, str>>,
    ) {
        let (Some(id), Some(value)) = (text(id), text(value)) else { return };
        if self.kept.spend(id.len() + value.len() + ENTRY) {
            map(self).insert(id, value);
        }
    }

    fn creation(&mut self, number: usize, element: Element<'a>) {
        timestamp(&mut self.defects, &element.created, &format!("@graph/{number}/created"), true);
        required_text(&mut self.defects, &element.spec_version, || format!("@graph/{number}/specVersion"));
        let by = element.created_by.into_option().unwrap_or_default();
        if by.count == 0 {
            self.defects.add(|| format!("@graph/{number}/createdBy is missing"));
        }
        let using = element.created_using.into_option().unwrap_or_default();
        let creation = Creation {
            id: text(element.node).or(text(element.id)),
            spec_version: element.spec_version.owned(),
            created: element.created.owned(),
            creators: by.first.into_iter().chain(using.first).take(MOST_CREATORS).collect(),
        };
        let texts = creation.creators.iter().map(|id| id.len()).sum::<usize>();
        if self.kept.spend(texts + (2 + creation.creators.len()) * ENTRY) {
            self.creations.push(creation);
        }
    }

    fn package(&mut self, number: usize, element: Element<'a>) {
        required_text(&mut self.defects, &element.name, || format!("@graph/{number}/name"));
        for (name, text) in [("software_packageVersion", &element.version), ("software_packageUrl", &element.purl)] {
            if text.is_wrong() {
                self.defects.hide(|| format!("@graph/{number}/{name} is no text"));
            }
        }
        let position = self.kept.count;
        let identifiers = element.identifiers.gathered();
        let own = element.purl.owned();
        let mut purls = identifiers.purls;
        purls.extend(own.filter(|own| !purls.contains(own)));
        if identifiers.more {
            self.defects.hide(|| format!("@graph/{number} names more than {MOST_PURLS} package URLs"));
        }
        nameless(&mut self.defects, &element.name, !purls.is_empty(), || format!("@graph/{number}"));
        if element.verified_using.is_wrong() {
            self.defects.add(|| format!("@graph/{number}/verifiedUsing is no list"));
        }
        let supplier = text(element.supplied_by);
        let id = text(element.id);
        let is_larger_or_smaller = element.kind.get() == Some("dataset_DatasetPackage")
            || matches!(
                element.purpose.get(),
                Some("container" | "file" | "operatingSystem" | "diskImage" | "filesystemImage" | "archive")
            );
        self.kept.push(Package {
            name: asserted(&element.name),
            version: asserted(&element.version),
            is_identified: identifiers.identify || purls.iter().any(|purl| identifies("packageUrl", purl)),
            is_content: !is_larger_or_smaller && !purls.iter().any(|purl| names_an_image(purl)),
            purls,
            licenses: Vec::new(),
            has_more_licenses: false,
            supplier: None,
            has_hash: element.verified_using.gathered().any,
        });
        let texts = id.as_ref().map_or(0, |id| id.len()) + supplier.as_ref().map_or(0, |supplier| supplier.len());
        if self.kept.spend(texts + 2 * ENTRY) {
            self.packages.extend(id.map(|id| (id, position)));
            self.supplied.extend(supplier.map(|supplier| (position, supplier)));
        }
    }

    fn relationship(&mut self, number: usize, element: Element<'a>) {
        let to = element.to.into_option().unwrap_or_default();
        let (from, kind) = (text(element.from), element.relationship.owned());
        let (Some(from), Some(kind), true) = (from, kind, to.count > 0) else {
            return self.defects.add(|| format!("@graph/{number} lacks one of its ends or its type"));
        };
        match kind.as_str() {
            "hasDeclaredLicense" | "hasConcludedLicense" => {
                let unread = (to.others > 0 || to.count > to.first.len()).then_some(Cow::Borrowed(""));
                for license in to.first.into_iter().chain(unread) {
                    if self.kept.spend(from.len() + license.len() + ENTRY) {
                        self.licensed.push((from.clone(), license));
                    }
                }
            }
            "describes" => {}
            _ => self.any_relationship |= to.first.iter().any(|to| is_something(to) && *to != from),
        }
    }

    /// How the document was created: as it says, or as everything was.
    fn document_creation(&mut self) -> Option<Creation<'a>> {
        let own = self.creations.iter().position(|creation| creation.id.is_some() && creation.id == self.created_as);
        let position = own.or((self.creations.len() == 1).then_some(0))?;
        Some(self.creations.swap_remove(position))
    }

    /// Gives packages the licences and suppliers that other elements name.
    fn link(&mut self) {
        for (from, license) in std::mem::take(&mut self.licensed) {
            let listed = license.strip_prefix(LISTED).map(Cow::Borrowed);
            let expression = listed.or_else(|| self.licenses.get(&license).cloned());
            // One expression may be the licence of all packages.
            if self.kept.spend(expression.as_ref().map_or(0, |expression| expression.len()))
                && let Some(package) = self.packages.get(&from).and_then(|position| self.kept.get_mut(*position))
            {
                match expression {
                    Some(expression) => package.license(License::Expression(expression.into_owned())),
                    None => package.has_more_licenses |= !NO_LICENSE.iter().any(|none| license.ends_with(none)),
                }
            }
        }
        for (position, supplier) in std::mem::take(&mut self.supplied) {
            let name = self.names.get(&supplier).filter(|name| is_assertion(name)).cloned();
            if self.kept.spend(name.as_ref().map_or(0, |name| name.len()))
                && let Some(package) = self.kept.get_mut(position)
            {
                package.supplier = name.map(Cow::into_owned);
            }
        }
    }
}

/// The individuals that stand for no licence.
const NO_LICENSE: [&str; 4] = ["NoAssertionLicense", "NoneLicense", "NoAssertionElement", "NoneElement"];
/// Whether an element is one, and not what stands for none or for none that is known.
fn is_something(id: &str) -> bool {
    is_assertion(id) && !id.ends_with("NoneElement") && !id.ends_with("NoAssertionElement")
}

/// What an entry of a map takes besides its texts, in bytes.
const ENTRY: usize = 64;

/// SPDX 3.0.1, the core and software profiles.
pub(super) fn extract(document: Document<'_>) -> Result<Sbom, SbomError> {
    let context: Option<Vec<String>> = document.context.map(|context| {
        let one = serde_json::from_str(context.get()).map(|one| vec![one]);
        one.or_else(|_| serde_json::from_str(context.get())).unwrap_or_default()
    });
    let named = context.into_iter().flatten().find(|context| context.starts_with(CONTEXT));
    if named.is_none() {
        return Err(SbomError::NotAnSbom("a `@graph` without the context of SPDX 3".to_owned()));
    }
    let mut defects = Defects::default();
    if document.graph.is_wrong() {
        defects.hide(|| "@graph is no list".to_owned());
    }
    let mut graph = document.graph.gathered();
    graph.link();
    let creation = graph.document_creation();
    if creation.is_none() {
        defects.add(|| "no CreationInfo of the document".to_owned());
    }
    if graph.identity.is_none() {
        defects.add(|| "no SpdxDocument".to_owned());
    }
    let is_known = creation.is_some();
    let Creation { spec_version, created, creators, .. } = creation.unwrap_or_default();
    let version = spec_version.unwrap_or_default();
    if is_known && !version.starts_with("3.0") {
        defects.add(|| format!("specVersion is {}, wanted 3.0", shown(&version)));
    }
    defects.append(graph.defects);
    let known = &graph.names;
    let creators = creators.iter().map(|id| known.get(id).unwrap_or(id)).filter(|name| is_assertion(name));
    let creators = creators.map(|name| name.as_ref().to_owned()).collect();
    finish(graph.kept, |packages| Sbom {
        format: SbomFormat::Spdx,
        version,
        created,
        creators,
        identity: graph.identity,
        packages,
        own_licenses: BTreeMap::new(),
        has_relationships: graph.any_relationship,
        defects,
    })
}
