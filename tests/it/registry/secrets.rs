//! Who never sees a secret: token servers that do not belong to the registry, and whoever reads what the program says.

use super::{Run, put_image};
use crate::support::{Access, Authority, Credentials, Fault, Registry, Rule, TokenPolicy, When};
use ocilint::graph::Cause;
use ocilint::source::Source as _;
use ocilint::source::registry::RegistrySource;

const PASSWORD: &str = "canary-password";

/// A registry whose challenge names the token server of another host.
fn misled(authority: &Authority) -> (Registry, Registry) {
    let elsewhere = Registry::builder().address("127.0.0.2").authority(authority).start();
    let realm = format!("{}/token", elsewhere.url());
    let registry = Registry::builder().access(Access::bearer_from(authority, realm)).start();
    put_image(&registry);
    (registry, elsewhere)
}

async fn resolve(source: &RegistrySource) -> Result<(), Cause> {
    source.resolve().await.map(drop).map_err(|why| why.cause)
}

#[tokio::test]
async fn a_token_server_elsewhere_gives_an_anonymous_token_at_most() {
    let (registry, elsewhere) = misled(&Authority::anonymous());
    let run = Run::new().logged_in(&registry.host(), "me", PASSWORD).naming(&elsewhere.host());
    assert_eq!(resolve(&run.source(&registry, "acme/app:1.0")).await, Ok(()));
    assert_eq!((elsewhere.log().len(), elsewhere.log().holding(PASSWORD).len()), (1, 0));
}

#[tokio::test]
async fn the_flag_that_would_help_is_named() {
    let (registry, elsewhere) = misled(&Authority::private(Credentials::basic("me", PASSWORD)));
    let mut run = Run::new().logged_in(&registry.host(), "me", PASSWORD).naming(&elsewhere.host());
    let cause = resolve(&run.source(&registry, "acme/app:1.0")).await.unwrap_err();
    let flag = format!("--trust-realm {}={}", registry.host(), elsewhere.host());
    assert!(matches!(&cause, Cause::Unauthorized { detail } if detail.contains(&flag)), "{cause}");
    assert!(elsewhere.log().holding(PASSWORD).is_empty());

    run.options.trust_realms = vec![("other.test".into(), elsewhere.host())];
    assert!(resolve(&run.source(&registry, "acme/app:1.0")).await.is_err(), "for another registry");
    assert!(elsewhere.log().holding(PASSWORD).is_empty());

    run.options.trust_realms.push((registry.host(), elsewhere.host()));
    assert_eq!(resolve(&run.source(&registry, "acme/app:1.0")).await, Ok(()));
    assert_eq!(elsewhere.log().holding(PASSWORD).len(), 1);
    assert!(registry.log().holding(PASSWORD).is_empty(), "the registry itself only sees the token");
}

#[tokio::test]
async fn a_token_that_is_no_use_without_credentials_says_why() {
    let authority = Authority::new(TokenPolicy { uses: Some(0), ..TokenPolicy::default() });
    let (registry, elsewhere) = misled(&authority);
    let run = Run::new().logged_in(&registry.host(), "me", PASSWORD).naming(&elsewhere.host());
    let cause = resolve(&run.source(&registry, "acme/app:1.0")).await.unwrap_err();
    assert!(matches!(&cause, Cause::Unauthorized { detail } if detail.contains("--trust-realm")), "{cause}");
}

#[tokio::test]
async fn a_token_server_must_be_a_plain_encrypted_address() {
    let authority = Authority::anonymous();
    for realm in [
        "http://token.test/",
        "ftp://token.test/",
        "token",
        "",
        "https://",
        "https://user:pass@127.0.0.1/",
        "file:///etc/passwd",
    ] {
        let registry = Registry::builder().access(Access::bearer_from(&authority, realm)).start();
        let run = Run::new().logged_in(&registry.host(), "me", PASSWORD);
        let cause = resolve(&run.source(&registry, "acme/app:1.0")).await.unwrap_err();
        assert!(matches!(cause, Cause::Unauthorized { .. }), "{realm}: {cause}");
        assert_eq!(registry.log().len(), 1);
    }
}

#[tokio::test]
async fn secrets_are_told_to_nobody() {
    let authority = Authority::new(TokenPolicy {
        credentials: Some(Credentials::basic("me", PASSWORD)),
        prefix: "canary-token-".into(),
        ..TokenPolicy::default()
    });
    let faults = [
        Fault::status(401),
        Fault::status(403),
        Fault::status(500),
        Fault::html(),
        Fault::Body(r#"{"token":"canary-token-\n"}"#.into()),
        Fault::Body(r#"{"token":"canary-token-"}"#.into()),
    ];
    for fault in faults {
        let registry = Registry::builder().access(Access::bearer(&authority)).start();
        put_image(&registry);
        registry.rule(Rule::new(When::tokens(), fault.clone()));
        let run = Run::new().logged_in(&registry.host(), "me", PASSWORD);
        let why = run.source(&registry, "acme/app:1.0").resolve().await.unwrap_err();
        let said = format!("{why} {why:?} {} {}", serde_json::to_string(&why).unwrap(), run.told());
        assert!(!said.contains("canary-"), "{fault:?}: {said}");
        assert!(!registry.log().holding(PASSWORD).is_empty(), "it was shown to its own server");
    }
}
