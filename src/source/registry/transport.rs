//! One GET to a registry, with all that may stand between it and the answer: tokens, redirects, other tries.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::LOCATION;
use reqwest::Url;

use super::answer::{Answer, retry_after, shown};
use super::auth::explain;
use super::challenge::Challenge;
use super::credentials::CredentialStore;
use super::entrance::Entrances;
use super::options::{RegistryOptions, Retry};
use super::repository::Repository;
use super::scope::{Scope, Turn};
use super::warnings::RegistryWarning;
use super::wire::{Budget, Failure, Outgoing, Take, Traffic, Wire, origin};
use crate::graph::Cause;
use crate::oci::Reference;
use crate::source::{Event, Observer};

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// The way to all registries of a run: connections, limits, tokens and what was learnt about repositories. Make one and
/// keep it for the whole run.
pub struct Transport {
    pub(super) options: RegistryOptions,
    pub(super) wire: Wire,
    pub(super) credentials: CredentialStore,
    repositories: Mutex<HashMap<String, Arc<Repository>>>,
    entrances: Entrances,
}

/// On whose behalf requests are made.
#[derive(Default)]
pub(super) struct Errand {
    /// No pause lasts beyond this moment.
    pub(super) deadline: Option<Instant>,
    pub(super) traffic: Traffic,
}

/// One repository, read on one errand.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) transport: &'a Transport,
    pub(super) repository: &'a Repository,
    pub(super) errand: &'a Errand,
}

/// A GET.
pub(super) struct Call {
    pub(super) url: Url,
    pub(super) accept: Option<&'static str>,
    pub(super) range: Option<(u64, u64)>,
    pub(super) take: Take,
}

impl Transport {
    /// A way to registries; `observer` hears of every request.
    pub fn new(options: RegistryOptions, observer: Arc<dyn Observer>) -> Self {
        let wire = Wire::new(&options, observer);
        let credentials = CredentialStore::new(options.registry_config.clone());
        Self { options, wire, credentials, repositories: Mutex::default(), entrances: Entrances::default() }
    }

    /// What registries wanted people to know, each warning once, sorted.
    pub fn warnings(&self) -> Vec<RegistryWarning> {
        self.wire.warnings.all()
    }

    /// What this run knows about the repository of a reference.
    pub(super) fn repository(&self, reference: &Reference) -> Result<Arc<Repository>, Cause> {
        let mut repositories = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = repositories.get(&reference.name()) {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(Repository::new(reference, &self.options.plain_http)?);
        repositories.insert(reference.name(), Arc::clone(&new));
        Ok(new)
    }
}

impl Visit<'_> {
    /// Asks until there is an answer, whatever it says, or no hope for one. An answer is never a 401.
    pub(super) async fn get(&self, call: &Call) -> Result<Answer, Cause> {
        let mut attempts = Attempts::new(self.transport, self.errand, &call.url, &self.repository.host);
        if let Some(silence) = self.transport.wire.hosts.get(&origin(&call.url)).silence() {
            attempts.wait(silence, Cause::RateLimited).await?;
        }
        loop {
            let outcome = self.follow(call, &mut attempts.budget).await;
            if let Some(result) = attempts.next(outcome).await {
                return result;
            }
        }
    }

    /// Asks once, and follows redirects. Credentials stay behind for good when one leads to another origin.
    async fn follow(&self, call: &Call, budget: &mut Budget) -> Result<Answer, Failure> {
        let mut url = call.url.clone();
        let mut scope = Arc::clone(&self.repository.scope);
        for _ in 0..=REDIRECTS {
            let answer = self.admitted(call, &url, &scope, budget).await?;
            let Some(next) = self.redirect(call, &answer)? else { return Ok(answer) };
            if origin(&next) != origin(&url) {
                scope = self.repository.foreign(&next);
            }
            url = next;
        }
        Err(Cause::Redirect { detail: format!("more than {REDIRECTS} one after the other") }.into())
    }

    /// Where the answer leads, if it is a redirect that is to be followed.
    fn redirect(&self, call: &Call, answer: &Answer) -> Result<Option<Url>, Cause> {
        let Some(location) =
            answer.header(LOCATION).filter(|_| matches!(answer.status.as_u16(), 301 | 302 | 307 | 308))
        else {
            return Ok(None);
        };
        let refused = |to: &str, problem: &str| Err(Cause::Redirect { detail: format!("to {to}, {problem}") });
        let Ok(next) = answer.url.join(&location) else {
            return refused("what is no URL", "from a server that means something else");
        };
        let to = shown(&next, "");
        if !next.username().is_empty() || next.password().is_some() {
            return refused("a URL with credentials in it", "which nobody should send");
        }
        match next.scheme() {
            "https" => Ok(Some(next)),
            "http" if call.url.scheme() == "http" && self.transport.options.plain_http.allows(&next) => Ok(Some(next)),
            _ => refused(&to, "which is not encrypted"),
        }
    }

