//! Credentials belong to one origin, and to no output.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::program::Program;
use super::stage::{USER, fill};
use super::{each, scenario};
use crate::snapshot::taken;
use crate::support::{Access, Authority, Credentials, Fault, Registry, Rule, Store, TokenPolicy, When};

/// What the registry's tokens begin with.
const TOKEN: &str = "canary-token-";
/// The password of the second registry, and that of one that no target names.
const ELSEWHERE: &str = "canary-elsewhere";

/// What a registry asks for; the first one knows the second.
type Asks = fn(&Registry) -> Access;
type StrangerAsks = fn() -> Access;
/// Which answers of the registry are wrong, and how.
type Wrong = fn(&Registry) -> Vec<(When, Fault)>;

/// What two registries do to get at the credentials of the first.
struct Attack {
    name: &'static str,
    asks: Asks,
    wrong: Wrong,
    /// What the second registry asks for.
    stranger_asks: StrangerAsks,
    exit: i32,
}

const fn attack(name: &'static str, asks: Asks, wrong: Wrong, stranger_asks: StrangerAsks, exit: i32) -> Attack {
    Attack { name, asks, wrong, stranger_asks, exit }
}

fn authority() -> Authority {
    let credentials = Some(Credentials::basic(USER.0, USER.1));
    Authority::new(TokenPolicy { credentials, prefix: TOKEN.to_owned(), ..TokenPolicy::default() })
}

fn nothing() -> Access {
    Access::Open
}

fn also_password() -> Access {
    Access::basic(USER.0, USER.1)
}

fn also_token() -> Access {
    Access::bearer(&authority())
}

fn password(_: &Registry) -> Access {
    Access::basic(USER.0, USER.1)
}

fn token(_: &Registry) -> Access {
    Access::bearer(&authority())
}

fn honest(_: &Registry) -> Vec<(When, Fault)> {
    Vec::new()
}

fn away(when: When, other: &Registry) -> Vec<(When, Fault)> {
    vec![(when, Fault::RedirectBelow(307, other.url().to_owned()))]
}

fn known_root(other: &Registry) -> Vec<(When, Fault)> {
    away(When::contains("/manifests/1.0").and(When::authorized()), other)
}

fn known_blobs(other: &Registry) -> Vec<(When, Fault)> {
    away(When::blobs().and(When::authorized()), other)
}

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
/// A refusal that repeats what it was shown.
const REPEATED: &str = r#"{"errors":[{"code":"DENIED","message":"'canary-password' is not the password"}]}"#;

const ATTACKS: &[Attack] = &[
    attack("none: a password", password, honest, nothing, 0),
    attack("none: a token", token, honest, nothing, 0),
    attack(
        "the token server is elsewhere",
        |other| Access::bearer_from(&authority(), format!("{}/token", other.url())),
        honest,
        also_token,
        2,
    ),
    attack(
        "the token server's address holds a password",
        |other| Access::bearer_from(&authority(), format!("http://a:b@{}/token", other.host())),
        honest,
        also_token,
        2,
    ),
    attack("the root is elsewhere", token, known_root, nothing, 0),
    attack("the root is elsewhere, which asks for a password", password, known_root, also_password, 2),
    attack("the root is elsewhere, which asks for a token", token, known_root, also_token, 2),
    attack(
        "the root is elsewhere from the start",
        password,
        |other| away(When::contains("/manifests/1.0"), other),
        also_password,
        2,
    ),
    attack("blobs are elsewhere", password, known_blobs, nothing, 0),
    attack("blobs are elsewhere, which asks for a password", password, known_blobs, also_password, 2),
    attack("blobs are elsewhere, which asks for a token", token, known_blobs, also_token, 2),
    attack("the token server sends away", token, |other| away(When::tokens(), other), also_token, 2),
    attack("the token server refuses", token, |_| vec![(When::tokens(), Fault::status(401))], nothing, 2),
    attack(
        "the next page is elsewhere",
        token,
        |other| {
            let next = format!("<{}/v2/acme/app/referrers/x>; rel=\"next\"", other.url());
            vec![(When::referrers().and(When::authorized()), Fault::Header("Link", next))]
        },
        nothing,
        2,
    ),
    attack(
        "tokens are refused",
        token,
        |_| vec![(When::manifests().and(When::authorized()), Fault::status(403))],
        nothing,
        2,
    ),
    attack(
        "the registry repeats the password",
        password,
        |_| vec![(When::manifests().and(When::authorized()), Fault::answer(403, JSON, REPEATED))],
        nothing,
        2,
    ),
    attack(
        "the registry repeats the password in the place of a document",
        password,
        |_| vec![(When::manifests().and(When::authorized()), Fault::answer(200, &[], "canary-password for you"))],
        nothing,
        2,
    ),
    attack(
        "the token server repeats the password",
        token,
        |_| vec![(When::tokens(), Fault::answer(401, JSON, REPEATED))],
        nothing,
        2,
    ),
    attack(
        "a web page for the password",
        password,
        |_| vec![(When::manifests().and(When::authorized()), Fault::html())],
        nothing,
        2,
    ),
    attack("the password is refused", |_| Access::basic(USER.0, "another"), honest, nothing, 2),
    attack(
        "the connection breaks after the password",
        password,
        |_| vec![(When::blobs().and(When::authorized()), Fault::Unsaid(crate::support::Stop::Reset))],
        nothing,
        2,
    ),
];

