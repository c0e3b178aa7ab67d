//! What refers to a manifest.

use super::{REPOSITORY, Run, digest, manifest, put_image, referrer};
use crate::support::{Fault, Gate, OCI_INDEX, OCI_MANIFEST, Referrers, Registry, Rule, Stop, When, fallback_tag};
use futures_util::future::join_all;
use ocilint::graph::{Cause, Home, ReferrerList};
use ocilint::oci::Digest;
use ocilint::source::Source as _;
use ocilint::source::registry::RegistrySource;
use serde_json::json;

/// A registry with `acme/app:1.0` and so many referrers of it.
fn with_referrers(api: Referrers, count: usize) -> (Registry, Digest) {
    let registry = Registry::builder().referrers(api).start();
    let subject = put_image(&registry);
    for n in 0..count {
        registry.store().put_manifest(REPOSITORY, None, referrer(&subject, &n.to_string()), OCI_MANIFEST);
    }
    (registry, subject)
}

/// A source that has read a manifest, so that a 404 counts.
async fn opened(registry: &Registry) -> RegistrySource {
    let source = Run::new().source(registry, "acme/app:1.0");
    source.resolve().await.expect("a manifest");
    registry.log().clear();
    source
}

async fn list(registry: &Registry, subject: &Digest) -> Result<ReferrerList, Cause> {
    opened(registry).await.referrers(subject).await.map_err(|why| why.cause)
}

fn asked(registry: &Registry, part: &str) -> usize {
    registry.log().count(|entry| entry.path.contains(part))
}

#[tokio::test]
async fn the_api_lists_them_with_annotations() {
    let (registry, subject) = with_referrers(Referrers::api(), 3);
    let got = list(&registry, &subject).await.unwrap();
    assert_eq!((got.home, got.descriptors.len()), (Home::Api, 3));
    let mut notes: Vec<_> = got.descriptors.iter().map(|it| it.annotations["note"].as_str()).collect();
    notes.sort_unstable();
    assert_eq!(notes, ["0", "1", "2"]);
    assert!(got.descriptors.iter().all(|it| it.artifact_type.as_ref().unwrap().as_str() == "application/vnd.test"));
    let entries = registry.log().entries();
    assert_eq!((entries.len(), entries[0].query.as_str()), (1, ""), "filtering is the caller's");
    assert_eq!(entries[0].header("accept"), Some(OCI_INDEX));
}

#[tokio::test]
async fn an_empty_list_is_proof() {
    let (registry, subject) = with_referrers(Referrers::api(), 0);
    let got = list(&registry, &subject).await.unwrap();
    assert_eq!((got.home, got.descriptors.len(), registry.log().len()), (Home::Api, 0, 1));
}

#[tokio::test]
async fn an_index_is_known_by_its_body() {
    let (registry, subject) = with_referrers(Referrers::api(), 2);
    registry.rule(Rule::new(When::referrers(), Fault::content_type("application/json")));
    assert_eq!(list(&registry, &subject).await.unwrap().descriptors.len(), 2);
}

