//! The components of a `CycloneDX` document.

use std::marker::PhantomData;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::lenient::{Gather, Lenient, List, Members, Object, Text};
use super::super::package::{identifies, names_an_image};
use super::super::spdx2::{asserted, nameless, or_missing, required_text};
use super::super::{Defects, Hashes, Kept, License, MOST_PACKAGES, Package, SbomError, broken};
use super::metadata::Named;

/// Components within components that are followed.
const DEEPEST: usize = 16;
/// The kinds of components, in all versions.
const KINDS: [&str; 13] = [
    "application",
    "framework",
    "library",
    "container",
    "platform",
    "operating-system",
    "device",
    "device-driver",
    "firmware",
    "file",
    "machine-learning-model",
    "data",
    "cryptographic-asset",
];
/// The kinds that are no package: what contains packages, and what is smaller.
const NO_PACKAGE: [&str; 5] = ["container", "operating-system", "file", "data", "cryptographic-asset"];

#[derive(Deserialize)]
pub(in super::super) struct Component<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    group: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    version: Text<'a>,
    #[serde(borrow, default)]
    purl: Text<'a>,
    #[serde(borrow, default)]
    cpe: Text<'a>,
    #[serde(borrow, default)]
    publisher: Text<'a>,
    #[serde(borrow, default)]
    supplier: Object<Named<'a>>,
    #[serde(borrow, default)]
    manufacturer: Object<Named<'a>>,
    #[serde(borrow, default)]
    swid: Object<Swid<'a>>,
    #[serde(borrow, default)]
    hashes: List<Hashes<'a>>,
    #[serde(borrow, default)]
    licenses: List<Licenses<'a>>,
    // Not read at once: nesting would be recursion.
    #[serde(borrow, default)]
    components: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Swid<'a> {
    #[serde(borrow, default, rename = "tagId")]
    tag: Text<'a>,
}

/// Components as they are read.
#[derive(Default)]
pub(in super::super) struct Components<'a> {
    pub(super) kept: Kept,
    pub(super) defects: Defects,
    /// Lists of components within components, still to be read.
    pub(super) nested: Vec<&'a RawValue>,
    /// Whether a component has parts.
    pub(super) assembled: bool,
    /// How many have no version of their own, which the older versions of the format want.
    pub(super) unversioned: usize,
}

impl<'de: 'a, 'a> Gather<'de> for Components<'a> {
    type Element = Object<Component<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let number = self.kept.count;
        let Lenient::Is(Members(raw)) = element else {
            self.defects.hide(|| format!("components/{number} is no object"));
            return self.kept.push(Package::unread());
        };
        self.check(number, &raw);
        self.nested.extend(raw.components);
        let name = asserted(&raw.name).map(|name| match raw.group.get() {
            Some(group) => format!("{group}/{name}"),
            None => name,
        });
        let supplier = |named: Object<Named<'_>>| named.members().and_then(|named| asserted(&named.name));
        let known_as = |kind: &str, text: &Text<'_>| text.get().is_some_and(|text| identifies(kind, text));
        let swid = raw.swid.members();
        let is_identified = known_as("purl", &raw.purl)
            || known_as("cpe23", &raw.cpe)
            || swid.is_some_and(|swid| known_as("swid", &swid.tag));
        let is_larger_or_smaller = raw.kind.get().is_some_and(|kind| NO_PACKAGE.contains(&kind));
        let licenses = raw.licenses.gathered();
        let package = Package {
            name,
            version: asserted(&raw.version),
            purls: raw.purl.owned().into_iter().collect(),
            supplier: supplier(raw.supplier)
                .or_else(|| supplier(raw.manufacturer))
                .or_else(|| asserted(&raw.publisher)),
            has_more_licenses: licenses.broken > 0 || licenses.of.has_more_licenses,
            licenses: licenses.of.licenses,
            is_identified,
            has_hash: raw.hashes.gathered().any,
            is_content: !is_larger_or_smaller && !raw.purl.get().is_some_and(names_an_image),
        };
        self.kept.push(package);
    }
}