/// Every form in which a secret could stand in a text.
fn forms(secret: &str) -> Vec<String> {
    let pairs = [secret.to_owned(), format!("{}:{secret}", USER.0)];
    let encoded = pairs.iter().flat_map(|pair| [BASE64_STANDARD.encode(pair), BASE64_URL_SAFE_NO_PAD.encode(pair)]);
    encoded.chain([secret.to_owned()]).collect()
}

fn credentials(home: &Registry, other: &Registry) -> String {
    let entry = |password: &str| json!({ "auth": BASE64_STANDARD.encode(format!("{}:{password}", USER.0)) });
    let elsewhere = entry(ELSEWHERE);
    let auths =
        json!({ home.host(): entry(USER.1), other.host(): elsewhere, "127.0.0.2": elsewhere, "ghcr.io": elsewhere });
    json!({ "auths": auths }).to_string()
}

/// All that taking a snapshot says, and all that is in its file.
fn snapshot(home: &Registry, directory: &Path) -> Result<String, String> {
    let program = Program::new(directory)
        .args(["snapshot", "-v", "--policy", "policy.toml", "--registry-config", "auth.json", "--deadline", "3s"])
        .args(["--plain-http=127.0.0.1", "--plain-http=127.0.0.2", "--output=taken.snapshot"]);
    let run = program.arg(home.reference("acme/app:1.0")).run()?;
    let file = std::fs::read(directory.join("taken.snapshot")).map_err(|error| format!("{error}: {}", run.stderr))?;
    let (header, body) = taken::open(&file);
    if body["images"].as_array().is_none_or(|images| images.len() != 1) {
        return Err(format!("the snapshot does not hold the image: {body}"));
    }
    Ok([run.stdout, run.stderr, header.to_string(), body.to_string()].concat())
}

fn problems(attack: &Attack) -> Vec<String> {
    let scenario = scenario::family("secrets").remove(0);
    let store = Store::default();
    let other = Registry::builder().address("127.0.0.2").store(&store).access((attack.stranger_asks)()).start();
    let home = Registry::builder().store(&store).access((attack.asks)(&other)).start();
    let mut shelf = scenario.shelf();
    shelf.words.insert("other".to_owned(), other.host());
    fill(&scenario, &mut shelf, &store);
    for (when, fault) in (attack.wrong)(&other) {
        home.rule(Rule::new(when, fault));
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = |name: &str| directory.path().join(name);
    std::fs::write(file("auth.json"), credentials(&home, &other)).expect("a credentials file");
    std::fs::write(file("policy.toml"), &scenario.policy).expect("a policy file");
    let program = Program::new(directory.path())
        .args(["check", "-v", "--policy", "policy.toml", "--registry-config", "auth.json", "--deadline", "3s"])
        .args(["--plain-http=127.0.0.1", "--plain-http=127.0.0.2"])
        .args(["--output=human", "--output=json=report.json", "--output=sarif=report.sarif"]);
    let run = match program.arg(home.reference("acme/app:1.0")).run() {
        Ok(run) => run,
        Err(problem) => return vec![format!("{}: {problem}", attack.name)],
    };
    let reports = ["report.json", "report.sarif"].map(|name| std::fs::read_to_string(file(name)).unwrap_or_default());
    let taken = match snapshot(&home, directory.path()) {
        Ok(taken) => taken,
        Err(problem) => return vec![format!("{}: {problem}", attack.name)],
    };
    let said = [run.stdout, run.stderr, reports.concat(), taken].concat();
    let mut found = Vec::new();
    if run.exit != attack.exit {
        found.push(format!("exit {} instead of {}: {said}", run.exit, attack.exit));
    }
    for secret in [USER.1, TOKEN, ELSEWHERE] {
        if let Some(form) = forms(secret).into_iter().find(|form| said.contains(form)) {
            found.push(format!("it says {form}: {said}"));
        }
        let seen = other.log().holding(secret);
        if let Some(entry) = seen.first() {
            found.push(format!("the second registry sees {secret}: {}", entry.text()));
        }
    }
    if let Some(entry) = home.log().holding(ELSEWHERE).first() {
        found.push(format!("the registry sees the password of another: {}", entry.text()));
    }
    if other.log().count(|entry| entry.path == "/foreign") > 0 {
        found.push("an address in a descriptor was asked".to_owned());
    }
    found.into_iter().map(|problem| format!("{}: {problem}", attack.name)).collect()
}

#[test]
fn no_secret_reaches_a_stranger_or_an_output() {
    let problems = each(ATTACKS, problems);
    assert!(problems.is_empty(), "{} of {}:\n  {}", problems.len(), ATTACKS.len(), problems.join("\n  "));
}

#[test]
fn the_search_finds_secrets() {
    let registry = Registry::start();
    let request =
        format!("GET /v2/ HTTP/1.1\r\nAuthorization: Basic {}\r\nConnection: close\r\n\r\n", forms(USER.1)[2]);
    let mut stream = std::net::TcpStream::connect(registry.host()).expect("a connection");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("a request");
    std::io::copy(&mut stream, &mut std::io::sink()).expect("an answer");
    assert_eq!(registry.log().holding(USER.1).len(), 1);
}
