//! What a registry serves when nothing is wrong.

use super::{BODY, client, client_trusting, get, get_json, header, with_image};
use crate::support::{
    Certificates, Fault, OCI_INDEX, OCI_MANIFEST, Referrers, Registry, Rule, Store, When, fallback_tag, sha256,
};
use serde_json::{Value, json};

#[tokio::test]
async fn serves_manifests_by_tag_and_by_digest() {
    let (registry, by_tag) = with_image();
    let digest = sha256(BODY.as_bytes());
    for path in [by_tag, &format!("/v2/acme/app/manifests/{digest}")] {
        let response = get(&registry, path).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "content-type"), OCI_MANIFEST);
        assert_eq!(header(&response, "docker-content-digest"), digest);
        assert_eq!(response.text().await.expect("a body"), BODY);
    }
    assert_eq!(registry.log().bytes_sent(), 2 * BODY.len());
    for path in ["/v2/acme/app/manifests/2.0", "/v2/acme/other/manifests/1.0", "/v2/acme/app/blobs/sha256:00"] {
        assert_eq!(get(&registry, path).await.status(), 404, "{path}");
    }
    assert_eq!(registry.log().paths()[0], by_tag);
}

#[tokio::test]
async fn a_head_request_has_no_body() {
    let (registry, path) = with_image();
    let response = client().head(format!("{}{path}", registry.url())).send().await.expect("an answer");
    assert_eq!(header(&response, "content-length"), BODY.len().to_string());
    assert_eq!(response.text().await.expect("a body"), "");
    assert_eq!(registry.log().bytes_sent(), 0);
}

#[tokio::test]
async fn a_tag_may_move_while_the_server_runs() {
    let (registry, path) = with_image();
    registry.store().put_manifest("acme/app", Some("1.0"), "{}", OCI_MANIFEST);
    assert_eq!(get(&registry, path).await.text().await.expect("a body"), "{}");
}

