//! `CycloneDX` 1.2 to 1.7 in JSON.

mod component;
mod metadata;

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::Deserialize;

pub(super) use component::Components;
pub(super) use metadata::Metadata;

use super::lenient::{Gather, Lenient, Object, Plain, Text, Texts};
use super::package::is_assertion;
use super::spdx2::{or_missing, required_text};
use super::{Defects, Document, Sbom, SbomError, SbomFormat, finish, shown};

/// The versions of the specification that have a JSON form.
const VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];
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
    _document: PhantomData<&'a str>,
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
        self.any |= on.first.iter().any(|on| is_assertion(on) && Some(on.as_ref()) != of.get());
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
        defects.hide(|| format!("{name} is no list"));
    }
    let mut components = document.components.gathered();
    let about = metadata::read(document.metadata, &mut defects);
    components.nested.extend(about.parts);
    component::unfold(&mut components)?;
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
        own_licenses: BTreeMap::new(),
        has_relationships: dependencies.any || components.assembled,
        defects,
    })
}

/// `urn:uuid:` and a UUID in lower or upper case; the schema wants lower case.
fn is_serial(serial: &str) -> bool {
    let Some(uuid) = serial.strip_prefix("urn:uuid:") else { return false };
    let parts: Vec<&str> = uuid.split('-').collect();
    let lengths = parts.iter().map(|part| part.len());
    lengths.eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
