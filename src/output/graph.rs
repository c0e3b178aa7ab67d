//! The manifest graph as a tree: what hangs on what.

mod draw;

use std::io::{self, Write};

use serde::Serialize;

use crate::graph::GraphNode;

use super::Style;
use super::text::{SafeJson, guard};

/// The published shape of `ocilint graph --format json`.
#[derive(Serialize)]
struct GraphJson<'g> {
    schema: &'static str,
    target: &'g str,
    root: &'g GraphNode,
}

/// Draws a graph as a tree, with totals below.
pub fn write_tree(target: &str, root: &GraphNode, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let text = draw::tree(target, root, style);
    out.write_all(guard(&text, style.color, style.unicode).as_bytes())
}

/// Writes a graph as JSON.
pub fn write_json(target: &str, root: &GraphNode, out: &mut dyn Write) -> io::Result<()> {
    SafeJson::write(&GraphJson { schema: "ocilint/graph/v1", target, root }, out)
}

#[cfg(test)]
mod tests;