impl Components<'_> {
    /// What the JSON schemas require of a component.
    fn check(&mut self, number: usize, raw: &Component<'_>) {
        required_text(&mut self.defects, &raw.name, || format!("components/{number}/name"));
        nameless(&mut self.defects, &raw.name, raw.purl.get().is_some(), || format!("components/{number}"));
        if !raw.kind.get().is_some_and(|kind| KINDS.contains(&kind)) {
            self.defects
                .add(|| format!("components/{number}/type is {}, wanted a kind of component", or_missing(&raw.kind)));
        }
        let texts = [("group", &raw.group), ("version", &raw.version), ("purl", &raw.purl), ("cpe", &raw.cpe)];
        for (name, _) in texts.iter().filter(|(_, text)| text.is_wrong()) {
            self.defects.hide(|| format!("components/{number}/{name} is no text"));
        }
        if !raw.version.is_there() {
            self.unversioned += 1;
        }
        match &raw.hashes {
            Lenient::Wrong => self.defects.add(|| format!("components/{number}/hashes is no list")),
            Lenient::Is(hashes) if hashes.0.broken > 0 => {
                self.defects.add(|| format!("components/{number}/hashes holds one without algorithm or value"));
            }
            _ => {}
        }
        if raw.supplier.is_wrong() {
            self.defects.add(|| format!("components/{number}/supplier is no object"));
        }
        match &raw.licenses {
            Lenient::Wrong => self.defects.hide(|| format!("components/{number}/licenses is no list")),
            Lenient::Is(licenses) if licenses.0.broken > 0 => {
                self.defects.add(|| format!("components/{number}/licenses holds neither a licence nor an expression"));
            }
            _ => {}
        }
    }
}

#[derive(Deserialize)]
struct LicenseChoice<'a> {
    #[serde(borrow, default)]
    license: Object<LicenseName<'a>>,
    #[serde(borrow, default)]
    expression: Text<'a>,
}

#[derive(Deserialize)]
struct LicenseName<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
}

/// The licences of a component.
#[derive(Default)]
struct Licenses<'a> {
    /// A package that has them, and nothing else.
    of: Package,
    broken: usize,
    _document: PhantomData<&'a str>,
}

impl<'de: 'a, 'a> Gather<'de> for Licenses<'a> {
    type Element = Object<LicenseChoice<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let license = element.members().and_then(|choice| {
            let named = choice.license.members();
            let id = named.as_ref().and_then(|named| named.id.owned());
            let expression = choice.expression.owned().or(id).map(License::Expression);
            expression.or_else(|| named.and_then(|named| named.name.owned()).map(License::Name))
        });
        match license {
            Some(license) => self.of.license(license),
            None => self.broken += 1,
        }
    }
}

/// Reads the components within components, level by level.
pub(super) fn unfold(components: &mut Components<'_>) -> Result<(), SbomError> {
    for _ in 0..DEEPEST {
        if components.nested.is_empty() {
            return Ok(());
        }
        for list in std::mem::take(&mut components.nested) {
            let list: List<Fold<'_>> = serde_json::from_str(list.get()).map_err(|error| broken(&error))?;
            match list {
                Lenient::Is(list) => {
                    components.assembled |= !list.0.0.is_empty();
                    list.0.0.into_iter().for_each(|component| components.gather(component));
                }
                Lenient::Absent => {}
                Lenient::Wrong => components.defects.hide(|| "components within a component is no list".to_owned()),
            }
        }
    }
    if components.nested.is_empty() { Ok(()) } else { Err(SbomError::TooLarge) }
}

/// A list of components, kept until it is gathered.
#[derive(Default)]
struct Fold<'a>(Vec<Object<Component<'a>>>);

impl<'de: 'a, 'a> Gather<'de> for Fold<'a> {
    type Element = Object<Component<'a>>;

    fn gather(&mut self, element: Self::Element) {
        if self.0.len() <= MOST_PACKAGES {
            self.0.push(element);
        }
    }
}
