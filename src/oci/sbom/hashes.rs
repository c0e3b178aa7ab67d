//! Hashes of packages, as all formats write them.

use std::marker::PhantomData;

use serde::Deserialize;

use super::lenient::{Gather, Object, Text};
use super::package::is_assertion;

/// One hash: SPDX 2 calls its value `checksumValue`, SPDX 3 `hashValue`, `CycloneDX` `content`.
#[derive(Deserialize)]
pub(super) struct Hash<'a> {
    #[serde(borrow, default, alias = "alg")]
    algorithm: Text<'a>,
    #[serde(borrow, default, rename = "checksumValue", alias = "hashValue", alias = "content")]
    value: Text<'a>,
}

/// The hashes of one package as they are read.
#[derive(Default)]
pub(super) struct Hashes<'a> {
    /// Whether there is one that says what it is.
    pub(super) any: bool,
    /// How many lack their algorithm or their value.
    pub(super) broken: usize,
    _document: PhantomData<&'a str>,
}

impl<'de: 'a, 'a> Gather<'de> for Hashes<'a> {
    type Element = Object<Hash<'a>>;

    fn gather(&mut self, element: Self::Element) {
        let whole = element.members().is_some_and(|Hash { algorithm, value }| {
            [&algorithm, &value].into_iter().all(|text| text.get().is_some_and(is_assertion))
        });
        self.any |= whole;
        self.broken += usize::from(!whole);
    }
}
