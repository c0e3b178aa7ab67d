//! How an answer goes out on an HTTP/1.1 connection: whole, slowly, cut, without end, or not at all.

use super::http::{Answer, Request, bodiless};
use super::log::Ticket;
use bytes::Bytes;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;

/// A door that a test opens: answers held at it wait until they are let through.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets so many answers through.
    pub fn admit(&self, answers: usize) {
        self.0.add_permits(answers);
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        self.0.close();
    }

    /// Waits to be let through.
    pub async fn wait(&self) {
        // A closed semaphore is an open gate.
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// How an answer is put on the wire.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Wait here before the first byte.
    pub hold: Option<Gate>,
    /// Wait this long before the first byte.
    pub delay: Duration,
    /// How the length of the body is told.
    pub framing: Framing,
    /// At most so many bytes of the body at a time, with a pause after each.
    pub pace: Option<(usize, Duration)>,
    /// Where it ends.
    pub end: End,
    /// These bytes in place of the whole message; the connection closes after them.
    pub raw: Option<Bytes>,
    /// Header lines that repeat without end.
    pub endless_headers: bool,
}

/// How the length of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// `Content-Length`, truly.
    #[default]
    Length,
    /// `Content-Length` with this value, whatever the body is.
    Declared(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Not at all: the end of the connection is the end of the body.
    Close,
}

/// Where an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// After the last byte.
    #[default]
    Complete,
    /// Before the status line.
    Unsaid(Stop),
    /// After so many bytes of the body.
    After(usize, Stop),
    /// Never: the body is repeated for ever.
    Never,
}

/// What happens where an answer ends too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The connection is closed in an orderly way (FIN; on HTTP/2 the end of the stream).
    Close,
    /// The connection is reset (RST; on HTTP/2 `RST_STREAM`).
    Reset,
    /// Nothing more comes, and the connection stays open.
    Stall,
}

/// What the connection does after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It serves the next request.
    KeepAlive,
    /// It ends like this.
    End(Stop),
}

const PIECE: usize = 16 * 1024;

/// Cuts a body into pieces as a delivery wants it; endless if it wants that.
pub struct Pieces<'a> {
    body: &'a Bytes,
    size: usize,
    left: Option<usize>,
    at: usize,
}

impl<'a> Pieces<'a> {
    /// The pieces of this answer's body.
    pub fn of(answer: &'a Answer) -> Self {
        let body = &answer.body;
        let left = match answer.delivery.end {
            End::Complete => Some(body.len()),
            End::Unsaid(_) => Some(0),
            End::After(bytes, _) => Some(bytes.min(body.len())),
            End::Never if body.is_empty() => Some(0),
            End::Never => None,
        };
        let size = answer.delivery.pace.map_or(PIECE, |(bytes, _)| bytes.max(1));
        Self { body, size, left, at: 0 }
    }

    /// Whether the next piece is the last one (or there is none).
    pub fn at_last(&self) -> bool {
        self.left.is_some_and(|left| left <= self.size)
    }
}

impl Iterator for Pieces<'_> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let take = self.size.min(self.left.unwrap_or(usize::MAX)).min(self.body.len() - self.at);
        if take == 0 {
            return None;
        }
        let piece = self.body.slice(self.at..self.at + take);
        self.at = (self.at + take) % self.body.len();
        self.left = self.left.map(|left| left - take);
        Some(piece)
    }
}

/// Writes an answer; the result says what becomes of the connection.
pub async fn write<S>(stream: &mut S, request: &Request, answer: &Answer, ticket: &Ticket) -> io::Result<After>
where
    S: AsyncWrite + Unpin,
{
    let delivery = &answer.delivery;
    wait(delivery).await;
    ticket.status(answer.status);
    if let Some(raw) = &delivery.raw {
        ticket.answered();
        stream.write_all(raw).await?;
        return Ok(After::End(Stop::Close));
    }
    if let End::Unsaid(stop) = delivery.end {
        return Ok(After::End(stop));
    }
    let mut out = head(answer).into_bytes();
    if delivery.endless_headers {
        return endless_headers(stream, out).await;
    }
    let bodiless = bodiless(request, answer);
    let mut pieces = Pieces::of(answer);
    while !bodiless && !pieces.at_last() {
        let Some(piece) = pieces.next() else { break };
        out.extend_from_slice(&framed(&piece, delivery.framing));
        stream.write_all(&std::mem::take(&mut out)).await?;
        stream.flush().await?;
        ticket.sent(piece.len());
        pause(delivery).await;
    }
    let last = if bodiless { None } else { pieces.next() };
    if let Some(piece) = &last {
        out.extend_from_slice(&framed(piece, delivery.framing));
    }
    if delivery.framing == Framing::Chunked && !bodiless && delivery.end == End::Complete {
        out.extend_from_slice(b"0\r\n\r\n");
    }
    ticket.sent(last.map_or(0, |piece| piece.len()));
    ticket.answered();
    stream.write_all(&out).await?;
    stream.flush().await?;
    Ok(after(delivery))
}

/// What the delivery wants before the first byte.
pub async fn wait(delivery: &Delivery) {
    if let Some(gate) = &delivery.hold {
        gate.wait().await;
    }
    if !delivery.delay.is_zero() {
        tokio::time::sleep(delivery.delay).await;
    }
}

/// What the delivery wants between two pieces.
pub async fn pause(delivery: &Delivery) {
    if let Some((_, interval)) = delivery.pace {
        tokio::time::sleep(interval).await;
    }
}

fn after(delivery: &Delivery) -> After {
    match (delivery.end, delivery.framing) {
        (End::After(_, stop) | End::Unsaid(stop), _) => After::End(stop),
        (_, Framing::Close | Framing::Declared(_)) => After::End(Stop::Close),
        _ => After::KeepAlive,
    }
}

fn head(answer: &Answer) -> String {
    let mut out = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    match answer.delivery.framing {
        Framing::Length => {
            let _ = write!(out, "Content-Length: {}\r\n", answer.body.len());
        }
        Framing::Declared(length) => {
            let _ = write!(out, "Content-Length: {length}\r\n");
        }
        Framing::Chunked => out.push_str("Transfer-Encoding: chunked\r\n"),
        Framing::Close => out.push_str("Connection: close\r\n"),
    }
    out.push_str("\r\n");
    out
}

fn reason(status: u16) -> &'static str {
    ::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Scripted")
}

fn framed(piece: &Bytes, framing: Framing) -> Vec<u8> {
    if framing != Framing::Chunked {
        return piece.to_vec();
    }
    let mut out = format!("{:x}\r\n", piece.len()).into_bytes();
    out.extend_from_slice(piece);
    out.extend_from_slice(b"\r\n");
    out
}

async fn endless_headers<S: AsyncWrite + Unpin>(stream: &mut S, mut head: Vec<u8>) -> io::Result<After> {
    head.truncate(head.len() - 2);
    stream.write_all(&head).await?;
    loop {
        stream.write_all(b"X-Filler: filler filler filler filler filler filler filler\r\n").await?;
    }
}
