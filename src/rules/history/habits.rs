//! The habits that a policy can refuse by name.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::script::{Command, Pipeline, Run, Word, read, visit};
use super::step::Step;
use crate::finding::Fix;
use crate::oci::Untrusted;
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

/// One row for each habit: its name in policies, what it is, and what to do instead.
const TABLE: [(Habit, &str, &str, &str); 7] = [
    (
        Habit::AddUrl,
        "add-url",
        "adds a file from a URL",
        "download and check it in one step (`RUN curl -fsSLO URL && echo 'SHA256  FILE' | sha256sum -c`), or let BuildKit check it with `ADD --checksum=sha256:…`, then rebuild:",
    ),
    (
        Habit::Sudo,
        "sudo",
        "runs sudo",
        "steps run as root unless `USER` says otherwise: leave out `sudo`, then rebuild:",
    ),
    (
        Habit::PipeToShell,
        "pipe-to-shell",
        "runs what it downloads",
        "download the program to a file, compare its checksum, then run it; rebuild:",
    ),
    (
        Habit::DistUpgrade,
        "dist-upgrade",
        "upgrades the whole distribution",
        "start from a newer base image instead (`FROM …` and `docker buildx build --pull`), then rebuild:",
    ),
    (
        Habit::InsecureDownload,
        "insecure-download",
        "downloads without checking whom it comes from",
        "install the certificates or keys that are needed (`ca-certificates`), take the option out, then rebuild:",
    ),
    (
        Habit::AptCacheLeft,
        "apt-cache-left",
        "leaves the package lists of apt in the layer",
        "end the same step with `rm -rf /var/lib/apt/lists/*`, then rebuild:",
    ),
    (
        Habit::ApkCacheLeft,
        "apk-cache-left",
        "leaves the package index of apk in the layer",
        "say `apk add --no-cache`, then rebuild:",
    ),
];

