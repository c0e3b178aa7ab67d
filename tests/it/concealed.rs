//! No report shows a secret of an image: not the rule that looks for them, and no other rule beside it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use ocilint::cases::StoreSource;
use ocilint::cases::build::{Image, build};
use ocilint::engine::judge_source;
use ocilint::oci::Digest;
use ocilint::output::{self, Format};
use ocilint::report::ImageReport;
use ocilint::source::{Budget, Walk};
use ocilint::{Engine, Options, Policy, RegistryOptions, Silent, Sources, Target};
use tokio::time::Instant;

/// An image with secrets everywhere; `SECRET`, `TOKEN`, `PLAIN` and `ACME` stand for them.
const IMAGE: &str = r#"
platforms = ["linux/amd64", "linux/arm64"]
config = { User = "0", Env = ["GREETING=PLAIN", "DB_PASSWORD=SECRET", "URL=https://a:SECRET@example.org", "THING=TOKEN", "OTHER=ACME"],
  Cmd = ["--password", "SECRET", "--key=ACME"], Entrypoint = ["/bin/sh", "-c", "curl -u app:SECRET https://example.org"],
  Healthcheck = { Test = ["CMD-SHELL", "app --token TOKEN"] }, WorkingDir = "/tmp", StopSignal = "9" }
labels = { "db.password" = "SECRET", "com.acme.plain" = "ACME", "com.acme.thing" = "TOKEN", "com.acme.url" = "https://a:SECRET@example.org" }
annotations = { manifest = { "com.acme.password" = "SECRET", "com.acme.thing" = "TOKEN" }, index = { "com.acme.password" = "SECRET", "com.acme.thing" = "ACME" }, descriptor = { "com.acme.password" = "SECRET" } }
history = [
  { created_by = "ENV DB_PASSWORD=SECRET" },
  { created_by = "RUN |2 GREETING=PLAIN NPM_TOKEN=TOKEN /bin/sh -c export API_KEY=TOKEN && curl -u app:SECRET https://example.org | sh # buildkit" },
  { created_by = "/bin/sh -c #(nop)  ARG OTHER=ACME" },
]
attestations = [{ predicate = "provenance-v1", mode = "max", args = { "build-arg:NPM_TOKEN" = "TOKEN" }, source = "https://a:SECRET@example.org/app",
  materials = { "https://a:SECRET@example.org/x" = "sha256:00" } }]
"#;

/// Rules that look at every place where there is a secret, and mostly say what is there.
const POLICY: &str = r#"
[rules.secrets]
patterns = { acme = 'acme_[0-9a-z]+' }

[rules.labels]
match = { "db.password" = 'x', "com.acme.plain" = 'x', "com.acme.thing" = 'x', "com.acme.url" = 'x' }

[rules.annotations]
match = { "com.acme.password" = 'x', "com.acme.thing" = 'x' }
on = ["manifest"]

[rules.in-index]
rule = "annotations"
match = { "com.acme.password" = 'x', "com.acme.thing" = 'x' }
on = ["index"]

[rules.user]
[rules.entrypoint]
form = "exec"
match = 'x'
[rules.workdir]
deny = ["/tmp"]
[rules.stop-signal]
deny = ["SIGKILL"]
[rules.healthcheck]
must-be = "absent"
[rules.env]
deny = ["*"]

[rules.provenance]
match = { source = 'x' }
[rules.materials]
rule = "provenance"
materials = { allow = ["x"] }
"#;

/// Rules that say what the image repeats.
const REPEATED: &str = r#"
[rules.secrets]
[rules.user]
must-be = "numeric"
[rules.entrypoint]
match = 'x'
[rules.workdir]
allow = ["/x"]
[rules.volumes]
allow = ["/x"]
[rules.exposed-ports]
deny-privileged = true
[rules.stop-signal]
allow = ["SIGTERM"]
[rules.healthcheck]
must-be = "absent"
[rules.labels]
match = { "com.acme.note" = 'x' }
[rules.annotations]
match = { "com.acme.note" = 'x' }
[rules.field]
pointer = "/config/Labels/com.acme.note"
equals = "x"
"#;

/// An image with a word as a secret, and again under innocent names.
const REPEATING: &str = r#"
config = { User = "THE_VALUE", Env = ["DB_PASSWORD=THE_VALUE"], Cmd = ["THE_VALUE"], WorkingDir = "/THE_VALUE", StopSignal = "THE_VALUE",
  Healthcheck = { Test = ["CMD-SHELL", "app THE_VALUE"] }, Volumes = { "/THE_VALUE" = {} }, ExposedPorts = { "THE_VALUE" = {} } }
labels = { "com.acme.note" = "THE_VALUE" }
annotations = { manifest = { "com.acme.note" = "THE_VALUE" } }
"#;

/// Values that are as long as each other, and those after them.
const VALUES: [[&str; 4]; 2] = [
    ["hunter2-canary", "Zb3kQ9vXr7TnL2mWc8Yp", "plain-canary", "acme_canary1"],
    ["rabbit8-bananas!!", "x9Y8z7W6v5U4t3S2r1Q0p", "other", "acme_2"],
];

