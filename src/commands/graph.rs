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
use super::{say, setup, usage, written};
use crate::cli::{self, GraphFormat};

pub(super) fn run(command: &cli::Graph) -> u8 {
    match explore(command) {
        Ok(Ended::Done(tree)) => show(command, &tree).code(),
        Ok(Ended::Interrupted(code)) => code,
        Err(status) => status.code(),
    }
}

fn explore(command: &cli::Graph) -> Result<Ended<GraphNode>, ExitStatus> {
    let target = Target::parse(&command.target).map_err(|error| usage(&error.to_string(), &error.help()))?;
    let progress = Arc::new(Progress::new(1, !command.display.no_progress, command.display.verbose));
    setup::block_on(async {
        let sources = setup::sources(&command.registry, progress.clone());
        let mut engine = Engine::new(Policy::default(), Options::default(), sources, progress.clone());
        if let Some(time) = command.deadline {
            engine = engine.with_deadline(time);
        }
        let explored = unless_interrupted(engine.explore(&target, graph::tree)).await;
        progress.finish();
        match explored {
            Ended::Interrupted(code) => Ok(Ended::Interrupted(code)),
            Ended::Done(Ok(tree)) => Ok(Ended::Done(tree)),
            Ended::Done(Err(why)) => {
                say(&why.to_string(), why.help());
                Err(ExitStatus::Unknown)
            }
        }
    })
}

fn show(command: &cli::Graph, tree: &GraphNode) -> ExitStatus {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let drawn = match command.format {
        GraphFormat::Tree => output::graph::write_tree(&command.target, tree, setup::style(&command.display), &mut out),
        GraphFormat::Json => output::graph::write_json(&command.target, tree, &mut out),
    };
    written(drawn.and_then(|()| out.flush()))
}
