//! Ending on a signal: at once, without a report that looks finished.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

/// What became of a piece of work.
pub(super) enum Ended<T> {
    /// It finished.
    Done(T),
    /// A signal came first; the process's exit status for it.
    Interrupted(u8),
}

/// Runs work until it is done or SIGINT or SIGTERM arrives; what is under way is dropped then.
pub(super) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Ended<T> {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals have their default effect, which also ends the process.
        return Ended::Done(work.await);
    };
    tokio::select! {
        done = work => Ended::Done(done),
        _ = interrupt.recv() => Ended::Interrupted(130),
        _ = terminate.recv() => Ended::Interrupted(143),
    }
}
