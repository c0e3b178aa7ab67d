//! From a challenge to something that opens the repository: a token, or a name and a password.
//!
//! Nothing is asked before a registry refuses; then the credentials are looked up, and shown only to whom they belong.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, StatusCode};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::answer::Answer;
use super::challenge::Challenge;
use super::credentials::Credential;
use super::entrance::{Entrance, pull};
use super::realm::{authority, is_trusted};
use super::scope::{Grant, Scope};
use super::secret::Secret;
use super::transport::{Attempts, Visit};
use super::wire::{Outgoing, Take};
use crate::graph::Cause;

/// The largest answer of a token server that is read, in bytes.
const TOKEN_BODY: u64 = 1024 * 1024;
/// No token lives shorter than this (distribution's token specification, `expires_in`).
const SHORTEST_LIFE: Duration = Duration::from_mins(1);
/// A token is replaced so long before its time is over.
const MARGIN: Duration = Duration::from_secs(10);
/// What the program calls itself to token servers.
const CLIENT_ID: &str = "ocilint";

/// Where a token is asked for.
struct TokenServer<'a> {
    realm: Url,
    service: Option<&'a str>,
    scope: String,
}

impl Visit<'_> {
    /// Gets what the challenge asks for.
    pub(super) async fn negotiate(&self, scope: &Scope, challenge: &Challenge) -> Result<Grant, Cause> {
        let stored = if scope.personal {
            self.transport.credentials.lookup(&scope.registry, &scope.repository).await?
        } else {
            None
        };
        let unencrypted = !self.may_carry_secrets(&scope.origin);
        match (challenge, stored) {
            (Challenge::Basic, None) => {
                Err(refused(format!("{} wants a name and a password, and none are stored for it", scope.registry)))
            }
            (_, Some(Credential::RegistryToken(_))) | (Challenge::Basic, Some(_)) if unencrypted => {
                Err(refused(over_http(&scope.origin)))
            }
            (_, Some(Credential::RegistryToken(token))) => Ok(grant(bearer(token.expose())?, None, String::new())),
            (Challenge::Basic, Some(Credential::Basic { username, password })) => {
                Ok(grant(basic(&username, &password)?, None, were_shown(&scope.registry)))
            }
            (Challenge::Basic, Some(Credential::IdentityToken(_))) => Err(refused(format!(
                "{} wants a name and a password, and what is stored for it is an identity token",
                scope.registry
            ))),
            (Challenge::Bearer { realm, service, scope: wanted }, stored) => {
                let realm = self.realm(scope, realm)?;
                let (shown, note) = self.showable(scope, &realm, stored);
                let wanted = wanted.clone().unwrap_or_else(|| pull(&scope.repository));
                let server = TokenServer { realm, service: service.as_deref(), scope: wanted };
                self.token(&server, shown.as_ref(), note).await
            }
        }
    }

    /// Gets unasked what another repository of the host was asked for, if there is such a thing. What cannot be got is no
    /// failure yet: the challenge is returned, with why, so that it is not tried twice.
    ///
    /// Different credentials for different repositories of one host mean that whoever serves the one is not to see what
    /// belongs to the other. So only what the other repository would show as well is shown.
    pub(super) async fn enter_likewise(&self, scope: &Scope, entrance: &Entrance) -> Option<(Challenge, Cause)> {
        let asked = entrance.asks_for().filter(|asked| asked.repository != scope.repository)?;
        let (registry, credentials) = (&scope.registry, &self.transport.credentials);
        let of_other = credentials.lookup(registry, &asked.repository).await;
        if of_other != credentials.lookup(registry, &scope.repository).await || of_other.is_err() {
            return None;
        }
        let challenge = asked.of(&scope.repository);
        match self.negotiate(scope, &challenge).await {
            Ok(grant) => {
                scope.guess(challenge, grant);
                None
            }
            Err(cause) => Some((challenge, cause)),
        }
    }

    /// The address of a token server, if it may be asked at all. Where a redirect leads, nobody sends us on to third parties.
    fn realm(&self, scope: &Scope, text: &str) -> Result<Url, Cause> {
        let unusable =
            |problem: &str| refused(format!("{} names the token server '{text}', {problem}", scope.registry));
        let realm = Url::parse(text).map_err(|_| unusable("which is no URL"))?;
        if !realm.username().is_empty() || realm.password().is_some() || !realm.has_host() {
            return Err(unusable("which is no plain address"));
        }
        if !scope.personal && !is_trusted(&scope.registry, &scope.origin, &realm, &[]) {
            return Err(unusable("which is not its own"));
        }
        match realm.scheme() {
            "https" => Ok(realm),
            "http" if self.transport.options.plain_http.allows(&realm) => Ok(realm),
            _ => Err(unusable("which would be asked without encryption")),
        }
    }

    /// The credentials that may be shown to a token server; when there are some that may not, why.
    fn showable(&self, scope: &Scope, realm: &Url, stored: Option<Credential>) -> (Option<Credential>, String) {
        let registry = &scope.registry;
        match stored {
            None if scope.personal => (None, format!("no credentials are stored for {registry}")),
            None => (None, String::new()),
            Some(_) if !is_trusted(registry, &scope.origin, realm, &self.transport.options.trust_realms) => {
                let host = authority(realm);
                let note = format!(
                    "the credentials for {registry} were not shown to the token server {host}, which is not known to belong to it; if it does, say `--trust-realm {registry}={host}`"
                );
                (None, note)
            }
            Some(_) if !self.may_carry_secrets(realm) => (None, over_http(realm)),
            Some(credential) => (Some(credential), were_shown(registry)),
        }
    }

    /// Whether what is sent there is encrypted, or the user named the host all the same.
    fn may_carry_secrets(&self, url: &Url) -> bool {
        url.scheme() == "https" || self.transport.options.plain_http.names(url)
    }

    async fn token(&self, server: &TokenServer<'_>, shown: Option<&Credential>, note: String) -> Result<Grant, Cause> {
        let (url, form, authorization) = server.request(shown)?;
        let out = Outgoing {
            url: &url,
            accept: None,
            range: None,
            authorization: authorization.as_ref(),
            form: form.as_deref(),
            take: Take::Whole { cap: TOKEN_BODY },
        };
        let mut attempts = Attempts::new(self.transport, self.errand, &url, "");
        let answer = loop {
            let outcome = self.transport.wire.send(&out, "", &mut attempts.budget, &self.errand.traffic).await;
            if let Some(result) = attempts.next(outcome).await {
                break result.map_err(|cause| denied(&url, cause, &note))?;
            }
        };
        if answer.status == StatusCode::OK {
            read_token(&answer, note)
        } else {
            Err(denied(&url, answer.cause(), &note))
        }
    }
}

