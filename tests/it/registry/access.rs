//! Tokens and passwords: when they are asked for, how often, and to whom they go.

use super::{REPOSITORY, Run, digest, file, manifest, put_image, referrer, source};
use crate::support::{
    Access, Answer, Authority, Credentials, Entry, Fault, OCI_MANIFEST, Referrers, Registry, Rule, TokenField,
    TokenPolicy, When,
};
use futures_util::future::join_all;
use ocilint::graph::Cause;
use ocilint::oci::Digest;
use ocilint::source::Source;
use serde_json::json;
use std::time::Duration;

fn private() -> Authority {
    Authority::private(Credentials::basic("me", "canary-password"))
}

fn guarded(authority: &Authority) -> Registry {
    let registry = Registry::builder().access(Access::bearer(authority)).start();
    put_image(&registry);
    registry
}

async fn resolve(run: &Run, registry: &Registry) -> Result<(), Cause> {
    run.source(registry, "acme/app:1.0").resolve().await.map(drop).map_err(|why| why.cause)
}

fn is_refused(entry: &Entry) -> bool {
    entry.status == Some(401)
}

fn is_token(entry: &Entry) -> bool {
    entry.path == "/token"
}

#[tokio::test]
async fn a_token_costs_two_requests_whatever_the_width() {
    let authority = Authority::anonymous();
    let registry = guarded(&authority);
    let put = |n: u32| digest(&registry.store().put_manifest(REPOSITORY, None, manifest(&n.to_string()), OCI_MANIFEST));
    let digests: Vec<Digest> = (0..20).map(put).collect();
    let run = Run::new();
    let source = run.source(&registry, "acme/app:1.0");
    source.resolve().await.unwrap();
    let got = join_all(digests.iter().map(|digest| source.manifest(digest))).await;
    assert!(got.iter().all(Result::is_ok));
    assert_eq!((registry.log().len(), source.fetched().requests), (23, 23));
    let order: Vec<_> = registry.log().paths().into_iter().take(3).collect();
    assert_eq!(order, ["/v2/acme/app/manifests/1.0", "/token", "/v2/acme/app/manifests/1.0"]);
    let token = &registry.log().entries()[1];
    assert_eq!(
        (token.method.as_str(), token.query.as_str()),
        ("GET", "service=registry.test&scope=repository%3Aacme%2Fapp%3Apull")
    );
    assert_eq!(token.header("authorization"), None);
}

#[tokio::test]
async fn many_at_once_make_one_challenge_and_one_token() {
    let registry = guarded(&Authority::anonymous());
    let transport = Run::new().transport();
    let sources: Vec<_> = (0..16).map(|_| source(&transport, &registry, "acme/app:1.0")).collect();
    let got = join_all(sources.iter().map(Source::resolve)).await;
    assert!(got.iter().all(Result::is_ok));
    assert_eq!((registry.log().count(is_refused), registry.log().count(is_token), registry.log().len()), (1, 1, 18));
}

#[tokio::test]
async fn each_repository_has_its_own_token() {
    let registry = guarded(&Authority::anonymous());
    registry.store().put_manifest("acme/web", Some("1.0"), manifest("web"), OCI_MANIFEST);
    let transport = Run::new().transport();
    for image in ["acme/app:1.0", "acme/web:1.0", "acme/app:1.0", "acme/web:1.0"] {
        source(&transport, &registry, image).resolve().await.unwrap();
    }
    assert_eq!((registry.log().count(is_token), registry.log().len()), (2, 7));
}

