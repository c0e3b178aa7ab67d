//! Manifests by tag and digest.

use super::{REPOSITORY, Run, digest, manifest, served, with_image};
use crate::support::{Fault, Framing, OCI_MANIFEST, Registry, Rule, When};
use ocilint::graph::Cause;
use ocilint::oci::{Algorithm, Digest, MANIFEST_ACCEPT};
use ocilint::source::Source as _;

async fn resolve(registry: &Registry, image: &str) -> Result<ocilint::source::Served, Cause> {
    Run::new().source(registry, image).resolve().await.map(served).map_err(|why| why.cause)
}

fn faulty(fault: Fault) -> Registry {
    let (registry, _) = with_image();
    registry.rule(Rule::new(When::manifests(), fault));
    registry
}

#[tokio::test]
async fn one_request_brings_the_bytes_as_they_are() {
    let (registry, wanted) = with_image();
    let got = resolve(&registry, "acme/app:1.0").await.unwrap();
    assert_eq!((got.digest, got.bytes), (wanted.clone(), manifest("1.0").into()));
    assert_eq!(got.media_type.unwrap().as_str(), OCI_MANIFEST);

    let entries = registry.log().entries();
    assert_eq!(entries.len(), 1, "no ping, no HEAD");
    assert_eq!(entries[0].path, "/v2/acme/app/manifests/1.0");
    assert_eq!(entries[0].header("accept"), Some(MANIFEST_ACCEPT));
    assert_eq!(entries[0].header("accept-encoding"), Some("identity"));
    assert_eq!(entries[0].header("authorization"), None);
    assert!(entries[0].header("user-agent").unwrap().starts_with("ocilint/"));

    let by_digest = resolve(&registry, &format!("acme/app:ignored@{wanted}")).await.unwrap();
    assert_eq!(by_digest.digest, wanted);
    assert_eq!(registry.log().entries()[1].path, format!("/v2/acme/app/manifests/{wanted}"));
}

#[tokio::test]
async fn without_a_tag_it_is_latest() {
    let registry = Registry::start();
    registry.store().put_manifest(REPOSITORY, Some("latest"), manifest("x"), OCI_MANIFEST);
    assert!(resolve(&registry, "acme/app").await.is_ok());
}

#[tokio::test]
async fn bytes_are_hashed_whatever_the_registry_announces() {
    let (_, wanted) = with_image();
    for (fault, heals) in [(Fault::Flip(40), true), (Fault::Append("\n".into()), true), (Fault::Flip(40), false)] {
        let (registry, _) = with_image();
        let times = if heals { 1 } else { usize::MAX };
        registry.rule(Rule::new(When::manifests(), fault).times(times));
        let got = resolve(&registry, &format!("acme/app@{wanted}")).await;
        if heals {
            assert_eq!(got.unwrap().digest, wanted);
        } else {
            let cause = got.unwrap_err();
            assert!(
                matches!(&cause, Cause::DigestMismatch { wanted: asked, .. } if *asked == wanted.to_string()),
                "{cause}"
            );
        }
        assert_eq!(registry.log().len(), 2, "one more try, from scratch");
    }
}

