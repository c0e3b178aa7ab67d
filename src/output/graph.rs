//! The manifest graph as a tree: what hangs on what.

mod draw;

use std::io::{self, Write};

use serde::Serialize;

use crate::graph::GraphNode;
use crate::rules::sensitive::{shown, veiled};

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
    let text = draw::tree(target, &without_secrets(root.clone()), style);
    out.write_all(guard(&text, style.color, style.unicode).as_bytes())
}

/// Writes a graph as JSON.
pub fn write_json(target: &str, root: &GraphNode, out: &mut dyn Write) -> io::Result<()> {
    let root = &without_secrets(root.clone());
    SafeJson::write(&GraphJson { schema: "ocilint/graph/v1", target, root }, out)
}

/// The same graph, without what looks like a secret in the texts that the image gives it.
fn without_secrets(mut node: GraphNode) -> GraphNode {
    for (name, value) in &mut node.annotations {
        *value = shown(name, value).into_owned();
    }
    for text in node.notes.iter_mut().chain(&mut node.platform) {
        *text = veiled(text).into_owned();
    }
    node.children = node.children.into_iter().map(without_secrets).collect();
    node
}

#[cfg(test)]
mod tests;
