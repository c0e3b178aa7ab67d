//! Names that promise a secret.

use super::hints::may_promise;

/// What the name of a value says that the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Something that a person chose: a password, however simple.
    Password,
    /// Something that was made at random: a token, a key.
    Token,
    /// A user and a password, together or in base64.
    Login,
}

/// Bytes of a name that are looked at, from its end.
const LONGEST: usize = 128;

const PASSWORDS: [&str; 14] = [
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "PASS",
    "PWD",
    "PASSWRD",
    "USERPASS",
    "DBPASS",
    "DBPWD",
    "ROOTPASS",
    "ADMINPASS",
    "MYSQLPASS",
];
const TOKENS: [&str; 10] =
    ["SECRET", "SECRETS", "TOKEN", "TOKENS", "APIKEY", "CREDENTIAL", "CREDENTIALS", "AUTHORIZATION", "CREDS", "BEARER"];
/// What a `KEY` is for that is kept secret; any other key (`GPG_KEY`, `SORT_KEY`) is none.
const SECRET_KEYS: [&str; 28] = [
    "API",
    "ACCESS",
    "SECRET",
    "PRIVATE",
    "PRIV",
    "ENCRYPTION",
    "ENCRYPT",
    "DECRYPTION",
    "LICENSE",
    "SUBSCRIPTION",
    "WEBHOOK",
    "SIGNING",
    "MASTER",
    "AUTH",
    "SSH",
    "STORAGE",
    "ACCOUNT",
    "DEPLOY",
    "SESSION",
    "COOKIE",
    "HMAC",
    "JWT",
    "APP",
    "ADMIN",
    "SERVICE",
    "TOKEN",
    "SIGN",
    "CLIENT",
];
/// Ends of words that are written together.
const ENDS: [(&str, Promise); 9] = [
    ("PASSWORD", Promise::Password),
    ("PASSWD", Promise::Password),
    ("PASSPHRASE", Promise::Password),
    ("SECRET", Promise::Token),
    ("TOKEN", Promise::Token),
    ("APIKEY", Promise::Token),
    ("SECRETKEY", Promise::Token),
    ("ACCESSKEY", Promise::Token),
    ("PRIVATEKEY", Promise::Token),
];
/// Words after the telling one that do not change what it is: anything else does (`TOKEN_URL`, `PASSWORD_FILE`).
const NEUTRAL: [&str; 24] = [
    "VALUE",
    "STRING",
    "TEXT",
    "BASE64",
    "B64",
    "HEX",
    "BASE",
    "DEFAULT",
    "PROD",
    "PRODUCTION",
    "DEV",
    "DEVELOPMENT",
    "TEST",
    "TESTING",
    "STAGING",
    "STAGE",
    "OLD",
    "NEW",
    "PREVIOUS",
    "PRIMARY",
    "SECONDARY",
    "RAW",
    "ADMIN",
    "ROOT",
];
/// Words that take the promise back wherever they stand.
const PUBLIC: [&str; 8] = ["PUBLIC", "PUB", "PUBLISHABLE", "EXAMPLE", "SAMPLE", "EMPTY", "NO", "RANDOM"];
/// First words of names that say what is done about a secret: `--disabled-password`, `--ask-vault-pass`.
const DEEDS: [&str; 9] = ["ASK", "DISABLE", "DISABLED", "ENABLE", "GENERATE", "PROMPT", "REQUIRE", "SKIP", "WITHOUT"];

/// What the name of a variable, label, option or argument promises of its value.
pub(crate) fn promise(name: &str) -> Option<Promise> {
    if !may_promise(name) {
        return None;
    }
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let deed = words.iter().find(|word| !word.is_empty()).is_some_and(|first| DEEDS.contains(first));
    if deed || words.iter().any(|word| PUBLIC.contains(word)) {
        return None;
    }
    let telling = words.iter().rposition(|word| !NEUTRAL.contains(word) && !word.is_empty())?;
    let (word, before) = (words[telling], telling.checked_sub(1).map(|at| words[at]));
    match word {
        // The working directory of a shell.
        "PWD" | "PASS" if before.is_none() => None,
        _ if PASSWORDS.contains(&word) => Some(Promise::Password),
        _ if TOKENS.contains(&word) => Some(Promise::Token),
        "AUTH" => Some(Promise::Login),
        "KEY" | "KEYS" => before.filter(|kind| SECRET_KEYS.contains(kind)).map(|_| Promise::Token),
        _ => ENDS.iter().find(|(end, _)| word.ends_with(end)).map(|(_, promise)| *promise),
    }
}