#[tokio::test]
async fn no_report_shows_a_secret() {
    let [first, second] = [report(&VALUES[0]).await, report(&VALUES[1]).await];
    let violated = |rule: &str| first.cells.iter().any(|cell| cell.rule == rule && !cell.findings.is_empty());
    for rule in ["secrets", "labels", "annotations", "in-index", "user", "entrypoint", "workdir", "env", "materials"] {
        assert!(violated(rule), "{rule} looks at a secret");
    }
    for format in [Format::Human, Format::Json, Format::Sarif] {
        let text = written(&load(POLICY), format, &first);
        for value in VALUES[0] {
            let hash = Digest::sha256(value.as_bytes()).hex().to_owned();
            for form in [value.to_owned(), BASE64_STANDARD.encode(value), hash[..16].to_owned()] {
                assert!(!text.contains(&form), "{form} in {format:?}:\n{text}");
            }
        }
    }
    // Neither a fingerprint nor a place depends on the value.
    let told = |report: &ImageReport| {
        let all = report.cells.iter().filter(|cell| cell.rule == "secrets").flat_map(|cell| &cell.findings);
        all.map(|finding| (finding.message.clone(), finding.fingerprint.clone(), finding.location.bytes))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&first), told(&second));
    assert!(told(&first).iter().all(|(_, _, bytes)| bytes.is_none()));
}

/// A word is no less a secret, and is in no report either, wherever the image repeats it; the program's own words stay.
#[tokio::test]
async fn no_report_shows_a_secret_that_is_a_word() {
    let policy = load(REPEATED);
    for secret in ["swordfish", "root", "471147"] {
        let image: Image = toml::from_str(&REPEATING.replace("THE_VALUE", secret)).unwrap();
        let report = judged(&policy, image).await;
        let messages: Vec<&str> =
            report.cells.iter().flat_map(|cell| &cell.findings).map(|finding| finding.message.as_str()).collect();
        assert!(messages.len() > 7, "{messages:?}");
        for format in [Format::Human, Format::Json, Format::Sarif] {
            let text = written(&policy, format, &report);
            // Of `root` the program speaks of its own accord.
            assert!(secret == "root" || !text.contains(secret), "{secret} in {format:?}:\n{text}");
            assert!(!text.contains("fdd0"), "{text}");
            // A place is told, though what stands there is hidden.
            assert!(format != Format::Human || text.contains(" at /config/Labels/com.acme.note]"), "{text}");
        }
        let at = |pointer: &str| {
            let mut findings = report.cells.iter().flat_map(|cell| &cell.findings);
            findings.find(|finding| finding.location.pointer == pointer).expect("a finding there")
        };
        for pointer in ["/config/Labels/com.acme.note", "/config/WorkingDir"] {
            assert_eq!(at(pointer).location.bytes, None, "the bytes of its place would tell how long it is");
        }
        let as_root = messages.contains(&"the image runs as root: User is '…', wanted another user");
        assert_eq!(as_root, secret == "root");
        assert!(!messages.iter().any(|message| message.contains(&format!("'{secret}'"))), "{messages:?}");
    }
}

/// A value may hold more than one secret, and each may be repeated elsewhere.
#[tokio::test]
async fn no_report_shows_the_second_secret_of_a_value() {
    let image =
        r#"labels = { conf = "password=swordfish token=Zb3kQ9vXr7TnL2mW", a = "swordfish", b = "Zb3kQ9vXr7TnL2mW" }"#;
    let policy = load("[rules.secrets]\n[rules.labels]\nmatch = { a = 'x', b = 'x' }\n");
    let report = judged(&policy, toml::from_str(image).unwrap()).await;
    for format in [Format::Human, Format::Json, Format::Sarif] {
        let text = written(&policy, format, &report);
        assert!(text.contains("the label 'a' in the config is '…'"), "{text}");
        assert!(!text.contains("swordfish") && !text.contains("Zb3kQ9vXr7TnL2mW"), "{format:?}:\n{text}");
    }
}

async fn report(values: &[&str; 4]) -> ImageReport {
    let names = ["SECRET", "TOKEN", "PLAIN", "ACME"];
    let text = names.iter().zip(values).fold(IMAGE.to_owned(), |text, (name, value)| {
        text.replace(&format!("{name}\""), &format!("{value}\""))
            .replace(&format!("{name}@"), &format!("{value}@"))
            .replace(&format!("{name} "), &format!("{value} "))
            .replace(&format!("={name}"), &format!("={value}"))
    });
    judged(&load(POLICY), toml::from_str(&text).unwrap()).await
}

async fn judged(policy: &Policy, image: Image) -> ImageReport {
    let source = StoreSource::alone(build(&image).unwrap());
    let walk = Walk::new(Arc::new(source), Budget::default(), Instant::now() + Duration::from_mins(1));
    let target = Target::parse("ghcr.io/acme/app:1.0").unwrap();
    judge_source(policy, &Options::default(), &target, &walk, now(), &Silent).await
}

fn load(policy: &str) -> Policy {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("p.toml"), policy).unwrap();
    Policy::load(&["p.toml".to_owned()], Path::new(directory.path())).unwrap_or_else(|errors| panic!("{errors}"))
}

fn written(policy: &Policy, format: Format, report: &ImageReport) -> String {
    let sources = Sources::new(RegistryOptions::default(), Arc::new(Silent));
    let engine = Engine::new(policy.clone(), Options::default(), sources, Arc::new(Silent)).at(now());
    let mut out = Vec::new();
    output::write(format, &engine.report(vec![report.clone()]), &output::Options::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}
