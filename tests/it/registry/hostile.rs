//! Every kind of fault at every request of a good run: what is read is either the truth or unknown.

use super::{REPOSITORY, Run, put_image, referrer, served};
use crate::support::{
    Access, Authority, Fault, Framing, OCI_MANIFEST, Referrers, Registry, Rule, Stop, When, catalogue,
};
use bytes::Bytes;
use futures_util::future::join_all;
use ocilint::graph::{Cause, ReferrerList};
use ocilint::oci::Digest;
use ocilint::source::registry::Timeouts;
use ocilint::source::{Part, Served, Source as _};
use std::time::Duration;

/// What one run reads.
struct Read {
    root: Result<Served, Cause>,
    blob: Result<Bytes, Cause>,
    start: Result<Bytes, Cause>,
    referrers: Result<ReferrerList, Cause>,
    tag: Result<Option<Served>, Cause>,
    tags: Result<Vec<String>, Cause>,
}

fn registry(referrers: Referrers) -> (Registry, Digest, Digest) {
    let registry = Registry::builder().access(Access::bearer(&Authority::anonymous())).referrers(referrers).start();
    let subject = put_image(&registry);
    registry.store().put_manifest(REPOSITORY, Some("sig"), referrer(&subject, "sig"), OCI_MANIFEST);
    registry.store().put_fallback(REPOSITORY, subject.as_str());
    let blob: Bytes = (0..100_u8).cycle().take(900).collect();
    registry.store().put_blob(REPOSITORY, blob.clone());
    (registry, subject, Digest::sha256(&blob))
}

async fn read(run: &Run, registry: &Registry, subject: &Digest, blob: &Digest) -> Read {
    let source = run.source(registry, "acme/app:1.0");
    Read {
        root: source.resolve().await.map(served).map_err(|why| why.cause),
        blob: source.blob(blob, Part::Whole { cap: 4096 }).await.map_err(|why| why.cause),
        start: source.blob(blob, Part::Start { length: 512, size: 900 }).await.map_err(|why| why.cause),
        referrers: source.referrers(subject).await.map_err(|why| why.cause),
        tag: source.tag("sig").await.map_err(|why| why.cause),
        tags: source.tags().await.map_err(|why| why.cause),
    }
}

/// A run that gives up soon: what stalls or is asked again changes nothing here.
fn hasty() -> Run {
    let mut run = Run::new();
    run.options.retry.tries = 2;
    let soon = Duration::from_millis(20);
    run.options.timeouts = Timeouts { first_byte: soon, idle: soon, request: 4 * soon, ..Timeouts::default() };
    run
}

/// Asserts that nothing was read that is not so. The tag list and the start of a large blob are not hashed: they can be wrong,
/// but not of another shape. A registry that answers 404 says that there is nothing.
fn assert_true_or_unknown(got: &Read, good: &Read, fault: &str, request: usize) {
    let place = format!("{fault} from request {request} on");
    let is_consistent = |served: &Served| served.digest.matches(&served.bytes);
    assert!(got.root.as_ref().map_or(true, is_consistent), "{place}: {:?}", got.root);
    assert!(got.blob.is_err() || got.blob == good.blob, "{place}: {:?}", got.blob);
    assert!(got.start.as_ref().map_or(true, |start| start.len() == 512), "{place}: {:?}", got.start);
    assert!(
        got.referrers.as_ref().map_or(true, |list| list.descriptors.len() == 1) || fault == "status 404",
        "{place}: {:?}",
        got.referrers
    );
    assert!(
        got.tag.as_ref().map_or(true, |tag| tag.as_ref().is_some_and(is_consistent)) || fault == "status 404",
        "{place}: {:?}",
        got.tag
    );
}

#[tokio::test]
async fn what_is_read_is_the_truth_or_unknown() {
    for referrers in [Referrers::api(), Referrers::absent()] {
        let (good, subject, blob) = registry(referrers.clone());
        let expected = read(&Run::new(), &good, &subject, &blob).await;
        assert!(
            expected.root.is_ok()
                && expected.blob.is_ok()
                && expected.start.is_ok()
                && expected.tag.is_ok()
                && expected.tags.is_ok()
        );
        assert_eq!(expected.referrers.as_ref().unwrap().descriptors.len(), 1);
        for request in 0..good.log().len() {
            let faults = catalogue().into_iter().map(async |(name, fault)| {
                let (registry, ..) = registry(referrers.clone());
                registry.rule(Rule::new(When::any(), fault).after(request));
                assert_true_or_unknown(&read(&hasty(), &registry, &subject, &blob).await, &expected, name, request);
            });
            join_all(faults).await;
        }
    }
}

#[tokio::test]
async fn headers_of_any_bytes_are_survived() {
    let body = super::manifest("1.0");
    for header in [
        "Content-Type: \u{ff}\u{fe}",
        "Content-Type: ",
        "Docker-Content-Digest: \u{e9}",
        "Content-Encoding: \u{ff}",
        "Link: <\u{ff}>; rel=next",
        "Retry-After: \u{ff}",
        "Location: \u{ff}",
        "WWW-Authenticate: \u{ff}",
        "Content-Range: bytes \u{ff}",
    ] {
        for status in [200, 206, 301, 401, 416, 429, 503] {
            let (registry, subject, blob) = registry(Referrers::api());
            // One byte for each character, as Latin-1 has it: no UTF-8.
            let latin: Vec<u8> = header.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            let head = [
                format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len()).as_bytes(),
                &latin,
                b"\r\n\r\n",
                body.as_bytes(),
            ]
            .concat();
            registry.rule(Rule::new(When::any(), Fault::Raw(head.into())));
            let got = read(&hasty(), &registry, &subject, &blob).await;
            assert!(got.blob.is_err() && got.referrers.is_err() && got.tags.is_err(), "{header} {status}");
        }
    }
}

#[tokio::test]
async fn broken_http_is_unknown() {
    for fault in [
        Fault::EndlessHeaders,
        Fault::Raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}".into()),
        Fault::Raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}".into()),
        Fault::Raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}".into()),
        Fault::Raw("HTTP/1.1 999 X\r\n\r\n".into()),
        Fault::Raw("HTTP/9.9 200 OK\r\n\r\n".into()),
        Fault::Raw("".into()),
        Fault::Framing(Framing::Declared(u64::MAX)),
        Fault::Unsaid(Stop::Reset),
    ] {
        let (registry, subject, blob) = registry(Referrers::api());
        registry.rule(Rule::new(When::any(), fault.clone()));
        let got = read(&hasty(), &registry, &subject, &blob).await;
        assert!(got.root.is_err() && got.blob.is_err() && got.referrers.is_err() && got.tags.is_err(), "{fault:?}");
    }
}
