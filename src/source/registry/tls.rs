//! Whom to trust: the system's certificates, read when the first https request is made and not before.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::graph::Cause;

/// Where systems keep all trusted certificates in one file: Debian and Arch, Fedora and RHEL, openSUSE, older RHEL, Alpine and BSD.
/// One file takes 2 ms to read; the directory with the same certificates takes ten times as long.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// So much of a file of certificates is read, in bytes; those of systems have less than a quarter of a mebibyte.
const MAX_FILE: u64 = 16 << 20;

/// The protocols offered over TLS, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS that trusts the system's certificates and those of `ca_file`.
pub(super) fn trusting(ca_file: Option<&Path>) -> Result<ClientConfig, Cause> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system_certificates());
    if let Some(path) = ca_file {
        add_named(&mut roots, path)?;
    }
    if roots.is_empty() {
        let detail =
            "this system has no trusted certificates: install ca-certificates, set SSL_CERT_FILE or say `--ca-file`";
        return Err(Cause::File { detail: detail.into() });
    }
    Ok(config(roots))
}

/// TLS that trusts nobody: for connections that are never encrypted.
pub(super) fn trusting_nobody() -> ClientConfig {
    config(RootCertStore::empty())
}

fn config(roots: RootCertStore) -> ClientConfig {
    let provider = rustls::crypto::ring::default_provider();
    let mut config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("invariant: ring supports the protocol versions that rustls takes for safe")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = PROTOCOLS.map(Vec::from).into();
    config
}

/// The certificates of one file: what `SSL_CERT_FILE` names, else the system's bundle; where there is neither, whatever
/// `SSL_CERT_DIR` or the platform offers.
fn system_certificates() -> Vec<CertificateDer<'static>> {
    if std::env::var_os("SSL_CERT_DIR").is_none() {
        let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let candidates = named.map_or_else(|| BUNDLES.map(PathBuf::from).into(), |path| vec![path]);
        let read = candidates.iter().filter_map(|path| certificates(path).ok());
        if let Some(found) = read.into_iter().find(|certificates| !certificates.is_empty()) {
            return found;
        }
    }
    rustls_native_certs::load_native_certs().certs
}

/// The certificates of a PEM file, without those that cannot be decoded.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut pem = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE).read_to_end(&mut pem).map_err(|error| error.to_string())?;
    Ok(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect())
}

/// Adds what the user named; a file that adds nothing is a mistake.
fn add_named(roots: &mut RootCertStore, path: &Path) -> Result<(), Cause> {
    let failed = |problem: &str| Cause::File { detail: format!("{} (`--ca-file`): {problem}", path.display()) };
    let found = certificates(path).map_err(|error| failed(&error))?;
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 { Err(failed("it holds no certificate")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_must_hold_a_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        for path in [empty, dir.path().join("absent.pem")] {
            let error = trusting(Some(&path)).unwrap_err();
            assert!(matches!(&error, Cause::File { detail } if detail.contains("--ca-file")), "{error}");
        }
    }
}
