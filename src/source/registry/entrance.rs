//! How registries let people in: what the first repository of a host was asked for is offered for the others unasked.
//!
//! Then a run over many repositories of one host is refused once and not once for each of them. It is a guess, and safe as
//! such: it shows no secret to a token server that has not been named for that very secret, and a refusal of what was got by
//! it is not believed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::challenge::Challenge;

/// So long does a repository wait for what the first one of its host finds out; then it finds out for itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// The entrances of a run, by origin.
#[derive(Default)]
pub(super) struct Entrances {
    entrances: Mutex<HashMap<String, Arc<Entrance>>>,
}

impl Entrances {
    pub(super) fn get(&self, origin: &str) -> Arc<Entrance> {
        Arc::clone(locked(&self.entrances).entry(origin.to_owned()).or_default())
    }
}

/// What is known of one host.
#[derive(Default)]
pub(super) struct Entrance {
    state: Mutex<State>,
    first: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    /// Whether the first request has been answered.
    asked: bool,
    asks_for: Option<Asked>,
}

/// What somebody was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) challenge: Challenge,
    /// The repository that was asked for.
    pub(super) repository: String,
}

/// The right to go in first, while others wait for what comes of it.
pub(super) struct First<'a> {
    entrance: &'a Entrance,
    _guard: OwnedMutexGuard<()>,
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        locked(&self.entrance.state).asked = true;
    }
}

impl Entrance {
    /// Waits while somebody else is the first; `Some` for the first one.
    pub(super) async fn first(&self) -> Option<First<'_>> {
        if locked(&self.state).asked {
            return None;
        }
        let guard = timeout(PATIENCE, Arc::clone(&self.first).lock_owned()).await.ok()?;
        if locked(&self.state).asked { None } else { Some(First { entrance: self, _guard: guard }) }
    }

    /// Keeps what was asked for. Only what is asked for one repository, and in the usual words, can be asked for another one.
    pub(super) fn learn(&self, challenge: &Challenge, repository: &str) {
        let usual = match challenge {
            Challenge::Basic => true,
            Challenge::Bearer { scope, .. } => scope.as_deref() == Some(pull(repository).as_str()),
        };
        locked(&self.state).asks_for =
            usual.then(|| Asked { challenge: challenge.clone(), repository: repository.to_owned() });
    }

    /// What was asked for.
    pub(super) fn asks_for(&self) -> Option<Asked> {
        locked(&self.state).asks_for.clone()
    }
}

impl Asked {
    /// What would be asked for of another repository.
    pub(super) fn of(self, repository: &str) -> Challenge {
        match self.challenge {
            Challenge::Bearer { realm, service, .. } => {
                Challenge::Bearer { realm, service, scope: Some(pull(repository)) }
            }
            Challenge::Basic => Challenge::Basic,
        }
    }
}

/// The scope of reading a repository (distribution, "Token Scope Documentation").
pub(super) fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
