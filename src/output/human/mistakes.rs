//! The mistakes of a policy, each with the line it is on.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use super::block::Block;
use super::snippet::Snippet;
use crate::oci::{escape, escape_lines};
use crate::output::Style;
use crate::output::paint::{Paint, Word};
use crate::output::text::guard;
use crate::policy::{Origin, PolicyError, PolicySource};
use crate::report::Diagnostic;

/// Mistakes that are shown: enough to mend a file by, and no more than can be drawn in a moment.
const SHOWN: usize = 500;

/// Writes the mistakes, how many there are and where (`in the policy`), and what has not been done because of them.
pub(in crate::output) fn write(
    mistakes: &[PolicyError],
    (place, undone): (&str, &str),
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint::new(style);
    let mut text = String::new();
    for mistake in mistakes.iter().take(SHOWN) {
        block(mistake).render(&paint, &mut text);
        text.push('\n');
    }
    let counted = if mistakes.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) };
    let shown = if mistakes.len() > SHOWN { format!(", the first {SHOWN} of them shown") } else { String::new() };
    text.extend([&counted, " ", place, &shown, ": ", undone, "\n"]);
    out.write_all(guard(&text, style.color || style.hyperlinks, style.unicode).as_bytes())
}

/// Writes remarks on a policy that is right.
pub(in crate::output) fn write_remarks(remarks: &[Diagnostic], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(style);
    let mut text = String::new();
    for remark in remarks.iter().take(SHOWN) {
        Block::remark(remark).render(&paint, &mut text);
        text.push('\n');
    }
    out.write_all(guard(&text, style.color || style.hyperlinks, style.unicode).as_bytes())
}

fn block(mistake: &PolicyError) -> Block {
    let place = mistake.source.as_ref().zip(mistake.span.as_ref());
    let first = place.and_then(|(source, span)| Snippet::mistake(source, span));
    let related = mistake.related.iter().filter_map(|(source, span, _)| Snippet::mistake(source, span));
    let scope = match (&mistake.source, &first) {
        (Some(source), None) => format!("in {}", escape(&source.name)),
        _ => String::new(),
    };
    let at = |source: &Arc<PolicySource>, span: &Range<usize>| {
        let (line, column) = Origin { source: source.clone(), span: span.clone() }.line_column();
        format!("{}:{line}:{column}", source.name)
    };
    let notes = mistake.related.iter().map(|(source, span, note)| format!("{}: {note}", at(source, span)));
    let help: Vec<String> = mistake.help.iter().cloned().chain(notes).collect();
    Block {
        word: Word::Error,
        rules: vec!["policy".to_owned()],
        url: None,
        scope,
        message: escape(&mistake.message),
        help: (!help.is_empty()).then(|| escape_lines(&help.join("\n"))),
        snippets: first.into_iter().chain(related).collect(),
        fails: true,
    }
}
