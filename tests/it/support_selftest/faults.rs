//! What goes wrong when a rule says so.

use super::{BODY, get, header, raw, with_fault, with_image};
use crate::support::{Fault, Framing, Registry, Rule, Stop, When, catalogue};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_rule_strikes_as_often_as_it_says() {
    let (registry, path) = with_image();
    registry.rule(Rule::new(When::manifests(), Fault::status(503)).after(1).times(2));
    for status in [200, 503, 503, 200] {
        assert_eq!(get(&registry, path).await.status(), status);
    }
    registry.rule(Rule::new(When::manifests().and(When::authorized()), Fault::status(500)));
    assert_eq!(get(&registry, path).await.status(), 200);
    registry.rule(Rule::new(When::manifests().and(When::authorized().negated()), Fault::rate_limit(Some("7"))));
    assert_eq!(header(&get(&registry, path).await, "retry-after"), "7");
    registry.clear_rules();
    assert_eq!(get(&registry, path).await.status(), 200);
}

#[tokio::test]
async fn faults_of_the_head() {
    let cases: [(Fault, &str, &str); 6] = [
        (Fault::digest_header("sha256:00"), "docker-content-digest", "sha256:00"),
        (Fault::NoHeader("Docker-Content-Digest"), "docker-content-digest", ""),
        (Fault::content_type("text/plain"), "content-type", "text/plain"),
        (Fault::Redirect(307, "https://elsewhere.test/x".to_owned()), "location", "https://elsewhere.test/x"),
        (Fault::html(), "content-type", "text/html; charset=utf-8"),
        (Fault::LinkLoop, "link", "</v2/acme/app/manifests/1.0>; rel=\"next\""),
    ];
    for (fault, name, value) in cases {
        let (registry, path) = with_fault(fault);
        assert_eq!(header(&get(&registry, path).await, name), value, "{name}");
    }
}

#[tokio::test]
async fn faults_of_the_body() {
    let flipped = BODY.replacen('s', "r", 1);
    let cases: [(Fault, &str); 4] = [
        (Fault::Body("other".into()), "other"),
        (Fault::Append("\n\n".into()), "{\"schemaVersion\":2}\n\n"),
        (Fault::Flip(2 + BODY.len()), &flipped),
        (Fault::Framing(Framing::Chunked), BODY),
    ];
    for (fault, body) in cases {
        let (registry, path) = with_fault(fault);
        assert_eq!(get(&registry, path).await.text().await.expect("a body"), body);
    }
    let (registry, path) = with_fault(Fault::Gzip);
    let response = get(&registry, path).await;
    assert_eq!(header(&response, "content-encoding"), "gzip");
    assert_eq!(response.bytes().await.expect("a body").get(..2), Some([0x1f, 0x8b].as_slice()));
}

#[tokio::test]
async fn faults_of_the_wire() {
    let cases: [(Fault, &str, bool); 7] = [
        (Fault::Cut(4, Stop::Close), "\r\n\r\n{\"sc", true),
        (Fault::Cut(4, Stop::Reset), "", false),
        (Fault::Unsaid(Stop::Close), "", true),
        (Fault::Unsaid(Stop::Reset), "", false),
        (Fault::Raw("HTTP/9 what".into()), "HTTP/9 what", true),
        (Fault::Framing(Framing::Declared(99)), BODY, true),
        (Fault::Framing(Framing::Close), BODY, true),
    ];
    for (fault, end, orderly) in cases {
        let (registry, path) = with_fault(fault.clone());
        let (text, ended_well) = raw(&registry, path).await;
        assert!(text.ends_with(end), "{fault:?}: {text}");
        assert_eq!(ended_well, orderly, "{fault:?}");
    }
    let (registry, path) = with_fault(Fault::Framing(Framing::Declared(99)));
    assert!(raw(&registry, path).await.0.contains("Content-Length: 99\r\n"));
}

#[tokio::test]
async fn endless_answers_go_on_until_the_client_leaves() {
    for fault in [Fault::Endless(Framing::Close), Fault::Endless(Framing::Chunked), Fault::EndlessHeaders] {
        let (registry, path) = with_fault(fault);
        let mut stream = TcpStream::connect(registry.host()).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut piece = vec![0; 1 << 16];
        for _ in 0..64 {
            stream.read_exact(&mut piece).await.expect("more");
        }
        assert_eq!(registry.log().entries()[0].ended, None);
        drop(stream);
        registry.log().until(|entries| entries[0].ended.is_some()).await;
    }
}

#[tokio::test]
async fn a_stalled_answer_ends_when_the_client_leaves() {
    for fault in [Fault::Unsaid(Stop::Stall), Fault::Cut(3, Stop::Stall)] {
        let (registry, path) = with_fault(fault);
        let mut stream = TcpStream::connect(registry.host()).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request");
        registry.log().until(|entries| entries.len() == 1).await;
        drop(stream);
        registry.log().until(|entries| entries[0].ended.is_some()).await;
    }
}

#[tokio::test]
async fn a_dripping_body_arrives_whole() {
    let (registry, path) = with_fault(Fault::Drip(3, Duration::from_millis(1)));
    assert_eq!(get(&registry, path).await.text().await.expect("a body"), BODY);
}

#[tokio::test]
async fn redirects_lead_to_a_second_origin() {
    let (registry, path) = with_image();
    let other = Registry::builder().address("127.0.0.2").store(registry.store()).start();
    registry.rule(Rule::new(When::manifests(), Fault::RedirectBelow(307, other.url().to_owned())));
    let response = get(&registry, &format!("{path}?a=b")).await;
    assert_eq!(header(&response, "location"), format!("{}{path}?a=b", other.url()));
    assert_eq!(get(&other, path).await.text().await.expect("a body"), BODY);
}

#[tokio::test]
async fn every_fault_of_the_catalogue_changes_the_answer_to_a_ranged_request() {
    let names: BTreeSet<_> = catalogue().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), catalogue().len(), "two faults have one name");
    let registry = Registry::start();
    let path = format!("/v2/acme/app/blobs/{}", registry.store().put_blob("acme/app", BODY));
    let truth = first_bytes(&registry, &path).await;
    for (name, fault) in catalogue() {
        registry.clear_rules();
        registry.rule(Rule::new(When::any(), fault));
        assert_ne!(first_bytes(&registry, &path).await, truth, "{name}");
    }
}

/// The answer to a ranged request as far as it comes, and at most 4 KiB of it.
async fn first_bytes(registry: &Registry, path: &str) -> String {
    let mut stream = TcpStream::connect(registry.host()).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nRange: bytes=0-15\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("a request");
    stream.shutdown().await.expect("half a connection");
    let mut text = Vec::new();
    // A reset is one of the faults.
    let _ = stream.take(4096).read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}
