//! The habits that a policy can refuse by name.

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::script::{Command, Pipeline, Run, Word, read, visit};
use super::step::Step;
use crate::finding::Fix;
use crate::oci::ImageText;
use crate::rules::shell::{is_shell, runs_text};

/// Something that steps do and had better not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Habit {
    /// `ADD` of a URL.
    AddUrl,
    /// `sudo`.
    Sudo,
    /// What is downloaded is run at once.
    PipeToShell,
    /// The whole distribution is upgraded.
    DistUpgrade,
    /// A download without a check of whom it comes from.
    InsecureDownload,
    /// The package lists of apt stay in the layer.
    AptCacheLeft,
    /// The package index of apk stays in the layer.
    ApkCacheLeft,
}

/// What there is to say of a habit.
struct Row {
    habit: Habit,
    /// Its name in policies.
    name: &'static str,
    /// What a step with this habit does.
    does: &'static str,
    /// What to do instead.
    instead: &'static str,
}

const TABLE: [Row; 7] = [
    Row {
        habit: Habit::AddUrl,
        name: "add-url",
        does: "adds a file from a URL",
        instead: "download and check it in one step (`RUN curl -fsSLO URL && echo 'SHA256  FILE' | sha256sum -c`), or let BuildKit check it with `ADD --checksum=sha256:…`, then rebuild:",
    },
    Row {
        habit: Habit::Sudo,
        name: "sudo",
        does: "runs sudo",
        instead: "steps run as root unless `USER` says otherwise: leave out `sudo`, then rebuild:",
    },
    Row {
        habit: Habit::PipeToShell,
        name: "pipe-to-shell",
        does: "runs what it downloads",
        instead: "download the program to a file, compare its checksum, then run it; rebuild:",
    },
    Row {
        habit: Habit::DistUpgrade,
        name: "dist-upgrade",
        does: "upgrades the whole distribution",
        instead: "start from a newer base image instead (`FROM …` and `docker buildx build --pull`), then rebuild:",
    },
    Row {
        habit: Habit::InsecureDownload,
        name: "insecure-download",
        does: "downloads without checking whom it comes from",
        instead: "install the certificates or keys that are needed (`ca-certificates`), take the option out, then rebuild:",
    },
    Row {
        habit: Habit::AptCacheLeft,
        name: "apt-cache-left",
        does: "leaves the package lists of apt in the layer",
        instead: "end the same step with `rm -rf /var/lib/apt/lists/*`, then rebuild:",
    },
    Row {
        habit: Habit::ApkCacheLeft,
        name: "apk-cache-left",
        does: "leaves the package index of apk in the layer",
        instead: "say `apk add --no-cache`, then rebuild:",
    },
];

