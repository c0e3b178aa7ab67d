//! Faults as data: which requests are answered wrongly, how, and how often.

use super::delivery::{Delivery, End, Framing, Gate, Stop};
use super::http::{Answer, Request};
use bytes::Bytes;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

type Test = dyn Fn(&Request) -> bool + Send + Sync;

/// Which requests a rule is about.
#[derive(Clone)]
pub struct When(Arc<Test>);

impl When {
    /// Those of which this holds.
    pub fn test(test: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(test))
    }

    /// All.
    pub fn any() -> Self {
        Self::test(|_| true)
    }

    /// Those with exactly this path.
    pub fn path(path: impl Into<String>) -> Self {
        let path = path.into();
        Self::test(move |request| request.path == path)
    }

    /// Those with this text in path and query.
    pub fn contains(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::test(move |request| request.target().contains(&text))
    }

    /// Those of this method.
    pub fn method(method: impl Into<String>) -> Self {
        let method = method.into();
        Self::test(move |request| request.method == method)
    }

    /// Requests for manifests, by tag or digest.
    pub fn manifests() -> Self {
        Self::contains("/manifests/")
    }

    /// Requests for blobs.
    pub fn blobs() -> Self {
        Self::contains("/blobs/")
    }

    /// Requests to the referrers API.
    pub fn referrers() -> Self {
        Self::contains("/referrers/")
    }

    /// Requests for tag lists.
    pub fn tags() -> Self {
        Self::contains("/tags/list")
    }

    /// Requests for tokens.
    pub fn tokens() -> Self {
        Self::path("/token")
    }

    /// Requests that carry an `Authorization`.
    pub fn authorized() -> Self {
        Self::test(|request| request.header("authorization").is_some())
    }

    /// Those of which both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::test(move |request| self.holds(request) && other.holds(request))
    }

    /// Those of which this does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::test(move |request| !self.holds(request))
    }

    fn holds(&self, request: &Request) -> bool {
        (self.0)(request)
    }
}

/// A fault for some of the requests. Of several rules that match a request, each is applied, in their order.
#[derive(Clone)]
pub struct Rule {
    when: When,
    fault: Fault,
    skip: usize,
    times: usize,
    matched: Arc<AtomicUsize>,
}

impl Rule {
    /// The fault for every request that matches.
    pub fn new(when: When, fault: Fault) -> Self {
        Self { when, fault, skip: 0, times: usize::MAX, matched: Arc::default() }
    }

