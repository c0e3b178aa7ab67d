//! Blobs, whole and in part.

use super::{REPOSITORY, Run};
use crate::support::{Fault, Framing, Registry, Rule, When};
use bytes::Bytes;
use ocilint::graph::Cause;
use ocilint::oci::Digest;
use ocilint::source::{Part, Source as _};

const WHOLE: Part = Part::Whole { cap: 4096 };

fn content() -> Bytes {
    (0..2000_u32).map(|n| n.to_le_bytes()[0]).collect()
}

fn with_blob() -> (Registry, Digest) {
    let registry = Registry::start();
    registry.store().put_blob(REPOSITORY, content());
    (registry, Digest::sha256(&content()))
}

async fn read(registry: &Registry, digest: &Digest, part: Part) -> Result<Bytes, Cause> {
    Run::new().source(registry, "acme/app:1.0").blob(digest, part).await.map_err(|why| why.cause)
}

fn start(length: u64, size: u64) -> Part {
    Part::Start { length, size }
}

#[tokio::test]
async fn a_whole_blob_is_hashed() {
    let (registry, digest) = with_blob();
    assert_eq!(read(&registry, &digest, WHOLE).await, Ok(content()));
    assert_eq!(registry.log().entries()[0].header("range"), None);

    registry.rule(Rule::new(When::blobs(), Fault::Flip(7)).times(1));
    assert_eq!(read(&registry, &digest, WHOLE).await, Ok(content()), "one more try");
    registry.rule(Rule::new(When::blobs(), Fault::Flip(7)));
    registry.log().clear();
    assert!(matches!(read(&registry, &digest, WHOLE).await, Err(Cause::DigestMismatch { .. })));
    assert_eq!(registry.log().len(), 2);
}

#[tokio::test]
async fn a_blob_is_as_large_as_the_caller_allows() {
    let (registry, digest) = with_blob();
    for cap in [1999, 0] {
        assert_eq!(read(&registry, &digest, Part::Whole { cap }).await, Err(Cause::TooLarge { cap }));
    }
    assert!(read(&registry, &digest, Part::Whole { cap: 2000 }).await.is_ok());
}

#[tokio::test]
async fn the_empty_document_is_known() {
    let registry = Registry::start();
    for part in [WHOLE, start(512, 2)] {
        assert_eq!(read(&registry, &Digest::sha256(b"{}"), part).await, Ok(Bytes::from("{}")));
    }
    assert!(registry.log().is_empty());
}

#[tokio::test]
async fn the_start_of_a_blob_is_a_range_within_its_size() {
    let (registry, digest) = with_blob();
    for (length, size, range, got) in [
        (512, 2000, "bytes=0-511", 512),
        (512, 0, "bytes=0-511", 512),
        (4000, 2000, "bytes=0-1999", 2000),
        (1, 2000, "bytes=0-0", 1),
    ] {
        registry.log().clear();
        assert_eq!(read(&registry, &digest, start(length, size)).await, Ok(content().slice(..got)), "{range}");
        assert_eq!(registry.log().entries()[0].header("range"), Some(range));
    }
    registry.log().clear();
    assert_eq!(read(&registry, &digest, start(0, 2000)).await, Ok(Bytes::new()));
    assert!(registry.log().is_empty());
}

#[tokio::test]
async fn a_server_without_ranges_is_cut_short() {
    let (registry, digest) = with_blob();
    registry.rule(Rule::new(When::blobs(), Fault::IgnoreRange));
    assert_eq!(read(&registry, &digest, start(512, 2000)).await, Ok(content().slice(..512)));
    registry.rule(Rule::new(When::blobs(), Fault::Endless(Framing::Chunked)));
    assert_eq!(read(&registry, &digest, start(512, 2000)).await, Ok(content().slice(..512)), "even without end");
}

#[tokio::test]
async fn a_descriptor_with_the_wrong_size_is_found_out() {
    let (registry, digest) = with_blob();
    let mismatch = |wanted| Err(Cause::SizeMismatch { wanted, got: 2000 });
    assert_eq!(read(&registry, &digest, start(512, 3000)).await, mismatch(3000));
    registry.rule(Rule::new(When::blobs(), Fault::IgnoreRange));
    assert_eq!(read(&registry, &digest, start(512, 3000)).await, mismatch(3000));
    assert_eq!(registry.log().len(), 4, "each asked twice");

    let empty = Registry::start();
    empty.store().put_blob(REPOSITORY, "");
    let digest = Digest::sha256(b"");
    assert_eq!(read(&empty, &digest, start(512, 10)).await, Err(Cause::SizeMismatch { wanted: 10, got: 0 }));
    assert_eq!(read(&empty, &digest, start(512, 0)).await, Ok(Bytes::new()));
}

#[tokio::test]
async fn all_of_a_small_blob_is_hashed() {
    let (registry, digest) = with_blob();
    registry.rule(Rule::new(When::blobs(), Fault::Flip(7)));
    assert!(matches!(read(&registry, &digest, start(4000, 0)).await, Err(Cause::DigestMismatch { .. })));
    assert!(matches!(read(&registry, &digest, start(4000, 2000)).await, Err(Cause::DigestMismatch { .. })));
}

#[tokio::test]
async fn a_part_must_be_the_part_asked_for() {
    for header in [
        "",
        "bytes 1-512/2000",
        "bytes 0-510/2000",
        "bytes 0-511",
        "bytes 0-x/2000",
        "pages 0-511/2000",
        "bytes 0-511/y",
        "bytes 0-18446744073709551615/2",
    ] {
        let (registry, digest) = with_blob();
        registry.rule(Rule::new(When::blobs(), Fault::Header("Content-Range", header.into())));
        let got = read(&registry, &digest, start(512, 2000)).await;
        assert!(matches!(got, Err(Cause::NotTheDocument { .. })), "{header}: {got:?}");
    }
    let (registry, digest) = with_blob();
    registry.rule(Rule::new(When::blobs(), Fault::Header("Content-Range", "bytes 0-511/*".into())));
    assert!(read(&registry, &digest, start(512, 2000)).await.is_ok(), "the size need not be told");
}

#[tokio::test]
async fn less_than_asked_for_is_truncated() {
    let (registry, digest) = with_blob();
    let short = Fault::answer(206, &[("Content-Range", "bytes 0-99/2000")], content().slice(..100));
    registry.rule(Rule::new(When::blobs(), short));
    assert_eq!(read(&registry, &digest, start(512, 2000)).await, Err(Cause::Truncated { got: 100 }));
}

#[tokio::test]
async fn an_absent_blob_is_not_found() {
    let registry = Registry::start();
    for part in [WHOLE, start(512, 2000)] {
        let got = read(&registry, &Digest::sha256(b"absent"), part).await;
        assert_eq!(got, Err(Cause::NotFound { detail: "BLOB_UNKNOWN: blob_unknown".into() }));
    }
}
