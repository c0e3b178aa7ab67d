//! What a shell script runs, as far as it can be told without running it.

use std::iter::Peekable;
use std::str::Chars;

use crate::rules::shell::program;

/// How deep commands in commands are looked at.
const DEPTH: usize = 8;

/// Commands of which each reads what the one before it writes.
pub(super) type Pipeline = Vec<Command>;

/// A command and its arguments. Redirections are left out, but for what they let it read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// The texts of `<<EOF` and `<<<`, and the commands of `< <(…)`.
    pub(super) input: Vec<Word>,
}

/// A word of a command, without its quotes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// The word without what is put into it.
    pub(super) text: String,
    /// The commands whose output is put into it: `$(…)`, or which it is a file of: `<(…)`.
    pub(super) inner: Vec<Pipeline>,
}

/// Reads a script; takes time in proportion to its length.
pub(super) fn read(script: &str) -> Vec<Pipeline> {
    Reader { rest: script.chars().peekable(), depth: 0, documents: 0 }.list(None)
}

/// What a list of words runs, without a shell unless it names one.
pub(super) fn of_words(words: Vec<String>) -> Vec<Pipeline> {
    let word = |text| Word { text, inner: Vec::new() };
    vec![vec![Command { words: words.into_iter().map(word).collect(), input: Vec::new() }]]
}

/// Visits all pipelines, those inside of words too.
pub(super) fn visit<'s>(pipelines: &'s [Pipeline], see: &mut impl FnMut(&'s Pipeline)) {
    for pipeline in pipelines {
        see(pipeline);
        for word in pipeline.iter().flat_map(|command| command.words.iter().chain(&command.input)) {
            visit(&word.inner, see);
        }
    }
}

/// Words that stand before a command and are none.
const RESERVED: [&str; 9] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{"];
/// Programs that run the program which their arguments name.
const RUNNERS: [&str; 13] = [
    "sudo", "doas", "env", "exec", "command", "nohup", "nice", "time", "timeout", "stdbuf", "gosu", "su-exec",
    "busybox",
];
/// Those of them that take one argument of their own first.
const WITH_ARGUMENT: [&str; 3] = ["timeout", "gosu", "su-exec"];
/// Options of `sudo` and `nice` that take an argument.
const OPTIONS: [&str; 5] = ["-u", "-g", "-h", "-n", "-p"];

/// A program that a command runs, and its arguments.
#[derive(Debug, Clone)]
pub(super) struct Run<'s> {
    /// Its file name, in lower case.
    pub(super) program: String,
    pub(super) arguments: &'s [Word],
}

impl Run<'_> {
    /// The arguments as texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(|word| word.text.as_str())
    }

    /// Whether one of the arguments is one of these.
    pub(super) fn has(&self, wanted: &[&str]) -> bool {
        self.texts().any(|text| wanted.contains(&text))
    }
}

impl Command {
    /// The programs that it runs, the last of them the one that does the work: `sudo -E env A=b bash` is three.
    pub(super) fn runs(&self) -> Vec<Run<'_>> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        let mut words = self.words.as_slice();
        while let Some((word, rest)) = words.split_first() {
            words = rest;
            if runs.is_empty() && RESERVED.contains(&word.text.as_str()) || is_assignment(&word.text) {
                continue;
            }
            let run = Run { program: program(&word.text), arguments: rest };
            let is_runner = RUNNERS.contains(&run.program.as_str());
            words = if is_runner { behind_options(&run) } else { &[] };
            runs.push(run);
        }
        runs
    }

    /// The program that does the work.
    pub(super) fn last(&self) -> Option<Run<'_>> {
        self.runs().pop()
    }
}

/// The words behind the options of a program that runs another.
fn behind_options<'s>(run: &Run<'s>) -> &'s [Word] {
    let mut words = run.arguments;
    // `command -v sudo` only asks whether it is there.
    if run.program == "command" && words.first().is_some_and(|word| matches!(word.text.as_str(), "-v" | "-V")) {
        return &[];
    }
    while let Some((option, rest)) = words.split_first().filter(|(word, _)| word.text.starts_with('-')) {
        let takes_one =
            OPTIONS.contains(&option.text.as_str()) && matches!(run.program.as_str(), "sudo" | "doas" | "nice");
        words = if takes_one { rest.get(1..).unwrap_or_default() } else { rest };
    }
    if WITH_ARGUMENT.contains(&run.program.as_str()) { words.get(1..).unwrap_or_default() } else { words }
}

/// `NAME=value`.
fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    word.split_once('=').is_some_and(|(name, _)| is_name(name.strip_suffix('+').unwrap_or(name)))
}

struct Reader<'s> {
    rest: Peekable<Chars<'s>>,
    depth: usize,
    /// How many documents of the script were read.
    documents: usize,
}

/// Documents of a script that are read; those beyond are passed over.
const DOCUMENTS: usize = 64;

/// A list of commands while it is read.
#[derive(Default)]
struct List {
    pipelines: Vec<Pipeline>,
    pipeline: Pipeline,
    command: Command,
    word: Option<Word>,
    /// What the word that follows is, if it belongs to a redirection.
    redirection: Option<Redirection>,
    /// The words that end the documents which begin on the next line.
    documents: Vec<String>,
    /// Parentheses that are open.
    open: usize,
}

/// What a word of a redirection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redirection {
    /// A file.
    File,
    /// What the command reads: `<<<`.
    Text,
}

