//! Blobs: whole and hashed, or the first bytes.

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_RANGE;

use super::answer::Answer;
use super::manifests::mismatch;
use super::transport::{Call, Visit};
use super::wire::Take;
use crate::graph::Cause;
use crate::oci::Digest;
use crate::source::Part;

/// The content of the OCI empty descriptor, which need not be asked for.
const EMPTY_JSON: Bytes = Bytes::from_static(b"{}");

impl Visit<'_> {
    /// A blob, or the start of one. What does not match is asked for once more, in case it was damaged on the way.
    pub(super) async fn blob(&self, digest: &Digest, part: Part) -> Result<Bytes, Cause> {
        if digest.is_empty_json() {
            return Ok(EMPTY_JSON);
        }
        let first = self.blob_once(digest, part).await;
        if matches!(first, Err(Cause::DigestMismatch { .. } | Cause::SizeMismatch { .. })) {
            return self.blob_once(digest, part).await;
        }
        first
    }

    async fn blob_once(&self, digest: &Digest, part: Part) -> Result<Bytes, Cause> {
        let (range, take) = match part {
            Part::Whole { cap } => (None, Take::Whole { cap }),
            Part::Start { length: 0, .. } => return Ok(Bytes::new()),
            Part::Start { length, size } => {
                let bytes = if size == 0 { length } else { length.min(size) };
                (Some((0, bytes - 1)), Take::First { bytes })
            }
        };
        let url = self.repository.url(&format!("blobs/{digest}"));
        let answer = self.get(&Call { url, accept: None, range, take }).await?;
        match part {
            Part::Whole { .. } => whole(answer, digest),
            Part::Start { length, size } => start(answer, digest, length, size),
        }
    }
}

fn whole(answer: Answer, digest: &Digest) -> Result<Bytes, Cause> {
    if answer.status != StatusCode::OK {
        return Err(answer.cause());
    }
    if digest.matches(&answer.body) { Ok(answer.body) } else { Err(mismatch(&answer, digest)) }
}

/// The start of a blob whose descriptor gives `size` (0: unknown). If that is all of it, it is hashed, too.
fn start(answer: Answer, digest: &Digest, length: u64, size: u64) -> Result<Bytes, Cause> {
    let total = match answer.status {
        StatusCode::PARTIAL_CONTENT => part_of(&answer)?,
        StatusCode::OK => content_length(&answer),
        StatusCode::RANGE_NOT_SATISFIABLE => match unsatisfied(&answer) {
            Some(0) if size == 0 => return Ok(Bytes::new()),
            Some(total) if size != 0 => return Err(Cause::SizeMismatch { wanted: size, got: total }),
            _ => return Err(answer.cause()),
        },
        _ => return Err(answer.cause()),
    };
    if let Some(total) = total.filter(|total| size != 0 && *total != size) {
        return Err(Cause::SizeMismatch { wanted: size, got: total });
    }
    let got = answer.body.len() as u64;
    let total = total.or((size != 0).then_some(size));
    if total.is_some_and(|total| got < length.min(total)) {
        return Err(Cause::Truncated { got });
    }
    if got < length && !digest.matches(&answer.body) {
        return Err(mismatch(&answer, digest));
    }
    Ok(answer.body)
}

/// The size of the whole blob in `Content-Range: bytes 0-511/2048`; `None` for `*`.
fn part_of(answer: &Answer) -> Result<Option<u64>, Cause> {
    let text = answer.header(CONTENT_RANGE).unwrap_or_default();
    let wrong = || Cause::NotTheDocument { detail: format!("a part of a blob with the Content-Range '{text}'") };
    let (range, total) = text.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let (first, last) = range.split_once('-').ok_or_else(wrong)?;
    let last: u64 = last.parse().map_err(|_| wrong())?;
    if first != "0" || last.checked_add(1) != Some(answer.body.len() as u64) {
        return Err(wrong());
    }
    if total == "*" { Ok(None) } else { total.parse().map(Some).map_err(|_| wrong()) }
}

/// The size of the blob in `Content-Range: bytes */2048`.
fn unsatisfied(answer: &Answer) -> Option<u64> {
    answer.header(CONTENT_RANGE)?.strip_prefix("bytes */")?.parse().ok()
}

fn content_length(answer: &Answer) -> Option<u64> {
    answer.header(http::header::CONTENT_LENGTH)?.parse().ok()
}
