//! Encrypted connections, and whom they trust.

use super::{Run, put_image, with_image};
use crate::support::{Access, Authority, Certificates, Credentials, Registry};
use ocilint::graph::Cause;
use ocilint::source::Source as _;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::NamedTempFile;

fn encrypted() -> (Registry, NamedTempFile) {
    let certificates = Certificates::new();
    let registry = Registry::builder().tls(&certificates).start();
    put_image(&registry);
    (registry, certificates.authority_file())
}

/// A run that speaks https, and trusts this file beside the system's certificates.
fn run(ca_file: Option<PathBuf>) -> Run {
    let mut run = Run::new();
    run.options.plain_http.loopback = false;
    run.options.ca_file = ca_file;
    run
}

async fn resolve(run: &Run, registry: &Registry) -> Result<(), Cause> {
    run.source(registry, "acme/app:1.0").resolve().await.map(drop).map_err(|why| why.cause)
}

#[tokio::test]
async fn a_named_authority_is_trusted() {
    let (registry, authority) = encrypted();
    assert_eq!(resolve(&run(Some(authority.path().to_owned())), &registry).await, Ok(()));
}

#[tokio::test]
async fn an_unknown_authority_is_not_and_asking_again_would_not_help() {
    let (registry, _) = encrypted();
    let other = Certificates::new().authority_file();
    let run = run(Some(other.path().to_owned()));
    let cause = resolve(&run, &registry).await.unwrap_err();
    assert!(matches!(&cause, Cause::Unreachable { detail } if detail.contains("certificate")), "{cause}");
    assert_eq!((registry.log().connections(), run.pauses().len(), registry.log().len()), (1, 0, 0));
}

#[tokio::test]
async fn nothing_falls_back_to_http() {
    let (registry, _) = with_image();
    let authority = Certificates::new().authority_file();
    let mut run = run(Some(authority.path().to_owned()));
    run.options.timeouts.connect = Duration::from_millis(50);
    let cause = resolve(&run, &registry).await.unwrap_err();
    assert!(
        matches!(cause, Cause::Timeout { .. }),
        "the server waits for a request, the client for a handshake: {cause}"
    );
    assert!(registry.log().is_empty());
}

#[tokio::test]
async fn a_run_over_http_never_opens_the_trust_store() {
    let (registry, _) = with_image();
    let mut run = run(Some("/nonexistent/authority.pem".into()));
    let (other, _) = encrypted();
    assert!(matches!(resolve(&run, &other).await, Err(Cause::File { .. })));
    run.options.plain_http.loopback = true;
    assert_eq!(resolve(&run, &registry).await, Ok(()));
}

#[tokio::test]
async fn credentials_need_no_leave_where_the_connection_is_encrypted() {
    let certificates = Certificates::new();
    let authority = certificates.authority_file();
    let tokens = Authority::private(Credentials::basic("me", "canary-password"));
    let registry = Registry::builder().tls(&certificates).access(Access::bearer(&tokens)).start();
    put_image(&registry);
    let entry = serde_json::json!({ "username": "me", "password": "canary-password" });
    let run = run(Some(authority.path().to_owned())).with_auth(&registry.host(), &entry);
    assert_eq!(resolve(&run, &registry).await, Ok(()));
}
