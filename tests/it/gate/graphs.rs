//! Drawing a hostile image does no harm either.

use super::each;
use super::program::Program;
use super::scenario::{self, Place, Scenario};
use super::stage::{Stage, forged};

#[test]
fn what_is_hostile_is_drawn_harmlessly_or_not_at_all() {
    let families = ["documents", "injection", "long"].map(scenario::family);
    let scenarios = families.into_iter().flatten().filter(|scenario| scenario.over.contains(&Place::Registry));
    // One format each is enough: both draw the same tree.
    let drawn: Vec<(Scenario, &str)> = scenarios.zip(["tree", "json"].into_iter().cycle()).collect();
    let problems = each(&drawn, |(scenario, format)| {
        let stage = Stage::set(scenario, Place::Registry);
        let program =
            Program::new(stage.directory.path()).args(["graph", "-v", "--plain-http=127.0.0.1", "--deadline=5s"]);
        let found = match program.args(["--format", format, &stage.target]).run() {
            Ok(run) if ![0, 2].contains(&run.exit) => Some(format!("exit {}: {}", run.exit, run.stderr)),
            Ok(run) => (run.stdout + &run.stderr).lines().find_map(forged),
            Err(problem) => Some(problem),
        };
        found.into_iter().map(|problem| format!("{} as {format}: {problem:.2000}", scenario.name)).collect()
    });
    assert!(problems.is_empty(), "{} of {}:\n  {}", problems.len(), drawn.len(), problems.join("\n  "));
}
