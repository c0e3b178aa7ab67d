//! What under a promising name is a secret, and what only stands for one.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Criteria;
use super::names::Promise;

/// Characters that a token has at least.
const SHORTEST_TOKEN: usize = 8;
/// Characters that a password has at least: one or two are flags.
const SHORTEST_PASSWORD: usize = 3;
/// Bytes of a value that are weighed.
const WEIGHED: usize = 4096;

/// How a value stands where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As it is: a variable of the environment, a label.
    Plain,
    /// In a command, where `$` and the like stand for other things.
    Code,
}

/// Shannon's entropy of the characters of a text, in bits for each.
pub(crate) fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::<char, u32>::new();
    let mut length = 0_u32;
    for c in text.chars().take(WEIGHED) {
        *counts.entry(c).or_default() += 1;
        length += 1;
    }
    let share = |count: &u32| f64::from(*count) / f64::from(length);
    -counts.values().map(share).map(|share| share * share.log2()).sum::<f64>()
}

/// Whether a value is a secret, given what its name promises.
pub(super) fn is_secret(promise: Promise, value: &str, manner: Manner, criteria: &Criteria<'_>) -> bool {
    let value = unquoted(value.trim());
    if stands_for_another(value, manner) || says_nothing(value) {
        return false;
    }
    if is_default(value) {
        return !criteria.allow_defaults;
    }
    match promise {
        Promise::Password => value.chars().nth(SHORTEST_PASSWORD - 1).is_some(),
        Promise::Token => is_random(value, criteria.min_entropy) && !is_fingerprint(value),
        Promise::Login => is_login(value),
    }
}

/// Whether a text that nobody named is as random as a token.
pub(super) fn is_random(value: &str, min_entropy: f64) -> bool {
    let long = value.chars().nth(SHORTEST_TOKEN - 1).is_some();
    let one_word = !value.contains(char::is_whitespace);
    let number = value.bytes().all(|byte| byte.is_ascii_digit());
    long && one_word && !number && entropy(value) >= min_entropy
}

/// The fingerprint of a PGP key, which is public: `TINI_SIGNING_KEY=595E85A6…`.
fn is_fingerprint(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
}

/// `user:password`, or that in base64.
fn is_login(value: &str) -> bool {
    let is_pair =
        |text: &str| text.split_once(':').is_some_and(|(user, password)| !user.is_empty() && password.len() > 2);
    let decoded = BASE64_STANDARD.decode(value.chars().take(WEIGHED).collect::<String>()).ok();
    is_pair(value) || decoded.is_some_and(|bytes| str::from_utf8(&bytes).is_ok_and(is_pair))
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}

/// A reference to a variable, a file or an address, a template, a mask.
fn stands_for_another(value: &str, manner: Manner) -> bool {
    let within = |open: &str, close: &str| value.starts_with(open) && value.ends_with(close);
    let reference = (value.starts_with('$')
        && value.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || "_{}:-?".contains(c)))
        || within("{{", "}}")
        || within("<", ">")
        || within("[", "]")
        || (within("%", "%") && value.len() > 2)
        || (within("@", "@") && value.len() > 2)
        || within("__", "__");
    let code =
        manner == Manner::Code && value.contains(['$', '`', '(', ')', '{', '}', '*', '\\', '[', ']', '<', '>', '%']);
    reference || code || is_path(value) || is_address(value)
}

fn is_path(value: &str) -> bool {
    let rooted = ["/", "./", "../", "~/", "\\\\"].iter().any(|root| value.starts_with(root));
    let drive = value.as_bytes().get(1..3).is_some_and(|next| next == b":\\" || next == b":/");
    let base64 = value.ends_with('=') || value.contains('+');
    (rooted || drive) && !base64 && !value.contains(char::is_whitespace) && !value.split('/').any(is_jumble)
}

