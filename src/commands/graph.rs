//! `ocilint graph`: what the walk finds, drawn.

use std::io::{self, Write};
use std::sync::Arc;

use ocilint::engine::Engine;
use ocilint::graph::{self, GraphNode};
use ocilint::judge::Options;
use ocilint::output;
use ocilint::report::ExitStatus;
use ocilint::{Policy, Target};

use super::interrupt::{Ended, unless_interrupted};
use super::progress::Progress;
use super::targets::Targets;
use super::{refused, say, setup, written};
use crate::cli::{self, GraphFormat};

pub(super) fn run(command: &cli::Graph) -> u8 {
    match explore(command) {
        Ok(Ended::Done(trees)) => show(command, &trees).code(),
        Ok(Ended::Interrupted(code)) => code,
        Err(status) => status.code(),
    }
}

fn explore(command: &cli::Graph) -> Result<Ended<Vec<(String, GraphNode)>>, ExitStatus> {
    let targets = Targets::read(std::slice::from_ref(&command.target), None)?;
    let targets = targets.named.into_iter().map(|named| named.map_err(|report| refused(&report, false)));
    let targets = targets.collect::<Result<Vec<Target>, _>>()?;
    let progress = Arc::new(Progress::new(targets.len(), !command.watch.no_progress, command.watch.verbose));
    setup::block_on(async {
        let sources = setup::sources(&command.registry, progress.clone());
        let engine = Engine::new(Policy::default(), Options::default(), sources, progress.clone());
        let engine = setup::timed(engine, None, command.deadline);
        let mut trees = Vec::new();
        for target in targets {
            let explored = unless_interrupted(engine.explore(&target, graph::tree)).await;
            match explored {
                Ended::Interrupted(code) => return Ok(Ended::Interrupted(code)),
                Ended::Done(Ok(tree)) => trees.push((target.text, tree)),
                Ended::Done(Err(why)) => {
                    progress.finish();
                    say(&why.to_string(), why.help());
                    return Err(ExitStatus::Unknown);
                }
            }
        }
        progress.finish();
        Ok(Ended::Done(trees))
    })
}

/// A snapshot may hold several images; their trees, or JSON documents, follow each other.
fn show(command: &cli::Graph, trees: &[(String, GraphNode)]) -> ExitStatus {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let style = setup::style(&command.display);
    let mut draw = |(target, tree): &(String, GraphNode)| match command.format {
        GraphFormat::Tree => output::graph::write_tree(target, tree, style, &mut out),
        GraphFormat::Json => output::graph::write_json(target, tree, &mut out),
    };
    let drawn = trees.iter().try_for_each(&mut draw);
    written(drawn.and_then(|()| out.flush()))
}
