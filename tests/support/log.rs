//! What was asked, in which order, over which connection, and what was answered.

use super::http::{Headers, Request};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(30);

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The method, in upper case.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: String,
    /// All headers, names in lower case.
    pub headers: Headers,
    /// The body of the request, as text.
    pub body: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// The connection that carried it, counted from 0 in the order of acceptance.
    pub connection: usize,
    /// The moment when the request had been read. Moments count up by one with every request and every answer.
    pub began: u64,
    /// The moment before the last byte of the answer went out, or when it was given up; `None` while it is open.
    pub ended: Option<u64>,
    /// The status sent.
    pub status: Option<u16>,
    /// Bytes of the body that were sent.
    pub sent: usize,
}

impl Entry {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the secret is in any part of the request, as it is or in a base64 form.
    pub fn holds(&self, secret: &str) -> bool {
        let text = self.text();
        text.contains(secret) || words(&text).any(|word| decoded(word).any(|plain| plain.contains(secret)))
    }

    /// The request as text: request line, headers, body.
    pub fn text(&self) -> String {
        let mut text = format!("{} {}?{}\n", self.method, self.path, self.query);
        for (name, value) in &self.headers {
            let _ = writeln!(text, "{name}: {value}");
        }
        text + &self.body
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/-_=".contains(c)).filter(|word| word.len() >= 4)
}

fn decoded(word: &str) -> impl Iterator<Item = String> {
    let forms = [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD];
    forms.into_iter().filter_map(move |form| form.decode(word).ok()).map(|plain| String::from_utf8_lossy(&plain).into())
}

#[derive(Debug, Default)]
struct Book {
    entries: Vec<Entry>,
    moment: u64,
    connections: usize,
}

impl Book {
    fn tick(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }
}

#[derive(Debug)]
struct Shared {
    book: Mutex<Book>,
    changed: watch::Sender<()>,
}

/// The request log of one server; clones share it.
#[derive(Debug, Clone)]
pub struct Log(Arc<Shared>);

impl Log {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared { book: Mutex::default(), changed: watch::Sender::new(()) }))
    }

    /// All requests so far, in the order in which they began.
    pub fn entries(&self) -> Vec<Entry> {
        self.book().entries.clone()
    }

    /// The paths of all requests so far.
    pub fn paths(&self) -> Vec<String> {
        self.book().entries.iter().map(|entry| entry.path.clone()).collect()
    }

    /// The number of requests so far.
    pub fn len(&self) -> usize {
        self.book().entries.len()
    }

    /// Whether nothing was asked yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of requests of which this holds.
    pub fn count(&self, of: impl Fn(&Entry) -> bool) -> usize {
        self.book().entries.iter().filter(|entry| of(entry)).count()
    }

    /// The number of connections accepted so far.
    pub fn connections(&self) -> usize {
        self.book().connections
    }

    /// Bytes of bodies sent so far.
    pub fn bytes_sent(&self) -> usize {
        self.book().entries.iter().map(|entry| entry.sent).sum()
    }

    /// The requests that carried this secret in any form.
    pub fn holding(&self, secret: &str) -> Vec<Entry> {
        self.entries().into_iter().filter(|entry| entry.holds(secret)).collect()
    }

    /// The greatest number of requests that were open at one moment.
    pub fn max_in_flight(&self) -> usize {
        let mut events: Vec<(u64, isize)> = Vec::new();
        for entry in &self.book().entries {
            events.push((entry.began, 1));
            events.extend(entry.ended.map(|moment| (moment, -1)));
        }
        events.sort_unstable();
        let open = events.iter().scan(0, |open: &mut isize, (_, change)| {
            *open += change;
            Some(*open)
        });
        open.max().unwrap_or(0).unsigned_abs()
    }

    /// The length of the longest chain of requests of which each began after the one before it had ended.
    ///
    /// A chain is as long as the walk is deep only if answers take longer than the client takes to ask: give the
    /// server a latency. Without one, requests that could have gone out together follow each other by chance.
    pub fn waves(&self) -> usize {
        self.waves_of(|_| true)
    }

    /// As [`Log::waves`], among the requests of which this holds.
    pub fn waves_of(&self, of: impl Fn(&Entry) -> bool) -> usize {
        let mut spans: Vec<(u64, u64)> = self.book().entries.iter().filter(|entry| of(entry)).map(span).collect();
        spans.sort_unstable();
        let mut last_end = 0;
        let mut waves = 0;
        for (end, began) in spans {
            if began > last_end {
                waves += 1;
                last_end = end;
            }
        }
        waves
    }

    /// Forgets all requests so far.
    pub fn clear(&self) {
        self.book().entries.clear();
    }

    /// Waits until this holds of the requests so far; fails the test if that does not come about in 30 seconds.
    pub async fn until(&self, holds: impl Fn(&[Entry]) -> bool) {
        let mut changes = self.0.changed.subscribe();
        let wait = async {
            while !holds(&self.book().entries) {
                changes.changed().await.expect("invariant: self holds the sender");
            }
        };
        let came = tokio::time::timeout(PATIENCE, wait).await.is_ok();
        assert!(came, "the awaited requests did not come; there were {:#?}", self.paths());
    }

    pub(super) fn connected(&self) -> usize {
        let mut book = self.book();
        book.connections += 1;
        book.connections - 1
    }

    pub(super) fn begin(&self, request: &Request, connection: usize) -> Ticket {
        let mut book = self.book();
        let began = book.tick();
        book.entries.push(Entry {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            version: request.version,
            connection,
            began,
            ended: None,
            status: None,
            sent: 0,
        });
        drop(book);
        self.0.changed.send_replace(());
        Ticket { log: self.clone(), began }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().expect("invariant: no holder of the lock panics")
    }
}

fn span(entry: &Entry) -> (u64, u64) {
    (entry.ended.unwrap_or(u64::MAX), entry.began)
}

/// The right to complete one entry.
#[derive(Debug)]
pub struct Ticket {
    log: Log,
    began: u64,
}

impl Ticket {
    /// The status that is about to be sent.
    pub fn status(&self, status: u16) {
        self.update(|entry, _| entry.status = Some(status));
    }

    /// So many more bytes of the body have been sent.
    pub fn sent(&self, bytes: usize) {
        self.update(|entry, _| entry.sent += bytes);
    }

    /// The last byte is about to be sent.
    pub fn answered(&self) {
        self.update(|entry, moment| entry.ended = Some(moment));
    }

    fn update(&self, change: impl FnOnce(&mut Entry, u64)) {
        let mut book = self.log.book();
        let moment = book.tick();
        if let Some(entry) = book.entries.iter_mut().rev().find(|entry| entry.began == self.began) {
            change(entry, moment);
        }
        drop(book);
        self.log.0.changed.send_replace(());
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.update(|entry, moment| {
            entry.ended.get_or_insert(moment);
        });
    }
}
