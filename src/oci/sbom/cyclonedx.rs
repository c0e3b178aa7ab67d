//! `CycloneDX` 1.2 to 1.7 in JSON.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Count, Gather, Lenient, List, Members, Object, Plain, Text, Texts};
use super::spdx2::{asserted, or_missing, required_text, timestamp};
use super::{
    Defects, Document, Kept, License, MOST_CREATORS, Package, Sbom, SbomError, SbomFormat, broken, finish, shown,
};

/// Components within components that are followed.
const DEEPEST: usize = 16;
/// The versions of the specification that have a JSON form.
const VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];
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
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    timestamp: Text<'a>,
    #[serde(borrow, default)]
    tools: Lenient<Tools<'a>>,
    #[serde(borrow, default)]
    authors: List<Names<'a>>,
    #[serde(borrow, default)]
    manufacture: Object<Named<'a>>,
    #[serde(borrow, default)]
    manufacturer: Object<Named<'a>>,
    #[serde(borrow, default)]
    supplier: Object<Named<'a>>,
    #[serde(borrow, default)]
    component: Object<Contained<'a>>,
}

/// The component that the document is about, of which only the parts are packages.
#[derive(Deserialize)]
struct Contained<'a> {
    #[serde(borrow, default)]
    components: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Named<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
}

/// The names in a list of people or tools.
#[derive(Default)]
pub(super) struct Names<'a>(Vec<String>, std::marker::PhantomData<&'a str>);

impl<'de: 'a, 'a> Gather<'de> for Names<'a> {
    type Element = Object<Named<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let name = element.members().and_then(|named| asserted(&named.name));
        self.0.extend(name.filter(|_| self.0.len() < MOST_CREATORS));
    }
}

/// The tools: a list until 1.4, an object of components and services since.
struct Tools<'a>(Names<'a>);

#[derive(Deserialize)]
struct ToolLists<'a> {
    #[serde(borrow, default)]
    components: List<Names<'a>>,
    #[serde(borrow, default)]
    services: List<Names<'a>>,
}

impl<'de: 'a, 'a> super::lenient::Kind<'de> for Tools<'a> {
    fn list<A: serde::de::SeqAccess<'de>>(elements: A) -> Result<Option<Self>, A::Error> {
        let names = super::lenient::Gathered::<Names<'a>>::list(elements)?;
        Ok(names.map(|names| Self(names.0)))
    }

    fn object<A: serde::de::MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        let lists = Members::<ToolLists<'a>>::object(members)?;
        Ok(lists.map(|Members(lists)| {
            let mut names = lists.components.gathered();
            names.0.extend(lists.services.gathered().0);
            Self(names)
        }))
    }
}

#[derive(Deserialize)]
pub(super) struct Component<'a> {
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
    swid: Object<Named<'a>>,
    #[serde(default)]
    hashes: List<Count>,
    #[serde(borrow, default)]
    licenses: List<Licenses<'a>>,
    // Not read at once: nesting would be recursion.
    #[serde(borrow, default)]
    components: Option<&'a RawValue>,
}

/// Components as they are read.
#[derive(Default)]
pub(super) struct Components<'a> {
    kept: Kept,
    defects: Defects,
    /// Lists of components within components, still to be read.
    nested: Vec<&'a RawValue>,
    /// Whether the components of these versions need a version of their own.
    unversioned: usize,
}

impl<'de: 'a, 'a> Gather<'de> for Components<'a> {
    type Element = Object<Component<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let number = self.kept.count;
        let Lenient::Is(Members(raw)) = element else {
            self.defects.add(|| format!("components/{number} is no object"));
            return self.kept.push(Package::default());
        };
        self.check(number, &raw);
        self.nested.extend(raw.components);
        let name = raw.name.get().map(|name| match raw.group.get() {
            Some(group) => format!("{group}/{name}"),
            None => name.to_owned(),
        });
        let supplier = |named: Object<Named<'_>>| named.members().and_then(|named| asserted(&named.name));
        let is_identified = raw.purl.get().is_some() || raw.cpe.get().is_some() || matches!(raw.swid, Lenient::Is(_));
        let package = Package {
            name,
            version: asserted(&raw.version),
            purls: raw.purl.owned().into_iter().collect(),
            supplier: supplier(raw.supplier)
                .or_else(|| supplier(raw.manufacturer))
                .or_else(|| asserted(&raw.publisher)),
            licenses: raw.licenses.gathered().found,
            is_identified,
            has_hash: raw.hashes.gathered().0 > 0,
            is_content: !raw.kind.get().is_some_and(|kind| NO_PACKAGE.contains(&kind)),
        };
        self.kept.push(package);
    }
}

