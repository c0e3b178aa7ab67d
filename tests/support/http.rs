//! Requests as they came, answers as they are meant to go out.

use super::delivery::Delivery;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Header names and values in the order in which they stand in the message.
pub type Headers = Vec<(String, String)>;

const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// The method, in upper case.
    pub method: String,
    /// The path as sent: not decoded, without the query.
    pub path: String,
    /// The query as sent, without the question mark; empty if there is none.
    pub query: String,
    /// All headers, names in lower case.
    pub headers: Headers,
    /// The body (a token request has one).
    pub body: Bytes,
}

impl Request {
    /// Path and query.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// All values of a query parameter, decoded.
    pub fn query_values(&self, name: &str) -> Vec<String> {
        form_values(self.query.as_bytes(), name)
    }

    /// The first value of a field of a form body, decoded.
    pub fn form_value(&self, name: &str) -> Option<String> {
        form_values(&self.body, name).into_iter().next()
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// User and password of `Authorization: Basic`.
    pub fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// First and last byte of `Range: bytes=a-b` or `bytes=a-`.
    pub fn range(&self) -> Option<(u64, Option<u64>)> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
        Some((first.parse().ok()?, last))
    }
}

fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn form_values(text: &[u8], name: &str) -> Vec<String> {
    url::form_urlencoded::parse(text).filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

/// One answer: what it says, and how it is put on the wire.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All headers except `Content-Length`, `Transfer-Encoding` and `Connection`, which follow from the delivery.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
    /// How it goes out.
    pub delivery: Delivery,
}

impl Answer {
    /// An answer with a body of a type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), delivery: Delivery::default() }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), delivery: Delivery::default() }
    }

    /// A JSON answer.
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// The distribution-spec's error envelope.
    pub fn error(status: u16, code: &str) -> Self {
        let value = serde_json::json!({ "errors": [{ "code": code, "message": code.to_lowercase() }] });
        Self::json(status, &value)
    }

    /// Sets a header in place of those of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a header in place of those of the same name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Takes a header out.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// Whether HTTP gives this answer no body.
pub fn bodiless(request: &Request, answer: &Answer) -> bool {
    request.method == "HEAD" || matches!(answer.status, 204 | 304)
}

/// Reads one HTTP/1.1 request; `None` at the end of the connection. `buffer` keeps what was read beyond it.
pub async fn read_request<S>(stream: &mut S, buffer: &mut BytesMut) -> io::Result<Option<Request>>
where
    S: AsyncRead + Unpin,
{
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(io::Error::other("request head too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = buffer.split_to(end + 4);
    let mut request = parse_head(&head).ok_or_else(|| io::Error::other("malformed request head"))?;
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    if length > BODY_LIMIT {
        return Err(io::Error::other("request body too long"));
    }
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    request.body = buffer.split_to(length).freeze();
    Ok(Some(request))
}

fn parse_head(head: &[u8]) -> Option<Request> {
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let mut start = lines.next()?.split(' ');
    let method = start.next()?.to_owned();
    let target = start.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = Headers::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some(Request {
        version: "HTTP/1.1",
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Bytes::new(),
    })
}
