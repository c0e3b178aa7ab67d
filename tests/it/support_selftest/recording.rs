//! What the log knows.

use super::{client, get, with_fault, with_image};
use crate::support::{Fault, Gate, Registry};
use std::time::{Duration, Instant};

#[tokio::test]
async fn held_answers_wait_for_the_gate() {
    let gate = Gate::new();
    let (registry, path) = with_fault(Fault::Hold(gate.clone()));
    let url = format!("{}{path}", registry.url());
    let asked: Vec<_> = (0..3).map(|_| tokio::spawn(client().get(&url).send())).collect();
    registry.log().until(|entries| entries.len() == 3).await;
    assert!(registry.log().entries().iter().all(|entry| entry.ended.is_none()));
    gate.open();
    for answer in asked {
        assert_eq!(answer.await.expect("no panic").expect("an answer").status(), 200);
    }
    assert_eq!(registry.log().max_in_flight(), 3);
    assert_eq!(registry.log().waves(), 1);
    get(&registry, path).await;
    get(&registry, path).await;
    assert_eq!(registry.log().waves(), 3);
    assert_eq!(registry.log().max_in_flight(), 3);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let (registry, path) = with_image();
    let client = client();
    for _ in 0..3 {
        let response = client.get(format!("{}{path}", registry.url())).send().await.expect("an answer");
        response.bytes().await.expect("a body");
    }
    assert_eq!(registry.log().connections(), 1);
    assert_eq!(registry.log().count(|entry| entry.connection == 0 && entry.status == Some(200)), 3);
    registry.log().clear();
    assert!(registry.log().is_empty());
}

#[tokio::test]
async fn the_log_finds_a_secret_in_every_form() {
    let registry = Registry::builder().address("127.0.0.2").start();
    assert!(registry.host().starts_with("127.0.0.2:"));
    get(&registry, "/v2/").await;
    assert!(registry.log().holding("canary").is_empty());
    let url = format!("{}/v2/", registry.url());
    client().get(&url).bearer_auth("canary-1").send().await.expect("an answer");
    client().get(&url).basic_auth("ada", Some("canary-2")).send().await.expect("an answer");
    client().get(format!("{url}?t=canary-3")).send().await.expect("an answer");
    client().post(&url).body("password=canary-4").send().await.expect("an answer");
    for (at, secret) in ["canary-1", "canary-2", "canary-3", "canary-4"].into_iter().enumerate() {
        let found = registry.log().holding(secret);
        assert_eq!(found.len(), 1, "{secret}");
        assert_eq!(found[0].began, registry.log().entries()[at + 1].began);
    }
}

#[tokio::test]
async fn a_gate_admits_one_by_one() {
    let gate = Gate::new();
    let (registry, path) = with_fault(Fault::Hold(gate.clone()));
    let url = format!("{}{path}", registry.url());
    let asked: Vec<_> = (0..2).map(|_| tokio::spawn(client().get(&url).send())).collect();
    registry.log().until(|entries| entries.len() == 2).await;
    gate.admit(1);
    registry.log().until(|entries| entries.iter().any(|entry| entry.ended.is_some())).await;
    assert_eq!(registry.log().count(|entry| entry.ended.is_some()), 1);
    gate.admit(1);
    for answer in asked {
        assert_eq!(answer.await.expect("no panic").expect("an answer").status(), 200);
    }
}

#[tokio::test]
async fn latency_delays_connection_and_answer() {
    let latency = Duration::from_millis(20);
    let registry = Registry::builder().latency(latency).start();
    let start = Instant::now();
    get(&registry, "/v2/").await;
    assert!(start.elapsed() >= 2 * latency);
}
