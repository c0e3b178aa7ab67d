use std::fs;
use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use tempfile::TempDir;

use super::*;

/// A home directory of its own, with nothing in it.
struct Home {
    directory: TempDir,
    environment: Environment,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let environment = Environment {
            home: Some(directory.path().join("home")),
            search_path: Some(directory.path().join("bin").into_os_string()),
            ..Environment::default()
        };
        Self { directory, environment }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn docker(&self, content: &str) {
        self.write("home/.docker/config.json", content);
    }

    fn podman(&self, content: &str) {
        self.write("home/.config/containers/auth.json", content);
    }

    /// Installs a helper that notes what it was asked and then runs `script`.
    fn helper(&self, name: &str, script: &str) {
        let log = self.path("asked");
        let script = format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\nread -r host\necho \"$1 $host\" >> '{}'\n{script}\n",
            log.display()
        );
        let path = self.path(&format!("bin/docker-credential-{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Written by a process of its own: a descriptor open for writing here could be inherited by the child of another
        // test, and Linux refuses to run a file that is being written (ETXTBSY).
        let write = r#"printf %s "$1" > "$2" && chmod 755 "$2""#;
        let written = Command::new("sh").args(["-c", write, "sh", &script]).arg(path).status().unwrap();
        assert!(written.success());
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.path("asked")).unwrap_or_default()
    }

    fn store(&self) -> CredentialStore {
        CredentialStore::with_environment(None, self.environment.clone())
    }

    async fn lookup(&self, registry: &str, repository: &str) -> Result<Option<Credential>, Cause> {
        self.store().lookup(registry, repository).await
    }

    async fn error(&self, registry: &str) -> String {
        match self.lookup(registry, "a/b").await {
            Err(Cause::Credentials { detail }) => detail,
            other => panic!("{other:?}"),
        }
    }
}

fn basic(username: &str, password: &str) -> Option<Credential> {
    Credential::login(username, password)
}

fn auth(login: &str) -> String {
    format!(r#"{{"auth":"{}"}}"#, BASE64_STANDARD.encode(login))
}

fn auths(entries: &[(&str, &str)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, login)| format!("\"{key}\":{}", auth(login))).collect();
    format!(r#"{{"auths":{{{}}}}}"#, entries.join(","))
}

#[tokio::test]
async fn no_file_is_no_credential() {
    assert_eq!(Home::new().lookup("ghcr.io", "a").await, Ok(None));
    assert_eq!(CredentialStore::with_environment(None, Environment::default()).lookup("ghcr.io", "a").await, Ok(None));
}

#[tokio::test]
async fn the_longest_prefix_of_whole_segments_wins() {
    let home = Home::new();
    home.podman(&auths(&[("quay.io", "host:1"), ("quay.io/acme", "org:2"), ("quay.io/acme/app", "repo:3")]));
    for (repository, wanted) in [
        ("acme/app", basic("repo", "3")),
        ("acme/app/deep", basic("repo", "3")),
        ("acme/application", basic("org", "2")),
        ("acmeevil/app", basic("host", "1")),
    ] {
        assert_eq!(home.lookup("quay.io", repository).await, Ok(wanted), "{repository}");
    }
}

#[tokio::test]
async fn a_host_is_matched_by_its_exact_name_and_port() {
    let home = Home::new();
    home.docker(&auths(&[("ghcr.io", "a:b"), ("localhost:5000", "c:d"), ("*.example.com", "e:f")]));
    for (host, wanted) in [
        ("ghcr.io", basic("a", "b")),
        ("GHCR.io", basic("a", "b")),
        ("ghcr.io:443", basic("a", "b")),
        ("localhost:5000", basic("c", "d")),
        ("ghcr.io:5000", None),
        ("evilghcr.io", None),
        ("ghcr.io.evil.com", None),
        ("sub.ghcr.io", None),
        ("ghrc.io", None),
        ("localhost", None),
        ("localhost:5001", None),
        ("a.example.com", None),
    ] {
        assert_eq!(home.lookup(host, "x/y").await, Ok(wanted), "{host}");
    }
}

#[tokio::test]
async fn the_names_of_docker_hub_are_one() {
    for key in [
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "https://index.docker.io/v1/",
        "https://index.docker.io/v1",
    ] {
        let home = Home::new();
        home.docker(&auths(&[(key, "me:pw")]));
        for host in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
            assert_eq!(home.lookup(host, "library/alpine").await, Ok(basic("me", "pw")), "{key} {host}");
        }
    }
}