/// The words of a name in upper case: at marks, and where a small letter is followed by a capital; without digits at their ends.
fn words(name: &str) -> Vec<String> {
    let start = (name.len().saturating_sub(LONGEST)..name.len()).find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name[start..].chars() {
        if (!c.is_ascii_alphanumeric() || (small && c.is_ascii_uppercase())) && words.last() != Some(&String::new()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().expect("invariant: there is a word").push(c.to_ascii_uppercase());
        }
        small = c.is_ascii_lowercase();
    }
    let plain = |word: &String| match word.as_str() {
        "BASE64" | "B64" => word.clone(),
        other => other.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(),
    };
    words.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_promise_a_secret() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "dbPassword",
            "db.password",
            "com.acme/db-passwd",
            "PGPASSWORD",
            "MSSQL_SA_PWD",
            "SMTP_PASS",
            "PASSWORD_1",
            "POSTGRES_PASSWORD_DEV",
            "MYSQL_PASSWORD_ROOT",
            "DBPASS",
        ] {
            assert_eq!(promise(name), Some(Promise::Password), "{name}");
        }
        for name in [
            "SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "SECRET_KEY_BASE",
            "API_KEY",
            "apiKey",
            "GITHUB_TOKEN",
            "GITHUBTOKEN",
            "_authToken",
            "client-secret",
            "JWT_SECRET",
            "SSH_PRIVATE_KEY",
            "APP_KEY",
            "X-Api-Key",
            "PRIVATE-TOKEN",
            "NEW_RELIC_LICENSE_KEY",
            "Authorization",
        ] {
            assert_eq!(promise(name), Some(Promise::Token), "{name}");
        }
        assert_eq!(promise("BASIC_AUTH"), Some(Promise::Login));
        assert_eq!(promise("auth"), Some(Promise::Login));
    }

    #[test]
    fn every_word_that_promises_is_seen_at_a_glance() {
        let ends = ENDS.iter().map(|(end, _)| end);
        for word in PASSWORDS.iter().chain(&TOKENS).chain(ends).chain(&["AUTH", "KEY", "KEYS"]) {
            assert!(may_promise(word) && may_promise(&word.to_lowercase()), "{word}");
        }
    }

    #[test]
    fn names_that_only_look_so() {
        for name in [
            "",
            "=",
            "GPG_KEY",
            "GPG_KEYS",
            "PUBLIC_KEY",
            "NEXT_PUBLIC_API_KEY",
            "SSH_PUBLIC_KEY",
            "PASSWORD_FILE",
            "POSTGRES_PASSWORD_FILE",
            "TOKEN_URL",
            "TOKEN_PATH",
            "SECRET_NAME",
            "KEYCLOAK_VERSION",
            "MONKEY",
            "TOKENIZER",
            "TOKENIZERS_PARALLELISM",
            "PYTHON_SHA256",
            "NODE_VERSION",
            "JAVA_HOME",
            "PWD",
            "OLDPWD_DIR",
            "PASS",
            "PASS_MAX_DAYS",
            "ALLOW_EMPTY_PASSWORD",
            "MYSQL_RANDOM_ROOT_PASSWORD",
            "AWS_ACCESS_KEY_ID",
            "SORT_KEY",
            "KEY",
            "PASSWORD_MIN_LENGTH",
            "SECRET_PROVIDER",
            "TOKEN_EXPIRY",
            "password-stdin",
            "BYPASS_PROXY",
            "COMPASS",
            "disabled-password",
            "ask-vault-pass",
            "REQUIRE_PASSWORD",
            "AUTHOR",
        ] {
            assert_eq!(promise(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_of_megabytes_is_looked_at_from_its_end() {
        assert_eq!(promise(&format!("{}_TOKEN", "é".repeat(1 << 20))), Some(Promise::Token));
    }
}
