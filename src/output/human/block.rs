//! One thing to say, as miette draws or narrates it.

use std::fmt::{self, Display, Formatter};

use miette::{Diagnostic as Shown, LabeledSpan, Severity, SourceCode};

use crate::oci::{escape, escape_lines};
use crate::policy::Level;
use crate::report::Diagnostic;

use super::snippet::{Snippet, Windows};
use crate::output::paint::{Paint, Word};
use crate::output::text::wrap;

/// One thing to say: what it amounts to, which rule says it, where, and what to do.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) word: Word,
    /// The names of the rules; empty for a remark on the run or a target.
    pub(super) rules: Vec<String>,
    /// A page of the policy's author about the rule.
    pub(super) url: Option<String>,
    /// The rest of the first line: `on linux/amd64`.
    pub(super) scope: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) snippets: Vec<Snippet>,
    /// Whether it fails the run.
    pub(super) fails: bool,
}

impl Block {
    /// A remark on the run.
    pub(super) fn remark(remark: &Diagnostic) -> Self {
        let word = match remark.level {
            Level::Error => Word::Error,
            Level::Warning => Word::Warning,
            Level::Note | Level::Off => Word::Note,
        };
        Self {
            word,
            rules: Vec::new(),
            url: None,
            scope: if remark.place.is_some() { "about the policy" } else { "about the run" }.to_owned(),
            message: escape(&remark.message),
            help: remark.help.as_deref().map(escape_lines),
            snippets: remark.place.as_ref().and_then(Snippet::policy).into_iter().collect(),
            fails: false,
        }
    }

    /// Whether it takes a line or two, without a drawing.
    pub(super) fn is_brief(&self) -> bool {
        self.word == Word::Waived
    }

    pub(super) fn render(&self, paint: &Paint, out: &mut String) {
        if paint.style.narrated {
            self.narrate(paint, out);
        } else if self.is_brief() {
            out.push_str(&self.brief(paint));
        } else {
            self.draw(paint, out);
        }
    }

    fn draw(&self, paint: &Paint, out: &mut String) {
        out.push_str(&self.title(paint));
        let width = paint.style.width;
        let drawn = Drawn {
            block: self,
            message: wrap(&self.message, width.saturating_sub(4), true),
            help: self.help.as_deref().map(|help| wrap(help, width.saturating_sub(8), false)),
            windows: Windows::new(&self.snippets, width),
        };
        let written = paint.graphical(self.word).render_report(out, &drawn);
        written.expect("invariant: writing to a string does not fail, and every label is inside of its window");
    }

    /// `error[user] on linux/amd64, linux/arm64`, broken where the line is full.
    fn title(&self, paint: &Paint) -> String {
        let word = self.word.as_str();
        let rules = if self.rules.is_empty() { String::new() } else { format!("[{}]", self.rules.join(", ")) };
        let plain =
            wrap(format!("{word}{rules} {}", self.scope).trim_end(), paint.style.width.saturating_sub(2), false);
        let mut text = String::new();
        for (number, line) in plain.lines().enumerate() {
            let rest = line.strip_prefix(word).filter(|_| number == 0);
            match rest {
                None => text.extend(["  ", line, "\n"]),
                Some(rest) => {
                    let head = rest.strip_prefix(rules.as_str()).filter(|_| !rules.is_empty());
                    let (rules, rest) = head.map_or((String::new(), rest), |rest| (paint.bold(&rules), rest));
                    let rules = self.url.as_deref().map_or(rules.clone(), |url| paint.link(url, &rules));
                    text.extend([&paint.word(self.word, word), &rules, rest, "\n"]);
                }
            }
        }
        text
    }

    fn brief(&self, paint: &Paint) -> String {
        let first = format!("waived[{}] {}", self.rules.join(", "), self.scope);
        let plain =
            wrap(&format!("{}: {}", first.trim_end(), self.message), paint.style.width.saturating_sub(2), false);
        let painted = plain.replacen("waived", &paint.word(Word::Waived, "waived"), 1);
        format!("{}\n", painted.replace('\n', "\n  "))
    }

    fn narrate(&self, paint: &Paint, out: &mut String) {
        let about = if self.rules.is_empty() { String::new() } else { format!(", rule {}", self.rules.join(", ")) };
        let scope = if self.scope.is_empty() { String::new() } else { format!(", {}", self.scope) };
        out.extend([&capitalised(self.word.as_str()), &about, &scope, ".\n"]);
        let drawn = Drawn {
            block: self,
            message: self.message.clone(),
            help: self.help.clone(),
            windows: Windows::new(&self.snippets, paint.style.width.max(120)),
        };
        let written = Paint::narrated().render_report(out, &drawn);
        written.expect("invariant: writing to a string does not fail, and every label is inside of its window");
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

/// A block as a diagnostic of miette's.
#[derive(Debug)]
struct Drawn<'b> {
    block: &'b Block,
    message: String,
    help: Option<String>,
    windows: Windows,
}

impl Display for Drawn<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Shown for Drawn<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(match self.block.word {
            Word::Error => Severity::Error,
            Word::Warning | Word::Unknown => Severity::Warning,
            Word::Note | Word::Waived | Word::Passed => Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.windows)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.windows.labels().into_iter()))
    }
}
