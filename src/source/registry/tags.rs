//! The tags of a repository (distribution-spec, "Listing Tags").

use std::collections::BTreeSet;

use http::StatusCode;
use serde::Deserialize;

use super::auth::explain;
use super::manifests::{MANIFEST, Named, is_tag};
use super::paging::Pages;
use super::transport::{Call, Visit};
use super::wire::Take;
use crate::graph::Cause;
use crate::source::Served;

/// The most tags that are listed.
const TAGS: usize = 100_000;
/// So many pages are read only to say what a mistyped tag might have meant.
const PAGES_FOR_A_HINT: usize = 3;
/// A name is near if this similar, of 1.
const NEAR: f64 = 0.6;

#[derive(Deserialize)]
struct Page {
    /// `null` is an empty list; without the field it is no list.
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<Vec<String>>,
}

impl Visit<'_> {
    /// All tags, sorted.
    pub(super) async fn tags(&self) -> Result<Vec<String>, Cause> {
        let mut tags = BTreeSet::new();
        self.list_tags(usize::MAX, &mut tags).await?;
        Ok(tags.into_iter().collect())
    }

    /// What the tag named by the user points to. If it is not there, the reason names tags that might have been meant.
    pub(super) async fn root(&self, tag: &str) -> Result<Served, Cause> {
        match self.served(Named::Tag(tag)).await {
            Err(Cause::NotFound { detail }) => {
                Err(Cause::NotFound { detail: explain(&[&detail], &self.hint(tag).await) })
            }
            other => other,
        }
    }

    /// Up to three tags whose names are near to one that is not there; nothing if they cannot be listed.
    async fn hint(&self, wanted: &str) -> String {
        let mut tags = BTreeSet::new();
        // It is only a hint: what was listed before a failure will do.
        let _ = self.list_tags(PAGES_FOR_A_HINT, &mut tags).await;
        let near = nearest(wanted, tags);
        if near.is_empty() { String::new() } else { format!("there is {}", near.join(", ")) }
    }

    async fn list_tags(&self, limit: usize, tags: &mut BTreeSet<String>) -> Result<(), Cause> {
        let mut url = self.repository.url("tags/list?n=1000");
        let mut pages = Pages::new();
        for _ in 0..limit {
            let take = Take::Whole { cap: MANIFEST };
            let answer = self.get(&Call { url: url.clone(), accept: None, range: None, take }).await?;
            if answer.status != StatusCode::OK {
                return Err(answer.cause());
            }
            let page: Page = serde_json::from_slice(&answer.body).map_err(|_| answer.not_the_document())?;
            let before = tags.len();
            // What cannot be a tag is nobody's, and could be of any length.
            tags.extend(page.tags.unwrap_or_default().into_iter().filter(|tag| is_tag(tag)));
            if tags.len() > TAGS {
                return Err(Cause::Budget { what: format!("{TAGS} tags of one repository") });
            }
            match pages.next(&url, &answer, tags.len() > before)? {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(())
    }
}

fn nearest(wanted: &str, tags: BTreeSet<String>) -> Vec<String> {
    let scored = tags.into_iter().map(|tag| (strsim::jaro_winkler(wanted, &tag), tag));
    let mut near: Vec<_> = scored.filter(|(score, _)| *score > NEAR).collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().take(3).map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_three_near_names_are_found_the_nearest_first() {
        let tags = ["1.2.4", "1.3.0", "1.2.3-alpine", "latest", "nightly", "3.0.1"].map(String::from).into();
        assert_eq!(nearest("1.2.3", tags), ["1.2.4", "1.2.3-alpine", "1.3.0"]);
        assert!(nearest("zzz", ["latest".to_owned()].into()).is_empty());
        assert!(nearest("", BTreeSet::new()).is_empty());
    }
}
