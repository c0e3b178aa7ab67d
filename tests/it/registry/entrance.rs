//! Many repositories of one host: what the first was asked for is not asked for again, and no secret goes where it would not
//! have gone.

use super::{Run, manifest, source};
use crate::support::{Access, Answer, Authority, Credentials, Entry, Fault, OCI_MANIFEST, Registry, Rule, Stop, When};
use futures_util::future::join_all;
use ocilint::graph::Cause;
use ocilint::source::Source;
use serde_json::json;

fn is_refused(entry: &Entry) -> bool {
    entry.status == Some(401)
}

fn is_token(entry: &Entry) -> bool {
    entry.path == "/token"
}

/// A registry with the image `1.0` in each of these repositories.
fn with_repositories<'a>(access: Access, names: impl IntoIterator<Item = &'a str>) -> Registry {
    let registry = Registry::builder().access(access).start();
    for name in names {
        registry.store().put_manifest(name, Some("1.0"), manifest(name), OCI_MANIFEST);
    }
    registry
}

/// Resolves images one after the other in one run.
async fn resolve(run: &Run, registry: &Registry, names: &[&str]) -> Vec<Result<(), Cause>> {
    let transport = run.transport();
    let mut outcomes = Vec::new();
    for name in names {
        let outcome = source(&transport, registry, name).resolve().await;
        outcomes.push(outcome.map(drop).map_err(|why| why.cause));
    }
    outcomes
}

#[tokio::test]
async fn a_hundred_repositories_cost_one_challenge_and_a_token_each() {
    let names: Vec<String> = (0..100).map(|number| format!("acme/app{number}")).collect();
    let private = Authority::private(Credentials::basic("me", "canary-password"));
    for (access, logged_in) in [(Access::bearer(&Authority::anonymous()), false), (Access::bearer(&private), true)] {
        let registry = with_repositories(access, names.iter().map(String::as_str));
        let mut run = Run::new();
        if logged_in {
            run = run.logged_in(&registry.host(), "me", "canary-password");
        }
        let transport = run.transport();
        let sources: Vec<_> = names.iter().map(|name| source(&transport, &registry, &format!("{name}:1.0"))).collect();
        let got = join_all(sources.iter().map(Source::resolve)).await;
        assert!(got.iter().all(Result::is_ok), "{got:?}");
        let log = registry.log();
        assert_eq!((log.count(is_refused), log.count(is_token), log.len()), (1, 100, 201));
        let scopes = log.entries().into_iter().filter(is_token).map(|token| token.query);
        assert_eq!(scopes.collect::<std::collections::BTreeSet<_>>().len(), 100, "a token for each repository");
    }
}

#[tokio::test]
async fn a_password_is_asked_for_once() {
    let registry = with_repositories(Access::basic("me", "canary-password"), ["acme/app", "acme/web"]);
    let run = Run::new().logged_in(&registry.host(), "me", "canary-password");
    assert_eq!(resolve(&run, &registry, &["acme/app:1.0", "acme/web:1.0"]).await, [Ok(()), Ok(())]);
    assert_eq!((registry.log().count(is_refused), registry.log().len()), (1, 3));
}

#[tokio::test]
async fn other_credentials_are_shown_only_to_who_asks_for_them() {
    let registry = with_repositories(Access::basic("me", "canary-password"), ["acme/app"]);
    registry.store().put_manifest("other/web", Some("1.0"), manifest("web"), OCI_MANIFEST);
    let (host, open) = (registry.host(), |request: &crate::support::Request| request.path.contains("other/web"));
    let body = manifest("web");
    registry.rule(Rule::new(When::test(open), Fault::answer(200, &[("Content-Type", OCI_MANIFEST)], body)));
    let auths = json!({ "auths": {
        &host: { "username": "me", "password": "canary-password" },
        format!("{host}/other"): { "username": "you", "password": "canary-other" } } });
    let auth_file = super::file(&auths.to_string());
    let mut run = Run::new().naming(&host);
    run.options.registry_config = Some(auth_file.path().to_owned());
    assert_eq!(resolve(&run, &registry, &["acme/app:1.0", "other/web:1.0"]).await, [Ok(()), Ok(())]);
    assert!(registry.log().holding("canary-other").is_empty(), "nobody asked for it");
    let web = registry.log().entries().into_iter().find(|entry| entry.path.contains("other/web")).unwrap();
    assert_eq!(web.header("authorization"), None);
}