impl Habit {
    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        TABLE.iter().find(|(habit, ..)| *habit == self).expect("invariant: the table has every habit")
    }

    /// Its name in policies.
    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    /// What a step with this habit does.
    pub(super) fn does(self) -> &'static str {
        self.row().2
    }

    /// What to do instead.
    pub(super) fn instead(self) -> Fix {
        Fix::new(self.row().3)
    }

    /// What in a step shows the habit: names of programs and hosts, never arguments, which may be secret.
    pub(super) fn found(self, step: &Step<'_>) -> Option<String> {
        match (self, step) {
            (Self::AddUrl, Step::Add(arguments)) => arguments.iter().find_map(|argument| remote(argument)),
            (Self::AddUrl, _) | (_, Step::Add(_) | Step::Other) => None,
            (Self::AptCacheLeft, Step::Run { script, .. }) if mentions(script, &["lib/apt", "lib/{apt"]) => None,
            (Self::ApkCacheLeft, Step::Run { script, .. }) if mentions(script, &["cache/apk", "var/cache/*"]) => None,
            (_, Step::Run { pipelines, .. }) => self.found_in(pipelines, true),
        }
    }

    fn found_in(self, pipelines: &[Pipeline], texts: bool) -> Option<String> {
        let mut found = None;
        visit(pipelines, &mut |pipeline| {
            if found.is_none() {
                found = self.found_in_pipeline(pipeline);
            }
            // The text that a shell is given runs as well: `bash -c '…'`.
            if found.is_none() && texts {
                found = pipeline.iter().filter_map(text_to_run).find_map(|text| self.found_in(&read(text), false));
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
                _ if is_apt(run) => first_of(run, &["--allow-unauthenticated", "--force-yes"]).map(with),
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
    Some(format!("ADD {}://{}/…", url.scheme(), Untrusted(url.host_str()?)))
}

fn shown(program: &str) -> String {
    Untrusted(program).to_string()
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

/// The text that a command gives to a shell: `bash -c '…'`.
fn text_to_run(command: &Command) -> Option<&str> {
    let run = command.last().filter(|run| is_shell(&run.program))?;
    let mut texts = run.arguments.iter().map(|word| word.text.as_str());
    runs_text(&mut texts).then(|| texts.next()).flatten()
}

fn is_download(run: &Run<'_>) -> bool {
    matches!(run.program.as_str(), "curl" | "wget" | "wget2" | "fetch")
}

/// `curl … | sh`, `sh -c "$(curl …)"`, `eval "$(curl …)"`, `bash <(curl …)`.
fn piped_to_shell(pipeline: &Pipeline) -> Option<String> {
    let mut download = None;
    for run in pipeline.iter().filter_map(Command::last) {
        if let Some(download) = download.as_ref().filter(|_| runs_its_input(&run)) {
            return Some(format!("{download} … | {}", shown(&run.program)));
        }
        if let Some(word) = run.arguments.iter().find(|word| downloads(word)).filter(|_| runs_its_words(&run)) {
            let quoted = if word.text.is_empty() { "$(…)" } else { &word.text };
            return Some(format!("{} {}", shown(&run.program), Untrusted(quoted)));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn all(habit: Habit, found: bool, steps: &[&str]) {
        for step in steps {
            let written =
                if step.starts_with("ADD") { (*step).to_owned() } else { format!("RUN /bin/sh -c {step} # buildkit") };
            assert_eq!(habit.found(&Step::read(&written)).is_some(), found, "{habit:?} {step}");
        }
    }

    #[test]
    fn what_is_run_as_it_is_downloaded() {
        all(
            Habit::PipeToShell,
            true,
            &[
                "curl -fsSL https://deb.nodesource.com/setup_20.x | bash -",
                "wget -qO- https://x | sudo -E sh",
                "set -eux; curl x | tee y | sh -s -- --yes",
                "curl x | sh -ex && rm -rf /y",
                "sh -c \"$(curl -fsSL https://x)\" \"\" --unattended",
                "bash <(curl -s https://x)",
                "eval \"$(wget -O- x)\"",
                "curl -sSL https://install.python-poetry.org | python3 -",
                "curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/bin",
                "bash -c 'curl x | bash'",
                "curl x | bash -o pipefail",
            ],
        );
        all(
            Habit::PipeToShell,
            false,
            &[
                "curl -fsSL x | tar -xz",
                "curl x | python3 -c 'import json, sys; print(json.load(sys.stdin))'",
                "curl x -o install.sh && sha256sum -c sums && sh install.sh",
                "curl x | sh -c 'cat > y'",
                "curl x | bash script.sh",
                "echo 'curl x | sh'",
                "apt-get install -y curl bash | cat",
                "cat x | sh; curl y",
                "VERSION=\"$(curl -s x)\" && echo \"$VERSION\"",
                "sh -c \"echo $(curl x)\"",
                "curl x | gpg --dearmor | tee /etc/apt/keyrings/bash",
                "curl x | perl -ne 'print'",
            ],
        );
    }

    #[test]
    fn sudo_is_a_program_and_no_word() {
        all(
            Habit::Sudo,
            true,
            &[
                "sudo apt-get update",
                "cd x && sudo -E make",
                "x | /usr/bin/sudo tee y",
                "bash -c 'sudo x'",
                "env A=b sudo x",
            ],
        );
        all(
            Habit::Sudo,
            false,
            &[
                "apt-get install -y sudo",
                "echo 'x ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/x",
                "command -v sudo || true",
                "usermod -aG sudo x",
                "rm -rf /usr/bin/sudo",
            ],
        );
    }

    #[test]
    fn upgrades_of_the_whole_distribution() {
        all(
            Habit::DistUpgrade,
            true,
            &[
                "apt-get update && apt-get dist-upgrade -y",
                "apt -y full-upgrade",
                "zypper -n dup",
                "dnf distro-sync",
                "DEBIAN_FRONTEND=noninteractive apt-get -o x=y dist-upgrade",
            ],
        );
        all(
            Habit::DistUpgrade,
            false,
            &["apt-get upgrade -y", "apk upgrade --no-cache", "echo dist-upgrade", "zypper install dupx"],
        );
    }

    #[test]
    fn downloads_that_trust_anyone() {
        all(
            Habit::InsecureDownload,
            true,
            &[
                "curl -k x",
                "curl -fsSLk x",
                "curl --insecure x",
                "wget --no-check-certificate x",
                "apt-get --allow-unauthenticated install y",
            ],
        );
        all(
            Habit::InsecureDownload,
            false,
            &["curl -okey x", "curl --insecurex y", "curl -fsSL -K x", "ls -k", "grep -k x"],
        );
    }

    #[test]
    fn caches_that_stay_in_the_layer() {
        all(
            Habit::AptCacheLeft,
            true,
            &["apt-get update && apt-get install -y x", "apt-get -qq update; apt-get install x; apt-get clean"],
        );
        all(
            Habit::AptCacheLeft,
            false,
            &[
                "apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*",
                "apt-get update; apt-get install x; apt-get dist-clean",
                "apt-get update && find /var/lib/apt/lists -delete",
                "apt-get install -y update",
                "apt-get purge -y x",
            ],
        );
        all(Habit::ApkCacheLeft, true, &["apk add curl", "apk update && apk add x", "apk -U add x"]);
        all(
            Habit::ApkCacheLeft,
            false,
            &[
                "apk add --no-cache x",
                "apk --no-cache add --virtual .x y",
                "apk add x && rm -rf /var/cache/apk/*",
                "apk del x",
                "apk add --no-network --virtual .x y",
            ],
        );
    }

    #[test]
    fn files_that_come_from_elsewhere() {
        all(
            Habit::AddUrl,
            true,
            &["ADD https://example.com/x /y", "ADD --chown=1:1 http://x/y /z", "ADD HTTPS://X/y /z"],
        );
        all(Habit::AddUrl, false, &["ADD file:0123 in /", "ADD rootfs.tar.xz /", "ADD c:/x /y", "curl https://x"]);
        let step = Step::read("ADD https://user:hunter2@example.com/x?token=hunter2 /y");
        assert_eq!(Habit::AddUrl.found(&step).as_deref(), Some("ADD https://example.com/…"));
    }

    #[test]
    fn the_documentation_names_every_habit() {
        for (_, name, ..) in TABLE {
            assert!(super::super::RULE.docs.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
