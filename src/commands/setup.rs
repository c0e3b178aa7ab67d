//! What the commands need before they can begin: the policy, the sources, the runtime, the style.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ocilint::engine::Engine;
use ocilint::output::{self, Destination, Formats, Place, SarifOptions, Style};
use ocilint::policy::{self, Instance, Level};
use ocilint::report::ExitStatus;
use ocilint::source::registry::{PlainHttp, RegistryOptions};
use ocilint::source::{Observer, Sources};
use ocilint::{Policy, Target};

use super::{mistaken, say, usage};
use crate::cli::{self, Color};

/// Loads the policy; its mistakes are shown on standard error, all of them.
pub(super) fn policy(arguments: &[String], display: &cli::Display) -> Result<Policy, ExitStatus> {
    policy_as_of(arguments, None, display)
}

/// The same for a run that judges as of another moment. The clock of a snapshot is no such moment: how long the waivers of a
/// policy may run has nothing to do with when an image was recorded.
pub(super) fn policy_as_of(
    arguments: &[String],
    at: Option<Timestamp>,
    display: &cli::Display,
) -> Result<Policy, ExitStatus> {
    let today = policy::day(at.unwrap_or_else(Timestamp::now));
    let loaded = Policy::load(arguments, Path::new(".")).map_err(|errors| errors.0);
    let held = loaded.and_then(|policy| match policy.overlong_waivers(today) {
        overlong if overlong.is_empty() => Ok(policy),
        overlong => Err(overlong),
    });
    held.map_err(|mistakes| mistaken(&mistakes, display))
}

/// Where the reports go: the one for people to standard output if nothing is said.
pub(super) fn destinations<F: Formats>(asked: &[Destination<F>]) -> Result<Vec<Destination<F>>, ExitStatus> {
    if asked.is_empty() {
        return Ok(vec![Destination { format: F::ALL[0], path: None }]);
    }
    if asked.iter().filter(|destination| destination.path.is_none()).count() > 1 {
        let other = F::ALL[F::ALL.len() - 1].as_str();
        let help = format!("write one to a file: `--output {other}=FILE`");
        return Err(usage("two reports cannot both go to standard output", &help));
    }
    Ok(asked.to_vec())
}

/// The engine with the clock and the time that a run has: the present and no limit if nothing is said.
pub(super) fn timed(engine: Engine, clock: Option<Timestamp>, deadline: Option<Duration>) -> Engine {
    let engine = match clock {
        Some(moment) => engine.at(moment),
        None => engine,
    };
    match deadline {
        Some(time) => engine.with_deadline(time),
        None => engine,
    }
}

/// Refuses an image to compare with that no rule would look at: the user would think that it was.
pub(super) fn check_against(against: Option<&Target>, policies: &[&Policy]) -> Result<(), ExitStatus> {
    let takes = |policy: &&Policy| policy.instances.iter().any(takes_against);
    match against {
        Some(_) if !policies.iter().any(takes) => {
            let message = "`--against` names an image, and no rule of the policy compares";
            Err(usage(message, "add `[rules.compare]` to the policy; `ocilint rules compare` explains it"))
        }
        _ => Ok(()),
    }
}

fn takes_against(instance: &Instance) -> bool {
    instance.level != Level::Off && instance.check.takes_against()
}

/// Runs the work. One thread does it all: the work is waiting for registries. Files that are still being read when it is
/// over, by deadline or interruption, are not waited for.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, ExitStatus>>) -> Result<T, ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        say(&format!("the program could not start its runtime: {error}"), "");
        ExitStatus::Internal
    })?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// The sources of a run, as the command line asks for them.
pub(super) fn sources(registry: &cli::Registry, observer: Arc<dyn Observer>) -> Sources {
    let (hosts, loopback): (Vec<String>, Vec<String>) =
        registry.plain_http.iter().cloned().partition(|host| !host.is_empty());
    let options = RegistryOptions {
        plain_http: PlainHttp { loopback: !loopback.is_empty(), hosts },
        ca_file: registry.ca_file.clone(),
        trust_realms: registry.trust_realm.clone(),
        jobs: registry.jobs.map(usize::from),
        registry_config: registry.registry_config.clone(),
        ..RegistryOptions::default()
    };
    Sources::new(options, observer)
}

/// Where code scanning shows findings.
pub(super) fn sarif(arguments: &cli::Sarif) -> SarifOptions {
    let cwd = std::env::current_dir().unwrap_or_default();
    SarifOptions {
        root: output::repository_root(arguments.root.as_deref(), &cwd, |name| std::env::var_os(name)),
        location: arguments.location.as_deref().map(Place::parse),
        category: None,
        cwd,
    }
}

/// How people read reports: decided once, for standard output.
pub(super) fn style(display: &cli::Display) -> Style {
    style_on(display, anstream::AutoStream::choice(&io::stdout()), io::stdout().is_terminal())
}

/// How people read what goes to standard error.
pub(super) fn style_of_errors(display: &cli::Display) -> Style {
    style_on(display, anstream::AutoStream::choice(&io::stderr()), io::stderr().is_terminal())
}

fn style_on(display: &cli::Display, automatic: anstream::ColorChoice, is_terminal: bool) -> Style {
    let color = match display.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => automatic != anstream::ColorChoice::Never,
    };
    let graphics = std::env::var("NO_GRAPHICS").is_ok_and(|value| value != "0");
    Style {
        color,
        unicode: is_utf8(),
        width: width(is_terminal),
        quiet: display.quiet,
        narrated: display.accessible || graphics,
        hyperlinks: false,
    }
}

/// The locale that decides what characters there are, in POSIX's order.
fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// The terminal's width, else what a log is read at.
fn width(is_terminal: bool) -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|_| is_terminal);
    columns.or_else(measured).unwrap_or(100)
}