impl TokenServer<'_> {
    /// URL, form and `Authorization` of the request: GET as distribution specifies it, POST for an identity token as OAuth2 does.
    fn request(&self, shown: Option<&Credential>) -> Result<(Url, Option<String>, Option<HeaderValue>), Cause> {
        let mut url = self.realm.clone();
        if let Some(Credential::IdentityToken(token)) = shown {
            let mut form = Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT_ID);
            form.append_pair("scope", &self.scope).append_pair("refresh_token", token.expose());
            if let Some(service) = self.service {
                form.append_pair("service", service);
            }
            return Ok((url, Some(form.finish()), None));
        }
        let mut query = url.query_pairs_mut();
        if let Some(service) = self.service {
            query.append_pair("service", service);
        }
        for scope in self.scope.split_ascii_whitespace() {
            query.append_pair("scope", scope);
        }
        drop(query);
        let authorization = match shown {
            Some(Credential::Basic { username, password }) => Some(basic(username, password)?),
            _ => None,
        };
        Ok((url, None, authorization))
    }
}

/// What token servers answer; of both names for a token the first that holds one counts.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<Value>,
}

fn read_token(answer: &Answer, note: String) -> Result<Grant, Cause> {
    let host = authority(&answer.url);
    let unusable =
        |problem: &str| Cause::NotTheDocument { detail: format!("the token server {host} answered {problem}") };
    let read: TokenAnswer =
        serde_json::from_slice(&answer.body).map_err(|_| unusable("with something else than a token"))?;
    let token = [read.token, read.access_token].into_iter().flatten().find(|token| !token.is_empty());
    let token = token.ok_or_else(|| unusable("without a token"))?;
    let authorization = bearer(&token).map_err(|_| unusable("with a token that no header may hold"))?;
    let life = read.expires_in.as_ref().and_then(Value::as_u64).map(Duration::from_secs);
    let expires = life.and_then(|life| Instant::now().checked_add(life.max(SHORTEST_LIFE).saturating_sub(MARGIN)));
    Ok(grant(authorization, expires, note))
}

/// Why a token server gave no token.
fn denied(server: &Url, cause: Cause, note: &str) -> Cause {
    let said = |detail: &str| explain(&[&format!("the token server {} refuses", authority(server)), detail], note);
    match cause {
        Cause::Unauthorized { detail } => refused(said(&detail)),
        Cause::Forbidden { detail } => Cause::Forbidden { detail: said(&detail) },
        Cause::NotFound { detail } => Cause::Status { code: 404, detail: said(&detail) },
        Cause::Status { code, detail } => Cause::Status { code, detail: said(&detail) },
        Cause::Redirect { detail } => Cause::Redirect { detail: said(&detail) },
        other => other,
    }
}

/// The reason of a refusal: what is not empty, with what to know about the credentials behind it.
pub(super) fn explain(parts: &[&str], note: &str) -> String {
    let said = parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(": ");
    match (said.as_str(), note) {
        ("", text) | (text, "") => text.to_owned(),
        _ => format!("{said}; {note}"),
    }
}

fn grant(mut authorization: HeaderValue, expires: Option<Instant>, note: String) -> Grant {
    authorization.set_sensitive(true);
    Grant { authorization, expires, note }
}

fn bearer(token: &str) -> Result<HeaderValue, Cause> {
    HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| unsendable())
}

fn basic(username: &str, password: &Secret) -> Result<HeaderValue, Cause> {
    let encoded = BASE64_STANDARD.encode(format!("{username}:{}", password.expose()));
    HeaderValue::from_str(&format!("Basic {encoded}")).map_err(|_| unsendable())
}

fn unsendable() -> Cause {
    Cause::Credentials { detail: "what is stored holds characters that no header may hold".into() }
}

fn refused(detail: String) -> Cause {
    Cause::Unauthorized { detail }
}

fn were_shown(registry: &str) -> String {
    format!("the credentials that are stored for {registry} were shown")
}

fn over_http(url: &Url) -> String {
    let host = authority(url);
    format!("credentials cross the network unencrypted only to a host that is named: `--plain-http={host}`")
}
