//! One scenario, set up and run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use ocilint::judge::Options;
use ocilint::output::{self, Format};
use ocilint::report::{Report, exit_status};
use ocilint::source::registry::{PlainHttp, RegistryOptions, Retry, Timeouts};
use ocilint::source::{Observer, Silent, Sources};
use ocilint::{Engine, Policy, Target};
use serde_json::Value;
use tempfile::TempDir;

use super::fault;
use super::program::Program;
use super::scenario::{FaultRow, Place, Scenario};
use super::{place, shelf::Shelf};
use crate::support::{Access, Authority, Credentials, Referrers, Registry, Rule, Store, When};

/// A run that takes longer hangs. (How long the program computes is limited more closely, and apart from what else the machine
/// has to do: see [`Program`].)
pub(crate) const LONGEST: Duration = Duration::from_secs(60);
/// No run says more than this in all formats together, in bytes.
const MOST_SAID: usize = 16 << 20;
/// The repository of every scenario.
pub(crate) const REPOSITORY: &str = "acme/app";
/// The name and password that a private registry wants.
pub(crate) const USER: (&str, &str) = ("canary-user", "canary-password");

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) exit: i32,
    /// The JSON report; null if there is none.
    pub(crate) json: Value,
    /// All that was written, in every format and to every place.
    pub(crate) text: String,
}

/// A registry, layout or archive, and a policy.
pub(crate) struct Stage {
    pub(crate) registry: Registry,
    pub(crate) other: Option<Registry>,
    pub(crate) directory: TempDir,
    pub(crate) target: String,
    pub(crate) shelf: Shelf,
    options: RegistryOptions,
    args: Vec<String>,
}

impl Stage {
    /// Sets up everything that a scenario says.
    pub(crate) fn set(scenario: &Scenario, at: Place) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = Store::default();
        let mut builder = Registry::builder().store(&store).access(access(&scenario.access));
        if let Some(status) = scenario.no_referrers_api {
            builder = builder.referrers(Referrers::absent_with(status));
        }
        let registry = builder.start();
        let other = scenario.other.then(|| Registry::builder().address("127.0.0.2").store(&store).start());
        let mut shelf = scenario.shelf();
        shelf.words.insert("host".to_owned(), registry.host());
        shelf.words.extend(other.iter().map(|other| ("other".to_owned(), other.host())));
        let target = match at {
            Place::Registry => {
                let digest = fill(scenario, &mut shelf, &store);
                registry.reference(&if scenario.by_digest {
                    format!("{REPOSITORY}@{digest}")
                } else {
                    format!("{REPOSITORY}:1.0")
                })
            }
            Place::Layout | Place::Archive => local(scenario, at, &mut shelf, &directory),
        };
        for row in &scenario.faults {
            registry.rule(rule(row, &mut shelf));
        }
        std::fs::write(directory.path().join("policy.toml"), shelf.expand(&scenario.policy)).expect("a policy file");
        let login = if scenario.access.is_empty() { None } else { Some(registry.host()) };
        std::fs::write(directory.path().join("auth.json"), auth(login)).expect("a credentials file");
        let args = scenario.args.iter().map(|arg| shelf.expand_text(arg)).collect();
        let options = options(scenario.impatient, &directory);
        Self { registry, other, directory, target, shelf, options, args }
    }

    fn policy(&self) -> Result<Policy, String> {
        Policy::load(&["policy.toml".to_owned()], self.directory.path()).map_err(|errors| errors.to_string())
    }

    /// Runs it in this process, without pauses before repetitions.
    pub(crate) fn engine(&self, now: Option<jiff::Timestamp>) -> Result<Outcome, String> {
        self.engine_hearing(now, Arc::new(Silent))
    }

    /// The same, and tells what happens meanwhile.
    pub(crate) fn engine_hearing(
        &self,
        now: Option<jiff::Timestamp>,
        observer: Arc<dyn Observer>,
    ) -> Result<Outcome, String> {
        assert!(self.args.is_empty(), "the engine takes no arguments: {:?}", self.args);
        let policy = self.policy()?;
        let target = Target::parse(&self.target).map_err(|error| error.to_string())?;
        let sources = Sources::new(self.options.clone(), observer.clone());
        let mut engine = Engine::new(policy, Options::default(), sources, observer);
        if let Some(now) = now {
            engine = engine.at(now);
        }
        let (send, receive) = mpsc::channel();
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let image = runtime.block_on(engine.judge(&target));
            let _ = send.send(outcome(&engine.report(vec![image])));
        });
        match receive.recv_timeout(LONGEST) {
            Ok(outcome) => Ok(outcome),
            Err(RecvTimeoutError::Timeout) => Err("it did not end".to_owned()),
            Err(RecvTimeoutError::Disconnected) => {
                Err(format!("it panicked: {:?}", running.join().err().and_then(|any| any.downcast::<String>().ok())))
            }
        }
    }

    /// The program, about to check the target.
    pub(crate) fn program(&self) -> Program {
        let file = |name: &str| self.directory.path().join(name).display().to_string();
        let program = Program::new(self.directory.path()).arg("check").arg("--plain-http=127.0.0.1");
        let program = program.args(["--registry-config", &file("auth.json"), "--policy", &file("policy.toml")]);
        program.args(&self.args)
    }

    /// Runs the program, with every output there is.
    pub(crate) fn binary(&self) -> Result<Outcome, String> {
        let reports: Vec<PathBuf> =
            ["json", "sarif"].iter().map(|name| self.directory.path().join(format!("report.{name}"))).collect();
        let program = self.program().args(["-v", "--output", "human"]);
        let program = program
            .arg(format!("--output=json={}", reports[0].display()))
            .arg(format!("--output=sarif={}", reports[1].display()));
        let run = program.arg(&self.target).run()?;
        let files: Vec<String> = reports.iter().map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect();
        let json = serde_json::from_str(&files[0]).unwrap_or_default();
        Ok(Outcome { exit: run.exit, json, text: [run.stdout, run.stderr, files.concat()].concat() })
    }
}

