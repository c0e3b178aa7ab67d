//! The scripted registry does what it says. Everything that is tested with it rests on that.

mod access;
mod faults;
mod http2;
mod recording;
mod serving;

use crate::support::{Fault, OCI_MANIFEST, Registry, Rule, When};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BODY: &str = r#"{"schemaVersion":2}"#;

fn client() -> Client {
    client_trusting(&[])
}

fn client_trusting(authorities: &[reqwest::Certificate]) -> Client {
    // The second test to come here finds the provider installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.tls_certs_only(authorities.iter().cloned()).build().expect("a client")
}

async fn get(registry: &Registry, path: &str) -> Response {
    client().get(format!("{}{path}", registry.url())).send().await.expect("an answer")
}

async fn get_json(registry: &Registry, path: &str) -> Value {
    serde_json::from_slice(&get(registry, path).await.bytes().await.expect("a body")).expect("JSON")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a text"))
}

/// All that comes back on a connection of its own until it ends; whether it ended in an orderly way.
async fn raw(registry: &Registry, path: &str) -> (String, bool) {
    let mut stream = TcpStream::connect(registry.host()).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", registry.host());
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut text = Vec::new();
    let orderly = stream.read_to_end(&mut text).await.is_ok();
    (String::from_utf8(text).expect("text"), orderly)
}

/// A registry with `acme/app:1.0`, and its path by tag.
fn with_image() -> (Registry, &'static str) {
    let registry = Registry::start();
    registry.store().put_manifest("acme/app", Some("1.0"), BODY, OCI_MANIFEST);
    (registry, "/v2/acme/app/manifests/1.0")
}

fn with_fault(fault: Fault) -> (Registry, &'static str) {
    let (registry, path) = with_image();
    registry.rule(Rule::new(When::path(path), fault));
    (registry, path)
}
