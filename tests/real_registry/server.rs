//! Debian's `docker-registry`, started for one test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

const USER: &str = "founder";
const PASSWORD: &str = "correct horse";

/// A running registry; it ends with the test.
pub(crate) struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
    push: Vec<String>,
}

/// Which credentials an auth file holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Credentials {
    Right,
    Wrong,
    None,
}

impl Server {
    pub(crate) fn plain() -> Self {
        Self::start(folder(), &[], &["--dest-tls-verify=false"])
    }

    pub(crate) fn tls() -> Self {
        let folder = folder();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, made.cert.pem()).expect("a certificate file");
        fs::write(&key, made.signing_key.serialize_pem()).expect("a key file");
        let settings = [
            ("REGISTRY_HTTP_TLS_CERTIFICATE", certificate.display().to_string()),
            ("REGISTRY_HTTP_TLS_KEY", key.display().to_string()),
        ];
        Self::start(folder, &settings, &["--dest-tls-verify=false"])
    }

    pub(crate) fn with_password() -> Self {
        let folder = folder();
        let made = Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]).output().expect("htpasswd is installed");
        let file = folder.path().join("htpasswd");
        fs::write(&file, made.stdout).expect("a password file");
        let settings = [
            ("REGISTRY_AUTH", "htpasswd".to_owned()),
            ("REGISTRY_AUTH_HTPASSWD_REALM", "tests".to_owned()),
            ("REGISTRY_AUTH_HTPASSWD_PATH", file.display().to_string()),
        ];
        let login = format!("--dest-creds={USER}:{PASSWORD}");
        Self::start(folder, &settings, &["--dest-tls-verify=false", &login])
    }

    fn start(folder: TempDir, settings: &[(&str, String)], push: &[&str]) -> Self {
        let port = free_port();
        let config = folder.path().join("config.yml");
        let storage = folder.path().join("storage");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            storage.display()
        );
        fs::write(&config, text).expect("a configuration");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("docker-registry is installed");
        wait_until_listening(&mut process);
        Self { process, port, folder, push: push.iter().map(ToString::to_string).collect() }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Pushes a layout as it is, with all that its index names.
    pub(crate) fn push(&self, layout: &Path, name: &str) {
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests"]).args(&self.push);
        command.arg(format!("oci:{}", layout.display())).arg(format!("docker://{}", self.reference(name)));
        let output = command.output().expect("skopeo is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The bytes that skopeo reads under a name.
    pub(crate) fn inspect_raw(&self, name: &str) -> Vec<u8> {
        let image = format!("docker://{}", self.reference(name));
        let output = Command::new("skopeo").args(["inspect", "--raw", "--tls-verify=false", &image]).output();
        output.expect("skopeo is installed").stdout
    }

    /// An auth file as `docker login` writes it.
    pub(crate) fn auth_file(&self, credentials: Credentials) -> PathBuf {
        use base64::Engine as _;
        let login = match credentials {
            Credentials::Right => Some(format!("{USER}:{PASSWORD}")),
            Credentials::Wrong => Some(format!("{USER}:wrong")),
            Credentials::None => None,
        };
        let encode = |login: String| base64::engine::general_purpose::STANDARD.encode(login);
        let auths = login.map(|login| serde_json::json!({ self.host(): { "auth": encode(login) } }));
        let file = self.folder.path().join(format!("{credentials:?}.json"));
        let text = serde_json::json!({ "auths": auths.unwrap_or_else(|| serde_json::json!({})) }).to_string();
        fs::File::create(&file).and_then(|mut file| file.write_all(text.as_bytes())).expect("an auth file");
        file
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A port that was free a moment ago; the registry has no way to say which one it took by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// The registry logs the moment it listens. Its log is read on to the end, so that it never blocks on a full pipe.
fn wait_until_listening(process: &mut Child) {
    let log = process.stderr.take().expect("invariant: stderr is piped");
    let (send, listening) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("listening on") {
                let _ = send.send(());
            }
        }
    });
    listening.recv_timeout(std::time::Duration::from_secs(30)).expect("docker-registry listens");
}