#[tokio::test]
async fn a_digest_header_that_disagrees_is_an_error_for_tags_and_digests() {
    let zeros = format!("sha256:{:064}", 0);
    for header in [zeros.as_str(), "sha256:x", "no digest", "SHA256:00", ""] {
        let registry = faulty(Fault::digest_header(header));
        let (_, wanted) = with_image();
        for image in ["acme/app:1.0".to_owned(), format!("acme/app@{wanted}")] {
            let got = resolve(&registry, &image).await;
            assert!(
                matches!(&got, Err(Cause::DigestMismatch { wanted: said, .. }) if said == header),
                "{header} {got:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_digest_header_that_cannot_be_checked_or_is_not_there_is_passed_over() {
    for fault in [Fault::NoHeader("Docker-Content-Digest"), Fault::digest_header(format!("sha384:{:096}", 0))] {
        let registry = faulty(fault);
        assert_eq!(
            resolve(&registry, "acme/app:1.0").await.unwrap().digest,
            Digest::sha256(manifest("1.0").as_bytes())
        );
    }
}

#[tokio::test]
async fn a_manifest_stored_under_sha512_keeps_that_name() {
    let registry = Registry::start();
    let wanted = Digest::of(Algorithm::Sha512, manifest("x").as_bytes());
    registry.store().put_manifest_as(REPOSITORY, wanted.as_str(), manifest("x"), OCI_MANIFEST);
    registry.store().tag(REPOSITORY, "1.0", wanted.as_str());
    assert_eq!(resolve(&registry, "acme/app:1.0").await.unwrap().digest, wanted);
    assert_eq!(resolve(&registry, &format!("acme/app@{wanted}")).await.unwrap().digest, wanted);
}

#[tokio::test]
async fn the_header_of_a_signed_schema_1_manifest_is_of_its_payload() {
    let registry = Registry::start();
    let body = r#"{"schemaVersion":1,"name":"acme/app","tag":"1.0","fsLayers":[],"history":[],"signatures":[]}"#;
    let media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    registry.store().put_manifest(REPOSITORY, Some("1.0"), body, media_type);
    registry.rule(Rule::new(When::any(), Fault::digest_header(format!("sha256:{:064}", 0))));
    assert_eq!(resolve(&registry, "acme/app:1.0").await.unwrap().digest, Digest::sha256(body.as_bytes()));
}

#[tokio::test]
async fn a_login_page_is_no_manifest() {
    let json = |body: &'static str| Fault::answer(200, &[("Content-Type", OCI_MANIFEST)], body);
    for fault in [
        Fault::html(),
        Fault::answer(200, &[], ""),
        json(""),
        json("{}"),
        json("[]"),
        json(r#"{"errors":[]}"#),
        json("<html>"),
    ] {
        let registry = faulty(fault);
        for image in ["acme/app:1.0".to_owned(), format!("acme/app@{}", digest(&format!("sha256:{:064}", 1)))] {
            let cause = resolve(&registry, &image).await.unwrap_err();
            let told_apart = matches!(cause, Cause::NotTheDocument { .. });
            assert!(
                told_apart || (image.contains('@') && matches!(cause, Cause::DigestMismatch { .. })),
                "{image}: {cause}"
            );
        }
    }
}

#[tokio::test]
async fn a_type_that_contradicts_the_body_is_handed_on() {
    let registry = faulty(Fault::content_type("Text/Plain; charset=utf-8"));
    assert_eq!(resolve(&registry, "acme/app:1.0").await.unwrap().media_type.unwrap().as_str(), "text/plain");
}

#[tokio::test]
async fn what_is_encoded_is_refused() {
    for fault in [Fault::Gzip, Fault::Header("Content-Encoding", "gzip".into())] {
        let registry = faulty(fault);
        let cause = resolve(&registry, "acme/app:1.0").await.unwrap_err();
        assert_eq!(cause, Cause::Encoded { encoding: "gzip".into() });
        assert_eq!(registry.log().len(), 1);
    }
    let registry = faulty(Fault::Header("Content-Encoding", "Identity".into()));
    assert!(resolve(&registry, "acme/app:1.0").await.is_ok());
}

#[tokio::test]
async fn a_manifest_has_at_most_4_mib() {
    let cap = 4 << 20;
    let registry = Registry::start();
    let padded = |size: usize| format!("{}{}", manifest("x"), " ".repeat(size - manifest("x").len()));
    let largest = registry.store().put_manifest(REPOSITORY, Some("largest"), padded(cap), OCI_MANIFEST);
    assert_eq!(resolve(&registry, "acme/app:largest").await.unwrap().digest, digest(&largest));

    registry.store().put_manifest(REPOSITORY, Some("larger"), padded(cap + 1), OCI_MANIFEST);
    let too_large = Err(Cause::TooLarge { cap: cap as u64 });
    let source = Run::new().source(&registry, "acme/app:larger");
    assert_eq!(source.resolve().await.unwrap_err().cause, Cause::TooLarge { cap: cap as u64 });
    assert_eq!(source.fetched().bytes, 0, "its Content-Length said so");
    for framing in [Framing::Chunked, Framing::Close] {
        registry.clear_rules();
        registry.rule(Rule::new(When::any(), Fault::Framing(framing)));
        assert_eq!(resolve(&registry, "acme/app:larger").await, too_large, "{framing:?}");
    }
    registry.clear_rules();
    registry.rule(Rule::new(When::any(), Fault::Endless(Framing::Chunked)));
    assert_eq!(resolve(&registry, "acme/app:largest").await, too_large, "without end");
}

#[tokio::test]
async fn an_absent_tag_names_those_that_are_near() {
    let registry = Registry::start();
    for tag in ["1.2.4", "1.2.5", "latest"] {
        registry.store().put_manifest(REPOSITORY, Some(tag), manifest(tag), OCI_MANIFEST);
    }
    let Err(Cause::NotFound { detail }) = resolve(&registry, "acme/app:1.2.3").await else { panic!("it is not there") };
    assert_eq!(detail, "MANIFEST_UNKNOWN: manifest_unknown; there is 1.2.4, 1.2.5");

    registry.rule(Rule::new(When::tags(), Fault::status(403)));
    let Err(Cause::NotFound { detail }) = resolve(&registry, "acme/app:1.2.3").await else { panic!("it is not there") };
    assert_eq!(detail, "MANIFEST_UNKNOWN: manifest_unknown", "that the hint failed is nobody's concern");
}

#[tokio::test]
async fn an_absent_digest_is_not_found() {
    let (registry, _) = with_image();
    let source = Run::new().source(&registry, "acme/app:1.0");
    let absent = Digest::sha256(b"absent");
    let why = source.manifest(&absent).await.unwrap_err();
    assert!(matches!(why.cause, Cause::NotFound { .. }));
    assert_eq!(why.doing, format!("reading manifest {} of {}/acme/app", absent.short(), registry.host()));
}

#[tokio::test]
async fn another_tag_is_there_or_proven_absent() {
    let (registry, wanted) = with_image();
    let source = Run::new().source(&registry, "acme/app:1.0");
    let why = source.tag("2.0").await.unwrap_err();
    assert!(matches!(why.cause, Cause::NotFound { .. }), "a 404 proves nothing before something was read");

    source.resolve().await.unwrap();
    assert_eq!(source.tag("2.0").await.unwrap(), None);
    assert_eq!(source.tag("1.0").await.unwrap().unwrap().digest, wanted);
    for odd in ["", "..", "a/b", "a?b", "-a", "é", &"a".repeat(129)] {
        registry.log().clear();
        assert!(source.tag(odd).await.is_ok_and(|tag| tag.is_none()) && registry.log().is_empty(), "{odd:?}");
    }
}

#[tokio::test]
async fn statuses_that_settle_nothing_are_reported_as_they_are() {
    for (status, kind) in
        [(403, "forbidden"), (410, "status"), (418, "status"), (204, "status"), (206, "status"), (304, "redirect")]
    {
        let registry = faulty(Fault::status(status));
        let cause = resolve(&registry, "acme/app:1.0").await.unwrap_err();
        assert_eq!(serde_json::to_value(&cause).unwrap()["kind"], kind, "{status}");
        assert_eq!(registry.log().len(), 1, "{status} is not asked again");
    }
}

#[tokio::test]
async fn a_host_that_no_url_can_hold_is_unreachable() {
    let reference = ocilint::oci::Reference::parse("foo.1/acme/app:1.0").unwrap();
    let source = ocilint::source::registry::RegistrySource::new(Run::new().transport(), reference);
    assert!(matches!(source.resolve().await.unwrap_err().cause, Cause::Unreachable { .. }));
}

#[tokio::test]
async fn what_was_fetched_is_counted() {
    let (registry, wanted) = with_image();
    let source = Run::new().source(&registry, "acme/app:1.0");
    source.resolve().await.unwrap();
    source.manifest(&wanted).await.unwrap();
    let fetched = source.fetched();
    assert_eq!((fetched.requests, fetched.bytes), (2, 2 * manifest("1.0").len() as u64));
}