    /// Asks one server, with whatever it wants to see first.
    async fn admitted(&self, call: &Call, url: &Url, scope: &Scope, budget: &mut Budget) -> Result<Answer, Failure> {
        let entrance = self.transport.entrances.get(&origin(&scope.origin));
        let mut turn = scope.first_turn().await;
        let (mut first, mut tried) = (None, None);
        if turn.is_some() && scope.personal {
            first = entrance.first().await;
            tried = self.enter_likewise(scope, &entrance).await;
        }
        let mut negotiated = false;
        if let Some(challenge) = scope.expired() {
            let (_, seen) = scope.grant();
            negotiated = self.renew(scope, seen, challenge, &mut turn).await?;
        }
        loop {
            let (grant, seen) = scope.grant();
            let authorization = grant.as_ref().map(|grant| &grant.authorization);
            let out =
                Outgoing { url, accept: call.accept, range: call.range, authorization, form: None, take: call.take };
            let wire = &self.transport.wire;
            let answer = wire.send(&out, &self.repository.host, budget, &self.errand.traffic).await?;
            match answer.status {
                StatusCode::UNAUTHORIZED => {}
                // What was got unasked may be the wrong thing.
                StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if scope.forget_guess() => continue,
                StatusCode::OK => {
                    scope.confirm();
                    return Ok(answer);
                }
                _ => return Ok(answer),
            }
            let challenge = Challenge::from_headers(&answer.headers).filter(|_| !negotiated);
            let Some(challenge) = challenge else {
                let note = grant.map(|grant| grant.note).unwrap_or_default();
                return Err(Cause::Unauthorized { detail: explain(&[&answer.said()], &note) }.into());
            };
            if scope.personal {
                entrance.learn(&challenge, &scope.repository);
            }
            drop(first.take());
            if let Some((_, cause)) = tried.take().filter(|(tried, _)| *tried == challenge) {
                return scope.settle(challenge, Err(cause.clone())).and(Err(cause)).map_err(Failure::from);
            }
            negotiated = self.renew(scope, seen, challenge, &mut turn).await?;
        }
    }

    /// Sees to it that there is a newer grant than the one `seen`. `true` if this very call got it, so that there is no use
    /// in getting yet another.
    async fn renew<'s>(
        &self,
        scope: &'s Scope,
        seen: u64,
        challenge: Challenge,
        turn: &mut Option<Turn<'s>>,
    ) -> Result<bool, Cause> {
        let _turn = match turn.take() {
            Some(turn) => turn,
            None => scope.turn().await,
        };
        if let Some(news) = scope.news(seen) {
            return news.map(|()| false);
        }
        let outcome = self.negotiate(scope, &challenge).await;
        scope.settle(challenge, outcome).map(|()| true)
    }
}

/// The tries of one request.
pub(super) struct Attempts<'a> {
    pub(super) budget: Budget,
    transport: &'a Transport,
    errand: &'a Errand,
    url: String,
    made: u32,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(transport: &'a Transport, errand: &'a Errand, url: &Url, home: &str) -> Self {
        let budget = Budget::new(transport.options.timeouts.request);
        Self { budget, transport, errand, url: shown(url, home), made: 0 }
    }

    /// The result, unless it is worth another try; then this waits until it is time for that.
    pub(super) async fn next(&mut self, outcome: Result<Answer, Failure>) -> Option<Result<Answer, Cause>> {
        let (cause, asked) = match outcome {
            Ok(answer) if !answer.is_transient() => return Some(Ok(answer)),
            Ok(answer) => (answer.cause(), retry_after(&answer.headers)),
            Err(failure) if failure.transient => (failure.cause, None),
            Err(failure) => return Some(Err(failure.cause)),
        };
        let retry = &self.transport.options.retry;
        self.made += 1;
        if self.made >= retry.tries || self.budget.is_spent() {
            return Some(Err(cause));
        }
        let after = asked.unwrap_or_default().max(jitter(retry, self.made)).min(retry.cap);
        self.wait(after, cause).await.err().map(Err)
    }

    /// Waits before a try, unless the deadline comes first: then `cause` is all there is to say.
    async fn wait(&self, after: Duration, cause: Cause) -> Result<(), Cause> {
        let until = Instant::now().checked_add(after);
        if self.errand.deadline.is_some_and(|deadline| until.is_none_or(|until| until >= deadline)) {
            return Err(cause);
        }
        let (url, reason) = (self.url.clone(), cause.to_string());
        self.transport.wire.observer.hear(&Event::Retry { url, after, reason });
        (self.transport.options.retry.pause)(after).await;
        Ok(())
    }
}

/// Full jitter: anything up to a limit that doubles with every try.
fn jitter(retry: &Retry, made: u32) -> Duration {
    let limit = retry.base.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1))).min(retry.cap);
    // A fresh `RandomState` is as random as a pause needs to be.
    let random = RandomState::new().hash_one(made) % 1001;
    limit.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 1000.0)
}
