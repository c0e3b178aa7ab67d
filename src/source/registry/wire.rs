//! One HTTP request and its answer: bounded in time and size, told to the observer. No redirects, no credentials of its own.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE,
};
use http::{Method, StatusCode, Version};
use reqwest::{Request, Response, Url};

use super::answer::{Answer, retry_after, shown};
use super::clients::Clients;
use super::echo::Shown;
use super::hosts::{Hosts, Permit};
use super::options::{RegistryOptions, Timeouts};
use super::proxies::Proxies;
use super::realm::authority;
use super::warnings::Warnings;
use crate::graph::{Cause, Fetched};
use crate::source::{Event, Observer};

/// So much of a body is read that only explains a failure, in bytes.
const ERROR_BODY: u64 = 64 * 1024;

/// A request as it goes out.
pub(super) struct Outgoing<'a> {
    pub(super) url: &'a Url,
    pub(super) accept: Option<&'static str>,
    /// The first and the last byte wanted.
    pub(super) range: Option<(u64, u64)>,
    pub(super) authorization: Option<&'a HeaderValue>,
    /// A form to post; without one the method is GET.
    pub(super) form: Option<&'a str>,
    pub(super) take: Take,
}

/// How much of a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// All of it; more than `cap` bytes are an error.
    Whole { cap: u64 },
    /// The first bytes; the rest is left alone.
    First { bytes: u64 },
}

/// Why there is no answer, and whether another try may bring one.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    pub(super) transient: bool,
}

impl Failure {
    pub(super) fn transient(cause: Cause) -> Self {
        Self { cause, transient: true }
    }

    /// Names the host that cannot be reached, unless it is the one that everybody thinks of, and the proxy in between.
    fn at(mut self, url: &Url, home: &str, proxy: Option<String>) -> Self {
        let host = url.host_str().unwrap_or_default();
        if let Cause::Unreachable { detail } = &mut self.cause
            && host != home
        {
            *detail = format!("{host}: {detail}");
        }
        if let (Cause::Unreachable { detail }, Some(proxy)) = (&mut self.cause, proxy) {
            *detail = format!("{detail}; asked through the proxy {proxy}");
        }
        self
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, transient: false }
    }
}

/// The time that is left for one request with its redirects and repetitions.
pub(super) struct Budget {
    total: Duration,
    left: Duration,
}

impl Budget {
    pub(super) fn new(total: Duration) -> Self {
        Self { total, left: total }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left.is_zero()
    }

    async fn spend<T>(&mut self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let begun = Instant::now();
        let outcome = tokio::time::timeout(self.left, work).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        outcome.unwrap_or_else(|_| {
            self.left = Duration::ZERO;
            Err(timeout(self.total).into())
        })
    }
}

/// The network, as one run sees it.
pub(super) struct Wire {
    clients: Clients,
    proxies: Proxies,
    pub(super) hosts: Hosts,
    timeouts: Timeouts,
    longest_silence: Duration,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) warnings: Warnings,
}

/// What went over the network.
#[derive(Default)]
pub(super) struct Traffic {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    /// Requests sent so far, and bytes of bodies read.
    pub(super) fn fetched(&self) -> Fetched {
        Fetched { requests: self.requests.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }
}

/// How far a request came.
#[derive(Default)]
struct Progress {
    status: u16,
    bytes: u64,
}

impl Wire {
    pub(super) fn new(options: &RegistryOptions, observer: Arc<dyn Observer>) -> Self {
        Self {
            clients: Clients::new(options.ca_file.clone(), options.timeouts.connect),
            proxies: Proxies::default(),
            hosts: Hosts::new(options.jobs),
            timeouts: options.timeouts,
            longest_silence: options.retry.cap,
            observer,
            warnings: Warnings::default(),
        }
    }

    /// Sends a request and reads the answer. `home` is the host whose URLs are shown with their queries.
    pub(super) async fn send(
        &self,
        out: &Outgoing<'_>,
        home: &str,
        budget: &mut Budget,
        traffic: &Traffic,
    ) -> Result<Answer, Failure> {
        let client = self.clients.get(out.url).await?;
        let permit = self.hosts.get(&origin(out.url)).permit().await;
        let (url, request) = (shown(out.url, home), request(out));
        let method = if out.form.is_some() { "POST" } else { "GET" };
        self.observer.hear(&Event::Request { method, url: url.clone() });
        traffic.requests.fetch_add(1, Ordering::Relaxed);
        let (begun, mut progress) = (Instant::now(), Progress::default());
        let exchange = async {
            let at = |failure: Failure| failure.at(out.url, home, self.proxies.of(out.url));
            let response = self.head(client.execute(request)).await.map_err(at)?;
            progress.status = response.status().as_u16();
            if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                return Err(at(Cause::Unreachable { detail: PROXY_LOGIN.into() }.into()));
            }
            self.warned(out, response.headers());
            self.body(response, out.take, &permit, &mut progress.bytes).await
        };
        let outcome = budget.spend(exchange).await;
        let outcome = outcome.map(|answer| Answer { shown: Shown::by(out), ..answer });
        traffic.bytes.fetch_add(progress.bytes, Ordering::Relaxed);
        let Progress { status, bytes } = progress;
        self.observer.hear(&Event::Response { url, status, bytes, elapsed: begun.elapsed() });
        outcome
    }

    /// Passes on what the host wants people to know.
    fn warned(&self, out: &Outgoing<'_>, headers: &HeaderMap) {
        for warning in self.warnings.hear(&authority(out.url), headers, &Shown::by(out)) {
            self.observer.hear(&Event::Warning { host: warning.host, text: warning.text });
        }
    }

