//! Every request of a good run answered wrongly in every way, one at a time; and the same answers in every order.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use ocilint::report::Report;

use crate::gate::scenario::{self, Place, Scenario};
use crate::gate::stage::{Stage, summary, written};
use crate::gate::{each, each_of};
use crate::support::{Fault, Rule, When, catalogue};

/// Runs at one time; most of them wait.
const AT_ONCE: usize = 16;

/// One request answered wrongly.
struct Case {
    scenario: Scenario,
    /// Its path.
    path: String,
    name: &'static str,
    fault: Fault,
    /// Whether it is answered wrongly every time, or only the first.
    always: bool,
}

/// The paths that a good run asks for, each once.
fn paths(scenario: &Scenario) -> BTreeSet<String> {
    let stage = Stage::set(scenario, Place::Registry);
    let outcome = stage.engine().expect("an outcome");
    assert_eq!(outcome.exit, scenario.exit, "{}: {}", scenario.name, outcome.text);
    let tag = stage.registry.log().count(|entry| entry.path.ends_with("/manifests/1.0") && entry.status == Some(200));
    assert_eq!(tag, 1, "{}: a tag is resolved once, and everything judged hangs on what it was then", scenario.name);
    stage.registry.log().paths().into_iter().collect()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for mut scenario in scenario::family("faults") {
        let paths = paths(&scenario);
        assert!(paths.len() >= 14, "{}: {paths:#?}", scenario.name);
        scenario.impatient = true;
        // Without the API only the requests in its place are others.
        let wanted = |path: &&String| {
            scenario.no_referrers_api.is_none() || path.contains("sha256-") || path.contains("/referrers/")
        };
        for (place, path) in paths.iter().filter(wanted).enumerate() {
            for (at, (name, fault)) in catalogue().into_iter().enumerate() {
                let always = (place + at) % 4 != 0 || !repeats(&fault);
                cases.push(Case { scenario: scenario.clone(), path: path.clone(), name, fault, always });
            }
        }
    }
    cases
}

/// Whether the program asks again after such an answer. Some of them are given once only: a repetition may mend them, and
/// must not spoil anything.
fn repeats(fault: &Fault) -> bool {
    !matches!(fault, Fault::Answer(answer) if answer.status < 500 && answer.status != 429)
}

/// Answers by which a registry says that something is not there. Where that is what a rule wants to know, they are believed.
fn denies(case: &Case) -> bool {
    let no_api = [
        "status 400",
        "status 404",
        "status 405",
        "status 406",
        "see other",
        "login page",
        "empty 200",
        "empty object",
    ];
    if case.path.contains("/referrers/") {
        return no_api.contains(&case.name);
    }
    case.path.contains("/manifests/sha256-") && case.name == "status 404"
}

fn run(case: &Case) -> Result<Report, String> {
    let stage = Stage::set(&case.scenario, Place::Registry);
    let rule = Rule::new(When::path(&case.path), case.fault.clone());
    stage.registry.rule(if case.always { rule } else { rule.times(1) });
    stage.judged(Timestamp::now())
}

fn problem(case: &Case) -> Option<String> {
    let told =
        format!("{}: {} {} {}", case.scenario.name, case.path, case.name, if case.always { "always" } else { "once" });
    let report = match run(case) {
        Ok(report) => report,
        Err(problem) => return Some(format!("{told}: {problem}")),
    };
    let fine = match (case.scenario.exit, report.exit_status().code()) {
        (0, 0 | 2) | (1, 1 | 2) => true,
        (0, 1) => denies(case),
        _ => false,
    };
    (!fine).then(|| format!("{told}: {}", summary(&written(&report))))
}

#[test]
fn no_single_fault_lets_anything_through() {
    let cases = cases();
    assert!(cases.len() >= 2000, "{} cases", cases.len());
    let problems = each_of(AT_ONCE, &cases, |case| problem(case).into_iter().collect());
    let first = problems.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} of {}:\n{first}", problems.len(), cases.len());
}

/// The first line in which two outcomes differ.
fn difference(one: &Result<String, String>, other: &Result<String, String>) -> String {
    let (Ok(one), Ok(other)) = (one, other) else { return format!("{one:?} and {other:?}") };
    let lines = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    lines.map_or_else(|| "one is longer".to_owned(), |(one, other)| format!("`{one}` and `{other}`"))
}

#[test]
fn the_order_of_answers_changes_no_byte() {
    let seeds: Vec<u64> = (0..4).collect();
    let problems = each(&seeds, |&seed| {
        let mut scenarios = scenario::family("faults");
        let mut scenario = scenarios.remove(usize::try_from(seed).expect("a small number"));
        // Something unknown as well, so that the reasons of failures are compared, too.
        scenario.missing = vec!["config-arm".to_owned()];
        // Tokens grow longer as they are counted.
        scenario.access.clear();
        let stage = Stage::set(&scenario, Place::Registry);
        let now = "2026-11-23T12:00:00Z".parse().expect("a time");
        let runs = (0..25).map(|run| {
            stage.registry.clear_rules();
            stage.registry.rule(Rule::new(When::any(), Fault::Jitter(seed * 100 + run, Duration::from_millis(4))));
            stage.judged(now).map(|report| written(&report).text)
        });
        let different: BTreeSet<Result<String, String>> = runs.collect();
        let [one, other, ..] = &different.into_iter().collect::<Vec<_>>()[..] else { return Vec::new() };
        vec![format!("{}: {}", scenario.name, difference(one, other))]
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