/// Whether a part of a path is long and of letters and digits as no name is: a token in base64 may begin with `/`.
fn is_jumble(part: &str) -> bool {
    let has = |is: fn(&u8) -> bool| part.bytes().any(|byte| is(&byte));
    part.len() >= 16
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

/// An address, a digest, something in a store of secrets; what an address itself gives away is looked for elsewhere.
fn is_address(value: &str) -> bool {
    let scheme = value.split(':').next().unwrap_or_default();
    value.contains("://")
        || ["sha256", "sha512", "arn", "file", "env", "vault", "secretsmanager", "ssm", "urn", "pkg"].contains(&scheme)
}

/// An empty value, a flag, a word for nothing, a mask, a text that asks to be replaced.
fn says_nothing(value: &str) -> bool {
    const WORDS: [&str; 40] = [
        "yes",
        "no",
        "true",
        "false",
        "on",
        "off",
        "none",
        "null",
        "nil",
        "undefined",
        "unset",
        "required",
        "optional",
        "enabled",
        "disabled",
        "enable",
        "disable",
        "auto",
        "random",
        "generated",
        "prompt",
        "stdin",
        "empty",
        "n/a",
        "na",
        "tbd",
        "todo",
        "placeholder",
        "dummy",
        "fake",
        "redacted",
        "hidden",
        "masked",
        "removed",
        "unused",
        "not-used",
        "notused",
        "string",
        "token",
        "0",
    ];
    const BEGINNINGS: [&str; 8] = ["your", "replace", "insert", "enter", "put-", "put_", "my-api-key", "example"];
    let small = value.chars().take(64).collect::<String>().to_ascii_lowercase();
    let first = small.chars().next();
    let one_character =
        first.is_none_or(|first| value.chars().all(|c| c.eq_ignore_ascii_case(&first) && !c.is_ascii_digit()));
    one_character || WORDS.contains(&small.as_str()) || BEGINNINGS.iter().any(|beginning| small.starts_with(beginning))
}

/// Whether a value is what software is delivered with, and what everybody tries first.
fn is_default(value: &str) -> bool {
    const WORDS: [&str; 72] = [
        "0000",
        "00000000",
        "1111",
        "111111",
        "1234",
        "12345",
        "123456",
        "1234567",
        "12345678",
        "123456789",
        "1234567890",
        "admin",
        "admin123",
        "administrator",
        "airflow",
        "bar",
        "change-me",
        "change_me",
        "changeit",
        "changeme",
        "changethis",
        "default",
        "demo",
        "docker",
        "elastic",
        "foo",
        "foobar",
        "grafana",
        "guest",
        "insecure",
        "keycloak",
        "kibana",
        "letmein",
        "mariadb",
        "minio",
        "minio123",
        "minioadmin",
        "mongo",
        "mongodb",
        "my-secret-pw",
        "mysecretpassword",
        "mysql",
        "nexus",
        "oracle",
        "p@ssw0rd",
        "p@ssword",
        "pass",
        "passw0rd",
        "passwd",
        "password",
        "password1",
        "password123",
        "pgadmin",
        "postgres",
        "qwerty",
        "rabbitmq",
        "redis",
        "root",
        "root123",
        "secret",
        "secret123",
        "sonar",
        "supersecret",
        "superset",
        "test",
        "test123",
        "tester",
        "testing",
        "toor",
        "user",
        "vagrant",
        "welcome",
    ];
    WORDS.binary_search(&value.to_ascii_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(promise: Promise, value: &str) -> bool {
        is_secret(promise, value, Manner::Plain, &Criteria::default())
    }

    #[test]
    fn a_password_need_not_be_random() {
        for value in ["hunter2", "Pa$$w0rd", "correct horse", "'quoted'", "2580", "abc"] {
            assert!(secret(Promise::Password, value), "{value}");
        }
    }

    #[test]
    fn a_token_is() {
        for value in
            ["0123456789abcdef", "Zb3kQ9vXr7TnL2mW", "/Zb3kQ9vXr7TnL2mW+a=", "/Zb3kQ9vXr7TnL2mW/a", "my-super-secret"]
        {
            assert!(secret(Promise::Token, value), "{value}");
        }
        for value in [
            "short",
            "aaaabbbbcccc",
            "two words here",
            "1234567890123",
            "sha256:0123456789abcdef",
            "595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7",
        ] {
            assert!(!secret(Promise::Token, value), "{value}");
        }
        assert!(secret(Promise::Login, "user:hunter2") && secret(Promise::Login, "dXNlcjpodW50ZXIy"));
        assert!(!secret(Promise::Login, "required") && !secret(Promise::Login, "scram-sha-256"));
    }

    #[test]
    fn what_stands_for_a_secret_is_none() {
        for value in [
            "",
            "''",
            "$PASSWORD",
            "${PASSWORD}",
            "${A:-b}",
            "{{ .Values.password }}",
            "<password>",
            "[password]",
            "%PASSWORD%",
            "********",
            "xxxxxxxx",
            "true",
            "No",
            "0",
            "none",
            "/run/secrets/password",
            "./password",
            "~/.pgpass",
            r"C:\secret",
            "https://example.org/token",
            "vault:secret/db",
            "your-password",
            "REPLACE_ME",
            "__PASSWORD__",
            "@password@",
        ] {
            for promise in [Promise::Password, Promise::Token, Promise::Login] {
                assert!(!secret(promise, value), "{value}");
            }
        }
        assert!(!is_secret(Promise::Password, "$(cat", Manner::Code, &Criteria::default()));
    }

    #[test]
    fn defaults_count_unless_they_are_allowed() {
        let allowed = Criteria { allow_defaults: true, ..Criteria::default() };
        for value in ["changeme", "postgres", "Password", "123456", "welcome"] {
            assert!(secret(Promise::Password, value), "{value}");
            assert!(!is_secret(Promise::Password, value, Manner::Plain, &allowed), "{value}");
        }
        assert!(is_secret(Promise::Password, "changeme2", Manner::Plain, &allowed));
    }

    #[test]
    fn entropy_is_that_of_the_characters() {
        assert!(entropy("") == 0.0 && entropy("aaaa") == 0.0);
        assert!((entropy("abcd") - 2.0).abs() < 1e-9 && (entropy("0123456789abcdef") - 4.0).abs() < 1e-9);
    }
}
