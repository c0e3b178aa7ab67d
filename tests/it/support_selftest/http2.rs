//! The same over HTTP/2.

use super::{BODY, client_trusting, header};
use crate::support::{Certificates, Fault, Framing, Gate, OCI_MANIFEST, Registry, Rule, Stop, When};
use reqwest::{Client, Version};

const PATH: &str = "/v2/acme/app/manifests/1.0";

fn over_http2() -> (Registry, Client) {
    let certificates = Certificates::new();
    let registry = Registry::builder().tls(&certificates).http2().start();
    registry.store().put_manifest("acme/app", Some("1.0"), BODY, OCI_MANIFEST);
    let authority = reqwest::Certificate::from_pem(certificates.authority_pem().as_bytes()).expect("a certificate");
    (registry, client_trusting(&[authority]))
}

#[tokio::test]
async fn one_connection_carries_requests_side_by_side() {
    let (registry, client) = over_http2();
    let url = format!("{}{PATH}", registry.url());
    let response = client.get(&url).send().await.expect("an answer");
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(header(&response, "content-type"), OCI_MANIFEST);
    assert_eq!(response.text().await.expect("a body"), BODY);

    let gate = Gate::new();
    registry.rule(Rule::new(When::any(), Fault::Hold(gate.clone())));
    let asked: Vec<_> = (0..20).map(|_| tokio::spawn(client.get(&url).send())).collect();
    registry.log().until(|entries| entries.len() == 21).await;
    gate.open();
    for answer in asked {
        assert_eq!(answer.await.expect("no panic").expect("an answer").status(), 200);
    }
    assert_eq!((registry.log().connections(), registry.log().max_in_flight()), (1, 20));
    assert_eq!(registry.log().count(|entry| entry.version == "HTTP/2" && entry.header("host").is_some()), 21);
}

#[tokio::test]
async fn a_request_has_its_body_and_a_head_request_gets_none() {
    let (registry, client) = over_http2();
    let url = format!("{}{PATH}", registry.url());
    client.post(&url).body("a=b").send().await.expect("an answer");
    assert_eq!(registry.log().entries()[0].body, "a=b");
    let response = client.head(&url).send().await.expect("an answer");
    assert_eq!(header(&response, "content-length"), BODY.len().to_string());
}

#[tokio::test]
async fn answers_that_break_off_are_errors_to_the_client() {
    let faults = [
        Fault::Unsaid(Stop::Close),
        Fault::Unsaid(Stop::Reset),
        Fault::Raw("HTTP/9 what".into()),
        Fault::EndlessHeaders,
        Fault::Cut(4, Stop::Close),
        Fault::Cut(4, Stop::Reset),
        Fault::Framing(Framing::Declared(99)),
    ];
    for fault in faults {
        let (registry, client) = over_http2();
        registry.rule(Rule::new(When::any(), fault.clone()));
        let answer = async { client.get(format!("{}{PATH}", registry.url())).send().await?.bytes().await };
        assert!(answer.await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn answers_without_end_go_on_until_the_client_leaves() {
    for fault in [Fault::Unsaid(Stop::Stall), Fault::Cut(4, Stop::Stall), Fault::Endless(Framing::Chunked)] {
        let (registry, client) = over_http2();
        registry.rule(Rule::new(When::any(), fault));
        let url = format!("{}{PATH}", registry.url());
        let asked = tokio::spawn(async move { client.get(url).send().await?.bytes().await });
        registry.log().until(|entries| entries.len() == 1).await;
        asked.abort();
        registry.log().until(|entries| entries[0].ended.is_some()).await;
    }
}
