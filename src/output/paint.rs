//! Colours and signs.

use miette::{GraphicalReportHandler, GraphicalTheme, NarratableReportHandler, ThemeCharacters, ThemeStyles};

use super::Style;

/// What something amounts to, in a word; never told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// Fails the run.
    Error,
    /// Does not fail it.
    Warning,
    /// Worth knowing.
    Note,
    /// Could not be known.
    Unknown,
    /// Covered by a waiver.
    Waived,
    /// As it should be.
    Passed,
}

impl Word {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Waived => "waived",
            Self::Passed => "passed",
        }
    }

    /// The ANSI colour.
    fn code(self) -> &'static str {
        match self {
            Self::Error => "31",
            Self::Warning => "33",
            Self::Note => "36",
            Self::Unknown => "35",
            Self::Waived => "34",
            Self::Passed => "32",
        }
    }
}

/// How things are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) style: Style,
}

impl Paint {
    pub(super) fn new(style: Style) -> Self {
        Self { style: Style { width: style.width.clamp(40, 160), ..style } }
    }

    fn ansi(&self, code: &str, text: &str) -> String {
        if self.style.color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.ansi("1", text)
    }

    pub(super) fn faint(&self, text: &str) -> String {
        self.ansi("2", text)
    }

    /// A remark.
    pub(super) fn note(&self, text: &str) -> String {
        self.ansi("33", text)
    }

    /// In the colour of a word, bold.
    pub(super) fn word(&self, word: Word, text: &str) -> String {
        self.ansi(&format!("1;{}", word.code()), text)
    }

    /// A text that leads to a page.
    pub(super) fn link(&self, url: &str, text: &str) -> String {
        if self.style.hyperlinks { format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\") } else { text.to_owned() }
    }

    /// The sign before a line about an image.
    pub(super) fn sign(&self, word: Word) -> String {
        let sign = match (word, self.style.unicode) {
            (Word::Error, true) => "✗",
            (Word::Error, false) => "x",
            (Word::Unknown, _) => "?",
            (_, true) => "✓",
            (_, false) => "+",
        };
        self.word(word, sign)
    }

    /// The renderer of diagnostics of one kind.
    pub(super) fn graphical(&self, word: Word) -> GraphicalReportHandler {
        let mut characters = if self.style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
        if word == Word::Unknown {
            "?".clone_into(&mut characters.error);
            "?".clone_into(&mut characters.warning);
            "?".clone_into(&mut characters.advice);
        }
        let styles = if self.style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
        // Lines are broken before they get there: what is to be copied stays whole.
        GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
            .with_wrap_lines(false)
            .with_width(self.style.width)
            .with_urls(false)
            .without_primary_span_start()
            .without_syntax_highlighting()
    }

    pub(super) fn narrated() -> NarratableReportHandler {
        NarratableReportHandler::new()
    }
}
