//! Manifests: fetched by tag or digest, hashed, and told from what a login page or a proxy sends in their place.

use http::{HeaderName, StatusCode};

use super::answer::Answer;
use super::transport::{Call, Visit};
use super::wire::Take;
use crate::graph::Cause;
use crate::oci::{Digest, DigestError, Document, MANIFEST_ACCEPT, Manifest, Role, Unreadable};
use crate::source::Served;

/// The largest manifest, index or page of a list that is read, in bytes: what distribution-spec asks registries to accept.
pub(super) const MANIFEST: u64 = 4 * 1024 * 1024;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a manifest is asked for by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named<'a> {
    Tag(&'a str),
    Digest(&'a Digest),
}

impl Visit<'_> {
    /// A manifest or index. What does not match is asked for once more, in case it was damaged on the way.
    pub(super) async fn served(&self, named: Named<'_>) -> Result<Served, Cause> {
        let first = self.served_once(named).await;
        if matches!(first, Err(Cause::DigestMismatch { .. })) {
            return self.served_once(named).await;
        }
        first
    }

    async fn served_once(&self, named: Named<'_>) -> Result<Served, Cause> {
        let url = match named {
            Named::Tag(tag) if is_tag(tag) => self.repository.url(&format!("manifests/{tag}")),
            Named::Tag(text) => return Err(Cause::NotFound { detail: format!("'{text}' cannot be a tag") }),
            Named::Digest(digest) => self.repository.url(&format!("manifests/{digest}")),
        };
        let take = Take::Whole { cap: MANIFEST };
        let answer = self.get(&Call { url, accept: Some(MANIFEST_ACCEPT), range: None, take }).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.cause());
        }
        let digest = match named {
            Named::Digest(wanted) => asked_for(&answer, wanted)?,
            Named::Tag(_) => announced(&answer)?,
        };
        self.repository.was_read();
        let media_type = answer.media_type();
        Ok(Served { bytes: answer.body, digest, media_type })
    }
}

/// The digest that was asked for, if the body has it and the registry does not say otherwise.
fn asked_for(answer: &Answer, wanted: &Digest) -> Result<Digest, Cause> {
    if !wanted.matches(&answer.body) {
        return Err(mismatch(answer, wanted));
    }
    check_header(answer)?;
    Ok(wanted.clone())
}

/// The digest of what a tag points to: the one that the registry announces if the body has it.
fn announced(answer: &Answer) -> Result<Digest, Cause> {
    if !is_manifest(answer) {
        return Err(answer.not_the_document());
    }
    Ok(check_header(answer)?.unwrap_or_else(|| Digest::sha256(&answer.body)))
}

/// The digest in `Docker-Content-Digest`, which the body must have; `None` if there is none that can be checked.
fn check_header(answer: &Answer) -> Result<Option<Digest>, Cause> {
    let Some(text) = answer.header(CONTENT_DIGEST) else { return Ok(None) };
    // The digest of a signed schema 1 manifest is that of its payload, without the signatures.
    if answer.media_type().is_some_and(|media_type| media_type.role() == Role::Schema1) {
        return Ok(None);
    }
    match text.parse::<Digest>() {
        Ok(digest) if digest.matches(&answer.body) => Ok(Some(digest)),
        Ok(digest) => Err(mismatch(answer, &digest)),
        Err(DigestError::UnsupportedAlgorithm { .. }) => Ok(None),
        Err(DigestError::Malformed { .. }) => {
            Err(Cause::DigestMismatch { wanted: text, got: Digest::sha256(&answer.body).to_string() })
        }
    }
}

/// What it means that the body does not have a digest.
pub(super) fn mismatch(answer: &Answer, wanted: &Digest) -> Cause {
    let web_page = answer.media_type().is_some_and(|media_type| media_type == "text/html");
    if answer.body.is_empty() || (web_page && answer.is_no_json_object()) {
        return answer.not_the_document();
    }
    let got = Digest::of(wanted.algorithm(), &answer.body);
    Cause::DigestMismatch { wanted: wanted.to_string(), got: got.to_string() }
}

/// Whether the body could be a manifest. One that is broken or ambiguous is still a document of the image, to be judged as such.
fn is_manifest(answer: &Answer) -> bool {
    !answer.is_no_json_object()
        && !matches!(Document::<Manifest>::read(answer.body.clone()), Err(Unreadable::NotAManifest(_)))
}

/// Distribution-spec, "Pulling manifests".
pub(super) fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = text.bytes();
    text.len() <= 128 && bytes.next().is_some_and(word) && bytes.all(|b| word(b) || b == b'.' || b == b'-')
}
