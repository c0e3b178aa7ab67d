//! The auth file of docker (`config.json`) and podman (`auth.json`), which share one format.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use super::{Credential, Secret, failed};
use crate::graph::Cause;

/// No auth file is larger, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Docker pads its base64, others do not always.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is read of an auth file; everything else in it is somebody else's business.
#[derive(Default, Deserialize)]
pub(super) struct AuthFile {
    #[serde(default)]
    auths: Option<BTreeMap<String, Option<Login>>>,
    #[serde(default, rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

/// One value of `auths`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Login {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
    #[serde(rename = "registrytoken")]
    registry_token: Option<String>,
}

/// Where a file says that the credentials of a repository are.
pub(super) enum Entry<'a> {
    /// In the file itself.
    Stored { key: &'a str, login: &'a Login },
    /// With the credential helper of this name.
    Helper(&'a str),
}

impl AuthFile {
    /// Reads the file. One that is not there is as good as an empty one, unless it is `required`.
    pub(super) async fn read(path: &Path, required: bool) -> Result<Self, Cause> {
        let trouble = |problem: &dyn Display| failed(format!("{}: {problem}", path.display()));
        let bytes = match read_capped(path).await {
            Ok(bytes) => bytes,
            Err(error) if !required && is_absence(error.kind()) => return Ok(Self::default()),
            Err(error) => return Err(trouble(&error)),
        };
        if bytes.len() as u64 > MAX_FILE {
            return Err(trouble(&format_args!("larger than {MAX_FILE} bytes, which no auth file is")));
        }
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        // The error's own text may quote a value of the file.
        serde_json::from_slice(&bytes).map_err(|error| {
            trouble(&format_args!("no auth file in JSON (line {}, column {})", error.line(), error.column()))
        })
    }

    /// Where the credentials may be, the first to be asked first: an entry for a path on the host, then as docker does the
    /// helper of the host (else the one for all hosts), then the entry for the host.
    pub(super) fn entries(&self, host: &str, repository: &str) -> Vec<Entry<'_>> {
        let path_of = |place: &str| self.stored(place);
        let mut places = prefixes(host, repository);
        let last = places.pop();
        let on_path = places.iter().find_map(|place| path_of(place));
        let on_host = last.and_then(|place| path_of(&place));
        on_path.into_iter().chain(self.helper(host).map(Entry::Helper)).chain(on_host).collect()
    }

    /// The entry for a place that says something. Several keys may spell one place; its canonical spelling wins.
    fn stored(&self, place: &str) -> Option<Entry<'_>> {
        let logins = self.auths.iter().flatten();
        let mut there = logins.filter_map(|(key, login)| {
            let login = login.as_ref().filter(|login| !login.is_empty())?;
            (canonical_place(key) == place).then_some((key.as_str(), login))
        });
        let first = there.next()?;
        let (key, login) = if first.0 == place { first } else { there.find(|(key, _)| *key == place).unwrap_or(first) };
        Some(Entry::Stored { key, login })
    }

    fn helper(&self, host: &str) -> Option<&str> {
        let own = self.helpers.iter().flatten().find(|(key, _)| canonical_place(key) == host).map(|(_, name)| name);
        own.or(self.store.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }
}

impl Login {
    fn is_empty(&self) -> bool {
        let fields = [&self.auth, &self.username, &self.password, &self.identity_token, &self.registry_token];
        fields.into_iter().all(|field| field.as_deref().is_none_or(str::is_empty))
    }

    /// The credential. `path` and `key` say in an error where it stands.
    pub(super) fn credential(&self, path: &Path, key: &str) -> Result<Option<Credential>, Cause> {
        let trouble = |problem: &str| failed(format!("{}: the entry for {key} {problem}", path.display()));
        let given = |field: &'_ Option<String>| field.clone().filter(|text| !text.is_empty());
        let found = if let Some(token) = given(&self.registry_token) {
            Some(Credential::RegistryToken(Secret::new(token)))
        } else if let Some(token) = given(&self.identity_token) {
            Some(Credential::IdentityToken(Secret::new(token)))
        } else if let Some(auth) = given(&self.auth) {
            let (username, password) = decode(&auth).map_err(trouble)?;
            Credential::login(&username, &password)
        } else {
            Credential::login(
                self.username.as_deref().unwrap_or_default(),
                self.password.as_deref().unwrap_or_default(),
            )
        };
        if found.as_ref().is_some_and(Credential::has_control) {
            return Err(trouble("holds a control character, such as a line end"));
        }
        Ok(found)
    }
}

/// `username:password` in base64; docker fills up short ones with NUL.
fn decode(auth: &str) -> Result<(String, String), &'static str> {
    let bytes = BASE64.decode(auth.trim()).map_err(|_| "is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 once decoded")?;
    let (username, password) = text.split_once(':').ok_or("has no `:` between name and password once decoded")?;
    Ok((username.to_owned(), password.trim_matches('\0').to_owned()))
}

async fn read_capped(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tokio::fs::File::open(path).await?.take(MAX_FILE + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// `host/a/b`, `host/a`, `host` for the repository `a/b`.
fn prefixes(host: &str, repository: &str) -> Vec<String> {
    let full = format!("{host}/{repository}");
    let ends = full.rmatch_indices('/').map(|(at, _)| at);
    let shorter = ends.filter_map(|at| full.get(..at)).map(str::to_owned);
    std::iter::once(full.clone()).chain(shorter).collect()
}

/// The one spelling of a host: lower case, without the default port of https, Docker Hub's names as `docker.io`.
pub(super) fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    match host {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io".to_owned(),
        other => other.to_owned(),
    }
}

/// The one spelling of a key: `host` or `host/path`. Docker writes URLs such as `https://index.docker.io/v1/`.
fn canonical_place(key: &str) -> String {
    let schemeless = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let place = schemeless.unwrap_or(key).trim_end_matches('/');
    match place.split_once('/') {
        None | Some((_, "v1" | "v2")) => canonical_host(place.split('/').next().unwrap_or_default()),
        Some((host, path)) => format!("{}/{path}", canonical_host(host)),
    }
}

/// How credential helpers know a host: Docker Hub by the URL of its first index.
pub(super) fn helper_name_of(host: &str) -> &str {
    if host == "docker.io" { "https://index.docker.io/v1/" } else { host }
}