#[tokio::test]
async fn a_realm_for_each_repository_works_all_the_same() {
    // Each repository has a token server of its own, and refuses the tokens of the other.
    let registry = with_repositories(Access::Open, ["acme/app", "acme/web"]);
    for name in ["app", "web"] {
        let host = registry.host();
        let challenge =
            format!("Bearer realm=\"http://{host}/token/{name}\",service=\"s\",scope=\"repository:acme/{name}:pull\"");
        let refused = Answer::error(401, "UNAUTHORIZED").with("WWW-Authenticate", challenge);
        let wrong = move |request: &crate::support::Request| {
            request.path.contains(&format!("/acme/{name}/"))
                && request.header("authorization") != Some(&format!("Bearer of-{name}"))
        };
        registry.rule(Rule::new(When::test(wrong), Fault::Answer(refused)));
        let token = format!("{{\"token\":\"of-{name}\"}}");
        let issued = Fault::answer(200, &[("Content-Type", "application/json")], token);
        registry.rule(Rule::new(When::path(format!("/token/{name}")), issued));
    }
    assert_eq!(resolve(&Run::new(), &registry, &["acme/app:1.0", "acme/web:1.0"]).await, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn a_refusal_of_what_nobody_asked_for_is_not_believed() {
    for status in [403, 404] {
        let registry = with_repositories(Access::bearer(&Authority::anonymous()), ["acme/app", "acme/web"]);
        // Open to everybody, and closed to whoever shows something.
        let body = manifest("web");
        let web = || When::contains("/acme/web/");
        registry.rule(Rule::new(web(), Fault::answer(200, &[("Content-Type", OCI_MANIFEST)], body)));
        registry.rule(Rule::new(web().and(When::authorized()), Fault::status(status)));
        let outcomes = resolve(&Run::new(), &registry, &["acme/app:1.0", "acme/web:1.0"]).await;
        assert_eq!(outcomes, [Ok(()), Ok(())], "{status}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_still_not_there() {
    let registry = with_repositories(Access::bearer(&Authority::anonymous()), ["acme/app"]);
    let outcomes = resolve(&Run::new(), &registry, &["acme/app:1.0", "acme/web:1.0"]).await;
    assert!(matches!(&outcomes[..], [Ok(()), Err(Cause::NotFound { .. })]), "{outcomes:?}");
}

#[tokio::test]
async fn a_token_server_that_fails_is_not_asked_twice_for_one_repository() {
    let registry = with_repositories(Access::bearer(&Authority::anonymous()), ["acme/app", "acme/web"]);
    registry.rule(Rule::new(When::tokens(), Fault::status(400)));
    let outcomes = resolve(&Run::new(), &registry, &["acme/app:1.0", "acme/web:1.0"]).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Cause::Status { code: 400, .. }))), "{outcomes:?}");
    assert_eq!(registry.log().count(is_token), 2);
}

#[tokio::test]
async fn an_unusual_scope_is_not_guessed() {
    let registry = with_repositories(Access::Open, ["acme/app", "acme/web"]);
    let challenge = format!("Bearer realm=\"http://{}/token\",scope=\"registry:catalog:*\"", registry.host());
    let refused = Answer::error(401, "UNAUTHORIZED").with("WWW-Authenticate", challenge);
    registry.rule(Rule::new(When::manifests().and(When::authorized().negated()), Fault::Answer(refused)));
    let issued = Fault::answer(200, &[("Content-Type", "application/json")], r#"{"token":"any"}"#);
    registry.rule(Rule::new(When::tokens(), issued));
    assert_eq!(resolve(&Run::new(), &registry, &["acme/app:1.0", "acme/web:1.0"]).await, [Ok(()), Ok(())]);
    assert_eq!((registry.log().count(is_refused), registry.log().len()), (2, 6));
}

#[tokio::test]
async fn whoever_waits_too_long_for_the_first_goes_by_itself() {
    let registry = with_repositories(Access::Open, ["acme/app", "acme/web"]);
    registry.rule(Rule::new(When::contains("/acme/app/"), Fault::Unsaid(Stop::Stall)));
    let transport = Run::new().transport();
    let (app, web) = (source(&transport, &registry, "acme/app:1.0"), source(&transport, &registry, "acme/web:1.0"));
    let app = tokio::spawn(async move { app.resolve().await.is_ok() });
    registry.log().until(|entries| !entries.is_empty()).await;
    assert!(web.resolve().await.is_ok());
    assert!(!app.is_finished(), "it waits for an answer that never comes");
    app.abort();
}
