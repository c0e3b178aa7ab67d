//! Lists of tags.

use super::{REPOSITORY, Run, manifest};
use crate::support::{Fault, OCI_MANIFEST, Registry, Rule, When};
use ocilint::graph::Cause;
use ocilint::source::Source as _;

const TAGS: [&str; 5] = ["1.0", "1.1", "2.0", "latest", "nightly"];

fn with_tags(page: usize) -> Registry {
    let registry = Registry::builder().tags_page(page).start();
    for tag in TAGS {
        registry.store().put_manifest(REPOSITORY, Some(tag), manifest(tag), OCI_MANIFEST);
    }
    registry
}

async fn list(registry: &Registry) -> Result<Vec<String>, Cause> {
    Run::new().source(registry, "acme/app").tags().await.map_err(|why| why.cause)
}

#[tokio::test]
async fn all_pages_make_one_sorted_list() {
    for (page, requests) in [(usize::MAX, 1), (5, 1), (2, 3), (1, 5)] {
        let registry = with_tags(page);
        assert_eq!(list(&registry).await.unwrap(), TAGS);
        assert_eq!(registry.log().len(), requests);
    }
    let registry = with_tags(usize::MAX);
    registry.rule(Rule::new(When::tags(), Fault::Body(r#"{"tags":["b","a","b"]}"#.into())));
    assert_eq!(list(&registry).await.unwrap(), ["a", "b"]);
    registry.rule(Rule::new(When::tags(), Fault::Body(r#"{"name":"x","tags":null}"#.into())));
    assert!(list(&registry).await.unwrap().is_empty());
}

#[tokio::test]
async fn pages_that_do_not_end_or_lead_away_are_refused() {
    for link in ["</v2/acme/other/tags/list?n=1>; rel=next", "<http://127.0.0.2:1/v2/acme/app/tags/list?n=1>; rel=next"]
    {
        let registry = with_tags(usize::MAX);
        registry.rule(Rule::new(When::tags(), Fault::Header("Link", link.into())));
        assert!(matches!(list(&registry).await, Err(Cause::Paging { .. })), "{link}");
        assert_eq!(registry.log().len(), 1);
    }
    let registry = with_tags(usize::MAX);
    registry.rule(Rule::new(When::tags(), Fault::LinkLoop));
    assert!(matches!(list(&registry).await, Err(Cause::Paging { .. })));
    assert_eq!(registry.log().len(), 1);
}

#[tokio::test]
async fn what_is_no_list_is_no_list() {
    for body in ["", "[]", "{}", "<html>", r#"{"tags":[1]}"#, r#"{"tags":"1.0"}"#] {
        let registry = with_tags(usize::MAX);
        registry.rule(Rule::new(When::tags(), Fault::Body(body.into())));
        assert!(matches!(list(&registry).await, Err(Cause::NotTheDocument { .. })), "{body}");
    }
    assert!(matches!(list(&Registry::start()).await, Err(Cause::NotFound { .. })));
}