impl Habit {
    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.habit == self).expect("invariant: the table has every habit")
    }

    /// Its name in policies.
    pub(super) fn name(self) -> &'static str {
        self.row().name
    }

    /// What a step with this habit does.
    pub(super) fn does(self) -> &'static str {
        self.row().does
    }

    /// What to do instead.
    pub(super) fn instead(self) -> Fix {
        Fix::new(self.row().instead)
    }

    /// What in a step shows the habit: names of programs and hosts, never arguments, which may be secret.
    pub(super) fn found(self, step: &Step<'_>) -> Option<String> {
        match (self, step) {
            (Self::AddUrl, Step::Add(arguments)) => arguments.iter().find_map(|argument| remote(argument)),
            (Self::AddUrl, _) | (_, Step::Add(_) | Step::Other) => None,
            (Self::AptCacheLeft, Step::Run { script, .. }) if mentions(script, &["lib/apt", "lib/{apt"]) => None,
            (Self::ApkCacheLeft, Step::Run { script, .. }) if mentions(script, &["cache/apk", "var/cache/*"]) => None,
            (_, Step::Run { pipelines, .. }) => self.found_in(pipelines, TEXTS),
        }
    }

    /// Looks through commands, and as deep as `texts` says through the texts that they give to shells.
    fn found_in(self, pipelines: &[Pipeline], texts: usize) -> Option<String> {
        let mut found = None;
        visit(pipelines, &mut |pipeline| {
            if found.is_none() {
                found = self.found_in_pipeline(pipeline);
            }
            if found.is_none() && texts > 0 {
                found = texts_to_run(pipeline).into_iter().find_map(|text| self.found_in(&read(text), texts - 1));
            }
        });
        let undone =
            self == Self::AptCacheLeft && runs(pipelines, |run| is_apt(run) && run.has(&["dist-clean", "distclean"]));
        found.filter(|_| !undone)
    }

    fn found_in_pipeline(self, pipeline: &Pipeline) -> Option<String> {
        if self == Self::PipeToShell {
            return piped_to_shell(pipeline);
        }
        pipeline.iter().find_map(|command| match self {
            Self::Sudo => {
                let runs = command.runs();
                let sudo = runs.iter().position(|run| run.program == "sudo")?;
                Some(
                    runs.get(sudo + 1).map_or_else(|| "sudo".to_owned(), |run| format!("sudo {}", shown(&run.program))),
                )
            }
            _ => command.last().and_then(|run| self.found_in_run(&run)),
        })
    }

    fn found_in_run(self, run: &Run<'_>) -> Option<String> {
        let program = run.program.as_str();
        let with = |option: &str| format!("{program} {option}");
        match self {
            Self::DistUpgrade => match program {
                "do-release-upgrade" => Some(program.to_owned()),
                "zypper" => first_of(run, &["dup", "dist-upgrade"]).map(with),
                "yum" | "dnf" | "dnf5" | "microdnf" => {
                    first_of(run, &["distro-sync", "distrosync", "system-upgrade"]).map(with)
                }
                _ if is_apt(run) => first_of(run, &["dist-upgrade", "full-upgrade"]).map(with),
                _ => None,
            },
            Self::InsecureDownload => match program {
                "curl" => run.texts().find(|text| is_insecure_curl(text)).map(|_| with("--insecure")),
                "wget" => first_of(run, &["--no-check-certificate"]).map(with),
                "git" => first_of(run, &["http.sslVerify=false", "http.sslverify=false"]).map(with),
                "apk" => first_of(run, &["--allow-untrusted"]).map(with),
                "yum" | "dnf" | "dnf5" | "microdnf" => first_of(run, &["--nogpgcheck", "--no-gpgchecks"]).map(with),
                "zypper" => first_of(run, &["--no-gpg-checks"]).map(with),
                _ if program.starts_with("pip") => {
                    let trusts = |text: &str| text == "--trusted-host" || text.starts_with("--trusted-host=");
                    run.texts().any(trusts).then(|| with("--trusted-host"))
                }
                _ if is_apt(run) => {
                    let options = ["--allow-unauthenticated", "--allow-insecure-repositories", "--force-yes"];
                    first_of(run, &options).map(with)
                }
                _ => None,
            },
            Self::AptCacheLeft if is_apt(run) => {
                let command = run.texts().find(|text| !text.starts_with('-'))?;
                (command == "update").then(|| with("update"))
            }
            Self::ApkCacheLeft if program == "apk" => {
                let fetches = first_of(run, &["add", "update", "upgrade"])?;
                (!run.has(&["--no-cache", "--no-network"])).then(|| with(fetches))
            }
            _ => None,
        }
    }
}

/// Whether a script speaks of one of these directories: it is taken to clear it.
fn mentions(script: &str, directories: &[&str]) -> bool {
    directories.iter().any(|directory| script.contains(directory))
}

/// The scheme and host of a URL from which something is added.
fn remote(argument: &str) -> Option<String> {
    let url = Url::parse(argument).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "ftp"))?;
    Some(format!("ADD {}://{}/…", url.scheme(), ImageText(url.host_str()?)))
}

fn shown(program: &str) -> String {
    ImageText(program).to_string()
}

fn is_apt(run: &Run<'_>) -> bool {
    matches!(run.program.as_str(), "apt" | "apt-get" | "aptitude")
}

