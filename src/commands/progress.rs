//! Progress and request lines on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use ocilint::output;
use ocilint::source::{Event, Observer};

/// Shows how far a run is, and with `-v` every request.
pub(super) struct Progress {
    bar: ProgressBar,
    verbose: bool,
    requests: AtomicU64,
}

impl Progress {
    /// A bar for that many targets, hidden unless standard error is a terminal.
    pub(super) fn new(targets: usize, wanted: bool, verbose: bool) -> Self {
        let shown = wanted && !verbose && io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new(targets as u64) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} images, {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message("0 requests");
        Self { bar, verbose, requests: AtomicU64::new(0) }
    }

    /// Says something on standard error, with the bar out of its way. The bar is held meanwhile: nothing that may wait.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the bar off the screen.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn log(&self, line: &str) {
        if self.verbose {
            let _ = writeln!(io::stderr().lock(), "{}", output::line(line));
        }
    }
}

impl Observer for Progress {
    fn hear(&self, event: &Event) {
        match event {
            Event::Resolved { target, digest } => self.log(&format!("resolved {target} to {digest}")),
            Event::Request { method, url } => {
                let requests = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
                self.bar.set_message(format!("{requests} requests"));
                self.bar.tick();
                self.log(&format!("{method} {url}"));
            }
            Event::Response { url, status, bytes, elapsed } => {
                self.log(&format!("{status} {url} ({bytes} bytes, {} ms)", elapsed.as_millis()));
            }
            Event::Retry { url, after, reason } => {
                self.log(&format!("again in {} ms: {url} ({reason})", after.as_millis()));
            }
            Event::Warning { host, text } => self.log(&format!("{host} warns: {text}")),
            Event::Done { target } => {
                self.bar.inc(1);
                self.log(&format!("done {target}"));
            }
        }
    }
}