#[tokio::test]
async fn keys_may_be_urls_as_docker_writes_them() {
    for key in [
        "https://r.example",
        "https://r.example/",
        "https://r.example/v1/",
        "https://r.example/v2/",
        "r.example/",
        "http://r.example",
    ] {
        let home = Home::new();
        home.docker(&auths(&[(key, "me:pw")]));
        assert_eq!(home.lookup("r.example", "a").await, Ok(basic("me", "pw")), "{key}");
    }
}

#[tokio::test]
async fn of_two_keys_for_one_host_the_plain_one_wins() {
    let home = Home::new();
    home.docker(&auths(&[
        ("https://index.docker.io/v1/", "url:1"),
        ("docker.io", "plain:2"),
        ("index.docker.io", "old:3"),
    ]));
    assert_eq!(home.lookup("docker.io", "a").await, Ok(basic("plain", "2")));
}

#[tokio::test]
async fn every_form_of_an_entry_is_read() {
    let token = |text| Secret::new(text);
    for (entry, wanted) in [
        (auth("me:pa:ss"), basic("me", "pa:ss")),
        (auth("me:pw\0\0"), basic("me", "pw")),
        (r#"{"auth":"bWU6cHc"}"#.to_owned(), basic("me", "pw")),
        (r#"{"username":"me","password":"pw"}"#.to_owned(), basic("me", "pw")),
        (
            r#"{"auth":"MDAwMDo=","identitytoken":"refresh"}"#.to_owned(),
            Some(Credential::IdentityToken(token("refresh"))),
        ),
        (r#"{"registrytoken":"bearer"}"#.to_owned(), Some(Credential::RegistryToken(token("bearer")))),
        (auth("<token>:refresh"), Some(Credential::IdentityToken(token("refresh")))),
        ("{}".to_owned(), None),
        ("null".to_owned(), None),
        (r#"{"auth":"","email":"me@example.com"}"#.to_owned(), None),
        (auth(":"), None),
    ] {
        let home = Home::new();
        home.docker(&format!(r#"{{"auths":{{"r.example":{entry}}},"HttpHeaders":{{"a":"b"}}}}"#));
        assert_eq!(home.lookup("r.example", "a").await, Ok(wanted), "{entry}");
    }
}

#[tokio::test]
async fn the_files_are_asked_in_order_and_the_first_that_knows_decides() {
    let mut home = Home::new();
    home.environment.registry_auth_file = Some(home.write("named.json", &auths(&[("a.example", "named:1")])));
    home.environment.xdg_runtime_dir = Some(home.path("run"));
    home.environment.xdg_config_home = Some(home.path("xdg"));
    home.write("run/containers/auth.json", &auths(&[("a.example", "run:2"), ("b.example", "run:2")]));
    home.write("xdg/containers/auth.json", &auths(&[("b.example", "xdg:3"), ("c.example", "xdg:3")]));
    home.podman(&auths(&[("c.example", "podman:4"), ("d.example", "podman:4")]));
    home.docker(&auths(&[("d.example", "docker:5"), ("e.example", "docker:5")]));
    for (host, user) in [("a", "named"), ("b", "run"), ("c", "xdg"), ("d", "podman"), ("e", "docker")] {
        let found = home.lookup(&format!("{host}.example"), "x").await.unwrap().unwrap();
        assert!(matches!(found, Credential::Basic { username, .. } if username == user), "{host}");
    }
    home.environment.docker_config = Some(home.path("elsewhere"));
    assert_eq!(home.lookup("e.example", "x").await, Ok(None), "DOCKER_CONFIG stands instead of ~/.docker");
}

#[tokio::test]
async fn a_registry_config_stands_alone_and_must_be_there() {
    let home = Home::new();
    home.docker(&auths(&[("r.example", "docker:1")]));
    let named = home.write("named.json", &auths(&[("other.example", "named:2")]));
    let store = CredentialStore::with_environment(Some(named), home.environment.clone());
    assert_eq!(store.lookup("r.example", "a").await, Ok(None));
    assert_eq!(store.lookup("other.example", "a").await, Ok(basic("named", "2")));

    let store = CredentialStore::with_environment(Some(home.path("missing.json")), home.environment.clone());
    let Err(Cause::Credentials { detail }) = store.lookup("r.example", "a").await else { panic!() };
    assert!(detail.contains("missing.json"), "{detail}");
}

#[tokio::test]
async fn a_bad_file_is_an_error_that_names_it_and_quotes_nothing() {
    for (content, problem) in [
        ("{", "line 1, column 1"),
        (r#"{"auths":{"r.example":{"auth":["canary"]}}}"#, "no auth file in JSON"),
        (r#"{"auths":"canary"}"#, "no auth file in JSON"),
        (r#"{"auths":{"r.example":{"auth":"*canary*"}}}"#, "not base64"),
        (r#"{"auths":{"r.example":{"auth":"Y2FuYXJ5"}}}"#, "no `:`"),
        (r#"{"auths":{"r.example":{"auth":"//8="}}}"#, "not UTF-8"),
        (r#"{"auths":{"r.example":{"registrytoken":"canary\r\nX-Evil: 1"}}}"#, "control character"),
        (r#"{"auths":{"r.example":{"auth":"bWU6Y2FuYXJ5Cg=="}}}"#, "control character"),
    ] {
        let home = Home::new();
        home.docker(content);
        let detail = home.error("r.example").await;
        assert!(detail.contains("home/.docker/config.json") && detail.contains(problem), "{content}: {detail}");
        assert!(!detail.contains("canary") && !detail.contains("Y2Fu"), "{detail}");
    }
}

#[tokio::test]
async fn a_bad_file_does_not_fall_through_but_one_behind_a_hit_is_not_read() {
    let home = Home::new();
    home.podman("{");
    home.docker(&auths(&[("r.example", "docker:1")]));
    assert!(home.error("r.example").await.contains("auth.json"));

    let home = Home::new();
    home.podman(&auths(&[("r.example", "podman:1")]));
    home.docker("{");
    assert_eq!(home.lookup("r.example", "a").await, Ok(basic("podman", "1")));
}

#[tokio::test]
async fn files_are_bounded_and_an_empty_one_is_empty() {
    let home = Home::new();
    home.docker(&format!("{{\"auths\":{{}},\"x\":\"{}\"}}", "y".repeat(1 << 20)));
    assert!(home.error("r.example").await.contains("larger than 1048576 bytes"));
    home.docker(" \n");
    assert_eq!(home.lookup("r.example", "a").await, Ok(None));
}

#[tokio::test]
async fn a_file_is_read_once() {
    let home = Home::new();
    home.docker(&auths(&[("r.example", "me:1")]));
    let store = home.store();
    assert_eq!(store.lookup("r.example", "a").await, Ok(basic("me", "1")));
    home.docker(&auths(&[("r.example", "me:2")]));
    assert_eq!(store.lookup("r.example", "a").await, Ok(basic("me", "1")));
}

#[tokio::test]
async fn a_helper_is_asked_by_the_hosts_name_and_only_once() {
    let home = Home::new();
    home.helper("own", r#"printf '{"ServerURL":"x","Username":"me","Secret":"pw"}'"#);
    home.docker(r#"{"credHelpers":{"ghcr.io":"own","docker.io":"own"}}"#);
    let store = home.store();
    for (host, repository) in [("ghcr.io", "a"), ("ghcr.io", "b/c"), ("GHCR.io:443", "d"), ("docker.io", "library/x")] {
        assert_eq!(store.lookup(host, repository).await, Ok(basic("me", "pw")), "{host}");
    }
    assert_eq!(store.lookup("quay.io", "a").await, Ok(None));
    assert_eq!(home.asked(), "get ghcr.io\nget https://index.docker.io/v1/\n");
}

#[tokio::test]
async fn concurrent_lookups_ask_a_helper_once() {
    let home = Home::new();
    home.helper("own", r#"printf '{"Username":"me","Secret":"pw"}'"#);
    home.docker(r#"{"credsStore":"own"}"#);
    let store = home.store();
    let lookups = (0..8).map(|_| store.lookup("ghcr.io", "a"));
    for found in futures_util::future::join_all(lookups).await {
        assert_eq!(found, Ok(basic("me", "pw")));
    }
    assert_eq!(home.asked(), "get ghcr.io\n");
}

#[tokio::test]
async fn the_helper_of_a_host_stands_before_the_store_and_an_empty_name_turns_both_off() {
    let home = Home::new();
    home.helper("own", r#"printf '{"Username":"own","Secret":"1"}'"#);
    home.helper("all", r#"printf '{"Username":"<token>","Secret":"2"}'"#);
    let stored = auth("stored:3");
    home.docker(&format!(
        r#"{{"credsStore":"all","credHelpers":{{"a.example":"own","b.example":""}},"auths":{{"b.example":{stored},"c.example":{{}}}}}}"#
    ));
    assert_eq!(home.lookup("a.example", "x").await, Ok(basic("own", "1")));
    assert_eq!(home.lookup("b.example", "x").await, Ok(basic("stored", "3")));
    assert_eq!(home.lookup("c.example", "x").await, Ok(Some(Credential::IdentityToken(Secret::new("2")))));
}

#[tokio::test]
async fn a_helper_that_knows_nothing_is_none() {
    for said in ["credentials not found in native keychain", "Credentials not found in native keychain.\n"] {
        let home = Home::new();
        home.helper("own", &format!("printf '{said}'; exit 1"));
        home.podman(r#"{"credHelpers":{"r.example":"own"}}"#);
        assert_eq!(home.lookup("r.example", "a").await, Ok(None), "{said}");
        home.docker(&auths(&[("r.example", "docker:1")]));
        assert_eq!(home.lookup("r.example", "a").await, Ok(basic("docker", "1")), "the next file is asked");
    }
    let home = Home::new();
    home.helper("own", r#"printf '{"Username":"","Secret":""}'"#);
    home.docker(r#"{"credsStore":"own"}"#);
    assert_eq!(home.lookup("r.example", "a").await, Ok(None));
}

#[tokio::test]
async fn a_helper_that_fails_is_an_error_and_nothing_else_is_tried() {
    for (script, problem) in [
        ("echo canary; exit 1", "failed"),
        ("echo canary >&2; exit 3", "failed"),
        ("exit 1", "failed"),
        ("echo 'credentials not found in native keychain: canary'; exit 1", "failed"),
        ("echo canary", "something else than credentials"),
        ("exit 0", "something else than credentials"),
        (r#"printf '{"Username":"me","Secret":"canary\\r\\nX: y"}'"#, "control character"),
        ("head -c 70000 /dev/zero", "more than 64 KiB"),
        ("exec yes canary", "more than 64 KiB"),
    ] {
        let home = Home::new();
        home.helper("own", script);
        home.podman(&format!(
            r#"{{"credHelpers":{{"r.example":"own"}},"auths":{{"r.example":{}}}}}"#,
            auth("stored:1")
        ));
        home.docker(&auths(&[("r.example", "docker:1")]));
        let detail = home.error("r.example").await;
        assert!(detail.contains("docker-credential-own") && detail.contains(problem), "{script}: {detail}");
        assert!(detail.contains("r.example") && !detail.contains("canary"), "{detail}");
    }
}

#[tokio::test]
async fn a_helper_that_hangs_is_ended() {
    let home = Home::new();
    home.helper("own", "exec sleep 60");
    home.docker(r#"{"credsStore":"own"}"#);
    let store = home.store().helper_timeout(Duration::from_millis(200));
    let Err(Cause::Credentials { detail }) = store.lookup("r.example", "a").await else { panic!() };
    assert!(detail.contains("no answer within 0.2 s"), "{detail}");
}

#[tokio::test]
async fn a_helper_that_is_missing_or_badly_named_is_an_error() {
    let home = Home::new();
    home.docker(r#"{"credsStore":"absent"}"#);
    assert!(home.error("r.example").await.contains("docker-credential-absent is not installed"));
    for name in ["../evil", "a/b", "a b", "UPPER", "a;b", "a\\nb"] {
        home.docker(&format!(r#"{{"credsStore":"{name}"}}"#));
        assert!(home.error("r.example").await.contains("[a-z0-9._-]+"), "{name}");
    }
}

#[tokio::test]
async fn a_host_that_could_smuggle_a_line_is_refused_before_any_helper_runs() {
    let home = Home::new();
    home.helper("own", r#"printf '{"Username":"me","Secret":"pw"}'"#);
    home.docker(r#"{"credsStore":"own"}"#);
    for host in ["evil.example\nhost=github.com", "a\r", "a\0b", "a b", "a/b", ""] {
        assert!(home.error(host).await.contains("no host"), "{host:?}");
    }
    assert_eq!(home.asked(), "");
}

#[tokio::test]
async fn an_unreadable_file_is_an_error() {
    let home = Home::new();
    fs::create_dir_all(home.path("home/.docker/config.json")).unwrap();
    assert!(home.error("r.example").await.contains("config.json"));
}