    /// Leaves the first matching requests alone.
    #[must_use]
    pub fn after(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Ends after it was applied so often.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// The fault if the rule matches now; counts the match.
    pub(super) fn strikes(&self, request: &Request) -> Option<&Fault> {
        if !self.when.holds(request) {
            return None;
        }
        let earlier = self.matched.fetch_add(1, Ordering::Relaxed);
        (earlier >= self.skip && earlier - self.skip < self.times).then_some(&self.fault)
    }
}

/// What is wrong with an answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This answer in place of the true one.
    Answer(Answer),
    /// A redirect; the text is the `Location`.
    Redirect(u16, String),
    /// A redirect to the same path and query below this URL.
    RedirectBelow(u16, String),
    /// The connection ends, or stalls, before the status line.
    Unsaid(Stop),
    /// The body ends, or stalls, after so many bytes, though the head announces all of it.
    Cut(usize, Stop),
    /// The body is repeated for ever, in this framing (not [`Framing::Length`]).
    Endless(Framing),
    /// The head is followed by headers without end.
    EndlessHeaders,
    /// So many bytes of the body at a time, with a pause after each piece.
    Drip(usize, Duration),
    /// The body is told in this framing.
    Framing(Framing),
    /// These bytes in place of a HTTP message, then the end of the connection.
    Raw(Bytes),
    /// Another body of the same status and headers.
    Body(Bytes),
    /// The lowest bit of one byte of the body is flipped (the byte at this place, counted round the end).
    Flip(usize),
    /// These bytes follow the body.
    Append(Bytes),
    /// A header with another value.
    Header(&'static str, String),
    /// A header too much, beside one of the same name.
    ExtraHeader(&'static str, String),
    /// A header left out.
    NoHeader(&'static str),
    /// The body compressed, with `Content-Encoding: gzip`.
    Gzip,
    /// `Range` is not understood: 200 with the whole body. Takes effect before the answer is made.
    IgnoreRange,
    /// A `Link` to the very page that was asked for.
    LinkLoop,
    /// The answer is held until the gate opens.
    Hold(Gate),
    /// The answer is late.
    Delay(Duration),
    /// The answer is late by up to this long; how long depends on the seed and the path.
    Jitter(u64, Duration),
}

impl Fault {
    /// An answer of this status with the fitting error envelope.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer::error(status, code(status)))
    }

    /// An answer of this status with these headers and body.
    pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Self {
        let mut answer = Answer::empty(status);
        answer.body = body.into();
        answer.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::Answer(answer)
    }

    /// 200 with a login page.
    pub fn html() -> Self {
        Self::Answer(Answer::new(200, "text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in</title>"))
    }

    /// 429, with `Retry-After` if given.
    pub fn rate_limit(retry_after: Option<&str>) -> Self {
        let answer = Answer::error(429, "TOOMANYREQUESTS");
        Self::Answer(match retry_after {
            Some(value) => answer.with("Retry-After", value),
            None => answer,
        })
    }

    /// Another `Docker-Content-Digest`.
    pub fn digest_header(value: impl Into<String>) -> Self {
        Self::Header("Docker-Content-Digest", value.into())
    }

    /// Another `Content-Type`.
    pub fn content_type(value: impl Into<String>) -> Self {
        Self::Header("Content-Type", value.into())
    }

    /// Works on the request before it is answered.
    pub(super) fn prepare(&self, request: &mut Request) {
        if matches!(self, Self::IgnoreRange) {
            request.headers.retain(|(name, _)| name != "range");
        }
    }

    /// Works on the true answer.
    pub(super) fn apply(&self, request: &Request, answer: &mut Answer) {
        match self {
            Self::Answer(other) => replace(answer, other.clone()),
            Self::Redirect(status, location) => {
                replace(answer, Answer::empty(*status).with("Location", location));
            }
            Self::RedirectBelow(status, base) => {
                let location = format!("{}{}", base.trim_end_matches('/'), request.target());
                replace(answer, Answer::empty(*status).with("Location", location));
            }
            Self::Body(body) => answer.body.clone_from(body),
            Self::Flip(at) => flip(answer, *at),
            Self::Append(more) => {
                answer.body = [answer.body.as_ref(), more.as_ref()].concat().into();
            }
            Self::Header(name, value) => answer.set(name, value),
            Self::ExtraHeader(name, value) => {
                answer.headers.push(((*name).to_owned(), value.clone()));
            }
            Self::NoHeader(name) => answer.remove(name),
            Self::Gzip => {
                answer.body = gzip(&answer.body);
                answer.set("Content-Encoding", "gzip");
            }
            Self::LinkLoop => answer.set("Link", format!("<{}>; rel=\"next\"", request.target())),
            Self::IgnoreRange => {}
            Self::Jitter(seed, most) => {
                answer.delivery.delay += jitter(*seed, *most, &request.path);
            }
            _ => self.disturb(&mut answer.delivery),
        }
    }

    fn disturb(&self, delivery: &mut Delivery) {
        match self {
            Self::Unsaid(stop) => delivery.end = End::Unsaid(*stop),
            Self::Cut(bytes, stop) => delivery.end = End::After(*bytes, *stop),
            Self::Endless(framing) => {
                delivery.end = End::Never;
                delivery.framing = *framing;
            }
            Self::EndlessHeaders => delivery.endless_headers = true,
            Self::Drip(bytes, interval) => delivery.pace = Some((*bytes, *interval)),
            Self::Framing(framing) => delivery.framing = *framing,
            Self::Raw(bytes) => delivery.raw = Some(bytes.clone()),
            Self::Hold(gate) => delivery.hold = Some(gate.clone()),
            Self::Delay(delay) => delivery.delay += *delay,
            _ => {}
        }
    }
}

/// Replaces what is said, keeps how it is said.
fn replace(answer: &mut Answer, other: Answer) {
    answer.status = other.status;
    answer.headers = other.headers;
    answer.body = other.body;
}

fn jitter(seed: u64, most: Duration, path: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    (seed, path).hash(&mut hasher);
    most * u32::from(hasher.finish().to_be_bytes()[0]) / u32::from(u8::MAX)
}

fn code(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHORIZED",
        403 => "DENIED",
        404 => "NAME_UNKNOWN",
        405 => "UNSUPPORTED",
        429 => "TOOMANYREQUESTS",
        _ => "UNKNOWN",
    }
}

fn flip(answer: &mut Answer, at: usize) {
    let mut body = answer.body.to_vec();
    if !body.is_empty() {
        let at = at % body.len();
        body[at] ^= 1;
    }
    answer.body = body.into();
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).expect("invariant: a vector takes all bytes");
    encoder.finish().expect("invariant: a vector takes all bytes").into()
}