#[tokio::test]
async fn serves_ranges_of_blobs() {
    let registry = Registry::start();
    let path = format!("/v2/acme/app/blobs/{}", registry.store().put_blob("acme/app", "0123456789"));
    let cases = [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=8-99", 206, "89", "bytes 8-9/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=10-12", 416, "", "bytes */10"),
        ("lines=1-2", 200, "0123456789", ""),
    ];
    for (range, status, body, content_range) in cases {
        let request = client().get(format!("{}{path}", registry.url())).header("range", range);
        let response = request.send().await.expect("an answer");
        assert_eq!((response.status().as_u16(), header(&response, "content-range")), (status, content_range));
        assert_eq!(response.text().await.expect("a body"), body, "{range}");
    }
    registry.rule(Rule::new(When::blobs(), Fault::IgnoreRange));
    let request = client().get(format!("{}{path}", registry.url())).header("range", "bytes=2-4");
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

fn artifact(subject: &str, artifact_type: &str) -> String {
    json!({ "artifactType": artifact_type, "subject": { "digest": subject }, "annotations": { "a": "b" } }).to_string()
}

#[tokio::test]
async fn lists_referrers_from_the_stored_subjects() {
    let registry = Registry::start();
    let subject = registry.store().put_manifest("acme/app", None, BODY, OCI_MANIFEST);
    registry.store().put_manifest("acme/app", None, artifact(&subject, "application/spdx+json"), OCI_MANIFEST);
    registry.store().put_manifest("acme/app", None, artifact(&subject, "application/x"), OCI_MANIFEST);
    let path = format!("/v2/acme/app/referrers/{subject}");
    let response = get(&registry, &path).await;
    assert_eq!(header(&response, "content-type"), OCI_INDEX);
    let all = get_json(&registry, &path).await;
    assert_eq!(all["manifests"].as_array().map(Vec::len), Some(2));
    assert_eq!(all["manifests"][0]["annotations"]["a"], "b");
    let filtered = get_json(&registry, &format!("{path}?artifactType=application/x")).await;
    assert_eq!(filtered["manifests"].as_array().map(Vec::len), Some(1));
    assert_eq!(filtered["manifests"][0]["artifactType"], "application/x");
    let none = get_json(&registry, &format!("/v2/acme/app/referrers/{}", sha256(b""))).await;
    assert_eq!(none["manifests"], json!([]));
}

#[tokio::test]
async fn pages_referrers_by_link() {
    let store = Store::default();
    let subject = store.put_manifest("acme/app", None, BODY, OCI_MANIFEST);
    for kind in ["a", "b", "c", "d", "e"] {
        store.put_manifest("acme/app", None, artifact(&subject, kind), OCI_MANIFEST);
    }
    let registry = Registry::builder().store(&store).referrers(Referrers::paged(2)).start();
    let mut next = format!("/v2/acme/app/referrers/{subject}");
    let mut sizes = Vec::new();
    while !next.is_empty() {
        let response = get(&registry, &next).await;
        next = header(&response, "link").trim_start_matches('<').split('>').next().unwrap_or_default().to_owned();
        let page: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
        sizes.push(page["manifests"].as_array().map(Vec::len));
    }
    assert_eq!(sizes, [Some(2), Some(2), Some(1)]);
}

#[tokio::test]
async fn without_the_referrers_api_there_is_the_fallback_tag() {
    let store = Store::default();
    let subject = store.put_manifest("acme/app", None, BODY, OCI_MANIFEST);
    store.put_manifest("acme/app", None, artifact(&subject, "a"), OCI_MANIFEST);
    store.put_fallback("acme/app", &subject);
    let registry = Registry::builder().store(&store).referrers(Referrers::absent()).start();
    assert_eq!(get(&registry, &format!("/v2/acme/app/referrers/{subject}")).await.status(), 404);
    assert_eq!(fallback_tag(&subject), subject.replace(':', "-"));
    let list = get_json(&registry, &format!("/v2/acme/app/manifests/{}", fallback_tag(&subject))).await;
    assert_eq!(list["manifests"][0]["artifactType"], "a");
}

#[tokio::test]
async fn pages_tags() {
    let registry = Registry::builder().tags_page(2).start();
    for tag in ["1", "2", "3"] {
        registry.store().put_manifest("acme/app", Some(tag), BODY, OCI_MANIFEST);
    }
    let first = get(&registry, "/v2/acme/app/tags/list").await;
    assert_eq!(header(&first, "link"), "</v2/acme/app/tags/list?n=2&last=2>; rel=\"next\"");
    let second = get_json(&registry, "/v2/acme/app/tags/list?n=2&last=2").await;
    assert_eq!(second, json!({ "name": "acme/app", "tags": ["3"] }));
}

#[tokio::test]
async fn speaks_tls_with_its_own_authority() {
    let certificates = Certificates::new();
    let registry = Registry::builder().tls(&certificates).start();
    registry.store().put_file("/hello", "hello", "text/plain");
    let url = format!("{}/hello", registry.url());
    assert!(url.starts_with("https://127.0.0.1:"));
    assert!(client().get(&url).send().await.is_err(), "an unknown authority is trusted");
    let authority = reqwest::Certificate::from_pem(certificates.authority_pem().as_bytes()).expect("a certificate");
    let response = client_trusting(&[authority]).get(&url).send().await.expect("an answer");
    assert_eq!(response.text().await.expect("a body"), "hello");
    let file = std::fs::read_to_string(certificates.authority_file().path()).expect("a file");
    assert_eq!(file, certificates.authority_pem());
}

#[tokio::test]
async fn imports_a_layout() {
    let dir = tempfile::tempdir().expect("a directory");
    let blob = |body: &str| {
        let digest = sha256(body.as_bytes());
        let file = dir.path().join("blobs").join(digest.replace(':', "/"));
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        std::fs::write(file, body).expect("a file");
        digest
    };
    let config = blob("{}");
    let manifest = blob(&json!({ "mediaType": OCI_MANIFEST, "config": { "digest": config } }).to_string());
    let absent = sha256(b"absent");
    let children = json!([{ "mediaType": OCI_MANIFEST, "digest": manifest }, { "digest": absent }]);
    let index = blob(&json!({ "manifests": children }).to_string());
    let layout = json!({ "manifests": [{ "mediaType": OCI_INDEX, "digest": index }] });
    std::fs::write(dir.path().join("index.json"), layout.to_string()).expect("a file");

    let registry = Registry::start();
    assert_eq!(registry.store().load_layout("acme/app", dir.path(), "1.0"), index);
    let root = get(&registry, "/v2/acme/app/manifests/1.0").await;
    assert_eq!(header(&root, "docker-content-digest"), index);
    assert_eq!(header(&root, "content-type"), OCI_INDEX);
    for path in [format!("manifests/{manifest}"), format!("blobs/{config}")] {
        assert_eq!(get(&registry, &format!("/v2/acme/app/{path}")).await.status(), 200, "{path}");
    }
    assert_eq!(get(&registry, &format!("/v2/acme/app/manifests/{absent}")).await.status(), 404);
}
