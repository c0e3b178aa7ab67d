//! One scenario, set up and run.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use ocilint::judge::Options;
use ocilint::output::{self, Format};
use ocilint::report::Report;
use ocilint::source::registry::{PlainHttp, RegistryOptions, Retry, Timeouts};
use ocilint::source::{Silent, Sources};
use ocilint::{Engine, Policy, Target};
use serde_json::Value;
use tempfile::TempDir;

use super::fault;
use super::program::{MEMORY, Program};
use super::scenario::{FaultRow, Place, Scenario, Through};
use super::{place, shelf::Shelf};
use crate::snapshot::taken;
use crate::support::{Access, Authority, Credentials, Referrers, Registry, Rule, Store, When};

/// A run that takes longer hangs. (How long the program computes is limited more closely, and apart from what else the machine
/// has to do: see [`Program`].)
pub(crate) const LONGEST: Duration = Duration::from_mins(1);
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
    other: Option<Registry>,
    pub(crate) directory: TempDir,
    pub(crate) target: String,
    pub(crate) shelf: Shelf,
    options: RegistryOptions,
    args: Vec<String>,
    targets: Vec<String>,
    stdout: String,
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
            Place::Layout | Place::Archive | Place::Saved => local(scenario, at, &mut shelf, &directory),
        };
        for row in &scenario.faults {
            registry.rule(rule(row, &mut shelf));
        }
        std::fs::write(directory.path().join("policy.toml"), shelf.expand(&scenario.policy)).expect("a policy file");
        let login = if scenario.access.is_empty() { None } else { Some(registry.host()) };
        std::fs::write(directory.path().join("auth.json"), auth(login)).expect("a credentials file");
        shelf.words.insert("target".to_owned(), target.clone());
        shelf.words.insert("directory".to_owned(), directory.path().display().to_string());
        let mut expanded = |texts: &[String]| texts.iter().map(|text| shelf.expand_text(text)).collect();
        let (args, targets) = (expanded(&scenario.args), expanded(&scenario.targets));
        let stdout = scenario.stdout.clone();
        let options = options(scenario.impatient, &directory);
        Self { registry, other, directory, target, shelf, options, args, targets, stdout }
    }

    fn policy(&self) -> Result<Policy, String> {
        Policy::load(&["policy.toml".to_owned()], self.directory.path()).map_err(|errors| errors.to_string())
    }

    /// Runs it in this process, without pauses before repetitions.
    pub(crate) fn engine(&self) -> Result<Outcome, String> {
        self.judged(jiff::Timestamp::now()).map(|report| written(&report))
    }

    /// The same, as of some moment and without writing the reports.
    pub(crate) fn judged(&self, now: jiff::Timestamp) -> Result<Report, String> {
        assert!(self.args.is_empty() && self.targets.len() == 1, "the engine takes no arguments, and one target");
        let policy = self.policy()?;
        let target = Target::parse(&self.targets[0]).map_err(|error| error.to_string())?;
        let sources = Sources::new(self.options.clone(), Arc::new(Silent));
        let engine = Engine::new(policy, Options::default(), sources, Arc::new(Silent)).at(now);
        let (send, receive) = mpsc::channel();
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let image = runtime.block_on(engine.judge(&target));
            let _ = send.send(engine.report(vec![image]));
        });
        match receive.recv_timeout(LONGEST) {
            Ok(report) => Ok(report),
            Err(RecvTimeoutError::Timeout) => Err("it did not end".to_owned()),
            Err(RecvTimeoutError::Disconnected) => {
                let panic = running.join().err().and_then(|any| any.downcast::<String>().ok());
                Err(format!("it panicked: {panic:?}"))
            }
        }
    }

    /// Whether the engine alone cannot run it.
    pub(crate) fn takes_arguments(&self) -> bool {
        !self.args.is_empty() || self.targets.len() != 1
    }

    /// What a run says that takes a snapshot, and what a run over that snapshot says.
    pub(crate) fn recorded(&self) -> Result<(String, String), String> {
        let policy = self.policy()?;
        let target = Target::parse(&self.targets[0]).map_err(|error| error.to_string())?;
        let engine = taken::engine(&policy, self.options.clone());
        let file = self.directory.path().join("taken.snapshot");
        taken::block_on(async {
            let (recorded, bytes) = taken::record(&engine, &[target]).await;
            std::fs::write(&file, bytes).map_err(|error| error.to_string())?;
            let replayed = taken::replay(&engine, &file).await;
            Ok((written(&engine.report(recorded)).text, written(&engine.report(replayed)).text))
        })
    }

    /// The program, about to check something.
    pub(crate) fn program(&self) -> Program {
        let file = |name: &str| self.directory.path().join(name).display().to_string();
        let redirection = if self.stdout.is_empty() { String::new() } else { format!(">{}", self.stdout) };
        let program = Program::limited(self.directory.path(), MEMORY, &redirection).arg("check");
        let program = program.args(["--plain-http=127.0.0.1", "--plain-http=127.0.0.2"]);
        let program = program.env("OCILINT_REGISTRY_CONFIG", file("auth.json"));
        program.args(["--policy", &file("policy.toml")]).args(&self.args)
    }

    /// Runs the program, with every output there is unless the scenario names its own.
    pub(crate) fn binary(&self) -> Result<Outcome, String> {
        let report = |format: &str| self.directory.path().join(format!("report.{format}"));
        let mut program = self.program().arg("-v");
        if !self.args.iter().any(|arg| arg.starts_with("--output")) {
            program = program.args(["--output", "human"]);
            program =
                program.args(["json", "sarif"].map(|format| format!("--output={format}={}", report(format).display())));
        }
        let run = program.args(&self.targets).run()?;
        let read = |format: &str| std::fs::read_to_string(report(format)).unwrap_or_default();
        let json = serde_json::from_str(&read("json")).unwrap_or_default();
        let text = [run.stdout, run.stderr, read("json"), read("sarif")].concat();
        Ok(Outcome { exit: run.exit, json, text })
    }
}

