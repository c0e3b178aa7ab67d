//! Credential helpers: `docker-credential-NAME get` reads a host and answers with a name and a secret in JSON.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::file::helper_name_of;
use super::{Credential, failed};
use crate::graph::Cause;

/// No answer of a helper is longer, in bytes.
const MAX_OUTPUT: u64 = 64 << 10;

/// How helpers say that they know nothing about a host. Everything else that they say on failing is a failure.
const NOT_FOUND: [&str; 3] = [
    "credentials not found in native keychain",
    "credentials not found in native store",
    "the specified item could not be found in the keychain",
];

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

/// Asks a helper about a host; `None` when it knows nothing. What it prints appears in no error: it may be a secret.
pub(super) async fn get(
    name: &str,
    host: &str,
    search_path: Option<&OsStr>,
    limit: Duration,
) -> Result<Option<Credential>, Cause> {
    if !is_name(name) {
        return Err(failed("the auth file names a credential helper whose name is not of the form [a-z0-9._-]+"));
    }
    let trouble = |problem: &str| failed(format!("the credential helper docker-credential-{name} {problem} ({host})"));
    let child = spawn(name, search_path).map_err(|kind| match kind {
        ErrorKind::NotFound => trouble("is not installed"),
        _ => trouble("could not be started"),
    })?;
    let (output, success) = match timeout(limit, converse(child, helper_name_of(host))).await {
        Err(_) => return Err(trouble(&format!("gave no answer within {} s", limit.as_secs_f32()))),
        Ok(None) => return Err(trouble("broke off")),
        Ok(Some(said)) => said,
    };
    if output.len() as u64 > MAX_OUTPUT {
        return Err(trouble("answered with more than 64 KiB"));
    }
    if !success {
        return if is_not_found(&output) { Ok(None) } else { Err(trouble("failed")) };
    }
    let answer: Answer =
        serde_json::from_slice(&output).map_err(|_| trouble("answered with something else than credentials"))?;
    let found = Credential::login(&answer.username, &answer.secret);
    if found.as_ref().is_some_and(Credential::has_control) {
        return Err(trouble("answered with a control character"));
    }
    Ok(found)
}

fn spawn(name: &str, search_path: Option<&OsStr>) -> Result<Child, ErrorKind> {
    let mut command = Command::new(format!("docker-credential-{name}"));
    if let Some(path) = search_path {
        command.env("PATH", path);
    }
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().map_err(|error| error.kind())
}

/// Tells the helper the host and hears its answer and whether it succeeded; `None` when the pipes or the process broke.
async fn converse(mut child: Child, host: &str) -> Option<(Vec<u8>, bool)> {
    let mut input = child.stdin.take()?;
    // A helper that answers without having read what it was asked closes the pipe early; its answer counts.
    let _ = input.write_all(host.as_bytes()).await;
    drop(input);
    let mut output = Vec::new();
    child.stdout.take()?.take(MAX_OUTPUT + 1).read_to_end(&mut output).await.ok()?;
    if output.len() as u64 > MAX_OUTPUT {
        return Some((output, false));
    }
    Some((output, child.wait().await.ok()?.success()))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
}

fn is_not_found(output: &[u8]) -> bool {
    let said = String::from_utf8_lossy(output).trim().trim_end_matches('.').to_ascii_lowercase();
    NOT_FOUND.contains(&said.as_str())
}
