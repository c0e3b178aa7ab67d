//! One step of an image's history, as builders write it down.

use super::script::{self, Pipeline};
use crate::rules::shell::{is_shell, is_windows_shell, program, runs_text};

/// What a step did, as far as the rule cares.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'h> {
    /// It ran a script of a POSIX shell.
    Run {
        /// The script as written.
        script: &'h str,
        /// What it runs.
        pipelines: Vec<Pipeline>,
    },
    /// It added files: the arguments of `ADD`.
    Add(Vec<&'h str>),
    /// Anything else.
    Other,
}

/// The instructions of a Dockerfile besides `RUN` and `ADD`.
const INSTRUCTIONS: [&str; 16] = [
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl<'h> Step<'h> {
    /// Reads what `BuildKit`, Docker's classic builder, buildah and kaniko write.
    pub(super) fn read(created_by: &'h str) -> Self {
        let text = created_by.trim();
        let text = text.strip_suffix("# buildkit").map_or(text, str::trim_end);
        let text = instruction(text).unwrap_or(text);
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        // kaniko writes what stands in the Dockerfile.
        match first.to_ascii_uppercase().as_str() {
            "RUN" => Self::run(without_options(rest.trim_start()), true),
            "ADD" => Self::Add(rest.split_whitespace().collect()),
            other if INSTRUCTIONS.contains(&other) => Self::Other,
            _ => Self::run(text, false),
        }
    }

    /// A command line; one that no `RUN` stands before counts only if a shell runs it.
    fn run(line: &'h str, surely: bool) -> Self {
        if let Some(words) = surely.then(|| serde_json::from_str::<Vec<String>>(line).ok()).flatten() {
            return Self::Run { script: line, pipelines: script::of_words(words) };
        }
        // `RUN <<EOF` and the script below it.
        let document = line.split_once('\n').filter(|(first, _)| surely && is_document(first));
        if let Some((_, script)) = document {
            return Self::Run { script, pipelines: script::read(script) };
        }
        let script = match Text::of(line) {
            Text::Script(script) => Some(script),
            Text::OfWindows => None,
            Text::Plain => surely.then_some(line),
        };
        script.map_or(Self::Other, |script| Self::Run { script, pipelines: script::read(script) })
    }
}

/// What the classic builder and buildah write of an instruction that runs nothing: `/bin/sh -c #(nop) ADD …`. Behind a command
/// those signs are a comment.
fn instruction(text: &str) -> Option<&str> {
    let (shell, instruction) = text.split_once(" #(nop)")?;
    matches!(Text::of(shell), Text::Script("") | Text::OfWindows).then(|| instruction.trim_start())
}

/// What stands behind the options of `RUN`: `--mount=type=cache,target=/x make`.
fn without_options(line: &str) -> &str {
    let mut words = Words(line);
    let mut rest = line;
    while words.next().is_some_and(|word| word.starts_with("--")) {
        rest = words.0.trim_start();
    }
    rest
}

/// `<<EOF` and nothing else.
fn is_document(line: &str) -> bool {
    line.trim_end().strip_prefix("<<").is_some_and(|word| !word.is_empty() && !word.contains(char::is_whitespace))
}

/// What a command line runs.
enum Text<'h> {
    /// A text in a POSIX shell.
    Script(&'h str),
    /// Something in a shell of Windows, whose language is another.
    OfWindows,
    /// A program.
    Plain,
}

impl<'h> Text<'h> {
    /// Looks for the shell, behind the build arguments if there are any (`|1 VERSION=2 /bin/sh -c …`).
    fn of(line: &'h str) -> Self {
        let mut words = Words(line);
        while let Some(word) = words.next() {
            let name = program(word);
            if is_windows_shell(&name) {
                return Self::OfWindows;
            }
            if is_shell(&name) && runs_text(&mut words) {
                return Self::Script(words.0);
            }
            if !line.starts_with('|') {
                break;
            }
        }
        Self::Plain
    }
}

/// The words of a line, and what is left of it.
struct Words<'h>(&'h str);

impl<'h> Iterator for Words<'h> {
    type Item = &'h str;

    fn next(&mut self) -> Option<&'h str> {
        let line = self.0.trim_start();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(created_by: &str) -> Option<&str> {
        match Step::read(created_by) {
            Step::Run { script, .. } => Some(script),
            _ => None,
        }
    }

    #[test]
    fn what_builders_write_is_read() {
        for (written, wanted) in [
            ("RUN /bin/sh -c apt-get update # buildkit", "apt-get update"),
            ("/bin/sh -c apt-get update", "apt-get update"),
            ("|2 A=1 B=x y z /bin/sh -c set -eux; make", "set -eux; make"),
            ("RUN |1 A=1 /bin/bash -o pipefail -c make # buildkit", "make"),
            ("RUN apt-get update", "apt-get update"),
            ("RUN /usr/bin/make -j # buildkit", "/usr/bin/make -j"),
            ("/bin/sh -c ", ""),
            ("run make", "make"),
            ("RUN --mount=type=cache,target=/x --network=none make", "make"),
            ("RUN <<EOF\nmake\nEOF", "make\nEOF"),
            ("RUN [\"/bin/sh\", \"-c\", \"make\"]", "[\"/bin/sh\", \"-c\", \"make\"]"),
            ("/bin/sh -c make #(nop) CMD x", "make #(nop) CMD x"),
            ("RUN /bin/sh -c make #(nop) CMD x # buildkit", "make #(nop) CMD x"),
        ] {
            assert_eq!(script(written), Some(wanted), "{written}");
        }
        for other in [
            "",
            "/bin/sh",
            "/bin/sh -c #(nop)  CMD [\"/bin/sh\" \"-c\" \"sudo x\"]",
            "/bin/bash -o pipefail -c #(nop)  CMD sudo x",
            "cmd /S /C #(nop) CMD sudo x",
            "CMD [\"/bin/sh\" \"-c\" \"sudo x\"]",
            "COPY /bin/sh /bin/sh # buildkit",
            "ENV X=/bin/sh -c sudo",
            "bazel build ...",
            "# debian.sh --arch 'amd64' out/ 'bookworm' '@1700000000'",
            "cmd /S /C curl x | sh",
            "RUN powershell -Command sudo x",
            "ko build ko://example.com/app",
        ] {
            assert_eq!(script(other), None, "{other}");
        }
        for added in ["ADD https://x/y /z # buildkit", "/bin/sh -c #(nop) ADD https://x/y /z"] {
            assert_eq!(Step::read(added), Step::Add(vec!["https://x/y", "/z"]));
        }
    }

    #[test]
    fn a_long_line_is_read_once() {
        let _ = Step::read(&format!("|9{}", " sh -o".repeat(500_000)));
        let _ = Step::read(&format!("|9{}", " sh -x sh".repeat(500_000)));
    }
}
