//! What the options of a command take, and words that hold a value by where they stand.

use super::names::{Promise, promise};

/// A word that an option of a command takes.
pub(super) struct Given<'t> {
    /// Which word it is; each is in a list once at most.
    pub(super) number: usize,
    /// As in [`Assigned`].
    pub(super) name: Option<&'t str>,
    pub(super) promise: Promise,
    /// What of the word is the value.
    pub(super) value: &'t str,
}

/// The values that the options of a command take, as far as they promise a secret.
pub(super) fn given<'t>(words: impl Iterator<Item = &'t str>) -> Vec<Given<'t>> {
    let mut found = Vec::new();
    let mut command = Command::default();
    for (number, word) in words.enumerate() {
        let text = bare(word);
        if let Some((name, promise, value)) = command.taken(text).or_else(|| command.held(text)) {
            found.push(Given { number, name, promise, value });
        }
        command.sees(word);
    }
    found
}

/// Whether a text may hold what [`given`] finds: an option, `machine` of `.netrc`, `config set` or `setx`.
pub(super) fn may_give(text: &str) -> bool {
    text.contains('-') || ["machine", "set"].into_iter().any(|word| text.contains(word))
}

/// A word of a command without the quotes and signs around it.
pub(super) fn bare(word: &str) -> &str {
    word.trim_matches(['"', '\'', ';', ')', '`', ',', '[', ']'])
}

/// What of a command line tells what its words mean.
#[derive(Debug, Default)]
struct Command<'t> {
    /// `curl`: `-u user:password`.
    takes_login: bool,
    /// How `-p` takes a password.
    password: Password,
    /// A line for `.netrc`.
    is_netrc: bool,
    /// The words before, the last one first.
    before: [&'t str; 3],
}

/// How the option `-p` of a command takes a password.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Password {
    /// Not at all.
    #[default]
    Not,
    /// `docker login -p password`.
    Next,
    /// `mysql -ppassword`.
    Attached,
    /// `sshpass`: either way.
    Either,
}

/// What a word is: the name for it, what it promises and the value in it.
type Taken<'t> = Option<(Option<&'t str>, Promise, &'t str)>;

impl<'t> Command<'t> {
    fn sees(&mut self, word: &'t str) {
        match bare(word).rsplit('/').next().unwrap_or_default() {
            "curl" => self.takes_login = true,
            "sshpass" => self.password = Password::Either,
            "login" => self.password = Password::Next,
            "mysql" | "mysqladmin" | "mysqldump" | "mariadb" | "mariadb-admin" | "mariadb-dump" => {
                self.password = Password::Attached;
            }
            "machine" => self.is_netrc = true,
            "" | "&&" | "||" | "|" => return *self = Self::default(),
            _ if word.ends_with(';') => return *self = Self::default(),
            _ => {}
        }
        let [last, second, _] = self.before;
        self.before = [bare(word), last, second];
    }

    /// A word that the option before it takes.
    fn taken(&self, word: &'t str) -> Taken<'t> {
        let option = self.before[0];
        if word.starts_with('-') || !option.starts_with('-') || option.contains('=') {
            return None;
        }
        match option {
            "--user" | "--proxy-user" if self.takes_login => password_of(word),
            "-p" if matches!(self.password, Password::Next | Password::Either) => Some((None, Promise::Password, word)),
            "--pass" => Some((Some("pass"), Promise::Password, word)),
            _ if self.takes_login && behind_login(option) == Some("") => password_of(word),
            _ => {
                let name = option.strip_prefix("--")?;
                Some((Some(name), promise(name)?, word))
            }
        }
    }

    /// A word that holds a value by itself or by the words before it.
    fn held(&self, word: &'t str) -> Taken<'t> {
        let login = ["--user=", "--proxy-user="].into_iter().find_map(|option| word.strip_prefix(option));
        let attached = |option: &str| word.strip_prefix(option).map(bare).filter(|value| !value.is_empty());
        match self.before {
            _ if self.takes_login && word.starts_with('-') => password_of(login.or_else(|| behind_login(word))?),
            _ if matches!(self.password, Password::Attached | Password::Either) && word.starts_with("-p") => {
                Some((None, Promise::Password, attached("-p")?))
            }
            [name @ "password", ..] if self.is_netrc => Some((Some(name), Promise::Password, word)),
            [name, "set", "config"] | [name, "setx", _] => Some((Some(name), promise(name)?, word)),
            _ => None,
        }
    }
}

/// The password of `user:password`.
fn password_of(login: &str) -> Taken<'_> {
    login.split_once(':').map(|(_, password)| (None, Promise::Password, bare(password)))
}

/// What stands behind the `u` of options of curl: `-sSu`, `-uapp:hunter2`.
fn behind_login(options: &str) -> Option<&str> {
    let letters = options.strip_prefix('-')?;
    let rest = letters.trim_start_matches(|c: char| "fsSLkvigGIjlnNapqJORZ#0123456789".contains(c));
    rest.strip_prefix(['u', 'U'])
}
