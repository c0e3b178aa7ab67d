//! The hostile suite: images, registries, files and policies that mean harm, and the exact exit status each must end with.
//!
//! Most scenarios are data in `tests/gate`. No run panics or hangs; the program computes for at most ten seconds and takes at
//! most 256 MiB; nothing it says acts on whoever reads it.

mod ambiguous;
mod fault;
mod graphs;
mod many;
mod place;
mod program;
pub(crate) mod scenario;
mod secrets;
mod shelf;
mod signals;
pub(crate) mod stage;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use scenario::Scenario;

/// Runs at one time.
const AT_ONCE: usize = 8;

/// Does something with every item, several at a time; all that was wrong.
pub(crate) fn each<T: Sync>(items: &[T], problems: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    each_of(AT_ONCE, items, problems)
}

/// The same with so many at a time.
pub(crate) fn each_of<T: Sync>(
    at_once: usize,
    items: &[T],
    problems: impl Fn(&T) -> Vec<String> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let problems = problems(item);
                    found.lock().expect("no holder of the lock panics").extend(problems);
                }
            });
        }
    });
    found.into_inner().expect("no holder of the lock panics")
}

/// Runs every scenario of a family.
fn run(family: &str) {
    let scenarios = scenario::family(family);
    let only = std::env::var("GATE").unwrap_or_default();
    let scenarios: Vec<Scenario> = scenarios.into_iter().filter(|scenario| scenario.name.contains(&only)).collect();
    let problems = each(&scenarios, stage::problems);
    assert!(
        problems.is_empty(),
        "{} of {} scenarios of `{family}`:\n  {}",
        problems.len(),
        scenarios.len(),
        problems.join("\n  ")
    );
}

macro_rules! families {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })+

        /// The families whose rows say all there is to say.
        const FAMILIES: &[&str] = &[$(stringify!($name)),+];
    };
}

families! { disguise documents injection local long policies statuses supply values wire }

/// Files of rows that code runs in ways of its own.
const WITH_CODE: &[&str] = &["ambiguous", "faults", "many", "secrets"];

#[test]
fn every_family_is_there_and_run() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gate")).expect("a directory");
    let names = files.flatten().filter_map(|file| file.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned));
    let names: BTreeSet<String> = names.filter(|name| name != "common" && name != "rules").collect();
    let run: BTreeSet<String> = FAMILIES.iter().chain(WITH_CODE).map(ToString::to_string).collect();
    assert_eq!(names, run);
    for family in FAMILIES {
        let scenarios = scenario::family(family);
        let names: BTreeSet<&String> = scenarios.iter().map(|scenario| &scenario.name).collect();
        assert_eq!(names.len(), scenarios.len(), "two scenarios of `{family}` have one name");
        assert!(scenarios.iter().any(|scenario| scenario.exit != 0), "`{family}` lets everything pass");
    }
    let count: usize = FAMILIES.iter().map(|family| scenario::family(family).len()).sum();
    assert!(count >= 600, "{count} scenarios");
}

#[test]
fn the_limit_of_memory_bites() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let run = |kibibytes| program::Program::limited(directory.path(), kibibytes, "").arg("rules").run();
    assert_eq!(run(program::MEMORY).expect("an end").exit, 0);
    assert!(run(64).is_err() || run(64).is_ok_and(|run| run.exit != 0));
}
