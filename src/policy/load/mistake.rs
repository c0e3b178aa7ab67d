//! The mistakes of a policy, gathered so that all of them are reported at once.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use super::sources::Sources;
use super::suggest::did_you_mean;
use crate::oci::escape;
use crate::policy::PolicySource;

/// Mistakes after which none is told what was probably meant: to look for it takes longest where most is wrong.
const SUGGESTED: usize = 500;

/// Bytes in the one address space of all files of a load (see [`Sources`]).
pub(super) type Span = Range<usize>;

/// One mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The file it is in; `None` when the file could not be read.
    pub source: Option<Arc<PolicySource>>,
    /// The bytes of the file that are wrong; `None` for the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong, and what would be right.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it, and what they are.
    pub related: Vec<(Arc<PolicySource>, Range<usize>, String)>,
}

impl Display for PolicyError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(f, "{}:", escape(&source.name))?;
            if let Some(span) = &self.span {
                let origin = crate::policy::Origin { source: source.clone(), span: span.clone() };
                let (line, column) = origin.line_column();
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for PolicyError {}

/// Every mistake of the policies that were named: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyErrors(pub Vec<PolicyError>);

/// A mistake, before its place is turned into a file and the bytes of it.
#[derive(Debug)]
pub(super) struct Mistake {
    span: Option<Span>,
    message: String,
    help: Option<String>,
    related: Vec<(Span, String)>,
    kind: Kind,
    /// Where what could not be read because of it ends, if that is more than its own line.
    lost_until: Option<usize>,
    /// Whether the file as a whole is meant; the span then only says which file.
    whole: bool,
    /// Whether what is missing may stand in a file that could not be read.
    inherited: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The text is no TOML.
    Unreadable,
    /// Perhaps only there because the text around it could not be read: something that is missing, or out of place.
    Consequent,
    /// Everything else.
    Plain,
}

impl Mistake {
    /// Something wrong at a place.
    pub(super) fn at(span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        let kind = Kind::Plain;
        let (help, related, lost_until) = (None, Vec::new(), None);
        Self { span: Some(span), message, help, related, kind, lost_until, whole: false, inherited: false }
    }

    /// Something wrong that has no place in any file.
    pub(super) fn nowhere(message: impl Into<String>) -> Self {
        Self { span: None, ..Self::at(0..0, message) }
    }

    /// Something wrong with the file at a position as a whole.
    pub(super) fn file(position: usize, message: impl Into<String>) -> Self {
        Self { whole: true, ..Self::at(position..position, message) }
    }

    /// The same, said of an entry of `extends` that led to it, where there is one.
    pub(super) fn named_at(mut self, span: Option<Span>) -> Self {
        self.span = self.span.or(span);
        self
    }

    /// Says that the text around could not be read, so that what is missing may well be there.
    pub(super) fn unreadable(mut self) -> Self {
        self.kind = Kind::Unreadable;
        self
    }

    /// The same of all that stands between it and a position.
    pub(super) fn unreadable_until(self, end: usize) -> Self {
        Self { lost_until: Some(end), ..self.unreadable() }
    }

    /// Says that the mistake need not be one if the text around it could not be read.
    pub(super) fn consequent(mut self) -> Self {
        self.kind = Kind::Consequent;
        self
    }

    /// Says that what is missing may stand in a file that is extended, so that it need not be a mistake if one of those
    /// could not be read.
    pub(super) fn inherited(self) -> Self {
        Self { inherited: true, ..self }
    }

    /// What to do about it.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        self.help_if(Some(help.into()))
    }

    /// What to do about it, where that is known; the first word stands.
    pub(super) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }

    fn is_made_up(&self) -> bool {
        !self.whole && self.span.as_ref().is_some_and(Range::is_empty)
    }

    /// Another place that belongs to it.
    pub(super) fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push((span, message.into()));
        self
    }
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    found: Vec<Mistake>,
    /// Whether a file that is extended could not be read.
    incomplete: bool,
}

impl Mistakes {
    /// Adds one.
    pub(super) fn add(&mut self, mistake: Mistake) {
        self.found.push(mistake);
    }

    /// Adds one, if there is any.
    pub(super) fn extend(&mut self, mistake: Option<Mistake>) {
        self.found.extend(mistake);
    }

    /// `did you mean …?`, if there is anything to say, and not so many mistakes that nobody reads it.
    pub(super) fn did_you_mean(&self, word: &str, candidates: &[&str]) -> Option<String> {
        if self.found.len() < SUGGESTED { did_you_mean(word, candidates) } else { None }
    }

    /// Says that a file that is extended could not be read.
    pub(super) fn miss_a_file(&mut self) {
        self.incomplete = true;
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// The mistakes in the order of the files and their lines, without those that only follow from a syntax error: the ones
    /// on its line or in what it swallowed, and whatever is missing from its file.
    pub(super) fn resolve(self, sources: &Sources) -> Vec<PolicyError> {
        let unreadable = self.found.iter().filter(|mistake| mistake.kind == Kind::Unreadable);
        let spans = unreadable.filter_map(|mistake| mistake.span.clone());
        let damaged: BTreeSet<(usize, usize)> = spans.filter_map(|span| sources.line(span.start)).collect();
        let lost = |mistake: &Mistake| Some(mistake.span.as_ref()?.start..mistake.lost_until?);
        let lost: Vec<Span> = self.found.iter().filter_map(lost).collect();
        let is_lost = |mistake: &Mistake| {
            let start = mistake.span.as_ref().map(|span| span.start);
            start.is_some_and(|start| lost.iter().any(|lost| lost.contains(&start)))
        };
        let follows = |mistake: &Mistake| {
            let line = mistake.span.as_ref().and_then(|span| sources.line(span.start));
            match (mistake.kind, line) {
                (Kind::Unreadable, _) | (Kind::Plain, None) => false,
                // What has a place but no text was made up in reading on.
                (Kind::Plain, Some((file, _))) if mistake.is_made_up() => damaged.iter().any(|line| line.0 == file),
                (Kind::Plain, Some(line)) => damaged.contains(&line) || is_lost(mistake),
                (Kind::Consequent, None) => !damaged.is_empty(),
                (Kind::Consequent, Some((file, _))) => damaged.iter().any(|line| line.0 == file),
            }
        };
        let follows = |mistake: &Mistake| follows(mistake) || (mistake.inherited && self.incomplete);
        let mut mistakes: Vec<Mistake> = self.found.into_iter().filter(|mistake| !follows(mistake)).collect();
        let place = |mistake: &Mistake| mistake.span.as_ref().map(|span| (span.start, span.end));
        // What is wrong with a list is wrong wherever the list is put in.
        let mut told = BTreeSet::new();
        mistakes.retain(|mistake| told.insert((place(mistake), mistake.message.clone())));
        mistakes.sort_by_key(place);
        mistakes.into_iter().map(|mistake| mistake.resolve(sources)).collect()
    }
}

impl Mistake {
    /// The mistake with its file and the bytes of it.
    pub(super) fn resolve(self, sources: &Sources) -> PolicyError {
        let place = self.span.and_then(|span| sources.resolve(&span));
        let (source, span) = place.unzip();
        let span = span.filter(|_| !self.whole);
        let related = self.related.into_iter().filter_map(|(span, message)| {
            sources.resolve(&span).map(|(source, span)| (source, span, escape(&message)))
        });
        PolicyError {
            source,
            span,
            message: escape(&self.message),
            help: self.help.as_deref().map(escape),
            related: related.collect(),
        }
    }
}
