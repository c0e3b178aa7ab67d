//! Where answers lead elsewhere.

use super::{REPOSITORY, Run, manifest, put_image, served, with_image};
use crate::support::{
    Access, Authority, Certificates, Credentials, Fault, OCI_MANIFEST, Registry, Rule, TokenPolicy, When,
};
use ocilint::graph::Cause;
use ocilint::oci::Digest;
use ocilint::source::{Part, Source as _};

async fn resolve(run: &Run, registry: &Registry) -> Result<Digest, Cause> {
    let resolved = run.source(registry, "acme/app:1.0").resolve().await;
    resolved.map(|resolved| served(resolved).digest).map_err(|why| why.cause)
}

fn moved(registry: &Registry, status: u16, location: impl Into<String>) {
    registry.rule(Rule::new(When::contains("/v2/"), Fault::Redirect(status, location.into())));
}

/// A registry on another host, with the same image.
fn mirror() -> Registry {
    let mirror = Registry::builder().address("127.0.0.2").start();
    put_image(&mirror);
    mirror
}

#[tokio::test]
async fn manifests_and_blobs_may_lie_elsewhere() {
    for status in [301, 302, 307, 308] {
        let (registry, wanted) = with_image();
        let mirror = mirror();
        registry.rule(Rule::new(When::any(), Fault::RedirectBelow(status, mirror.url().into())));
        assert_eq!(resolve(&Run::new(), &registry).await, Ok(wanted), "{status}");
        assert_eq!((registry.log().len(), mirror.log().len()), (1, 1));
    }
    let registry = Registry::start();
    let digest = Digest::sha256(b"blob");
    registry.store().put_file("/store/blob", "blob", "application/octet-stream");
    moved(&registry, 307, "/store/blob?signature=s3cret");
    let run = Run::new();
    let source = run.source(&registry, "acme/app:1.0");
    assert_eq!(source.blob(&digest, Part::Whole { cap: 99 }).await.unwrap(), "blob");
    assert_eq!(source.blob(&digest, Part::Start { length: 2, size: 4 }).await.unwrap(), "bl");
    assert_eq!(registry.log().entries()[3].header("range"), Some("bytes=0-1"));
}

#[tokio::test]
async fn what_lies_elsewhere_is_hashed_all_the_same() {
    let (registry, wanted) = with_image();
    let mirror = mirror();
    mirror.rule(Rule::new(When::any(), Fault::Flip(40)));
    registry.rule(Rule::new(When::any(), Fault::RedirectBelow(307, mirror.url().into())));
    let source = Run::new().source(&registry, &format!("acme/app@{wanted}"));
    assert!(matches!(source.resolve().await.unwrap_err().cause, Cause::DigestMismatch { .. }));
}

#[tokio::test]
async fn credentials_stay_behind_even_on_the_way_back() {
    let authority = Authority::private(Credentials::basic("me", "canary-password"));
    let registry = Registry::builder().access(Access::bearer(&authority)).start();
    let elsewhere = Registry::builder().address("127.0.0.2").start();
    put_image(&registry);
    registry.store().put_file("/home", manifest("1.0"), OCI_MANIFEST);
    moved(&elsewhere, 307, format!("{}/home", registry.url()));
    registry.rule(Rule::new(
        When::contains("/v2/").and(When::authorized()),
        Fault::RedirectBelow(307, elsewhere.url().into()),
    ));

    let run = Run::new().logged_in(&registry.host(), "me", "canary-password");
    assert!(resolve(&run, &registry).await.is_ok());
    let back = registry.log().entries().into_iter().find(|entry| entry.path == "/home").expect("the way back");
    for entry in elsewhere.log().entries().iter().chain([&back]) {
        assert_eq!(entry.header("authorization"), None, "{}", entry.path);
        assert_eq!(entry.header("referer"), None);
    }
    assert!(elsewhere.log().holding("canary-password").is_empty() && elsewhere.log().holding("token-").is_empty());
}

#[tokio::test]
async fn another_port_is_another_origin() {
    let registry = Registry::builder().access(Access::basic("me", "canary-password")).start();
    let neighbour = Registry::start();
    put_image(&registry);
    put_image(&neighbour);
    registry.rule(Rule::new(When::authorized(), Fault::RedirectBelow(307, neighbour.url().into())));
    let run = Run::new().logged_in(&registry.host(), "me", "canary-password");
    assert!(resolve(&run, &registry).await.is_ok());
    assert_eq!((neighbour.log().len(), neighbour.log().holding("canary-password").len()), (1, 0));
}

