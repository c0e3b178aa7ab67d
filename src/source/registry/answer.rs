//! What a server answered, and what a failure of it means.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use oci_distribution::errors::OciEnvelope;
use reqwest::Url;
use serde_json::Value;

use super::echo::Shown;
use crate::graph::Cause;
use crate::oci::MediaType;

/// How many characters are kept of what a server says about a failure.
const SAID: usize = 300;
/// How much of what came instead of a document is looked at, in bytes.
const LOOKED_AT: usize = 64 << 10;

/// A complete answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Where it came from in the end.
    pub(super) url: Url,
    pub(super) body: Bytes,
    /// What the server was shown, and its words must not repeat.
    pub(super) shown: Shown,
}

impl Answer {
    /// A header as text; bytes that are no UTF-8 are replaced.
    pub(super) fn header(&self, name: impl Into<HeaderName>) -> Option<String> {
        let value = self.headers.get(name.into())?;
        Some(String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
    }

    /// The `Content-Type` without its parameters.
    pub(super) fn media_type(&self) -> Option<MediaType> {
        let header = self.header(CONTENT_TYPE).filter(|text| !text.is_empty())?;
        Some(MediaType::from_content_type(&header))
    }

    /// Whether another try may bring another answer.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
    }

    /// What the status means for whoever wanted a 200.
    pub(super) fn cause(&self) -> Cause {
        let detail = self.said();
        match self.status.as_u16() {
            401 => Cause::Unauthorized { detail },
            403 => Cause::Forbidden { detail },
            404 => Cause::NotFound { detail },
            429 => Cause::RateLimited,
            code @ 300..=399 => Cause::Redirect { detail: format!("status {code}") },
            code => Cause::Status { code, detail },
        }
    }

    /// What the server says about a failure: code and message of the distribution-spec's error envelope; nothing if it
    /// sent no such thing.
    pub(super) fn said(&self) -> String {
        let text = match serde_json::from_slice::<OciEnvelope>(&self.body) {
            Ok(envelope) => envelope.errors.into_iter().next().map(|error| {
                let code = serde_json::to_value(&error.code).ok();
                phrase(code.as_ref().and_then(Value::as_str).unwrap_or_default(), &error.message)
            }),
            Err(_) => self.said_otherwise(),
        };
        self.shown.hidden_in(text.unwrap_or_default()).chars().take(SAID).collect()
    }

    /// The same of an envelope with codes of the registry's own, of a token server, or of a server that speaks plainly
    /// ("Client sent an HTTP request to an HTTPS server.").
    fn said_otherwise(&self) -> Option<String> {
        let Ok(value) = serde_json::from_slice::<Value>(&self.body) else {
            let plain = self.media_type().is_none_or(|media_type| media_type == "text/plain");
            let text = str::from_utf8(&self.body).ok().filter(|text| plain && !text.contains('<'))?;
            return text.lines().next().map(|line| line.trim().to_owned());
        };
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (code, message) = (text("/errors/0/code"), text("/errors/0/message"));
        if (code, message) != ("", "") {
            return Some(phrase(code, message));
        }
        ["/details", "/error_description", "/message", "/error"]
            .into_iter()
            .map(text)
            .find(|text| !text.is_empty())
            .map(Into::into)
    }

    /// What came instead of a document.
    pub(super) fn not_the_document(&self) -> Cause {
        let media_type = self.media_type();
        let media_type = media_type.as_ref().map_or("no Content-Type", MediaType::as_str);
        // More than is shown, so that no secret is cut in two before it is hidden.
        let text = String::from_utf8_lossy(self.body.get(..LOOKED_AT).unwrap_or(&self.body));
        let start: String = self.shown.hidden_in(text.trim().to_owned()).chars().take(60).collect();
        let body = if start.is_empty() { "nothing".to_owned() } else { format!("'{start}'") };
        Cause::NotTheDocument { detail: format!("{}, {body}", self.shown.hidden_in(media_type.to_owned())) }
    }

    /// Whether the body is plainly no document of a registry: empty, a web page, a line of text.
    pub(super) fn is_no_json_object(&self) -> bool {
        self.body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{')
    }
}

fn phrase(code: &str, message: &str) -> String {
    match (code, message) {
        ("", text) | (text, "") => text.to_owned(),
        _ => format!("{code}: {message}"),
    }
}

/// How long the server wants to be left alone: `Retry-After` in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(date.duration_since(Timestamp::now())).ok()
}

/// A URL as it may be shown: without a name and password, and with the query only if the host is `home`, since elsewhere it
/// may hold a signature.
pub(super) fn shown(url: &Url, home: &str) -> String {
    let mut url = url.clone();
    if url.host_str() != Some(home) {
        url.set_query(None);
    }
    url.set_fragment(None);
    // Where a URL can hold none, there is none to take away.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            url: Url::parse("https://reg.test/v2/").unwrap(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            shown: Shown::default(),
        }
    }

    #[test]
    fn the_registrys_words_are_kept_short_and_raw() {
        for (body, said) in [
            (
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no \u001b[31m such"}]}"#,
                "MANIFEST_UNKNOWN: no \u{1b}[31m such",
            ),
            (r#"{"errors":[{"code":"QUOTA","message":"enough"}]}"#, "QUOTA: enough"),
            (r#"{"errors":[{"code":"DENIED"}]}"#, "DENIED"),
            (r#"{"errors":[]}"#, ""),
            (r#"{"details":"incorrect username or password"}"#, "incorrect username or password"),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(answer(404, body).cause(), Cause::NotFound { detail: said.into() }, "{body}");
        }
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(1000));
        assert_eq!(answer(500, &long).said().chars().count(), SAID);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.try_into().unwrap());
            retry_after(&headers)
        };
        assert_eq!(read(b" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(read(b"Wed, 21 Oct 2015 07:28:00 GMT"), None, "in the past");
        assert!(read(b"Fri, 31 Dec 2100 23:59:59 GMT") > Some(Duration::from_hours(1)));
        for bad in [&b"soon"[..], b"-1", b"\xff", b"", b"99999999999999999999999"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn queries_of_other_hosts_are_not_shown() {
        let url = Url::parse("https://reg.test/v2/a/tags/list?n=5#x").unwrap();
        assert_eq!(shown(&url, "reg.test"), "https://reg.test/v2/a/tags/list?n=5");
        assert_eq!(shown(&url, "other.test"), "https://reg.test/v2/a/tags/list");
        assert_eq!(shown(&Url::parse("https://me:secret@reg.test/v2/").unwrap(), ""), "https://reg.test/v2/");
    }
}
