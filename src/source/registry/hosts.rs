//! How many requests are in flight to one host, and when the next may go out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// In flight with HTTP/1.1: one connection each.
const CONNECTIONS: usize = 8;
/// In flight with HTTP/2: streams of one connection.
const STREAMS: usize = 32;

/// The hosts of a run, each with its limit.
pub(super) struct Hosts {
    jobs: Option<usize>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

impl Hosts {
    pub(super) fn new(jobs: Option<usize>) -> Self {
        Self { jobs: jobs.map(|jobs| jobs.max(1)), hosts: Mutex::default() }
    }

    /// The host of this origin.
    pub(super) fn get(&self, origin: &str) -> Arc<Host> {
        let mut hosts = locked(&self.hosts);
        let host = hosts.entry(origin.to_owned()).or_insert_with(|| Arc::new(Host::new(self.jobs)));
        Arc::clone(host)
    }
}

/// One host.
pub(super) struct Host {
    /// Whether the limit was set by the user.
    fixed: bool,
    room: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    limit: usize,
    /// Permits that have to vanish as they come back, because the limit was lowered while they were out.
    owed: usize,
    /// When the limit was last lowered; requests sent earlier say nothing new.
    lowered: Option<Instant>,
    /// Whether the limit has been set for the protocol that the host speaks.
    settled: bool,
    /// Nothing is sent before.
    not_before: Option<Instant>,
}

/// The right to have one request in flight.
pub(super) struct Permit {
    host: Arc<Host>,
    room: Option<OwnedSemaphorePermit>,
    taken: Instant,
}

impl Host {
    fn new(jobs: Option<usize>) -> Self {
        let limit = jobs.unwrap_or(CONNECTIONS);
        let state = State { limit, owed: 0, lowered: None, settled: false, not_before: None };
        Self { fixed: jobs.is_some(), room: Arc::new(Semaphore::new(limit)), state: Mutex::new(state) }
    }

    /// Waits for room.
    pub(super) async fn permit(self: &Arc<Self>) -> Permit {
        let room = Arc::clone(&self.room).acquire_owned().await.ok();
        Permit { host: Arc::clone(self), room, taken: Instant::now() }
    }

    /// How long the host has asked for silence.
    pub(super) fn silence(&self) -> Option<Duration> {
        let until = locked(&self.state).not_before?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}

impl Permit {
    /// The answer came over HTTP/2, where more fits onto one connection.
    pub(super) fn multiplexed(&self) {
        let mut state = locked(&self.host.state);
        if !self.host.fixed && !state.settled && state.lowered.is_none() {
            state.settled = true;
            state.limit = STREAMS;
            self.host.room.add_permits(STREAMS - CONNECTIONS);
        }
    }

    /// The host limits the rate: half as much from now on, and nothing at all for a while. Of requests that were in flight
    /// together, the first alone halves.
    pub(super) fn slow_down(&self, silence: Duration) {
        let mut state = locked(&self.host.state);
        let now = Instant::now();
        state.not_before = state.not_before.max(now.checked_add(silence));
        if state.lowered.is_some_and(|lowered| self.taken < lowered) {
            return;
        }
        let limit = (state.limit / 2).max(1);
        let surplus = state.limit - limit;
        state.owed += surplus - self.host.room.forget_permits(surplus);
        state.limit = limit;
        state.lowered = Some(now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = locked(&self.host.state);
        if state.owed > 0
            && let Some(room) = self.room.take()
        {
            state.owed -= 1;
            room.forget();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(host: &Host) -> usize {
        host.room.available_permits()
    }

    #[tokio::test]
    async fn a_rate_limit_halves_once_for_all_that_were_in_flight() {
        let host = Hosts::new(None).get("https://reg.test");
        let mut out = Vec::new();
        for _ in 0..CONNECTIONS {
            out.push(host.permit().await);
        }
        assert_eq!(room(&host), 0);
        out[0].slow_down(Duration::ZERO);
        out[1].slow_down(Duration::ZERO);
        drop(out);
        assert_eq!(room(&host), 4);
        host.permit().await.slow_down(Duration::ZERO);
        assert_eq!(room(&host), 2);
        for _ in 0..5 {
            host.permit().await.slow_down(Duration::ZERO);
        }
        assert_eq!(room(&host), 1);
    }

    #[tokio::test]
    async fn http2_makes_room_once_and_never_beyond_what_the_user_said() {
        let host = Hosts::new(None).get("https://reg.test");
        host.permit().await.multiplexed();
        host.permit().await.multiplexed();
        assert_eq!(room(&host), STREAMS);

        let host = Hosts::new(Some(3)).get("https://reg.test");
        host.permit().await.multiplexed();
        assert_eq!(room(&host), 3);
    }
}