#[tokio::test]
async fn a_host_reached_by_redirect_gets_an_anonymous_token_of_its_own() {
    let authority = Authority::new(TokenPolicy { prefix: "mirror-token-".into(), ..TokenPolicy::default() });
    let mirror = Registry::builder().address("127.0.0.2").access(Access::bearer(&authority)).start();
    let (registry, wanted) = with_image();
    put_image(&mirror);
    registry.rule(Rule::new(When::any(), Fault::RedirectBelow(307, mirror.url().into())));

    let run = Run::new().logged_in(&registry.host(), "me", "canary-password").logged_in(
        &mirror.host(),
        "me",
        "canary-password",
    );
    let source = run.source(&registry, "acme/app:1.0");
    source.resolve().await.unwrap();
    source.manifest(&wanted).await.unwrap();
    assert_eq!((mirror.log().len(), authority.issued()), (4, 1), "401, token, and two manifests");
    assert!(mirror.log().holding("canary-password").is_empty());
    assert!(registry.log().holding("mirror-token-").is_empty());
}

#[tokio::test]
async fn a_host_reached_by_redirect_names_no_token_server_but_its_own() {
    let authority = Authority::anonymous();
    let (registry, _) = with_image();
    let third = Registry::builder().address("127.0.0.3").authority(&authority).start();
    let mirror = Registry::builder()
        .address("127.0.0.2")
        .access(Access::bearer_from(&authority, format!("{}/token", third.url())))
        .start();
    registry.rule(Rule::new(When::any(), Fault::RedirectBelow(307, mirror.url().into())));
    let cause = resolve(&Run::new(), &registry).await.unwrap_err();
    assert!(matches!(cause, Cause::Unauthorized { .. }), "{cause}");
    assert!(third.log().is_empty());
}

#[tokio::test]
async fn some_redirects_are_not_followed() {
    let elsewhere = mirror();
    let host = elsewhere.host();
    for (status, location) in [
        (303, format!("http://{host}/")),
        (300, format!("http://{host}/")),
        (305, format!("http://{host}/")),
        (307, format!("http://user:pass@{host}/")),
        (307, "http://".into()),
        (307, "ftp://127.0.0.1/".into()),
        (307, "file:///etc/passwd".into()),
        (307, "http://example.test/".into()),
    ] {
        let (registry, _) = with_image();
        moved(&registry, status, location.clone());
        let cause = resolve(&Run::new(), &registry).await.unwrap_err();
        assert!(matches!(cause, Cause::Redirect { .. }), "{location}: {cause}");
        assert_eq!(registry.log().len(), 1);
    }
    assert!(elsewhere.log().is_empty());
}

#[tokio::test]
async fn a_redirect_without_a_location_leads_nowhere() {
    let (registry, _) = with_image();
    registry.rule(Rule::new(When::any(), Fault::answer(307, &[], "")));
    assert!(matches!(resolve(&Run::new(), &registry).await, Err(Cause::Redirect { .. })));
}

#[tokio::test]
async fn five_redirects_are_enough() {
    let (registry, wanted) = with_image();
    registry.rule(Rule::new(When::any(), Fault::RedirectBelow(307, registry.url().into())).times(5));
    assert_eq!(resolve(&Run::new(), &registry).await, Ok(wanted));
    registry.clear_rules();
    registry.log().clear();
    registry.rule(Rule::new(When::any(), Fault::RedirectBelow(307, registry.url().into())));
    assert!(matches!(resolve(&Run::new(), &registry).await, Err(Cause::Redirect { .. })));
    assert_eq!(registry.log().len(), 6);
}

#[tokio::test]
async fn nothing_leads_from_https_to_http() {
    let certificates = Certificates::new();
    let authority = certificates.authority_file();
    let registry = Registry::builder().tls(&certificates).start();
    let plain = mirror();
    moved(&registry, 307, format!("{}/v2/{REPOSITORY}/manifests/1.0", plain.url()));
    let mut run = Run::new();
    run.options.plain_http.loopback = false;
    run.options.plain_http.hosts = vec![plain.host()];
    run.options.ca_file = Some(authority.path().to_owned());
    assert!(matches!(resolve(&run, &registry).await, Err(Cause::Redirect { .. })));
    assert!(plain.log().is_empty());
}

#[tokio::test]
async fn signatures_in_urls_are_told_to_nobody() {
    let (registry, _) = with_image();
    let elsewhere = Registry::builder().address("127.0.0.2").start();
    moved(&registry, 307, format!("{}/blob?X-Amz-Signature=canary-signature", elsewhere.url()));
    moved(&elsewhere, 307, "ftp://127.0.0.2/?canary-signature");
    elsewhere.rule(Rule::new(When::any(), Fault::Redirect(307, "ftp://127.0.0.2/?canary-signature".into())));
    let run = Run::new();
    let why = run.source(&registry, "acme/app:1.0").resolve().await.unwrap_err();
    assert!(elsewhere.log().entries()[0].query.contains("canary-signature"));
    let said = format!("{why} {why:?} {}", run.told());
    assert!(said.contains("127.0.0.2") && !said.contains("canary-signature"), "{said}");
}
