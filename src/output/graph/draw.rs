//! Drawing the tree.

use std::collections::{BTreeMap, BTreeSet};

use textwrap::core::display_width;

use super::GraphNode;
use crate::oci::{Digest, MediaType, Untrusted, escape};
use crate::output::Style;
use crate::output::paint::Paint;
use crate::output::text::{count, size, wrap};

/// How many annotations of a node are shown.
const ANNOTATIONS: usize = 8;

pub(super) fn tree(target: &str, root: &GraphNode, style: Style) -> String {
    let mut tree = Tree { paint: Paint::new(style), text: String::new() };
    tree.text = format!("{}\n", tree.paint.bold(&escape(target)));
    // The digest of the root is what one deploys: it is written out.
    let full = root.digest.as_ref().map(Digest::to_string);
    tree.node(root, full, "", "");
    tree.text.push_str(&totals(root, tree.paint.style.width));
    tree.text
}

struct Tree {
    paint: Paint,
    text: String,
}

/// The pieces that lines begin with: before a child, and before what is below it.
struct Edges {
    child: &'static str,
    below: &'static str,
}

impl Tree {
    /// A node and everything below it. `first` begins its line, `rest` the lines below.
    fn node(&mut self, node: &GraphNode, digest: Option<String>, first: &str, rest: &str) {
        let children = grouped(&node.children);
        let below = if children.is_empty() { format!("{rest}  ") } else { format!("{rest}{} ", self.bar()) };
        let line = Self::line(node, digest);
        self.put(&line, first, &below);
        for detail in details(node) {
            self.put(&[(Look::Faint, detail)], &below, &below);
        }
        for (number, child) in children.iter().enumerate() {
            let edges = self.edges(number + 1 == children.len());
            let (first, rest) = (format!("{rest}{}", edges.child), format!("{rest}{}", edges.below));
            match child {
                Child::Node(node) => self.node(node, node.digest.as_ref().map(Digest::short), &first, &rest),
                Child::Layers(layers) => self.put(&layers_line(layers), &first, &format!("{rest}  ")),
            }
        }
    }

    /// What a node's line says.
    fn line(node: &GraphNode, digest: Option<String>) -> Vec<(Look, String)> {
        let mut parts = Vec::new();
        parts.extend(node.platform.iter().map(|platform| (Look::Bold, Untrusted(platform).to_string())));
        parts.push((Look::Plain, escape(&node.role)));
        parts.extend(digest.map(|digest| (Look::Whole, digest)));
        parts.extend(node.size.map(|bytes| (Look::Plain, size(bytes))));
        parts.extend(node.media_type.as_ref().map(|media_type| (Look::Faint, described(media_type))));
        parts.extend(node.notes.iter().map(|note| (Look::Note, escape(note))));
        parts
    }

    /// Writes the parts of a line, broken between parts, and inside of one where that alone is too long.
    fn put(&mut self, parts: &[(Look, String)], first: &str, rest: &str) {
        let width = self.paint.style.width;
        let (mut columns, mut is_empty) = (display_width(first), true);
        self.text.push_str(first);
        for (look, part) in parts {
            let room = width.saturating_sub(display_width(rest));
            let fits = matches!(look, Look::Whole) || display_width(part) <= room;
            let pieces = if fits { part.clone() } else { wrap(part, room, true) };
            for piece in pieces.lines() {
                let piece_width = display_width(piece);
                if !is_empty && columns + 2 + piece_width > width {
                    self.text.extend(["\n", rest]);
                    columns = display_width(rest);
                } else if !is_empty {
                    self.text.push_str("  ");
                    columns += 2;
                }
                self.text.push_str(&self.looking(*look, piece));
                columns += piece_width;
                is_empty = false;
            }
        }
        self.text.push('\n');
    }

    fn looking(&self, look: Look, text: &str) -> String {
        match look {
            Look::Plain | Look::Whole => text.to_owned(),
            Look::Bold => self.paint.bold(text),
            Look::Faint => self.paint.faint(text),
            Look::Note => self.paint.note(text),
        }
    }

    fn edges(&self, last: bool) -> Edges {
        match (self.paint.style.unicode, last) {
            (true, false) => Edges { child: "├── ", below: "│   " },
            (true, true) => Edges { child: "└── ", below: "    " },
            (false, false) => Edges { child: "|-- ", below: "|   " },
            (false, true) => Edges { child: "`-- ", below: "    " },
        }
    }

