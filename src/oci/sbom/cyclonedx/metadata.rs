//! What a `CycloneDX` document says of itself.

use std::marker::PhantomData;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::lenient::{Gather, Gathered, Kind, Lenient, List, Members, Object, Text};
use super::super::spdx2::{asserted, timestamp};
use super::super::{Defects, MOST_CREATORS};

#[derive(Deserialize)]
pub(in super::super) struct Metadata<'a> {
    #[serde(borrow, default)]
    timestamp: Text<'a>,
    #[serde(borrow, default)]
    tools: Lenient<Tools<'a>>,
    #[serde(borrow, default)]
    authors: List<Names<'a>>,
    /// Who made the document; `manufacture` and `supplier` are those of what it is about.
    #[serde(borrow, default)]
    manufacturer: Object<Named<'a>>,
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
    pub(super) name: Text<'a>,
}

/// The names in a list of people or tools.
#[derive(Default)]
struct Names<'a>(Vec<String>, PhantomData<&'a str>);

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

impl<'de: 'a, 'a> Kind<'de> for Tools<'a> {
    fn list<A: serde::de::SeqAccess<'de>>(elements: A) -> Result<Option<Self>, A::Error> {
        let names = Gathered::<Names<'a>>::list(elements)?;
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

/// What the metadata tell.
#[derive(Default)]
pub(super) struct About<'a> {
    pub(super) created: Option<String>,
    pub(super) creators: Vec<String>,
    /// The parts of what the document is about.
    pub(super) parts: Option<&'a RawValue>,
}

/// Reads the metadata.
pub(super) fn read<'a>(metadata: Object<Metadata<'a>>, defects: &mut Defects) -> About<'a> {
    if metadata.is_wrong() {
        defects.add(|| "metadata is no object".to_owned());
    }
    let Some(metadata) = metadata.members() else { return About::default() };
    timestamp(defects, &metadata.timestamp, "metadata/timestamp", false);
    if metadata.tools.is_wrong() {
        defects.add(|| "metadata/tools is neither a list nor an object".to_owned());
    }
    let tools = metadata.tools.into_option().map(|Tools(names)| names.0).unwrap_or_default();
    let maker = metadata.manufacturer.members().and_then(|maker| asserted(&maker.name));
    let creators = metadata.authors.gathered().0.into_iter().chain(tools).chain(maker);
    About {
        created: metadata.timestamp.owned(),
        creators: creators.take(MOST_CREATORS).collect(),
        parts: metadata.component.members().and_then(|component| component.components),
    }
}