/// The first of these that is among the arguments.
fn first_of<'w>(run: &Run<'_>, wanted: &[&'w str]) -> Option<&'w str> {
    wanted.iter().copied().find(|wanted| run.has(&[wanted]))
}

/// Whether any command runs such a program.
fn runs(pipelines: &[Pipeline], is: impl Fn(&Run<'_>) -> bool) -> bool {
    let mut any = false;
    visit(pipelines, &mut |pipeline| any |= pipeline.iter().filter_map(Command::last).any(|run| is(&run)));
    any
}

/// `-k`, alone or among other options (`-fsSLk`); a letter behind an option that takes a value is its value (`-okey`).
fn is_insecure_curl(text: &str) -> bool {
    let letters = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    let before_values =
        |letters: &str| letters.chars().take_while(|c| !"AbcCdDeEFhHKmoPQrtTuUwxXyYz".contains(*c)).any(|c| c == 'k');
    text == "--insecure" || letters.is_some_and(before_values)
}

/// How deep texts in texts are looked at: `bash -c "sh -c '…'"`.
const TEXTS: usize = 4;

/// The texts that run as well: `bash -c '…'`, `bash <<EOF`, `cat <<EOF | sh`.
fn texts_to_run(pipeline: &Pipeline) -> Vec<&str> {
    let mut texts: Vec<&str> = pipeline.iter().filter_map(text_to_run).collect();
    let shell = |run: &Run<'_>| is_shell(&run.program) && runs_its_input(run);
    if let Some(last) = pipeline.iter().rposition(|command| command.last().is_some_and(|run| shell(&run))) {
        texts.extend(pipeline[..=last].iter().flat_map(|command| &command.input).map(|word| word.text.as_str()));
    }
    texts
}

/// The text that a command gives to a shell as an argument.
fn text_to_run(command: &Command) -> Option<&str> {
    let run = command.last()?;
    let mut texts = run.arguments.iter().map(|word| word.text.as_str());
    let given = match run.program.as_str() {
        "su" | "runuser" => texts.any(|text| matches!(text, "-c" | "-lc" | "--command")),
        program => is_shell(program) && runs_text(&mut texts),
    };
    given.then(|| texts.next()).flatten()
}

fn is_download(run: &Run<'_>) -> bool {
    matches!(run.program.as_str(), "curl" | "wget" | "wget2" | "fetch")
}

/// `curl … | sh`, `sh -c "$(curl …)"`, `eval "$(curl …)"`, `bash <(curl …)`, `bash < <(curl …)`.
fn piped_to_shell(pipeline: &Pipeline) -> Option<String> {
    let mut download = None;
    for (command, run) in pipeline.iter().filter_map(|command| Some((command, command.last()?))) {
        if command.input.iter().any(downloads) && runs_its_input(&run) {
            return Some(format!("{} < $(…)", shown(&run.program)));
        }
        if let Some(download) = download.as_ref().filter(|_| runs_its_input(&run)) {
            return Some(format!("{download} … | {}", shown(&run.program)));
        }
        if let Some(word) = run.arguments.iter().find(|word| downloads(word)).filter(|_| runs_its_words(&run)) {
            let quoted = if word.text.is_empty() { "$(…)" } else { &word.text };
            return Some(format!("{} {}", shown(&run.program), ImageText(quoted)));
        }
        if is_download(&run) {
            download = Some(run.program);
        }
    }
    None
}

/// Whether a word is nothing but what is downloaded.
fn downloads(word: &Word) -> bool {
    word.text.trim().is_empty() && runs(&word.inner, is_download)
}

/// Whether a program runs what a word of it says.
fn runs_its_words(run: &Run<'_>) -> bool {
    is_shell(&run.program) || is_interpreter(&run.program) || matches!(run.program.as_str(), "eval" | "source" | ".")
}

/// Languages whose programs run a text of their standard input.
fn is_interpreter(program: &str) -> bool {
    let name = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    matches!(name, "python" | "perl" | "ruby" | "node" | "php")
}

/// Whether a program runs what it reads from its standard input.
fn runs_its_input(run: &Run<'_>) -> bool {
    let shell = is_shell(&run.program);
    if !shell && !is_interpreter(&run.program) {
        return false;
    }
    let mut arguments = run.texts();
    while let Some(argument) = arguments.next() {
        let is_option = argument.starts_with(['-', '+']) && argument.len() > 1;
        match argument {
            "-" | "/dev/stdin" | "/proc/self/fd/0" => return true,
            "--" => return !shell || arguments.next().is_none(),
            "-s" if shell => return true,
            _ if !is_option => return false,
            _ if argument.starts_with("--") => {}
            // `-o pipefail`
            _ if shell && argument.ends_with(['o', 'O']) => {
                arguments.next();
            }
            _ if shell && argument.contains('s') => return true,
            _ if shell && argument.contains('c') => return false,
            _ if !shell && argument.contains(['c', 'e', 'E', 'm', 'n', 'p', 'r', 'f']) => return false,
            _ => {}
        }
    }
    true
}
