//! What opens one repository: got once, however many requests wait for it, and got anew when it is refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http::HeaderValue;
use reqwest::Url;
use tokio::sync::OwnedMutexGuard;

use super::challenge::Challenge;
use crate::graph::Cause;

/// One repository of one registry, or what a redirect from there leads to on one other host.
pub(super) struct Scope {
    /// The registry as credentials are stored for it; of a foreign host its name.
    pub(super) registry: String,
    pub(super) repository: String,
    /// The origin that asks, as a URL.
    pub(super) origin: Url,
    /// Whether the user's credentials may be shown; never to where a redirect leads.
    pub(super) personal: bool,
    state: Mutex<State>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    /// Whether the first request has been answered, so that others need not wait for it.
    asked: bool,
    /// Counts what was got, and what could not be got.
    generation: u64,
    grant: Option<Grant>,
    failure: Option<Cause>,
    challenge: Option<Challenge>,
    /// Whether the grant was got without having been asked for it, and has not opened anything yet.
    guessed: bool,
}

/// What was got for a challenge.
#[derive(Clone)]
pub(super) struct Grant {
    /// The value of `Authorization`.
    pub(super) authorization: HeaderValue,
    pub(super) expires: Option<Instant>,
    /// What to add when the grant is refused: that it was got without the user's credentials, and why.
    pub(super) note: String,
}

/// The right to ask while others wait.
pub(super) struct Turn<'a> {
    scope: &'a Scope,
    _guard: OwnedMutexGuard<()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.scope.state().asked = true;
    }
}

impl Scope {
    pub(super) fn new(registry: &str, repository: &str, origin: Url, personal: bool) -> Self {
        let (registry, repository) = (registry.to_owned(), repository.to_owned());
        Self { registry, repository, origin, personal, state: Mutex::default(), turn: Arc::default() }
    }

    /// The turn of the very first request: it alone finds out whether a token is wanted. `None` once that is known.
    pub(super) async fn first_turn(&self) -> Option<Turn<'_>> {
        if self.state().asked {
            return None;
        }
        let turn = self.turn().await;
        if self.state().asked { None } else { Some(turn) }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Turn<'_> {
        Turn { scope: self, _guard: Arc::clone(&self.turn).lock_owned().await }
    }

    /// The grant, if there is one, and the generation that it belongs to.
    pub(super) fn grant(&self) -> (Option<Grant>, u64) {
        let state = self.state();
        (state.grant.clone(), state.generation)
    }

    /// What the grant was got for, if its time is over.
    pub(super) fn expired(&self) -> Option<Challenge> {
        let state = self.state();
        let expires = state.grant.as_ref()?.expires?;
        state.challenge.clone().filter(|_| expires <= Instant::now())
    }

    /// What others found out since the generation that was `seen`; `None` if nobody tried.
    pub(super) fn news(&self, seen: u64) -> Option<Result<(), Cause>> {
        let state = self.state();
        (state.generation != seen).then(|| state.failure.clone().map_or(Ok(()), Err))
    }

    /// Keeps what came of a challenge.
    pub(super) fn settle(&self, challenge: Challenge, outcome: Result<Grant, Cause>) -> Result<(), Cause> {
        let mut state = self.state();
        state.generation = state.generation.wrapping_add(1);
        state.challenge = Some(challenge);
        let (grant, failure) = match outcome {
            Ok(grant) => (Some(grant), None),
            Err(cause) => (None, Some(cause)),
        };
        state.grant = grant;
        state.guessed = false;
        state.failure.clone_from(&failure);
        failure.map_or(Ok(()), Err)
    }

    /// Keeps a grant that was got without having been asked for it.
    pub(super) fn guess(&self, challenge: Challenge, grant: Grant) {
        let mut state = self.state();
        state.generation = state.generation.wrapping_add(1);
        (state.challenge, state.grant, state.guessed) = (Some(challenge), Some(grant), true);
    }

    /// The grant opens the repository, guessed or not.
    pub(super) fn confirm(&self) {
        self.state().guessed = false;
    }

    /// Forgets a grant that was only guessed and is refused; whether there was one.
    pub(super) fn forget_guess(&self) -> bool {
        let mut state = self.state();
        if std::mem::take(&mut state.guessed) {
            (state.challenge, state.grant) = (None, None);
            return true;
        }
        false
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn scope() -> Scope {
        Scope::new("reg.test", "acme/app", Url::parse("https://reg.test/v2/acme/app/").unwrap(), true)
    }

    fn grant(expires: Option<Instant>) -> Grant {
        Grant { authorization: HeaderValue::from_static("Bearer x"), expires, note: String::new() }
    }

    #[test]
    fn a_grant_expires_when_its_time_is_over() {
        let scope = scope();
        let now = Instant::now();
        assert_eq!(scope.expired(), None, "nothing was got yet");
        for (expires, wanted) in
            [(None, None), (now.checked_add(Duration::from_mins(1)), None), (Some(now), Some(Challenge::Basic))]
        {
            scope.settle(Challenge::Basic, Ok(grant(expires))).unwrap();
            assert_eq!(scope.expired(), wanted);
        }
    }

    #[test]
    fn who_waited_learns_what_came_of_it_and_who_comes_later_tries_again() {
        let scope = scope();
        let (_, seen) = scope.grant();
        assert_eq!(scope.news(seen), None);
        let failure = Cause::Credentials { detail: "no helper".into() };
        assert_eq!(scope.settle(Challenge::Basic, Err(failure.clone())), Err(failure.clone()));
        assert_eq!(scope.news(seen), Some(Err(failure)));
        let (none, later) = scope.grant();
        assert!(none.is_none() && scope.news(later).is_none());
        scope.settle(Challenge::Basic, Ok(grant(None))).unwrap();
        assert_eq!((scope.news(seen), scope.news(later)), (Some(Ok(())), Some(Ok(()))));
    }

    #[tokio::test]
    async fn the_first_alone_asks_first() {
        let scope = scope();
        let first = scope.first_turn().await;
        assert!(first.is_some());
        let second = scope.first_turn();
        let (second, ()) = tokio::join!(second, async { drop(first) });
        assert!(second.is_none() && scope.first_turn().await.is_none());
    }
}
