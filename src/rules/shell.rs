//! Shells, and how a command line runs a text with one.

/// Shells, by their file names.
const SHELLS: [&str; 10] = ["sh", "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "tcsh", "zsh"];
/// Shells of Windows.
const WINDOWS_SHELLS: [&str; 3] = ["cmd", "powershell", "pwsh"];
/// Programs that run the program which is named behind them.
const LAUNCHERS: [&str; 2] = ["busybox", "env"];

/// Whether the words are a shell and its option to run a text.
pub(super) fn is_shell_form(words: &[String]) -> bool {
    // Docker on Windows writes the shell form as one word.
    let words: Vec<&str> = match words {
        [line] => line.split_whitespace().collect(),
        words => words.iter().map(String::as_str).collect(),
    };
    let mut words = words.into_iter().skip_while(|word| LAUNCHERS.contains(&program(word).as_str()));
    let shell = words.next().map(program).unwrap_or_default();
    if is_shell(&shell) {
        runs_text(&mut words)
    } else {
        let is_option = |word: &str| ["/c", "-c", "-command"].iter().any(|option| word.eq_ignore_ascii_case(option));
        is_windows_shell(&shell) && words.any(is_option)
    }
}

/// Whether a program that [`program`] named is a POSIX-like shell.
pub(super) fn is_shell(program: &str) -> bool {
    SHELLS.contains(&program)
}

/// Whether a program that [`program`] named is a shell of Windows.
pub(super) fn is_windows_shell(program: &str) -> bool {
    WINDOWS_SHELLS.contains(&program)
}

/// The file name of a program, without the extension that Windows gives it.
pub(super) fn program(word: &str) -> String {
    let file = word.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    file.strip_suffix(".exe").unwrap_or(&file).to_owned()
}

/// Whether the option `-c`, alone or among others, stands before the name of a script. Takes the words up to the option, so that
/// the text to run is the next.
pub(super) fn runs_text<'w>(words: &mut impl Iterator<Item = &'w str>) -> bool {
    while let Some(option) = words.next().filter(|word| word.starts_with(['-', '+'])) {
        if option.starts_with("--") {
            continue;
        }
        if option.starts_with('-') && option.contains('c') {
            return true;
        }
        // `-o` takes a word: `-o pipefail`.
        if option.ends_with(['o', 'O']) {
            words.next();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_runs_a_text_is_the_shell_form() {
        let shell_form = |words: &[&str]| is_shell_form(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        for words in [
            &["/bin/sh", "-c", "app"][..],
            &["bash", "-euo", "pipefail", "-c", "app"],
            &["/bin/bash", "--norc", "-ec", "app"],
            &["/usr/bin/env", "bash", "-c", "app"],
            &["/bin/busybox", "ash", "-c", "app"],
            &["cmd", "/S", "/C", "app"],
            &[r"C:\Windows\System32\cmd.exe", "/c", "app"],
            &["powershell", "-NoProfile", "-Command", "app"],
            &["cmd /S /C app"],
        ] {
            assert!(shell_form(words), "{words:?}");
        }
        for words in [
            &[][..],
            &[""],
            &["bash"],
            &["/bin/sh", "/start.sh", "-c"],
            &["/bin/sh", "-x", "/start.sh", "-c"],
            &["bash", "-o", "pipefail", "/start.sh"],
            &["/app", "-c", "config"],
            &["powershell", "-File", "start.ps1"],
            &["docker-entrypoint.sh", "sh", "-c", "app"],
        ] {
            assert!(!shell_form(words), "{words:?}");
        }
    }
}