impl Components<'_> {
    /// What the JSON schemas require of a component.
    fn check(&mut self, number: usize, raw: &Component<'_>) {
        required_text(&mut self.defects, &raw.name, || format!("components/{number}/name"));
        if !raw.kind.get().is_some_and(|kind| KINDS.contains(&kind)) {
            self.defects
                .add(|| format!("components/{number}/type is {}, wanted a kind of component", or_missing(&raw.kind)));
        }
        let texts = [("group", &raw.group), ("version", &raw.version), ("purl", &raw.purl), ("cpe", &raw.cpe)];
        for (name, _) in texts.iter().filter(|(_, text)| text.is_wrong()) {
            self.defects.add(|| format!("components/{number}/{name} is no text"));
        }
        if !raw.version.is_there() {
            self.unversioned += 1;
        }
        if raw.hashes.is_wrong() {
            self.defects.add(|| format!("components/{number}/hashes is no list"));
        }
        if raw.supplier.is_wrong() {
            self.defects.add(|| format!("components/{number}/supplier is no object"));
        }
        match &raw.licenses {
            Lenient::Wrong => self.defects.add(|| format!("components/{number}/licenses is no list")),
            Lenient::Is(licenses) if licenses.0.broken > 0 => {
                self.defects.add(|| format!("components/{number}/licenses holds neither a licence nor an expression"));
            }
            _ => {}
        }
    }
}

#[derive(Deserialize)]
pub(super) struct LicenseChoice<'a> {
    #[serde(borrow, default)]
    license: Object<LicenseName<'a>>,
    #[serde(borrow, default)]
    expression: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct LicenseName<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
}

/// The licences of a component.
#[derive(Default)]
pub(super) struct Licenses<'a> {
    found: Vec<License>,
    broken: usize,
    _document: std::marker::PhantomData<&'a str>,
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
        let Some(license) = license else {
            self.broken += 1;
            return;
        };
        let mut package = Package { licenses: std::mem::take(&mut self.found), ..Package::default() };
        package.license(license);
        self.found = package.licenses;
    }
}

#[derive(Deserialize)]
pub(super) struct Dependency<'a> {
    #[serde(borrow, default, rename = "ref")]
    of: Text<'a>,
    #[serde(borrow, default, rename = "dependsOn")]
    on: Lenient<Texts<'a>>,
}

/// Dependencies as they are read.
#[derive(Default)]
pub(super) struct Dependencies<'a> {
    any: bool,
    count: usize,
    defects: Defects,
    _document: std::marker::PhantomData<&'a str>,
}

impl<'de: 'a, 'a> Gather<'de> for Dependencies<'a> {
    type Element = Object<Dependency<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let number = self.count;
        self.count += 1;
        let Some(Dependency { of, on }) = element.members() else {
            return self.defects.add(|| format!("dependencies/{number} is no object"));
        };
        required_text(&mut self.defects, &of, || format!("dependencies/{number}/ref"));
        let wrong = on.is_wrong();
        let on = on.into_option().unwrap_or_default();
        if wrong || on.others > 0 {
            self.defects.add(|| format!("dependencies/{number}/dependsOn is no list of texts"));
        }
        self.any |= on.count > 0;
    }
}