/// A report in every format.
pub(crate) fn written(report: &Report) -> Outcome {
    let mut texts = Vec::new();
    for format in [Format::Human, Format::Json, Format::Sarif] {
        let mut out = Vec::new();
        output::write(format, report, &output::Options::default(), &mut out).expect("a vector takes all bytes");
        texts.push(String::from_utf8(out).expect("reports are text"));
    }
    let json = serde_json::from_str(&texts[1]).expect("the JSON report is JSON");
    Outcome { exit: report.exit_status().code().into(), json, text: texts.concat() }
}

fn options(impatient: bool, directory: &TempDir) -> RegistryOptions {
    let milliseconds = Duration::from_millis;
    let patience = if impatient { milliseconds(300) } else { milliseconds(5000) };
    RegistryOptions {
        plain_http: PlainHttp { loopback: true, hosts: vec!["127.0.0.1".to_owned(), "127.0.0.2".to_owned()] },
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
    if at == Place::Saved {
        return format!("docker-archive:{}", place::saved(scenario, shelf, directory.path()).display());
    }
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
    let runs: &[Run] = match scenario.through {
        Through::Engine => &[("engine", Stage::engine)],
        Through::Binary => &[("binary", Stage::binary)],
        Through::Both => &[("engine", Stage::engine), ("binary", Stage::binary)],
    };
    let mut problems = Vec::new();
    for &at in &scenario.over {
        for (how, run) in runs {
            let stage = Stage::set(scenario, at);
            let mut found = run(&stage).map_or_else(|problem| vec![problem], |outcome| differences(scenario, &outcome));
            if stage.other.is_some_and(|other| !other.log().is_empty()) {
                found.push("the second registry was asked".to_owned());
            }
            problems.extend(found.into_iter().map(|problem| format!("{} ({at:?}, {how}): {problem}", scenario.name)));
        }
    }
    problems
}

/// A way to run a scenario, and its name.
type Run = (&'static str, fn(&Stage) -> Result<Outcome, String>);

/// Where an outcome is not what the scenario says.
pub(crate) fn differences(scenario: &Scenario, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    if outcome.exit != scenario.exit {
        found.push(format!("exit {} instead of {}; {}", outcome.exit, scenario.exit, summary(outcome)));
    }
    for word in ["panicked", "internal error"] {
        if outcome.text.contains(word) {
            found.push(format!("it says `{word}`: {}", outcome.text));
        }
    }
    found.extend(outcome.text.lines().find_map(forged));
    if outcome.text.len() > MOST_SAID {
        found.push(format!("it says {} bytes", outcome.text.len()));
    }
    if !outcome.json.is_null() && outcome.exit <= 3 && outcome.json["exit"] != outcome.exit {
        found.push(format!("the report says exit {}", outcome.json["exit"]));
    }
    if let Err(problem) = reasons(scenario, outcome) {
        found.push(format!("{problem}; {}", summary(outcome)));
    }
    found
}

/// What a line does that no line of a report may do: act on a terminal, hide or reorder text, or command the runner of a
/// workflow. On its own feet, so that the program's own idea of what is harmless is tested, too.
pub(crate) fn forged(line: &str) -> Option<String> {
    let harmful = |c: char| {
        let code = u32::from(c);
        code < 0x20
            || (0x7f..0xa0).contains(&code)
            || (0x200b..=0x200f).contains(&code)
            || (0x2028..=0x202e).contains(&code)
            || (0x2060..=0x206f).contains(&code)
            || code == 0xfeff
    };
    if let Some(c) = line.chars().find(|&c| harmful(c)) {
        return Some(format!("it says {c:?} as it is: {line:.300?}"));
    }
    let commands = ["::", "##[", "##vso["];
    commands
        .iter()
        .any(|word| line.trim_start().starts_with(word))
        .then(|| format!("a line is a command: {line:.300?}"))
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
pub(crate) fn summary(outcome: &Outcome) -> String {
    let Outcome { json, text, .. } = outcome;
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
