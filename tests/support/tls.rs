//! Certificates for the loopback addresses, made anew in every test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::io::Write as _;
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

const NAMES: [&str; 5] = ["localhost", "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];

/// A certificate authority of the test's own, and a certificate of it for `localhost` and 127.0.0.1 to 127.0.0.4.
#[derive(Debug, Clone)]
pub struct Certificates {
    authority: String,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Certificates {
    /// A new authority and certificate.
    pub fn new() -> Self {
        Self::generate().expect("certificates")
    }

    fn generate() -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "scripted registry authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(NAMES.map(str::to_owned))?.signed_by(&key, &authority)?;
        let chain = vec![certificate.der().clone()];
        Ok(Self { authority: authority.pem(), chain, key: key.serialize_der() })
    }

    /// The authority's certificate, to be trusted by clients.
    pub fn authority_pem(&self) -> &str {
        &self.authority
    }

    /// The authority's certificate as a file, as `SSL_CERT_FILE` wants it.
    pub fn authority_file(&self) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(self.authority.as_bytes()).expect("a writable temporary file");
        file
    }

    /// Accepts TLS connections that speak one of these protocols.
    pub(super) fn acceptor(&self, protocols: &[&str]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivatePkcs8KeyDer::from(self.key.clone()).into();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(self.chain.clone(), key))
            .expect("a fresh certificate and its key");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
