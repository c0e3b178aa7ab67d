//! The registry source against the scripted registry.

mod access;
mod blobs;
mod entrance;
mod hostile;
mod manifests;
mod peers;
mod redirects;
mod referrers;
mod repetitions;
mod secrets;
mod tags;
mod tls;

use crate::support::{OCI_MANIFEST, Registry};
use ocilint::oci::{Digest, Reference};
use ocilint::source::registry::{PlainHttp, RegistryOptions, RegistrySource, Timeouts, Transport};
use ocilint::source::{Event, Observer, Resolved, Served};
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::NamedTempFile;

const REPOSITORY: &str = "acme/app";

/// A small image manifest; `note` makes it different from others.
fn manifest(note: &str) -> String {
    let descriptor = |media_type: &str| json!({ "mediaType": media_type, "digest": Digest::sha256(b"{}"), "size": 2 });
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip")],
        "annotations": { "note": note },
    })
    .to_string()
}

/// The same that refers to a subject.
fn referrer(subject: &Digest, note: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.test",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::sha256(b"{}"), "size": 2 },
        "layers": [],
        "subject": { "mediaType": OCI_MANIFEST, "digest": subject, "size": 1 },
        "annotations": { "note": note },
    })
    .to_string()
}

fn digest(text: &str) -> Digest {
    text.parse().expect("a digest")
}

/// Puts `acme/app:1.0` into the registry.
fn put_image(registry: &Registry) -> Digest {
    digest(&registry.store().put_manifest(REPOSITORY, Some("1.0"), manifest("1.0"), OCI_MANIFEST))
}

/// A registry with `acme/app:1.0` that serves it to anybody.
fn with_image() -> (Registry, Digest) {
    let registry = Registry::start();
    let digest = put_image(&registry);
    (registry, digest)
}

/// What the transport told, and how long it would have paused.
#[derive(Default)]
struct Ear {
    events: Mutex<Vec<Event>>,
    pauses: Mutex<Vec<Duration>>,
}

impl Observer for Ear {
    fn hear(&self, event: &Event) {
        self.events.lock().expect("no holder panics").push(event.clone());
    }
}

/// A run: its options, and what was heard of it.
struct Run {
    options: RegistryOptions,
    ear: Arc<Ear>,
    /// The auth file, if it holds anything.
    credentials: Option<NamedTempFile>,
}

impl Run {
    /// A run that speaks http on loopback, has no credentials, and takes note of pauses in place of making them.
    fn new() -> Self {
        let ear: Arc<Ear> = Arc::default();
        let mut options = RegistryOptions {
            plain_http: PlainHttp { loopback: true, hosts: Vec::new() },
            registry_config: Some(no_credentials()),
            ..RegistryOptions::default()
        };
        let listening = Arc::clone(&ear);
        options.retry.pause = Arc::new(move |pause| {
            listening.pauses.lock().expect("no holder panics").push(pause);
            Box::pin(std::future::ready(()))
        });
        Self { options, ear, credentials: None }
    }

    /// With limits that a stalled server runs into at once.
    fn impatient() -> Self {
        let mut run = Self::new();
        let short = Duration::from_millis(100);
        run.options.timeouts = Timeouts { first_byte: short, idle: short, request: 3 * short, ..Timeouts::default() };
        run
    }

    /// With these credentials for a host, which is also named for plain http.
    fn logged_in(self, host: &str, username: &str, password: &str) -> Self {
        self.with_auth(host, &json!({ "username": username, "password": password })).naming(host)
    }

    /// With such an entry in the auth file.
    fn with_auth(mut self, host: &str, entry: &serde_json::Value) -> Self {
        let auth_file = file(&json!({ "auths": { host: entry } }).to_string());
        self.options.registry_config = Some(auth_file.path().to_owned());
        self.credentials = Some(auth_file);
        self
    }

    /// With `--plain-http=HOST`.
    fn naming(mut self, host: &str) -> Self {
        self.options.plain_http.hosts.push(host.to_owned());
        self
    }

    fn transport(&self) -> Arc<Transport> {
        Arc::new(Transport::new(self.options.clone(), self.ear.clone()))
    }

    /// A source of its own, over a transport of its own.
    fn source(&self, registry: &Registry, image: &str) -> RegistrySource {
        source(&self.transport(), registry, image)
    }

    fn pauses(&self) -> Vec<Duration> {
        self.ear.pauses.lock().expect("no holder panics").clone()
    }

    /// Everything that was told, as text.
    fn told(&self) -> String {
        format!("{:?}", self.ear.events.lock().expect("no holder panics"))
    }
}

fn source(transport: &Arc<Transport>, registry: &Registry, image: &str) -> RegistrySource {
    let reference = Reference::parse(&registry.reference(image)).expect("a reference");
    RegistrySource::new(Arc::clone(transport), reference)
}

/// An auth file without entries, so that no test looks at those of whoever runs it.
fn no_credentials() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/registry/no_credentials.json")
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("a writable file");
    file
}

/// What a source resolved to.
fn served(resolved: Resolved) -> Served {
    match resolved {
        Resolved::Manifest(served) => served,
        Resolved::SavedConfig(_) => panic!("a registry has no saved configs"),
    }
}
