//! Who may read: nobody asked, basic credentials, or tokens from a token endpoint.

use super::http::{Answer, Request};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

/// What a registry asks of its readers.
#[derive(Debug, Clone, Default)]
pub enum Access {
    /// Nothing.
    #[default]
    Open,
    /// `Authorization: Basic` with these.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token of this authority, for the scope of the repository.
    Bearer {
        /// Where tokens come from.
        authority: Authority,
        /// The realm in the challenge; the registry's own `/token` if none is given.
        realm: Option<String>,
    },
}

impl Access {
    /// Basic credentials.
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }

    /// Tokens of an authority, to be had at the registry itself.
    pub fn bearer(authority: &Authority) -> Self {
        Self::Bearer { authority: authority.clone(), realm: None }
    }

    /// Tokens of an authority, to be had elsewhere.
    pub fn bearer_from(authority: &Authority, realm: impl Into<String>) -> Self {
        Self::Bearer { authority: authority.clone(), realm: Some(realm.into()) }
    }

    /// The refusal, if the request may not read this repository (`None`: `/v2/` itself). `origin` is the registry's own URL.
    pub(super) fn refusal(&self, request: &Request, repository: Option<&str>, origin: &str) -> Option<Answer> {
        match self {
            Self::Open => None,
            Self::Basic { user, password } => {
                let given = request.basic();
                if given.is_some_and(|(name, secret)| name == *user && secret == *password) {
                    return None;
                }
                Some(challenge("Basic realm=\"registry\""))
            }
            Self::Bearer { authority, realm } => {
                let realm = realm.clone().unwrap_or_else(|| format!("{origin}/token"));
                authority.refusal(request, repository, &realm)
            }
        }
    }
}

fn challenge(text: &str) -> Answer {
    Answer::error(401, "UNAUTHORIZED").with("WWW-Authenticate", text)
}

/// What a token endpoint wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user and a password: basic authentication at GET, `grant_type=password` at POST.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// An identity token: `grant_type=refresh_token` at POST.
    IdentityToken(String),
}

impl Credentials {
    /// A user and a password.
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }
}

/// The name under which the token stands in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenField {
    /// Both, as the token specification asks of GET.
    #[default]
    Both,
    /// `token` alone.
    Token,
    /// `access_token` alone.
    AccessToken,
}

/// How tokens are given out.
#[derive(Debug, Clone)]
pub struct TokenPolicy {
    /// Service named in the challenge and expected back.
    pub service: Option<String>,
    /// What must be shown; `None` gives a token to anybody.
    pub credentials: Option<Credentials>,
    /// Each token is good for so many requests.
    pub uses: Option<usize>,
    /// Seconds named in the answer.
    pub expires_in: Option<u64>,
    /// How the answer names the token.
    pub field: TokenField,
    /// What every token begins with; a number follows. Tests look for it where it must not be.
    pub prefix: String,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            service: Some("registry.test".to_owned()),
            credentials: None,
            uses: None,
            expires_in: Some(300),
            field: TokenField::Both,
            prefix: "token-".to_owned(),
        }
    }
}

#[derive(Debug)]
struct Token {
    text: String,
    scopes: Vec<String>,
    uses_left: Option<usize>,
}

#[derive(Debug)]
struct Office {
    policy: TokenPolicy,
    issued: Mutex<Vec<Token>>,
}

/// Gives out tokens and knows those given out; clones share them, so that one server may issue what another accepts.
#[derive(Debug, Clone)]
pub struct Authority(Arc<Office>);

impl Authority {
    /// An authority that follows this policy.
    pub fn new(policy: TokenPolicy) -> Self {
        Self(Arc::new(Office { policy, issued: Mutex::default() }))
    }

    /// One that gives a token to anybody.
    pub fn anonymous() -> Self {
        Self::new(TokenPolicy::default())
    }

    /// One that gives a token to the bearer of these.
    pub fn private(credentials: Credentials) -> Self {
        Self::new(TokenPolicy { credentials: Some(credentials), ..TokenPolicy::default() })
    }

    /// The number of tokens given out so far.
    pub fn issued(&self) -> usize {
        self.tokens().len()
    }

    /// Makes every token given out so far worthless.
    pub fn revoke_all(&self) {
        for token in self.tokens().iter_mut() {
            token.uses_left = Some(0);
        }
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, Vec<Token>> {
        self.0.issued.lock().expect("invariant: no holder of the lock panics")
    }

    /// The token endpoint: GET as the distribution project specifies it, POST as OAuth2 does.
    pub(super) fn token(&self, request: &Request) -> Answer {
        let policy = &self.0.policy;
        let shown = match request.method.as_str() {
            "GET" => request.basic().map(|(user, password)| Credentials::Basic { user, password }),
            "POST" => posted(request),
            _ => return Answer::error(405, "UNSUPPORTED"),
        };
        if policy.credentials.is_some() && policy.credentials != shown {
            return Answer::error(401, "UNAUTHORIZED");
        }
        let mut scopes = request.query_values("scope");
        scopes.extend(request.form_value("scope"));
        let scopes = scopes.iter().flat_map(|text| text.split(' ')).map(str::to_owned).collect();
        Answer::json(200, &self.issue(scopes, request.method == "POST"))
    }

    fn issue(&self, scopes: Vec<String>, posted: bool) -> serde_json::Value {
        let policy = &self.0.policy;
        let mut tokens = self.tokens();
        let text = format!("{}{}", policy.prefix, tokens.len());
        let mut answer = json!({});
        if policy.field != TokenField::AccessToken && !posted {
            answer["token"] = json!(text);
        }
        if policy.field != TokenField::Token || posted {
            answer["access_token"] = json!(text);
        }
        if let Some(seconds) = policy.expires_in {
            answer["expires_in"] = json!(seconds);
        }
        tokens.push(Token { text, scopes, uses_left: policy.uses });
        answer
    }

    fn refusal(&self, request: &Request, repository: Option<&str>, realm: &str) -> Option<Answer> {
        let scope = repository.map(|name| format!("repository:{name}:pull"));
        let mut text = format!("Bearer realm=\"{realm}\"");
        if let Some(service) = &self.0.policy.service {
            let _ = write!(text, ",service=\"{service}\"");
        }
        if let Some(scope) = &scope {
            let _ = write!(text, ",scope=\"{scope}\"");
        }
        let mut tokens = self.tokens();
        let token = request.bearer().and_then(|text| tokens.iter_mut().find(|token| token.text == text));
        let Some(token) = token else {
            return Some(challenge(&text));
        };
        if scope.is_some_and(|scope| !token.scopes.iter().any(|given| covers(given, &scope))) {
            return Some(challenge(&(text + ",error=\"insufficient_scope\"")));
        }
        match &mut token.uses_left {
            Some(0) => return Some(challenge(&(text + ",error=\"invalid_token\""))),
            Some(left) => *left -= 1,
            None => {}
        }
        None
    }
}

fn posted(request: &Request) -> Option<Credentials> {
    match request.form_value("grant_type")?.as_str() {
        "refresh_token" => Some(Credentials::IdentityToken(request.form_value("refresh_token")?)),
        "password" => Some(Credentials::Basic {
            user: request.form_value("username")?,
            password: request.form_value("password")?,
        }),
        _ => None,
    }
}

/// Whether a scope such as `repository:acme/app:pull,push` covers `repository:acme/app:pull`.
fn covers(given: &str, wanted: &str) -> bool {
    let (Some((resource, actions)), Some((target, action))) = (given.rsplit_once(':'), wanted.rsplit_once(':')) else {
        return false;
    };
    resource == target && actions.split(',').any(|given| given == action)
}
