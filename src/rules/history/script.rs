//! What a shell script runs, as far as it can be told without running it.

use std::iter::Peekable;
use std::str::Chars;

use crate::rules::shell::program;

/// How deep commands in commands are looked at.
const DEPTH: usize = 8;

/// Commands of which each reads what the one before it writes.
pub(super) type Pipeline = Vec<Command>;

/// A command and its arguments. Redirections are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
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
    Reader { rest: script.chars().peekable(), depth: 0 }.list(None)
}

/// Visits all pipelines, those inside of words too.
pub(super) fn visit<'s>(pipelines: &'s [Pipeline], see: &mut impl FnMut(&'s Pipeline)) {
    for pipeline in pipelines {
        see(pipeline);
        for word in pipeline.iter().flat_map(|command| &command.words) {
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
}

/// A list of commands while it is read.
#[derive(Default)]
struct List {
    pipelines: Vec<Pipeline>,
    pipeline: Pipeline,
    command: Command,
    word: Option<Word>,
    /// Whether the word that follows is the file of a redirection.
    redirected: bool,
    /// The words that end the documents which begin on the next line.
    documents: Vec<String>,
    /// Parentheses that are open.
    open: usize,
}

impl List {
    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.redirected)
        {
            self.command.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirected = false;
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

    fn redirect(&mut self) {
        // The number of a descriptor: `2>`.
        if self.word.as_ref().is_some_and(|word| word.text.bytes().all(|byte| byte.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        self.redirected = true;
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
                list.end_pipeline();
                let documents = std::mem::take(&mut list.documents);
                for end in documents {
                    self.skip_document(&end);
                }
            }
            _ if c.is_whitespace() => list.end_word(),
            '#' if list.word.is_none() => while self.rest.next_if(|&c| c != '\n').is_some() {},
            '(' => {
                list.open += 1;
                list.end_pipeline();
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
                list.redirect();
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
            list.redirect();
            if !self.eat('<') {
                self.eat('-');
                list.redirected = false;
                let end = self.document_end();
                list.documents.push(end);
            }
        } else {
            while self.rest.next_if(|&c| c == '>' || c == '&' || c == '|').is_some() {}
            list.redirect();
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

    /// Skips lines up to the one that ends a document.
    fn skip_document(&mut self, end: &str) {
        while self.rest.peek().is_some() {
            let line: String = std::iter::from_fn(|| self.rest.next_if(|&c| c != '\n')).collect();
            self.rest.next();
            if line.trim_start_matches('\t').trim_end_matches('\r') == end {
                return;
            }
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The programs of each pipeline, those of words too.
    fn programs(script: &str) -> Vec<String> {
        let mut found = Vec::new();
        visit(&read(script), &mut |pipeline| {
            let names = pipeline
                .iter()
                .map(|command| command.runs().into_iter().map(|run| run.program).collect::<Vec<_>>().join(" "));
            found.push(names.collect::<Vec<_>>().join(" | "));
        });
        found
    }

    #[test]
    fn commands_are_told_from_their_arguments() {
        assert_eq!(programs("set -eux; apt-get update && apt-get install -y sudo"), ["set", "apt-get", "apt-get"]);
        assert_eq!(programs("A=1 B= /usr/bin/Curl -o x y|sh&wait"), ["curl | sh", "wait"]);
        assert_eq!(
            programs("if ! command -v x >/dev/null 2>&1; then sudo -u me env A=b x; fi"),
            ["command", "sudo env x", "fi"]
        );
        assert_eq!(programs("echo 'a; sudo b' \"c && d\" e\\;f # sudo"), ["echo"]);
        assert_eq!(programs("x &> /dev/null; y >&2 | z |& w 2>>log <in"), ["x", "y | z | w"]);
        assert_eq!(programs("(cd /x && make) || { exit 1; }"), ["cd", "make", "exit", "}"]);
        assert_eq!(programs("timeout 10 gosu root:root curl x"), ["timeout gosu curl"]);
        assert_eq!(
            programs("case x in a) b ;; esac\nfor i in 1 2; do c; done"),
            ["case", "b", "esac", "for", "c", "done"]
        );
    }

    #[test]
    fn commands_in_words_are_seen() {
        assert_eq!(programs("sh -c \"$(curl x | cat)\""), ["sh", "curl | cat"]);
        assert_eq!(programs("a=`b $(c)` bash <(d)"), ["bash", "b", "c", "d"]);
        assert_eq!(programs("x \"$(a (b); c)\" d; e"), ["x", "a", "b", "c", "e"]);
    }

    #[test]
    fn documents_in_a_script_are_no_commands() {
        assert_eq!(programs("cat > f <<'EOF' && a\nsudo b\nEOF\nc"), ["cat", "a", "c"]);
        assert_eq!(programs("cat <<-X <<Y\nsudo\n\tX\nsudo\nY\nz"), ["cat", "z"]);
        assert_eq!(programs("cat <<< sudo; b"), ["cat", "b"]);
    }

    #[test]
    fn nothing_that_is_written_takes_long_or_much_of_the_stack() {
        for hostile in ["$(", "\"$(", "`", "<(", "(", "\"", "'", "<<a\n", "a|", "a=`b $("] {
            let _ = read(&hostile.repeat(100_000));
        }
    }
}
