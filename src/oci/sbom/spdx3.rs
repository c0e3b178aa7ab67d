//! SPDX 3.0 in JSON-LD, as its own context serialises it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::lenient::{Count, Gather, Lenient, List, Members, Object, Plain, Text, Texts};
use super::package::{MOST_PURLS, is_assertion};
use super::spdx2::{asserted, nameless, required_text, timestamp};
use super::{Defects, Document, Kept, License, MOST_CREATORS, Package, Sbom, SbomError, SbomFormat, finish, shown};

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
    #[serde(borrow, default, rename = "originatedBy")]
    originated_by: Lenient<Texts<'a>>,
    #[serde(default, rename = "verifiedUsing")]
    verified_using: List<Count>,
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
        self.identify |= matches!(kind, "packageUrl" | "cpe22" | "cpe23" | "swid" | "swhid" | "gitoid");
        if kind != "packageUrl" {
        } else if self.purls.len() < MOST_PURLS {
            self.purls.push(identifier.to_owned());
        } else {
            self.more = true;
        }
    }
}

/// The elements of a graph as they are read.
#[derive(Default)]
pub(super) struct Graph<'a> {
    kept: Kept,
    defects: Defects,
    count: usize,
    spec_version: Option<String>,
    created: Option<String>,
    creators: Vec<Cow<'a, str>>,
    identity: Option<String>,
    has_creation: bool,
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
            "SpdxDocument" => self.identity = element.id.owned(),
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
        self.has_creation = true;
        timestamp(&mut self.defects, &element.created, &format!("@graph/{number}/created"), true);
        required_text(&mut self.defects, &element.spec_version, || format!("@graph/{number}/specVersion"));
        self.created = self.created.take().or_else(|| element.created.owned());
        self.spec_version = self.spec_version.take().or_else(|| element.spec_version.owned());
        let by = element.created_by.into_option().unwrap_or_default();
        if by.count == 0 {
            self.defects.add(|| format!("@graph/{number}/createdBy is missing"));
        }
        let using = element.created_using.into_option().unwrap_or_default();
        let room = MOST_CREATORS.saturating_sub(self.creators.len());
        self.creators.extend(by.first.into_iter().chain(using.first).take(room));
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
        let originator = element.originated_by.into_option().and_then(|by| by.first.into_iter().next());
        let supplier = text(element.supplied_by).or(originator);
        let id = text(element.id);
        self.kept.push(Package {
            name: element.name.owned(),
            version: asserted(&element.version),
            is_identified: identifiers.identify || !purls.is_empty(),
            purls,
            licenses: Vec::new(),
            has_more_licenses: false,
            supplier: None,
            has_hash: element.verified_using.gathered().0 > 0,
            is_content: !matches!(
                element.purpose.get(),
                Some("container" | "file" | "operatingSystem" | "diskImage" | "filesystemImage" | "archive")
            ),
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
            _ => self.any_relationship = true,
        }
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
    if !graph.has_creation {
        defects.add(|| "no CreationInfo".to_owned());
    }
    if graph.identity.is_none() {
        defects.add(|| "no SpdxDocument".to_owned());
    }
    let version = graph.spec_version.take().unwrap_or_default();
    if graph.has_creation && !version.starts_with("3.0") {
        defects.add(|| format!("specVersion is {}, wanted 3.0", shown(&version)));
    }
    defects.append(graph.defects);
    let known = &graph.names;
    let creators = graph.creators.iter().map(|id| known.get(id).unwrap_or(id).as_ref().to_owned()).collect();
    finish(graph.kept, |packages| Sbom {
        format: SbomFormat::Spdx,
        version,
        created: graph.created,
        creators,
        identity: graph.identity,
        packages,
        own_licenses: BTreeMap::new(),
        has_relationships: graph.any_relationship,
        defects,
    })
}
