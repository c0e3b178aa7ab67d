//! What happens while an image is read, told to whoever listens: progress, `-v`, counts, the logs of tests.

use std::time::Duration;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A target's digest is known.
    Resolved {
        /// The target as written.
        target: String,
        /// Its digest.
        digest: String,
    },
    /// A request is about to be sent.
    Request {
        /// The HTTP method.
        method: &'static str,
        /// The URL, without a query of a foreign host (which may hold a signature).
        url: String,
    },
    /// A response has been read or refused.
    Response {
        /// The URL as in the request.
        url: String,
        /// The HTTP status; 0 when none came.
        status: u16,
        /// Bytes of the body that were read.
        bytes: u64,
        /// Time since the request.
        elapsed: Duration,
    },
    /// A request will be sent again.
    Retry {
        /// The URL as in the request.
        url: String,
        /// After how long.
        after: Duration,
        /// Why.
        reason: String,
    },
    /// A registry wants people to know something; told once in a run for the same host and text.
    Warning {
        /// The host, with its port.
        host: String,
        /// What it says, in its own words: at most 300 characters, to be escaped before it is shown.
        text: String,
    },
    /// A target has been judged.
    Done {
        /// The target as written.
        target: String,
    },
}

/// Listens. Called from any task, so it must be quick.
pub trait Observer: Send + Sync {
    /// Hears one event.
    fn hear(&self, event: &Event);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn hear(&self, _event: &Event) {}
}
