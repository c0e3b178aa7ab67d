//! Several targets in one run: none hides another, and their order decides nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scenario::{Place, Scenario};
use super::stage::Stage;
use super::{each, scenario};

/// What each target ends with when it is checked alone.
const TARGETS: [(&str, &str, i32); 5] = [
    ("good", "${host}/acme/app:1.0", 0),
    ("bad", "${host}/acme/app:bad", 1),
    ("absent", "${host}/acme/app:absent", 2),
    ("unread", "${host}/acme/app:unread", 2),
    ("no target", "https://ghcr.io/acme/app", 3),
];

/// How grave a status is, by the documented precedence.
fn gravity(exit: i32) -> i32 {
    [0, 2, 3, 1, 4]
        .into_iter()
        .position(|other| other == exit)
        .map_or(i32::MAX, |at| i32::try_from(at).unwrap_or(i32::MAX))
}

fn scenario() -> Scenario {
    let mut scenarios = scenario::family("many");
    assert_eq!(scenarios.len(), 1);
    scenarios.remove(0)
}

/// Every order of every choice of targets.
fn orders() -> Vec<Vec<usize>> {
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    let mut at = 0;
    while at < orders.len() {
        for target in 0..TARGETS.len() {
            if !orders[at].contains(&target) {
                let longer = [orders[at].clone(), vec![target]].concat();
                orders.push(longer);
            }
        }
        at += 1;
    }
    orders.retain(|order| !order.is_empty());
    orders
}

/// The report of one target, without what differs from run to run.
fn alone(report: &Value) -> Value {
    let mut report = report.clone();
    if let Some(report) = report.as_object_mut() {
        report.remove("fetched");
    }
    report
}

#[test]
fn the_order_of_targets_decides_nothing() {
    let mut stage = Stage::set(&scenario(), Place::Registry);
    let targets = TARGETS.map(|(_, target, _)| stage.shelf.expand_text(target));
    let stage = stage;
    let run = |order: &[usize]| {
        let report = tempfile::NamedTempFile::new().expect("a temporary file");
        let program = stage.program().arg(format!("--output=json={}", report.path().display()));
        let run = program.args(order.iter().map(|&target| &targets[target])).run()?;
        let text = std::fs::read_to_string(report.path()).map_err(|error| error.to_string())?;
        Ok::<(i32, Value), String>((
            run.exit,
            serde_json::from_str(&text).map_err(|error| format!("{error}: {}", run.stderr))?,
        ))
    };
    let single: BTreeMap<usize, Value> = (0..TARGETS.len())
        .map(|target| {
            let (exit, report) = run(&[target]).expect("a report");
            assert_eq!(exit, TARGETS[target].2, "{}", TARGETS[target].0);
            (target, alone(&report["images"][0]))
        })
        .collect();
    let orders = orders();
    assert_eq!(orders.len(), 5 + 20 + 60 + 120 + 120);
    // All short orders, and a share of the long ones: the status is a fold, which the report's own tests prove.
    let orders: Vec<_> = orders
        .into_iter()
        .enumerate()
        .filter(|(at, order)| order.len() <= 2 || at % 5 == 0)
        .map(|(_, order)| order)
        .collect();
    let problems = each(&orders, |order| {
        let names: Vec<&str> = order.iter().map(|&target| TARGETS[target].0).collect();
        let wanted =
            order.iter().map(|&target| TARGETS[target].2).max_by_key(|&exit| gravity(exit)).unwrap_or_default();
        match run(order) {
            Err(problem) => vec![format!("{names:?}: {problem}")],
            Ok((exit, _)) if exit != wanted => vec![format!("{names:?}: exit {exit} instead of {wanted}")],
            Ok((_, report)) => {
                let images = report["images"].as_array().cloned().unwrap_or_default();
                let same = images.len() == order.len()
                    && images.iter().zip(order).all(|(image, target)| alone(image) == single[target]);
                if same { Vec::new() } else { vec![format!("{names:?}: not the reports that they have alone")] }
            }
        }
    });
    assert!(problems.is_empty(), "{} of {}:\n  {}", problems.len(), orders.len(), problems.join("\n  "));
}