#[tokio::test]
async fn without_the_api_the_fallback_tag_decides() {
    let json = |body: &'static str| Fault::answer(200, &[("Content-Type", "application/json")], body);
    let faults = [400, 404, 405, 406].map(Fault::status);
    let others = [Fault::Redirect(303, "https://github.com/".into()), json("{}"), json(r#"{"errors":[]}"#)];
    for fault in faults.into_iter().chain(others) {
        for tagged in [true, false] {
            let (registry, subject) = with_referrers(Referrers::api(), 2);
            if tagged {
                registry.store().put_fallback(REPOSITORY, subject.as_str());
            }
            registry.rule(Rule::new(When::referrers(), fault.clone()));
            let got = list(&registry, &subject).await.unwrap_or_else(|cause| panic!("{fault:?}: {cause}"));
            assert_eq!((got.home, got.descriptors.len()), (Home::FallbackTag, if tagged { 2 } else { 0 }), "{fault:?}");
            assert_eq!(asked(&registry, &fallback_tag(subject.as_str())), 1);
        }
    }
}

#[tokio::test]
async fn a_web_page_proves_nothing_but_what_the_fallback_tag_lists_is_there() {
    let faults = [Fault::html(), Fault::answer(200, &[], ""), Fault::Redirect(302, "/login".into())];
    for fault in faults {
        for tagged in [true, false] {
            let (registry, subject) = with_referrers(Referrers::api(), 2);
            registry.store().put_file("/login", "<html>", "text/html");
            if tagged {
                registry.store().put_fallback(REPOSITORY, subject.as_str());
            }
            registry.rule(Rule::new(When::referrers(), fault.clone()));
            match list(&registry, &subject).await {
                Ok(got) => assert_eq!((tagged, got.home, got.descriptors.len()), (true, Home::FallbackTag, 2)),
                Err(cause) => assert!(!tagged && matches!(cause, Cause::NotTheDocument { .. }), "{fault:?}: {cause}"),
            }
        }
    }
}

#[tokio::test]
async fn what_settles_nothing_stays_unknown() {
    let faults = [401, 403, 410, 429, 500, 503].map(Fault::status);
    let others = [
        Fault::Unsaid(Stop::Close),
        Fault::Cut(5, Stop::Close),
        Fault::Gzip,
        Fault::Flip(0),
        Fault::Body("<html>".into()),
        Fault::Redirect(307, "ftp://127.0.0.1/".into()),
    ];
    for fault in faults.into_iter().chain(others) {
        let (registry, subject) = with_referrers(Referrers::api(), 1);
        registry.rule(Rule::new(When::referrers(), fault.clone()));
        assert!(list(&registry, &subject).await.is_err(), "{fault:?}");
        assert_eq!(asked(&registry, "/manifests/"), 0, "{fault:?}: the fallback tag would prove nothing");
    }
}

#[tokio::test]
async fn a_fallback_tag_that_cannot_be_read_is_unknown() {
    for fault in [
        Fault::status(401),
        Fault::status(403),
        Fault::status(429),
        Fault::status(500),
        Fault::html(),
        Fault::Cut(5, Stop::Close),
        Fault::Flip(30),
    ] {
        let (registry, subject) = with_referrers(Referrers::absent(), 1);
        registry.store().put_fallback(REPOSITORY, subject.as_str());
        registry.rule(Rule::new(When::contains(fallback_tag(subject.as_str())), fault.clone()));
        assert!(list(&registry, &subject).await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_fallback_tag_that_is_no_index_is_unknown() {
    let (registry, subject) = with_referrers(Referrers::absent(), 0);
    registry.store().put_manifest(REPOSITORY, Some(&fallback_tag(subject.as_str())), manifest("x"), OCI_MANIFEST);
    assert!(matches!(list(&registry, &subject).await, Err(Cause::NotTheDocument { .. })));
}

/// GitLab takes the tag `sha256-<hex>` for the digest `sha256:<hex>`.
#[tokio::test]
async fn the_children_of_an_index_are_not_its_referrers() {
    let (registry, child) = with_referrers(Referrers::absent(), 0);
    let entry = json!({ "mediaType": OCI_MANIFEST, "digest": child, "size": 1 });
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry] }).to_string();
    let subject = digest(&registry.store().put_manifest(REPOSITORY, None, index, OCI_INDEX));
    registry.store().tag(REPOSITORY, &fallback_tag(subject.as_str()), subject.as_str());
    let got = list(&registry, &subject).await;
    assert!(matches!(got, Err(Cause::Undecidable { .. })), "{got:?}");
}

#[tokio::test]
async fn a_404_counts_only_after_something_was_read() {
    let (registry, subject) = with_referrers(Referrers::absent(), 0);
    let source = Run::new().source(&registry, "acme/app:1.0");
    assert!(matches!(source.referrers(&subject).await.unwrap_err().cause, Cause::NotFound { .. }));
    source.resolve().await.unwrap();
    assert!(source.referrers(&subject).await.unwrap().descriptors.is_empty());
}

/// Asks for the referrers of eight manifests side by side, and lets the first answer go out when nothing else has come.
async fn side_by_side(registry: &Registry) -> Vec<Result<Home, Cause>> {
    let source = opened(registry).await;
    let gate = Gate::new();
    registry.rule(Rule::new(When::referrers(), Fault::Hold(gate.clone())).times(1));
    let subjects: Vec<Digest> = (0..8).map(|n| Digest::sha256(&[n])).collect();
    let all = join_all(subjects.iter().map(|subject| source.referrers(subject)));
    let open = async {
        registry.log().until(|entries| !entries.is_empty()).await;
        // A manifest goes through meanwhile: whoever does not wait would have asked by now.
        source.resolve().await.expect("a manifest");
        assert_eq!(asked(registry, "/referrers/"), 1, "the others wait for the probe");
        gate.open();
    };
    let (got, ()) = tokio::join!(all, open);
    got.into_iter().map(|one| one.map(|list| list.home).map_err(|why| why.cause)).collect()
}

#[tokio::test]
async fn a_missing_api_is_asked_for_once_in_a_repository() {
    let (registry, _) = with_referrers(Referrers::absent(), 0);
    assert_eq!(side_by_side(&registry).await, vec![Ok(Home::FallbackTag); 8]);
    assert_eq!((asked(&registry, "/referrers/"), asked(&registry, "/manifests/sha256-")), (1, 8));
}

#[tokio::test]
async fn a_present_api_is_asked_about_each() {
    let (registry, _) = with_referrers(Referrers::api(), 0);
    assert_eq!(side_by_side(&registry).await, vec![Ok(Home::Api); 8]);
    assert_eq!((asked(&registry, "/referrers/"), asked(&registry, "/manifests/sha256-")), (8, 0));
}

#[tokio::test]
async fn a_failed_probe_decides_for_nobody_else() {
    let (registry, _) = with_referrers(Referrers::api(), 0);
    registry.rule(Rule::new(When::referrers(), Fault::status(403)).times(1));
    let got = side_by_side(&registry).await;
    assert_eq!(got.iter().filter(|one| matches!(one, Err(Cause::Forbidden { .. }))).count(), 1);
    assert_eq!(got.iter().filter(|one| **one == Ok(Home::Api)).count(), 7);
}

#[tokio::test]
async fn a_404_for_one_manifest_does_not_unlearn_the_api() {
    let (registry, subject) = with_referrers(Referrers::api(), 1);
    let source = opened(&registry).await;
    source.referrers(&subject).await.unwrap();
    let other = Digest::sha256(b"other");
    registry.rule(Rule::new(When::contains(other.hex()), Fault::status(404)));
    assert_eq!(source.referrers(&other).await.unwrap().home, Home::FallbackTag);
    assert_eq!(source.referrers(&subject).await.unwrap().home, Home::Api);
}

#[tokio::test]
async fn all_pages_are_read() {
    for size in [1, 2, 7] {
        let (registry, subject) = with_referrers(Referrers::paged(size), 7);
        assert_eq!(list(&registry, &subject).await.unwrap().descriptors.len(), 7);
        assert_eq!(registry.log().len(), 7_usize.div_ceil(size));
    }
}

#[tokio::test]
async fn pages_that_do_not_end_or_lead_away_are_unknown() {
    let elsewhere = Registry::builder().address("127.0.0.2").start();
    let away = Fault::Header("Link", format!("<{}/v2/>; rel=\"next\"", elsewhere.url()));
    let other = Fault::Header("Link", "</v2/acme/app/referrers/x?n=1>; rel=\"next\"".into());
    for fault in [Fault::LinkLoop, away, other] {
        let (registry, subject) = with_referrers(Referrers::api(), 1);
        registry.rule(Rule::new(When::referrers(), fault.clone()));
        assert!(matches!(list(&registry, &subject).await, Err(Cause::Paging { .. })), "{fault:?}");
        assert_eq!(registry.log().len(), 1, "{fault:?}");
    }
    let (registry, subject) = with_referrers(Referrers::api(), 1);
    registry.rule(Rule::new(When::referrers(), Fault::Header("Link", "<?page=1>; rel=next".into())).times(1));
    registry.rule(Rule::new(When::referrers(), Fault::Header("Link", "<?page=2>; rel=next".into())).after(1));
    assert!(matches!(list(&registry, &subject).await, Err(Cause::Paging { .. })), "nothing new");
    assert_eq!(registry.log().len(), 2);
    assert!(elsewhere.log().is_empty());
}

#[tokio::test]
async fn a_later_page_that_is_missing_makes_the_list_unknown() {
    for fault in [Fault::status(404), Fault::status(500), Fault::html()] {
        let (registry, subject) = with_referrers(Referrers::paged(1), 3);
        registry.rule(Rule::new(When::contains("page=2"), fault.clone()));
        assert!(list(&registry, &subject).await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn at_most_a_thousand_are_listed() {
    let entry = |n: usize| json!({ "mediaType": OCI_MANIFEST, "digest": Digest::sha256(&n.to_le_bytes()), "size": 1 });
    let index = |count: usize| {
        json!({ "schemaVersion": 2, "manifests": (0..count).map(entry).collect::<Vec<_>>() }).to_string()
    };
    let (registry, subject) = with_referrers(Referrers::api(), 0);
    registry.rule(Rule::new(When::referrers(), Fault::Body(index(1000).into())).times(1));
    registry.rule(Rule::new(When::referrers(), Fault::Body(index(1001).into())).after(1));
    assert_eq!(list(&registry, &subject).await.unwrap().descriptors.len(), 1000);
    assert!(matches!(list(&registry, &subject).await, Err(Cause::Budget { .. })));
}

#[tokio::test]
async fn an_ambiguous_list_is_unknown() {
    let (registry, subject) = with_referrers(Referrers::api(), 0);
    registry.rule(Rule::new(
        When::referrers(),
        Fault::Body(r#"{"schemaVersion":2,"manifests":[],"Manifests":[{}]}"#.into()),
    ));
    assert!(matches!(list(&registry, &subject).await, Err(Cause::Ambiguous { .. })));
}