fn outcome(report: &Report) -> Outcome {
    let mut texts = Vec::new();
    for format in [Format::Human, Format::Json, Format::Sarif] {
        let mut out = Vec::new();
        output::write(format, report, &output::Options::default(), &mut out).expect("a vector takes all bytes");
        texts.push(String::from_utf8(out).expect("reports are text"));
    }
    let json = serde_json::from_str(&texts[1]).expect("the JSON report is JSON");
    Outcome { exit: exit_status(report).code().into(), json, text: texts.concat() }
}

fn options(impatient: bool, directory: &TempDir) -> RegistryOptions {
    let milliseconds = Duration::from_millis;
    let patience = if impatient { milliseconds(300) } else { milliseconds(5000) };
    RegistryOptions {
        plain_http: PlainHttp { loopback: true, hosts: vec!["127.0.0.1".to_owned()] },
        registry_config: Some(directory.path().join("auth.json")),
        timeouts: Timeouts { connect: patience, first_byte: patience, idle: patience, request: patience * 2 },
        retry: Retry { tries: 2, pause: Arc::new(|_| Box::pin(std::future::ready(()))), ..Retry::default() },
        ..RegistryOptions::default()
    }
}

fn access(kind: &str) -> Access {
    let (user, password) = USER;
    match kind {
        "" => Access::Open,
        "basic" => Access::basic(user, password),
        "token" => Access::bearer(&Authority::anonymous()),
        "private-token" => Access::bearer(&Authority::private(Credentials::basic(user, password))),
        other => panic!("`{other}` is no kind of access"),
    }
}

/// The file that holds the credentials for a registry.
pub(crate) fn auth(registry: Option<String>) -> String {
    use base64::Engine as _;
    let pair = base64::prelude::BASE64_STANDARD.encode(format!("{}:{}", USER.0, USER.1));
    let auths: serde_json::Map<String, Value> =
        registry.into_iter().map(|host| (host, serde_json::json!({ "auth": pair }))).collect();
    serde_json::json!({ "auths": auths }).to_string()
}

/// Puts all documents that something leads to into a store; the digest of the root.
pub(crate) fn fill(scenario: &Scenario, shelf: &mut Shelf, store: &Store) -> String {
    let digest = shelf.build(&scenario.root).digest;
    store.tag(REPOSITORY, "1.0", &digest);
    for name in &scenario.serve {
        shelf.build(name);
    }
    for (tag, name) in &scenario.tags {
        let tag = shelf.expand_text(tag);
        let digest = shelf.build(name).digest;
        store.tag(REPOSITORY, &tag, &digest);
    }
    for (name, built) in shelf.built().clone() {
        if scenario.missing.contains(&name) {
            continue;
        }
        let body = scenario.swapped.get(&name).map_or_else(|| built.bytes.clone(), |text| shelf.expand(text).into());
        if built.is_manifest() {
            store.put_manifest_as(REPOSITORY, &built.digest, body.clone(), &built.media_type);
        }
        store.put_blob_as(REPOSITORY, &built.digest, body);
    }
    digest
}