/// What the JSON schemas of the specification require.
pub(super) fn extract(document: Document<'_>) -> Result<Sbom, SbomError> {
    if document.bom_format.get() != Some("CycloneDX") {
        return Err(SbomError::NotAnSbom(format!(
            "an object whose `bomFormat` is {}",
            or_missing(&document.bom_format)
        )));
    }
    let mut defects = Defects::default();
    let version = document.spec_version.get().unwrap_or_default();
    if !VERSIONS.contains(&version) {
        defects.add(|| format!("specVersion is {}, wanted 1.2 to 1.7", or_missing(&document.spec_version)));
    }
    // Required until 1.4.
    let old = matches!(version, "1.2" | "1.3" | "1.4");
    if document.version.is_wrong() || (old && !document.version.is_there()) {
        defects.add(|| "version is no whole number".to_owned());
    }
    match &document.serial_number {
        Lenient::Is(Plain(serial)) if !is_serial(serial) => {
            defects.add(|| format!("serialNumber is {}, wanted urn:uuid:…", shown(serial)));
        }
        Lenient::Wrong => defects.add(|| "serialNumber is no text".to_owned()),
        _ => {}
    }
    let lists = [("components", document.components.is_wrong()), ("dependencies", document.dependencies.is_wrong())];
    for (name, _) in lists.iter().filter(|(_, wrong)| *wrong) {
        defects.add(|| format!("{name} is no list"));
    }
    let mut components = document.components.gathered();
    let about = metadata(document.metadata, &mut defects);
    components.nested.extend(about.parts);
    let assembled = !components.nested.is_empty();
    unfold(&mut components)?;
    // Required until 1.3.
    if matches!(version, "1.2" | "1.3") && components.unversioned > 0 {
        defects.add(|| format!("{} components have no version", components.unversioned));
    }
    let dependencies = document.dependencies.gathered();
    defects.append(components.defects);
    defects.append(dependencies.defects);
    finish(components.kept, |packages| Sbom {
        format: SbomFormat::CycloneDx,
        version: version.to_owned(),
        created: about.created,
        creators: about.creators,
        identity: document.serial_number.owned(),
        packages,
        has_relationships: dependencies.any || assembled,
        defects,
    })
}

/// What the metadata tell.
#[derive(Default)]
struct About<'a> {
    created: Option<String>,
    creators: Vec<String>,
    parts: Option<&'a RawValue>,
}

fn metadata<'a>(metadata: Object<Metadata<'a>>, defects: &mut Defects) -> About<'a> {
    if metadata.is_wrong() {
        defects.add(|| "metadata is no object".to_owned());
    }
    let Some(metadata) = metadata.members() else { return About::default() };
    timestamp(defects, &metadata.timestamp, "metadata/timestamp", false);
    if metadata.tools.is_wrong() {
        defects.add(|| "metadata/tools is neither a list nor an object".to_owned());
    }
    let tools = metadata.tools.into_option().map(|Tools(names)| names.0).unwrap_or_default();
    let makers = [metadata.manufacture, metadata.manufacturer, metadata.supplier];
    let makers = makers.into_iter().filter_map(|maker| asserted(&maker.members()?.name));
    let creators = metadata.authors.gathered().0.into_iter().chain(tools).chain(makers);
    About {
        created: metadata.timestamp.owned(),
        creators: creators.take(MOST_CREATORS).collect(),
        parts: metadata.component.members().and_then(|component| component.components),
    }
}

/// Reads the components within components, level by level.
fn unfold(components: &mut Components<'_>) -> Result<(), SbomError> {
    for _ in 0..DEEPEST {
        if components.nested.is_empty() {
            return Ok(());
        }
        for list in std::mem::take(&mut components.nested) {
            let list: List<Fold<'_>> = serde_json::from_str(list.get()).map_err(|error| broken(&error))?;
            match list {
                Lenient::Is(list) => list.0.0.into_iter().for_each(|component| components.gather(component)),
                Lenient::Absent => {}
                Lenient::Wrong => components.defects.add(|| "components within a component is no list".to_owned()),
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
        if self.0.len() <= super::MOST_PACKAGES {
            self.0.push(element);
        }
    }
}

/// `urn:uuid:` and a UUID in lower or upper case; the schema wants lower case.
fn is_serial(serial: &str) -> bool {
    let Some(uuid) = serial.strip_prefix("urn:uuid:") else { return false };
    let parts: Vec<&str> = uuid.split('-').collect();
    let lengths = parts.iter().map(|part| part.len());
    lengths.eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