#[tokio::test]
async fn a_token_that_is_refused_later_is_replaced_once() {
    let authority = Authority::anonymous();
    let registry = guarded(&authority);
    let put = |n: u32| digest(&registry.store().put_manifest(REPOSITORY, None, manifest(&n.to_string()), OCI_MANIFEST));
    let digests: Vec<Digest> = (0..8).map(put).collect();
    let source = Run::new().source(&registry, "acme/app:1.0");
    source.resolve().await.unwrap();
    authority.revoke_all();
    let got = join_all(digests.iter().map(|digest| source.manifest(digest))).await;
    assert!(got.iter().all(Result::is_ok));
    assert_eq!(registry.log().count(is_token), 2);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_is_the_end() {
    let authority = Authority::new(TokenPolicy { uses: Some(0), ..TokenPolicy::default() });
    let registry = guarded(&authority);
    let cause = resolve(&Run::new(), &registry).await.unwrap_err();
    assert!(matches!(cause, Cause::Unauthorized { .. }), "{cause}");
    assert_eq!((registry.log().len(), authority.issued()), (3, 1));
}

#[tokio::test]
async fn either_name_of_a_token_will_do() {
    for field in [TokenField::Both, TokenField::Token, TokenField::AccessToken] {
        let registry =
            guarded(&Authority::new(TokenPolicy { field, expires_in: None, service: None, ..TokenPolicy::default() }));
        assert_eq!(resolve(&Run::new(), &registry).await, Ok(()), "{field:?}");
    }
    let registry = guarded(&Authority::anonymous());
    registry.rule(Rule::new(
        When::tokens(),
        Fault::Body(r#"{"token":"","access_token":"token-0","expires_in":"x"}"#.into()),
    ));
    assert_eq!(resolve(&Run::new(), &registry).await, Ok(()));
}

#[tokio::test]
async fn no_answer_of_a_token_server_breaks_anything() {
    let text = |body: &'static str| Fault::answer(200, &[("Content-Type", "application/json")], body);
    for (fault, kind) in [
        (text(r#"{"token":"a\nb"}"#), "not-the-document"),
        (text(r#"{"token":"a\u0000"}"#), "not-the-document"),
        (text(r#"{"token":""}"#), "not-the-document"),
        (text("{}"), "not-the-document"),
        (text("[]"), "not-the-document"),
        (text(r#"{"token":7}"#), "not-the-document"),
        (Fault::html(), "not-the-document"),
        (Fault::answer(200, &[], ""), "not-the-document"),
        (Fault::status(204), "status"),
        (Fault::status(401), "unauthorized"),
        (Fault::status(403), "forbidden"),
        (Fault::status(404), "status"),
        (Fault::status(429), "rate-limited"),
        (Fault::status(500), "status"),
        (Fault::Redirect(307, "/v2/".into()), "redirect"),
        (Fault::Gzip, "encoded"),
        (Fault::Body(vec![b' '; (1 << 20) + 1].into()), "too-large"),
    ] {
        let registry = guarded(&Authority::anonymous());
        registry.rule(Rule::new(When::tokens(), fault.clone()));
        let cause = resolve(&Run::new(), &registry).await.unwrap_err();
        assert_eq!(serde_json::to_value(&cause).unwrap()["kind"], kind, "{fault:?}: {cause}");
    }
}

#[tokio::test]
async fn a_token_server_that_falters_is_asked_again() {
    let registry = guarded(&Authority::anonymous());
    registry.rule(Rule::new(When::tokens(), Fault::rate_limit(Some("3"))).times(1));
    let run = Run::new();
    assert_eq!(resolve(&run, &registry).await, Ok(()));
    assert_eq!(run.pauses(), [Duration::from_secs(3)]);
}

#[tokio::test]
async fn a_token_server_that_cannot_be_reached_is_named() {
    let closed = { Registry::builder().address("127.0.0.2").start().host() };
    let registry = Registry::builder()
        .access(Access::bearer_from(&Authority::anonymous(), format!("http://{closed}/token")))
        .start();
    let cause = resolve(&Run::new(), &registry).await.unwrap_err();
    assert!(matches!(&cause, Cause::Unreachable { detail } if detail.starts_with("127.0.0.2: ")), "{cause}");

    let registry = guarded(&Authority::anonymous());
    registry.rule(Rule::new(When::tokens(), Fault::status(503)));
    let cause = resolve(&Run::new(), &registry).await.unwrap_err();
    assert!(matches!(&cause, Cause::Status { code: 503, detail } if detail.contains("token server")), "{cause}");
}

#[tokio::test]
async fn a_refusal_without_a_challenge_is_the_end() {
    for header in [None, Some("Negotiate"), Some("Bearer"), Some("Bearer realm=\"\""), Some("\"")] {
        let answer = Answer::error(401, "UNAUTHORIZED");
        let answer = match header {
            Some(value) => answer.with("WWW-Authenticate", value),
            None => answer,
        };
        let registry = Registry::start();
        registry.rule(Rule::new(When::any(), Fault::Answer(answer)));
        let cause = resolve(&Run::new(), &registry).await.unwrap_err();
        assert_eq!(cause, Cause::Unauthorized { detail: "UNAUTHORIZED: unauthorized".into() }, "{header:?}");
        assert_eq!(registry.log().len(), 1);
    }
}

#[tokio::test]
async fn a_private_image_wants_a_login() {
    let registry = guarded(&private());
    let Err(Cause::Unauthorized { detail }) = resolve(&Run::new(), &registry).await else { panic!("it is private") };
    let host = registry.host();
    assert_eq!(
        detail,
        format!("the token server {host} refuses: UNAUTHORIZED: unauthorized; no credentials are stored for {host}")
    );

    let run = Run::new().logged_in(&host, "me", "canary-password");
    assert_eq!(resolve(&run, &registry).await, Ok(()));
    let run = Run::new().logged_in(&host, "me", "wrong");
    assert!(matches!(resolve(&run, &registry).await, Err(Cause::Unauthorized { .. })));
}

#[tokio::test]
async fn basic_credentials_go_out_only_when_asked_for() {
    let registry = Registry::builder().access(Access::basic("me", "canary-password")).start();
    put_image(&registry);
    let run = Run::new().logged_in(&registry.host(), "me", "canary-password");
    let source = run.source(&registry, "acme/app:1.0");
    source.resolve().await.unwrap();
    source.resolve().await.unwrap();
    let shown: Vec<_> = registry.log().entries().iter().map(|entry| entry.header("authorization").is_some()).collect();
    assert_eq!(shown, [false, true, true]);

    let cause = resolve(&Run::new(), &registry).await.unwrap_err();
    assert!(matches!(&cause, Cause::Unauthorized { detail } if detail.contains("none are stored")), "{cause}");
    let open = Registry::start();
    put_image(&open);
    let run = Run::new().logged_in(&open.host(), "me", "canary-password");
    resolve(&run, &open).await.unwrap();
    assert!(open.log().holding("canary-password").is_empty());
}

#[tokio::test]
async fn an_identity_token_is_posted() {
    let authority = Authority::private(Credentials::IdentityToken("canary-identity".into()));
    let registry = guarded(&authority);
    let run =
        Run::new().with_auth(&registry.host(), &json!({ "identitytoken": "canary-identity" })).naming(&registry.host());
    assert_eq!(resolve(&run, &registry).await, Ok(()));
    let token = registry.log().entries().into_iter().find(is_token).unwrap();
    assert_eq!((token.method.as_str(), token.query.as_str(), token.header("authorization")), ("POST", "", None));
    for field in [
        "grant_type=refresh_token",
        "service=registry.test",
        "scope=repository%3Aacme%2Fapp%3Apull",
        "client_id=ocilint",
    ] {
        assert!(token.body.split('&').any(|pair| pair == field), "{field} in {}", token.body);
    }
    assert_eq!(registry.log().holding("canary-identity").len(), 1);
}

#[tokio::test]
async fn a_registry_token_needs_no_token_server() {
    let authority = Authority::anonymous();
    let registry = guarded(&authority);
    // The authority gives it out, then it stands in the file.
    resolve(&Run::new(), &registry).await.unwrap();
    registry.log().clear();
    let run = Run::new().with_auth(&registry.host(), &json!({ "registrytoken": "token-0" })).naming(&registry.host());
    assert_eq!(resolve(&run, &registry).await, Ok(()));
    assert_eq!((registry.log().count(is_token), registry.log().len()), (0, 2));
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_unknown_where_they_are_wanted_only() {
    let broken = file("{");
    let mut run = Run::new();
    run.options.registry_config = Some(broken.path().to_owned());
    let registry = guarded(&Authority::anonymous());
    assert!(matches!(resolve(&run, &registry).await, Err(Cause::Credentials { .. })));
    assert_eq!(registry.log().count(is_token), 0, "no anonymous token in its place");

    let open = Registry::start();
    put_image(&open);
    assert_eq!(resolve(&run, &open).await, Ok(()));
}

#[tokio::test]
async fn credentials_cross_the_network_in_the_clear_only_to_a_host_that_is_named() {
    for access in [Access::bearer(&private()), Access::basic("me", "canary-password")] {
        let registry = Registry::builder().access(access).start();
        put_image(&registry);
        let run = Run::new().with_auth(&registry.host(), &json!({ "username": "me", "password": "canary-password" }));
        let cause = resolve(&run, &registry).await.unwrap_err();
        let hint = format!("--plain-http={}", registry.host());
        assert!(matches!(&cause, Cause::Unauthorized { detail } if detail.contains(&hint)), "{cause}");
        assert!(registry.log().holding("canary-password").is_empty());
        assert_eq!(resolve(&run.naming(&registry.host()), &registry).await, Ok(()));
    }
}

#[tokio::test]
async fn referrers_and_tags_use_the_same_token() {
    let registry =
        Registry::builder().access(Access::bearer(&Authority::anonymous())).referrers(Referrers::paged(1)).start();
    let subject = put_image(&registry);
    for note in ["a", "b"] {
        registry.store().put_manifest(REPOSITORY, None, referrer(&subject, note), OCI_MANIFEST);
    }
    let source = Run::new().source(&registry, "acme/app:1.0");
    source.resolve().await.unwrap();
    assert_eq!(source.referrers(&subject).await.unwrap().descriptors.len(), 2);
    assert_eq!(source.tags().await.unwrap(), ["1.0"]);
    assert_eq!((registry.log().count(is_refused), registry.log().count(is_token)), (1, 1));
}