fn local(scenario: &Scenario, at: Place, shelf: &mut Shelf, directory: &TempDir) -> String {
    for name in scenario.tags.values().chain(&scenario.serve) {
        shelf.build(name);
    }
    let layout = place::layout(scenario, shelf, directory.path());
    if at == Place::Layout {
        return format!("oci:{}", layout.display());
    }
    format!("oci-archive:{}", place::archive(scenario, shelf, &layout, directory.path()).display())
}

fn rule(row: &FaultRow, shelf: &mut Shelf) -> Rule {
    let rule = Rule::new(When::contains(shelf.expand_text(&row.on)), fault::read(&shelf.expand_text(&row.with)));
    rule.after(row.after).times(row.times.unwrap_or(usize::MAX))
}

/// Runs a scenario wherever and however it says; what is wrong with what came of it.
pub(crate) fn problems(scenario: &Scenario) -> Vec<String> {
    use super::scenario::Through::{Binary, Both, Engine};
    let mut problems = Vec::new();
    for &at in &scenario.over {
        let engine = || ("engine", Stage::set(scenario, at).engine(None));
        let binary = || ("binary", Stage::set(scenario, at).binary());
        let runs: &[&dyn Fn() -> (&'static str, Result<Outcome, String>)] = match scenario.through {
            Engine => &[&engine],
            Binary => &[&binary],
            Both => &[&engine, &binary],
        };
        for run in runs {
            let (how, outcome) = run();
            let found = match outcome {
                Ok(outcome) => differences(scenario, &outcome),
                Err(problem) => vec![problem],
            };
            problems.extend(found.into_iter().map(|problem| format!("{} ({at:?}, {how}): {problem}", scenario.name)));
        }
    }
    problems
}

/// Where an outcome is not what the scenario says.
pub(crate) fn differences(scenario: &Scenario, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    if outcome.exit != scenario.exit {
        found.push(format!(
            "exit {} instead of {}; {}",
            outcome.exit,
            scenario.exit,
            summary(&outcome.json, &outcome.text)
        ));
    }
    for word in ["panicked", "internal error"] {
        if outcome.text.contains(word) {
            found.push(format!("it says `{word}`: {}", outcome.text));
        }
    }
    if outcome.text.len() > MOST_SAID {
        found.push(format!("it says {} bytes", outcome.text.len()));
    }
    if !outcome.json.is_null() && outcome.exit <= 3 && outcome.json["exit"] != outcome.exit {
        found.push(format!("the report says exit {}", outcome.json["exit"]));
    }
    if let Err(problem) = reasons(scenario, outcome) {
        found.push(format!("{problem}; {}", summary(&outcome.json, &outcome.text)));
    }
    found
}

/// Whether rule, subject, verdict and reason are as the scenario says.
fn reasons(scenario: &Scenario, outcome: &Outcome) -> Result<(), String> {
    let Scenario { rule, subject, verdict, reason, .. } = scenario;
    let matches =
        |wanted: &Option<String>, value: &Value| wanted.as_ref().is_none_or(|wanted| value == wanted.as_str());
    if rule.is_none() && verdict.is_none() {
        let fragment = reason.as_deref().unwrap_or_default();
        return if outcome.text.contains(fragment) { Ok(()) } else { Err(format!("nothing says `{fragment}`")) };
    }
    let cells = outcome.json["images"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|image| image["cells"].as_array().into_iter().flatten());
    let fitting = cells.filter(|cell| {
        matches(rule, &cell["rule"]) && matches(subject, &cell["subject"]) && matches(verdict, &cell["verdict"])
    });
    let fragment = reason.as_deref().unwrap_or_default();
    let said = |cell: &Value| cell.to_string().contains(&fragment.replace('"', "\\\""));
    if fitting.clone().any(said) {
        return Ok(());
    }
    Err(format!("no cell of {rule:?} on {subject:?} is {verdict:?} saying `{fragment}`"))
}

/// What the report says, in one line.
fn summary(json: &Value, text: &str) -> String {
    if json.is_null() {
        return format!("there is no report: {text}");
    }
    let mut lines = Vec::new();
    for image in json["images"].as_array().into_iter().flatten() {
        if let Some(message) = image["error"]["message"].as_str() {
            lines.push(format!("target: {message}"));
        }
        for cell in image["cells"].as_array().into_iter().flatten() {
            let message = [&cell["reason"], &cell["findings"][0]["message"], &cell["evidence"]];
            let message = message.into_iter().find_map(Value::as_str).unwrap_or_default();
            lines.push(format!("{} on {}: {} ({message:.200})", cell["rule"], cell["subject"], cell["verdict"]));
        }
    }
    format!("\n      {}", lines.join("\n      "))
}
