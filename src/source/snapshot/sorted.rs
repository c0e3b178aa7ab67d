//! Maps as lists of pairs in ascending order of their keys, so that the same content is the same bytes and no key is there
//! twice.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
    map: &BTreeMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map)
}

pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let pairs: Vec<(K, V)> = Vec::deserialize(deserializer)?;
    if !pairs.is_sorted_by(|(one, _), (other, _)| one < other) {
        return Err(D::Error::custom("keys stand twice or out of order"));
    }
    Ok(pairs.into_iter().collect())
}