    fn bar(&self) -> &'static str {
        if self.paint.style.unicode { "│" } else { "|" }
    }
}

#[derive(Debug, Clone, Copy)]
enum Look {
    Plain,
    /// Never broken, so that it can be copied.
    Whole,
    Bold,
    Faint,
    Note,
}

/// A child of a node, or all its layers in one.
enum Child<'g> {
    Node(&'g GraphNode),
    Layers(Vec<&'g GraphNode>),
}

/// Layers are one line, unless there is something to say about one of them.
fn grouped(children: &[GraphNode]) -> Vec<Child<'_>> {
    let is_plain = |node: &&GraphNode| node.role == "layer" && node.notes.is_empty() && node.children.is_empty();
    let layers: Vec<&GraphNode> = children.iter().filter(is_plain).collect();
    if layers.len() < 2 {
        return children.iter().map(Child::Node).collect();
    }
    let mut layers = Some(layers);
    let child = |node| if is_plain(&node) { layers.take().map(Child::Layers) } else { Some(Child::Node(node)) };
    children.iter().filter_map(child).collect()
}

fn layers_line(layers: &[&GraphNode]) -> Vec<(Look, String)> {
    let sum = layers.iter().filter_map(|layer| layer.size).fold(0, u64::saturating_add);
    let least = if layers.iter().any(|layer| layer.size.is_none()) { "at least " } else { "" };
    vec![
        (Look::Plain, count(layers.len(), "layer")),
        (Look::Plain, format!("{least}{}", size(sum))),
        (Look::Faint, compressions(layers)),
    ]
}

/// `gzip`, or of several kinds `5 gzip, 2 zstd`.
fn compressions(layers: &[&GraphNode]) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for layer in layers {
        let class = layer.media_type.as_ref().and_then(MediaType::layer_class);
        *kinds.entry(class.map_or_else(|| "of other types".to_owned(), |class| class.to_string())).or_default() += 1;
    }
    let one = kinds.len() == 1;
    let kinds = kinds.iter().map(|(kind, number)| if one { kind.clone() } else { format!("{number} {kind}") });
    kinds.collect::<Vec<_>>().join(", ")
}

/// `OCI image index`, else the type itself.
fn described(media_type: &MediaType) -> String {
    let article = |text: &str| text.strip_prefix("an ").or_else(|| text.strip_prefix("a ")).unwrap_or(text).to_owned();
    media_type.description().map_or_else(|| Untrusted(media_type.as_str()).to_string(), article)
}

/// The annotations, a line each.
fn details(node: &GraphNode) -> Vec<String> {
    let shown = node.annotations.iter().take(ANNOTATIONS);
    let mut lines: Vec<String> =
        shown.map(|(name, value)| format!("{}: {}", Untrusted(name), Untrusted(value))).collect();
    let more = node.annotations.len().saturating_sub(ANNOTATIONS);
    if more > 0 {
        lines.push(format!("and {}", count(more, "more annotation")));
    }
    lines
}

/// What there is in all, every document counted once.
fn totals(root: &GraphNode, width: usize) -> String {
    let mut totals = Totals::default();
    totals.add(root);
    let bytes = |nodes: &[&GraphNode]| nodes.iter().filter_map(|node| node.size).fold(0, u64::saturating_add);
    let mut parts = vec![format!("{}, {}", count(totals.documents.len(), "document"), size(bytes(&totals.documents)))];
    if !totals.layers.is_empty() {
        let layers = &totals.layers;
        parts.push(format!("{} ({}), {}", count(layers.len(), "layer"), compressions(layers), size(bytes(layers))));
    }
    wrap(&format!("in all: {}", parts.join("; ")), width, false) + "\n"
}

#[derive(Default)]
struct Totals<'g> {
    seen: BTreeSet<&'g Digest>,
    documents: Vec<&'g GraphNode>,
    layers: Vec<&'g GraphNode>,
}

impl<'g> Totals<'g> {
    fn add(&mut self, node: &'g GraphNode) {
        if let Some(digest) = &node.digest
            && self.seen.insert(digest)
        {
            if node.role == "layer" { self.layers.push(node) } else { self.documents.push(node) }
        }
        node.children.iter().for_each(|child| self.add(child));
    }
}
