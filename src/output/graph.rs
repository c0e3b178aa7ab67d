//! The manifest graph as a tree: what hangs on what.

mod draw;

use std::io::{self, Write};

use serde::Serialize;

use crate::oci::{Annotations, Digest, MediaType};

use super::Style;
use super::text::{SafeJson, guard};

/// A document or a group of documents, and what hangs on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// What it is: `index`, `manifest`, `config`, `layer`, `referrer`, `statement`, or the name of a group (`referrers`).
    pub role: String,
    /// Its type, as the descriptor that leads to it says.
    pub media_type: Option<MediaType>,
    /// Its digest; `None` of a group.
    pub digest: Option<Digest>,
    /// Its size in bytes, as the descriptor says.
    pub size: Option<u64>,
    /// The platform it is for.
    pub platform: Option<String>,
    /// The annotations of the descriptor and of the document.
    pub annotations: Annotations,
    /// What else is to be said: `attestation for linux/amd64`, `could not be read: …`.
    pub notes: Vec<String>,
    /// What hangs on it, in the order of the document.
    pub children: Vec<GraphNode>,
}

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
