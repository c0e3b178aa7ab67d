//! The hostile suite: images, registries, files and policies that mean harm, and the exact exit status each must end with.
//!
//! Most scenarios are data in `tests/gate`. Every run ends within ten seconds, without a panic, in at most 256 MiB.

mod ambiguous;
mod fault;
mod place;
mod program;
mod scenario;
mod shelf;
mod stage;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use scenario::Scenario;

/// Runs at one time.
const AT_ONCE: usize = 8;

/// Does something with every item, several at a time; all that was wrong.
fn each<T: Sync>(items: &[T], problems: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
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
            run(&stringify!($name).replace('_', "-"));
        })+

        const FAMILIES: &[&str] = &[$(stringify!($name)),+];
    };
}

families! { disguise documents local long statuses supply wire }
