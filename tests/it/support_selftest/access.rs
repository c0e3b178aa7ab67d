//! Who may read.

use super::{BODY, client, get, get_json, header};
use crate::support::{Access, Authority, Credentials, OCI_MANIFEST, Registry, TokenPolicy};
use serde_json::Value;

#[tokio::test]
async fn a_token_opens_its_own_repository_alone() {
    let authority = Authority::anonymous();
    let registry = Registry::builder().access(Access::bearer(&authority)).start();
    registry.store().put_manifest("acme/app", Some("1.0"), BODY, OCI_MANIFEST);
    registry.store().put_manifest("acme/web", Some("1.0"), BODY, OCI_MANIFEST);
    let refused = get(&registry, "/v2/acme/app/manifests/1.0").await;
    assert_eq!(refused.status(), 401);
    let expected =
        format!(r#"Bearer realm="{}/token",service="registry.test",scope="repository:acme/app:pull""#, registry.url());
    assert_eq!(header(&refused, "www-authenticate"), expected);

    let token = get_json(&registry, "/token?service=registry.test&scope=repository:acme/app:pull").await;
    let read = async |repository: &str| {
        let request = client().get(format!("{}/v2/{repository}/manifests/1.0", registry.url()));
        request.bearer_auth(token["token"].as_str().expect("a token")).send().await.expect("an answer").status()
    };
    assert_eq!(read("acme/app").await, 200);
    assert_eq!(read("acme/web").await, 401);
    authority.revoke_all();
    assert_eq!(read("acme/app").await, 401);
    assert_eq!(authority.issued(), 1);
}

#[tokio::test]
async fn a_token_may_be_good_for_a_few_requests() {
    let authority = Authority::new(TokenPolicy { uses: Some(2), ..TokenPolicy::default() });
    let registry = Registry::builder().access(Access::bearer(&authority)).start();
    registry.store().put_manifest("acme/app", Some("1.0"), BODY, OCI_MANIFEST);
    get(&registry, "/token?scope=repository:acme/app:pull").await;
    for status in [200, 200, 401] {
        let request = client().get(format!("{}/v2/acme/app/manifests/1.0", registry.url())).bearer_auth("token-0");
        assert_eq!(request.send().await.expect("an answer").status(), status);
    }
}

#[tokio::test]
async fn a_private_authority_asks_for_credentials() {
    let password = Authority::private(Credentials::basic("ada", "secret"));
    let registry = Registry::builder().authority(&password).start();
    let token = format!("{}/token", registry.url());
    assert_eq!(get(&registry, "/token").await.status(), 401);
    let basic = client().get(&token).basic_auth("ada", Some("secret")).send().await.expect("an answer");
    assert_eq!(basic.status(), 200);
    let wrong = client().get(&token).basic_auth("ada", Some("guess")).send().await.expect("an answer");
    assert_eq!(wrong.status(), 401);

    let identity = Authority::private(Credentials::IdentityToken("it/1".to_owned()));
    let registry = Registry::builder().authority(&identity).start();
    let form = "grant_type=refresh_token&refresh_token=it%2F1&service=s&scope=repository%3Aa%3Apull";
    let posted = client().post(format!("{}/token", registry.url())).body(form).send().await.expect("an answer");
    let answer: Value = serde_json::from_slice(&posted.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(answer["access_token"], "token-0");
    assert!(answer.get("token").is_none());
}

#[tokio::test]
async fn basic_access_knows_one_user() {
    let registry = Registry::builder().access(Access::basic("ada", "secret")).start();
    let refused = get(&registry, "/v2/").await;
    assert_eq!(header(&refused, "www-authenticate"), "Basic realm=\"registry\"");
    let request = client().get(format!("{}/v2/", registry.url())).basic_auth("ada", Some("secret"));
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}
