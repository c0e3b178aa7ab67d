//! Where credentials come from: the files that `docker login` and `podman login` write, and the helpers that these name.
//!
//! Nothing here guesses: a host is looked up by its exact name and port, and a file or helper that fails is an error, never
//! a reason to try the next one, which might hold somebody else's password.

mod environment;
mod file;
mod helper;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use self::file::{AuthFile, Entry};
use super::Secret;
use crate::graph::Cause;

pub use environment::Environment;

/// How long a credential helper may take.
const HELPER_TIMEOUT: Duration = Duration::from_secs(10);

/// What a registry is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password, for a token server or for the registry itself.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An OAuth2 refresh token, to be exchanged for an access token by `POST`.
    IdentityToken(Secret),
    /// A bearer token for the registry itself.
    RegistryToken(Secret),
}

impl Credential {
    /// A name and a password as a file or helper gives them: the name `<token>` marks an identity token, and both empty
    /// mean that there is nothing.
    fn login(username: &str, password: &str) -> Option<Self> {
        match (username, password) {
            ("", "") => None,
            ("<token>", token) => Some(Self::IdentityToken(Secret::new(token))),
            _ => Some(Self::Basic { username: username.to_owned(), password: Secret::new(password) }),
        }
    }

    /// Whether it holds a control character, which could smuggle a line into a request and is never part of a password.
    fn has_control(&self) -> bool {
        let control = |text: &str| text.chars().any(char::is_control);
        match self {
            Self::Basic { username, password } => control(username) || control(password.expose()),
            Self::IdentityToken(token) | Self::RegistryToken(token) => control(token.expose()),
        }
    }
}

/// What came of asking a helper, kept for the run.
type Answer = Arc<OnceCell<Result<Option<Credential>, Cause>>>;

/// Finds the credentials for a registry. Every file is read once, and every helper asked once for a host.
pub struct CredentialStore {
    files: Vec<Candidate>,
    environment: Environment,
    helper_timeout: Duration,
    /// By the helper's name and the host.
    asked: Mutex<BTreeMap<(String, String), Answer>>,
}

/// A file that may hold credentials.
struct Candidate {
    path: PathBuf,
    /// Whether the user named it, so that it has to be there.
    required: bool,
    content: OnceCell<Result<AuthFile, Cause>>,
}

impl Candidate {
    fn new(path: PathBuf, required: bool) -> Self {
        Self { path, required, content: OnceCell::new() }
    }

    async fn content(&self) -> Result<&AuthFile, Cause> {
        let content = self.content.get_or_init(|| AuthFile::read(&self.path, self.required)).await;
        content.as_ref().map_err(Clone::clone)
    }
}

impl CredentialStore {
    /// A store over `--registry-config` if it was given, and then only that; else over the files of podman and docker that
    /// the environment of this process leads to.
    pub fn new(registry_config: Option<PathBuf>) -> Self {
        Self::with_environment(registry_config, Environment::of_process())
    }

    /// The same in another environment.
    pub fn with_environment(registry_config: Option<PathBuf>, environment: Environment) -> Self {
        let files = match registry_config {
            Some(path) => vec![Candidate::new(path, true)],
            None => environment.auth_files().into_iter().map(|path| Candidate::new(path, false)).collect(),
        };
        Self { files, environment, helper_timeout: HELPER_TIMEOUT, asked: Mutex::default() }
    }

    /// The same with another limit on the time a helper may take.
    #[must_use]
    pub fn helper_timeout(mut self, timeout: Duration) -> Self {
        self.helper_timeout = timeout;
        self
    }

    /// The credentials for a repository: the first file that has any decides, and in it the longest `host/path` prefix, else
    /// the host. `None` means that no file and no helper knows the registry.
    ///
    /// `registry` is a host with or without a port; Docker Hub's names mean the same.
    ///
    /// # Errors
    /// [`Cause::Credentials`] when a file that would come first cannot be read, or a helper fails.
    pub async fn lookup(&self, registry: &str, repository: &str) -> Result<Option<Credential>, Cause> {
        let host = file::canonical_host(registry);
        if host.is_empty() || host.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/') {
            return Err(failed("the registry's name holds characters that no host has"));
        }
        for candidate in &self.files {
            for entry in candidate.content().await?.entries(&host, repository) {
                let found = match entry {
                    Entry::Stored { key, login } => login.credential(&candidate.path, key)?,
                    Entry::Helper(name) => self.ask(name, &host).await?,
                };
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    async fn ask(&self, helper: &str, host: &str) -> Result<Option<Credential>, Cause> {
        let answer = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asked.entry((helper.to_owned(), host.to_owned())).or_default())
        };
        let search_path = self.environment.search_path.as_deref();
        answer.get_or_init(|| helper::get(helper, host, search_path, self.helper_timeout)).await.clone()
    }
}

fn failed(detail: impl Into<String>) -> Cause {
    Cause::Credentials { detail: detail.into() }
}

#[cfg(test)]
mod tests;
