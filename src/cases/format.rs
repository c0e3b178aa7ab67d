//! What a case file says, once it is read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::build::Image;
use super::expect::Expectation;
use crate::graph::Cause;
use crate::judge::Options;
use crate::oci::Reference;
use crate::policy::{Origin, Policy, PolicyError, PolicyErrors, PolicySource, did_you_mean};
use crate::report::ExitStatus;
use crate::target::Target;

/// The cases of one file.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The file as it was named.
    pub file: String,
    /// Its cases, in their order.
    pub cases: Vec<Case>,
}

/// One case: a policy, an image, and what is to come of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// The file it is in.
    pub(super) source: Arc<PolicySource>,
    /// Where it begins.
    pub(super) span: Range<usize>,
    pub(super) policy: Arc<CasePolicy>,
    pub(super) image: CaseImage,
    /// Where its image is described, or where it begins.
    pub(super) image_span: Range<usize>,
    pub(super) target: Target,
    /// Other images, by their references.
    pub(super) elsewhere: BTreeMap<Reference, Image>,
    pub(super) options: Options,
    /// The clock, if the case says one.
    pub(super) now: Option<Timestamp>,
    pub(super) failures: Vec<Written<(String, Cause)>>,
    pub(super) expect: Vec<Expectation>,
    pub(super) others: Others,
    pub(super) asks: Vec<Written<(String, usize)>>,
    pub(super) exit: Option<Written<u8>>,
    pub(super) refused: Option<Written<String>>,
}

/// Something and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// The image of a case.
#[derive(Debug, Clone)]
pub(super) enum CaseImage {
    Inline(Box<Image>),
    /// The layout or archive that is the target.
    Stored,
    /// An image of a snapshot: the one that is named so, or the only one.
    Recorded(Option<String>),
}

/// Whether the case must mention every rule of its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Others {
    #[default]
    Mentioned,
    Any,
}

/// The policy of one or several cases, which is loaded once.
#[derive(Debug)]
pub(super) struct CasePolicy {
    text: PolicyText,
    /// Where the case file names it or holds it.
    place: Origin,
    loaded: OnceLock<Result<Policy, PolicyErrors>>,
}

/// Where the policy of a case is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PolicyText {
    /// It stands in the case file; what it extends lies in the directory.
    Inline { text: String, directory: PathBuf },
    /// It is a file, named as it is to be shown, or a built-in policy.
    File { path: String },
}

impl Suite {
    /// What is wrong with the policies of the cases, and with the names of rules that the cases expect something of: all
    /// that is known without judging.
    pub fn mistakes(&self) -> Vec<PolicyError> {
        let mut told: Vec<*const CasePolicy> = Vec::new();
        let mut mistakes = Vec::new();
        for case in &self.cases {
            match case.policy.load() {
                Ok(policy) => mistakes.extend(case.strangers(policy)),
                Err(errors) if !case.may_be_refused() && !told.contains(&Arc::as_ptr(&case.policy)) => {
                    told.push(Arc::as_ptr(&case.policy));
                    mistakes.extend(case.policy.placed(errors));
                }
                Err(_) => {}
            }
        }
        mistakes
    }
}

impl Case {
    /// Whether it expects that its policy does not load.
    fn may_be_refused(&self) -> bool {
        let usage = self.exit.as_ref().is_some_and(|exit| exit.value == ExitStatus::Usage.code());
        self.refused.is_some() || (usage && self.expect.is_empty())
    }

    /// The expectations of rules that the policy does not have.
    fn strangers(&self, policy: &Policy) -> Vec<PolicyError> {
        let names: Vec<&str> = policy.instances.iter().map(|instance| instance.name.as_str()).collect();
        let strange = self.expect.iter().filter(|expectation| !names.contains(&expectation.rule.as_str()));
        let told = strange.map(|expectation| {
            let rule = &expectation.rule;
            let near = did_you_mean(rule, &names).unwrap_or_else(|| format!("its rules are {}", names.join(", ")));
            self.mistake(&expectation.span, &format!("the policy has no rule `{rule}`"), Some(&near))
        });
        told.collect()
    }

    /// A mistake of the case.
    pub(super) fn mistake(&self, span: &Range<usize>, message: &str, help: Option<&str>) -> PolicyError {
        PolicyError {
            source: Some(self.source.clone()),
            span: Some(span.clone()),
            message: crate::oci::escape(message),
            help: help.map(crate::oci::escape),
            related: Vec::new(),
        }
    }

    /// Line and column of something of the case.
    pub(super) fn place(&self, span: &Range<usize>) -> (usize, usize) {
        Origin { source: self.source.clone(), span: span.clone() }.line_column()
    }
}

impl CasePolicy {
    pub(super) fn new(text: PolicyText, source: Arc<PolicySource>, span: Range<usize>) -> Self {
        Self { text, place: Origin { source, span }, loaded: OnceLock::new() }
    }

    /// The policy, loaded the first time.
    pub(super) fn load(&self) -> &Result<Policy, PolicyErrors> {
        self.loaded.get_or_init(|| match &self.text {
            PolicyText::Inline { text, directory } => Policy::from_text(&self.name(), text, directory),
            PolicyText::File { path } => Policy::load(std::slice::from_ref(path), std::path::Path::new("")),
        })
    }

    /// What the policy is called where its own text is shown.
    fn name(&self) -> String {
        let (line, _) = self.place.line_column();
        format!("{} (the policy of line {line})", self.place.source.name)
    }

    /// The mistakes of the policy at their places in the case file, if it stands there as it is read; otherwise in the text
    /// that it was read as.
    fn placed(&self, errors: &PolicyErrors) -> Vec<PolicyError> {
        let place = |error: &PolicyError| {
            let mut error = error.clone();
            match (&self.text, &error.source) {
                (PolicyText::Inline { text, .. }, Some(source)) if source.name == self.name() => {
                    self.place_inline(text, &mut error);
                }
                (_, None) => {
                    error.source = Some(self.place.source.clone());
                    error.span = Some(self.place.span.clone());
                }
                _ => {}
            }
            error
        };
        errors.0.iter().map(place).collect()
    }

    fn place_inline(&self, text: &str, error: &mut PolicyError) {
        let here = &self.place;
        let Some(offset) = offset(&here.source.text, &here.span, text) else {
            error.related.push((here.source.clone(), here.span.clone(), "the policy stands here".to_owned()));
            return;
        };
        let name = self.name();
        let moved = |span: &Range<usize>| span.start + offset..span.end + offset;
        error.source = Some(here.source.clone());
        error.span = Some(error.span.as_ref().map_or_else(|| here.span.clone(), moved));
        for (source, span, _) in error.related.iter_mut().filter(|(source, ..)| source.name == name) {
            *source = here.source.clone();
            *span = moved(span);
        }
    }
}

/// Where the text of a TOML string begins in the file, if it holds no escapes: `span` is `key = "…"` or the string alone.
fn offset(file: &str, span: &Range<usize>, text: &str) -> Option<usize> {
    let written = file.get(span.clone())?;
    let at = written.rfind(text).filter(|_| !text.is_empty())?;
    // Only quotes follow: it is not another text that happens to hold the same.
    written[at + text.len()..].bytes().all(|byte| matches!(byte, b'"' | b'\'')).then_some(span.start + at)
}