    async fn head(&self, sent: impl Future<Output = reqwest::Result<Response>>) -> Result<Response, Failure> {
        match tokio::time::timeout(self.timeouts.first_byte, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.unreachable(&error)),
            Err(_) => Err(Failure::transient(timeout(self.timeouts.first_byte))),
        }
    }

    async fn body(
        &self,
        mut response: Response,
        take: Take,
        permit: &Permit,
        got: &mut u64,
    ) -> Result<Answer, Failure> {
        if response.version() == Version::HTTP_2 {
            permit.multiplexed();
        }
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let silence = retry_after(response.headers()).unwrap_or_default();
            permit.slow_down(silence.min(self.longest_silence));
        }
        let wanted = matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT);
        let body = if !wanted {
            // It only explains: whatever came of it will do.
            let mut body = Vec::new();
            let _ = self.read(&mut response, Take::First { bytes: ERROR_BODY }, &mut body, got).await;
            body
        } else if let Some(encoding) = encoding(response.headers()) {
            return Err(Cause::Encoded { encoding }.into());
        } else {
            let mut body = Vec::new();
            self.read(&mut response, take, &mut body, got).await?;
            body
        };
        let (status, url) = (response.status(), response.url().clone());
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer { status, headers, url, body: Bytes::from(body), shown: Shown::default() })
    }

    async fn read(
        &self,
        response: &mut Response,
        take: Take,
        body: &mut Vec<u8>,
        got: &mut u64,
    ) -> Result<(), Failure> {
        let limit = match take {
            Take::Whole { cap } => {
                if response.content_length().is_some_and(|announced| announced > cap) {
                    return Err(Cause::TooLarge { cap }.into());
                }
                cap
            }
            Take::First { bytes: 0 } => return Ok(()),
            Take::First { bytes } => bytes,
        };
        while let Some(piece) = self.piece(response, *got).await? {
            *got = got.saturating_add(piece.len() as u64);
            if *got <= limit {
                body.extend_from_slice(&piece);
            } else if let Take::Whole { cap } = take {
                return Err(Cause::TooLarge { cap }.into());
            } else {
                let missing = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(body.len());
                body.extend_from_slice(piece.get(..missing).unwrap_or(&piece));
            }
            if matches!(take, Take::First { .. }) && *got >= limit {
                break;
            }
        }
        Ok(())
    }

    async fn piece(&self, response: &mut Response, got: u64) -> Result<Option<Bytes>, Failure> {
        match tokio::time::timeout(self.timeouts.idle, response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(_)) => Err(Failure::transient(Cause::Truncated { got })),
            Err(_) => Err(Failure::transient(timeout(self.timeouts.idle))),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() {
            return Failure::transient(timeout(self.timeouts.connect));
        }
        // A certificate does not get better by asking again.
        let said = innermost(error);
        let transient = !is_tls(error) && !said.contains(TUNNEL_LOGIN);
        Failure { cause: Cause::Unreachable { detail: in_words(&said) }, transient }
    }
}

/// How the HTTP client says that a proxy wants to know who asks.
const TUNNEL_LOGIN: &str = "proxy authorization required";
/// The same in words that tell what to do.
const PROXY_LOGIN: &str = "the proxy wants a name and a password: `HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT`";

/// What the libraries say of certificates and proxies, in words that tell what to do.
fn in_words(said: &str) -> String {
    let words = [
        (
            "CaUsedAsEndEntity",
            "the server shows the certificate of a CA as its own; give it one with `basicConstraints=CA:FALSE`",
        ),
        ("UnknownIssuer", "the server's certificate is signed by a CA that is not trusted here"),
        ("NotValidForName", "the server's certificate is for another name"),
        ("Expired", "the server's certificate has expired"),
        ("InvalidContentType", "what answers there does not speak TLS"),
        (TUNNEL_LOGIN, PROXY_LOGIN),
        ("tunnel error: unsuccessful", "the proxy does not connect to the registry"),
    ];
    let known = words.iter().find(|(name, _)| said.contains(name));
    known.map_or_else(|| said.to_owned(), |(_, words)| format!("{words} ({said})"))
}

fn request(out: &Outgoing<'_>) -> Request {
    let method = if out.form.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::new(method, out.url.clone());
    let headers: &mut HeaderMap = request.headers_mut();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(accept) = out.accept {
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
    }
    if let Some(authorization) = out.authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    if let Some((first, last)) = out.range
        && let Ok(range) = HeaderValue::try_from(format!("bytes={first}-{last}"))
    {
        headers.insert(RANGE, range);
    }
    if let Some(form) = out.form {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        *request.body_mut() = Some(form.to_owned().into());
    }
    request
}

/// Scheme, host and port: what credentials belong to.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The encoding of a body that is not sent as it is.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let mut values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    values.find(|value| !value.is_empty() && !value.eq_ignore_ascii_case("identity"))
}

fn timeout(limit: Duration) -> Cause {
    Cause::Timeout { seconds: limit.as_secs().max(1) }
}

/// The errors behind an error, the outermost first.
fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// The last of a chain of errors: what the network said, without any URL.
fn innermost(error: &reqwest::Error) -> String {
    sources(error).last().map_or_else(|| "the request could not be sent".to_owned(), ToString::to_string)
}

/// Whether TLS refused the connection; its error may lie several I/O errors deep.
fn is_tls(error: &reqwest::Error) -> bool {
    fn refused(error: &(dyn Error + 'static)) -> bool {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error.is::<rustls::Error>() || inner.is_some_and(|inner| refused(inner))
    }
    sources(error).any(refused)
}