impl List {
    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        match self.redirection.take() {
            None => self.command.words.push(word),
            Some(Redirection::Text) => self.command.input.push(word),
            Some(Redirection::File) if !word.inner.is_empty() => self.command.input.push(word),
            Some(Redirection::File) => {}
        }
    }

    /// Whether the last thing was a `|`, behind which a command follows, also on another line.
    fn awaits_command(&self) -> bool {
        !self.pipeline.is_empty() && self.command.words.is_empty() && self.word.is_none()
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirection = None;
        if !self.command.words.is_empty() {
            self.pipeline.push(std::mem::take(&mut self.command));
        }
    }

    fn end_pipeline(&mut self) {
        self.end_command();
        if !self.pipeline.is_empty() {
            self.pipelines.push(std::mem::take(&mut self.pipeline));
        }
    }

    fn redirect(&mut self, redirection: Redirection) {
        // The number of a descriptor: `2>`.
        if self.word.as_ref().is_some_and(|word| word.text.bytes().all(|byte| byte.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        self.redirection = Some(redirection);
    }
}

impl Reader<'_> {
    /// Reads commands up to the closing character or the end.
    fn list(&mut self, close: Option<char>) -> Vec<Pipeline> {
        let mut list = List::default();
        while let Some(c) = self.rest.next() {
            if close == Some(c) && list.open == 0 {
                break;
            }
            self.character(c, &mut list);
        }
        list.end_pipeline();
        list.pipelines
    }

    fn character(&mut self, c: char, list: &mut List) {
        match c {
            '\n' => {
                if !list.awaits_command() {
                    list.end_pipeline();
                }
                let documents = std::mem::take(&mut list.documents);
                for end in documents {
                    self.document(&end);
                }
            }
            _ if c.is_whitespace() => list.end_word(),
            '#' if list.word.is_none() => while self.rest.next_if(|&c| c != '\n').is_some() {},
            '(' => {
                list.open += 1;
                if !list.awaits_command() {
                    list.end_pipeline();
                }
            }
            ')' => {
                list.open = list.open.saturating_sub(1);
                list.end_pipeline();
            }
            '|' if self.eat('|') => list.end_pipeline(),
            '|' => {
                self.eat('&');
                list.end_command();
            }
            '&' if self.eat('&') => list.end_pipeline(),
            '&' if self.eat('>') => {
                self.eat('>');
                list.redirect(Redirection::File);
            }
            ';' | '&' => list.end_pipeline(),
            '<' | '>' => self.redirection(c, list),
            _ => self.part_of_word(c, list),
        }
    }

    fn redirection(&mut self, c: char, list: &mut List) {
        if self.eat('(') {
            let inner = self.inner(')');
            list.word().inner.extend(inner);
        } else if c == '<' && self.eat('<') {
            list.redirect(Redirection::Text);
            if !self.eat('<') {
                self.eat('-');
                list.redirection = None;
                let end = self.document_end();
                let text = self.document_ahead(&list.documents, &end);
                list.command.input.extend(text.map(|text| Word { text, inner: Vec::new() }));
                list.documents.push(end);
            }
        } else {
            while self.rest.next_if(|&c| c == '>' || c == '&' || c == '|').is_some() {}
            list.redirect(Redirection::File);
        }
    }

    fn part_of_word(&mut self, c: char, list: &mut List) {
        match c {
            '\\' => match self.rest.next() {
                Some('\n') | None => {}
                Some(c) => list.word().text.push(c),
            },
            '\'' => {
                let text = &mut list.word().text;
                text.extend(std::iter::from_fn(|| self.rest.next_if(|&c| c != '\'')));
                self.rest.next();
            }
            '"' => self.double_quoted(list.word()),
            '$' if self.eat('(') => {
                let inner = self.inner(')');
                list.word().inner.extend(inner);
            }
            '`' => {
                let inner = self.inner('`');
                list.word().inner.extend(inner);
            }
            c => list.word().text.push(c),
        }
    }

    fn double_quoted(&mut self, word: &mut Word) {
        while let Some(c) = self.rest.next().filter(|&c| c != '"') {
            match c {
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(c) => word.text.push(c),
                },
                '$' if self.eat('(') => word.inner.extend(self.inner(')')),
                '`' => word.inner.extend(self.inner('`')),
                c => word.text.push(c),
            }
        }
    }

    /// The commands of a substitution; none where they lie too deep, whose text then counts as if it stood in the list itself.
    fn inner(&mut self, close: char) -> Vec<Pipeline> {
        if self.depth == DEPTH {
            return Vec::new();
        }
        self.depth += 1;
        let list = self.list(Some(close));
        self.depth -= 1;
        list
    }

    /// The word that ends a document of the script (`<<EOF`).
    fn document_end(&mut self) -> String {
        while self.rest.next_if(|&c| c == ' ' || c == '\t').is_some() {}
        let part = |c: &char| !c.is_whitespace() && !";|&<>()".contains(*c);
        std::iter::from_fn(|| self.rest.next_if(part)).filter(|c| !"'\"\\".contains(*c)).collect()
    }

    /// The text of a document that begins below the current line, behind others.
    fn document_ahead(&mut self, before: &[String], end: &str) -> Option<String> {
        self.documents += 1;
        let mut ahead = Self { rest: self.rest.clone(), depth: self.depth, documents: DOCUMENTS };
        if self.documents > DOCUMENTS || ahead.rest.by_ref().all(|c| c != '\n') {
            return None;
        }
        for end in before {
            ahead.document(end);
        }
        Some(ahead.document(end))
    }

    /// Reads lines up to the one that ends a document.
    fn document(&mut self, end: &str) -> String {
        let mut text = String::new();
        while self.rest.peek().is_some() {
            let line: String = std::iter::from_fn(|| self.rest.next_if(|&c| c != '\n')).collect();
            self.rest.next();
            if line.trim_start_matches('\t').trim_end_matches('\r') == end {
                break;
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }
}

#[cfg(test)]
mod tests;
