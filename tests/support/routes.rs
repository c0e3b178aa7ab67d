//! The endpoints of the distribution-spec, answered truly.

use super::auth::{Access, Authority};
use super::http::{Answer, Request};
use super::store::{OCI_INDEX, Store, referrers_index, sha256};
use bytes::Bytes;
use serde_json::{Value, json};

/// What the referrers API does.
#[derive(Debug, Clone)]
pub struct Referrers {
    /// The status of every answer if there is no such API, such as 404.
    pub absent: Option<u16>,
    /// So many entries on a page.
    pub page: Option<usize>,
    /// Whether `artifactType` filters.
    pub filters: bool,
}

impl Referrers {
    /// The API, all on one page, filtering.
    pub fn api() -> Self {
        Self { absent: None, page: None, filters: true }
    }

    /// The API in pages of this size, not filtering.
    pub fn paged(size: usize) -> Self {
        Self { page: Some(size), filters: false, ..Self::api() }
    }

    /// No such API: 404.
    pub fn absent() -> Self {
        Self::absent_with(404)
    }

    /// No such API, said with this status.
    pub fn absent_with(status: u16) -> Self {
        Self { absent: Some(status), ..Self::api() }
    }
}

/// What a server serves, and to whom.
#[derive(Debug, Clone)]
pub struct Site {
    /// What it holds.
    pub store: Store,
    /// What it asks of readers.
    pub access: Access,
    /// Whose tokens it gives out.
    pub authority: Option<Authority>,
    /// What its referrers API does.
    pub referrers: Referrers,
    /// The most tags on a page.
    pub tags_page: usize,
    /// The server's own URL.
    pub origin: String,
}

impl Site {
    /// The true answer to a request.
    pub fn answer(&self, request: &Request) -> Answer {
        if request.path == "/token" {
            let authority = self.authority.as_ref();
            return authority.map_or_else(|| Answer::error(404, "NAME_UNKNOWN"), |it| it.token(request));
        }
        if let Some(file) = self.store.file(&request.path) {
            return ranged(request, &file.media_type, &file.body);
        }
        let Some(endpoint) = request.path.strip_prefix("/v2/") else {
            return Answer::error(404, "NAME_UNKNOWN");
        };
        let (repository, kind, name) = split(endpoint).unwrap_or_default();
        let scope = Some(repository).filter(|name| !name.is_empty());
        if let Some(refusal) = self.access.refusal(request, scope, &self.origin) {
            return refusal;
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Answer::error(405, "UNSUPPORTED");
        }
        match kind {
            "manifests" => self.manifest(repository, name),
            "blobs" => self.blob(request, repository, name),
            "referrers" => self.referrers(request, repository, name),
            "tags" if name == "list" => self.tags(request, repository),
            _ if endpoint.is_empty() => Answer::json(200, &json!({})),
            _ => Answer::error(404, "NAME_UNKNOWN"),
        }
    }

    fn manifest(&self, repository: &str, reference: &str) -> Answer {
        let Some((digest, stored)) = self.store.manifest(repository, reference) else {
            return Answer::error(404, "MANIFEST_UNKNOWN");
        };
        Answer::new(200, &stored.media_type, stored.body).with("Docker-Content-Digest", digest)
    }

    fn blob(&self, request: &Request, repository: &str, digest: &str) -> Answer {
        let Some(body) = self.store.blob(repository, digest) else {
            return Answer::error(404, "BLOB_UNKNOWN");
        };
        ranged(request, "application/octet-stream", &body).with("Docker-Content-Digest", digest)
    }

    fn referrers(&self, request: &Request, repository: &str, subject: &str) -> Answer {
        if let Some(status) = self.referrers.absent {
            return Answer::error(status, "NOT_FOUND");
        }
        let mut entries = self.store.referrers(repository, subject);
        let wanted = request.query_values("artifactType");
        let filtered = self.referrers.filters && !wanted.is_empty();
        if filtered {
            entries.retain(|entry| wanted.iter().any(|kind| entry["artifactType"] == *kind));
        }
        let size = self.referrers.page.unwrap_or(usize::MAX).max(1);
        let start = number(request, "page").unwrap_or(0).saturating_mul(size).min(entries.len());
        let end = start.saturating_add(size).min(entries.len());
        let mut answer = Answer::new(200, OCI_INDEX, referrers_index(&entries[start..end]));
        if end < entries.len() {
            answer.set("Link", format!("<{}?page={}>; rel=\"next\"", request.path, end / size));
        }
        if filtered {
            answer.set("OCI-Filters-Applied", "artifactType");
        }
        answer
    }

    fn tags(&self, request: &Request, repository: &str) -> Answer {
        let Some(mut tags) = self.store.tags(repository) else {
            return Answer::error(404, "NAME_UNKNOWN");
        };
        if let Some(last) = request.query_values("last").first() {
            tags.retain(|tag| tag > last);
        }
        let size = number(request, "n").unwrap_or(usize::MAX).min(self.tags_page);
        let more = tags.len() > size;
        tags.truncate(size);
        let answer = Answer::json(200, &json!({ "name": repository, "tags": tags }));
        match tags.last() {
            Some(last) if more => answer.with("Link", format!("<{}?n={size}&last={last}>; rel=\"next\"", request.path)),
            _ => answer,
        }
    }
}

fn number(request: &Request, name: &str) -> Option<usize> {
    request.query_values(name).first()?.parse().ok()
}

/// `acme/app/manifests/1.0` → repository, kind, name.
fn split(endpoint: &str) -> Option<(&str, &str, &str)> {
    let (rest, name) = endpoint.rsplit_once('/')?;
    let (repository, kind) = rest.rsplit_once('/')?;
    Some((repository, kind, name))
}

/// The body, or the part of it that the request asks for.
fn ranged(request: &Request, media_type: &str, body: &Bytes) -> Answer {
    let length = body.len() as u64;
    let whole = || Answer::new(200, media_type, body.clone()).with("Accept-Ranges", "bytes");
    let Some((first, last)) = request.range() else {
        return whole();
    };
    if first >= length || last.is_some_and(|last| last < first) {
        return Answer::empty(416).with("Content-Range", format!("bytes */{length}"));
    }
    let last = last.unwrap_or(u64::MAX).min(length - 1);
    let (from, to) = (usize::try_from(first), usize::try_from(last));
    let (Ok(from), Ok(to)) = (from, to) else {
        return whole();
    };
    Answer::new(206, media_type, body.slice(from..=to)).with("Content-Range", format!("bytes {first}-{last}/{length}"))
}
