use proptest::prelude::*;

use super::super::{Criteria, addresses, may_hold};
use super::*;

fn found(text: &str) -> Vec<(&str, &str)> {
    assigned(text).into_iter().map(|one| (one.name.unwrap_or_default(), &text[one.value])).collect()
}

#[test]
fn instructions_give_values_without_quotes() {
    assert_eq!(found("ENV DB_PASSWORD=correct horse A=b"), [("DB_PASSWORD", "correct horse")]);
    assert_eq!(found("/bin/sh -c #(nop)  ENV API_KEY=a=b"), [("API_KEY", "a=b")]);
    assert_eq!(found("ARG NPM_TOKEN=abc"), [("NPM_TOKEN", "abc")]);
    assert_eq!(found("ENV DB_PASSWORD hunter2"), [("DB_PASSWORD", "hunter2")]);
    assert_eq!(found("ARG NPM_TOKEN"), []);
    assert_eq!(
        found("RUN |2 A=b NPM_TOKEN=x y z /bin/sh -c npm ci --token=q # buildkit"),
        [("NPM_TOKEN", "x y z"), ("token", "q")]
    );
    assert_eq!(found("|1 NPM_TOKEN=abc /bin/sh -c npm ci"), [("NPM_TOKEN", "abc")]);
    assert_eq!(found("|1 NPM_TOKEN=abc"), [("NPM_TOKEN", "abc")]);
}

#[test]
fn commands_give_values_in_many_ways() {
    for (text, name, value) in [
        ("export TOKEN=abc; x", "TOKEN", "abc"),
        ("GITHUB_TOKEN='a b' make", "GITHUB_TOKEN", "a b"),
        ("app --password=abc -v", "password", "abc"),
        ("app --password abc", "password", "abc"),
        ("app --db-password \"abc\"", "db-password", "abc"),
        ("curl https://x/?api_key=abc&b=c", "api_key", "abc"),
        ("curl -u app:abc https://x", "", "abc"),
        ("/usr/bin/curl -fsSL --user 'app:abc' https://x", "", "abc"),
        ("sshpass -p abc ssh x", "", "abc"),
        ("docker login -u app -p abc x", "", "abc"),
        ("curl -uapp:abc https://x", "", "abc"),
        ("curl -fsSu app:abc https://x", "", "abc"),
        ("curl --user=app:abc https://x", "", "abc"),
        ("sshpass -pabc ssh x", "", "abc"),
        ("mysql -uroot -p'abc' db", "", "abc"),
        ("echo 'root:abc' | chpasswd", "", "abc"),
        ("echo root:abc | sudo /usr/sbin/chpasswd", "", "abc"),
        ("echo \"machine x login y password abc\" > ~/.netrc", "password", "abc"),
        ("printf 'machine x\\nlogin y\\npassword abc\\n' > ~/.netrc", "password", "abc"),
        ("npm config set //r/:_authToken abc", "//r/:_authToken", "abc"),
        ("cmd /S /C setx DB_PASSWORD abc", "DB_PASSWORD", "abc"),
        ("[pypi]\nusername = x\npassword = abc\n", "password", "abc"),
        ("users:\n- token: abc1\n", "token", "abc1"),
        ("echo 'password: abc' > x", "password", "abc"),
        ("RUN |1 NPM_TOKEN=abc /opt/bash -c make", "NPM_TOKEN", "abc"),
        ("|1 DB_PASSWORD=abc bash -c make", "DB_PASSWORD", "abc"),
        (r#"{"password": "abc"}"#, "password", "abc"),
        (r#"{\"password\":\"abc\"}"#, "password", "abc"),
        ("curl -H 'Authorization: Bearer abc'", "Authorization", "abc"),
        ("curl -H \"X-Api-Key: abc\"", "X-Api-Key", "abc"),
        ("Server=db;Password=abc;Port=1", "Password", "abc"),
    ] {
        assert_eq!(found(text), [(name, value)], "{text}");
    }
}

#[test]
fn what_gives_no_value_is_passed_over() {
    for text in [
        "app --password-file /run/secrets/x",
        "app --password-stdin",
        "app --password --verbose",
        "curl -u app https://x && id -u root:root",
        "echo ${TOKEN=x} $TOKEN=x",
        "mkdir -p /app",
        "RUN --mount=type=secret,id=token,env=NPM_TOKEN npm ci",
        "cat /etc/password: nothing",
        "the password: nothing",
        "password: as you like",
        "token: name-of-it",
        "curl -K x -o u:v",
        "mysql -p mydb",
        "curl -u app",
        "chpasswd < a:b",
        "adduser --disabled-password app",
        "git config set x y",
        "=",
        ":",
        "| x",
        "|",
        "ENV ",
    ] {
        assert_eq!(found(text).into_iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>(), [], "{text}");
    }
}

#[test]
fn floods_are_read_once() {
    for flood in [
        "password=",
        "a=",
        "\"token\":",
        "--password ",
        "ENV A=b ",
        "x-token: ",
        "-u ",
        "é=",
        "password = ",
        "a:b|chpasswd ",
        "token:  ",
    ] {
        let text = flood.repeat((1 << 20) / flood.len());
        let _ = assigned(&text);
        let _ = assigned(&format!("ENV {text}"));
    }
}

/// Words of which commands and addresses with secrets are made, and of what is passed over.
const WORDS: [&str; 26] = [
    "machine",
    "login",
    "password",
    "PASS",
    "curl",
    "mysql",
    "sshpass",
    "config set",
    "setx",
    "token",
    "| chpasswd",
    "-u",
    "-p",
    "--token",
    "--user=",
    "Authorization:",
    "app",
    "Zb3kQ9vXr7TnL2mW",
    "é",
    ";",
    "\"",
    "https://",
    "app:hunter2",
    "@db",
    "@tcp(db)",
    "/",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_passed_over_at_a_glance_holds_nothing(
        words in prop::collection::vec((prop::sample::select(&WORDS[..]), prop::sample::select(&["", " ", " ", "="][..])), 0..9)
    ) {
        let text: String = words.into_iter().flat_map(|(word, end)| [word, end]).collect();
        let mut found = Vec::new();
        by_options(&text, 0, &mut found);
        prop_assert!(found.is_empty() || may_give(&text), "{text}: {found:?}");
        by_signs(&text, 0, &mut found);
        by_chpasswd(&text, 0, &mut found);
        prop_assert!(found.is_empty() || may_promise(&text), "{text}: {found:?}");
        let addresses = addresses::find(&text, Manner::Code, &Criteria::default());
        prop_assert!((found.is_empty() && addresses.is_empty()) || may_hold(&text), "{text}: {addresses:?}");
    }
}
