use super::*;

fn text(text: &str) -> Vec<(String, String, &str)> {
    let found = Criteria::default().in_text(text);
    let one = |secret: Secret<'_, '_>| (secret.name.unwrap_or_default().to_owned(), secret.kind.id().to_owned());
    found
        .into_iter()
        .map(|secret| (secret.range.clone(), one(secret)))
        .map(|(range, (name, id))| (name, id, &text[range]))
        .collect()
}

fn value(name: &str, value: &str) -> Vec<String> {
    Criteria::default().in_value(name, value).iter().map(|secret| secret.kind.id().to_owned()).collect()
}

#[test]
fn a_known_form_outweighs_its_name() {
    let key = ["AKIA", "Y3FDNCWV2KZ7TQXJ"].concat();
    assert_eq!(
        text(&format!("export API_TOKEN={key}")),
        [("API_TOKEN".into(), "aws-access-key-id".into(), key.as_str())]
    );
    assert_eq!(value("API_TOKEN", &key), ["aws-access-key-id"]);
    assert_eq!(value("ANYTHING", &key), ["aws-access-key-id"]);
}

#[test]
fn healthy_variables_hold_none() {
    for (name, held) in [
        ("GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"),
        ("GPG_KEYS", "A035C8C19219BA821ECEA86B64E628F8D684696D 0D96DF4D4110E5C43FBFB17F2D347EA6AA65421D"),
        ("PATH", "/usr/local/sbin:/usr/local/bin"),
        ("PYTHON_SHA256", "0b9ed3ec0d5b0b1e0b0a2b8f0c9d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d"),
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("ALLOW_EMPTY_PASSWORD", "no"),
        ("MINIO_ROOT_PASSWORD_FILE", "secret_key"),
        ("DATABASE_URL", "postgres://db:5432/app"),
        ("DATABASE_URL", "postgres://$USER:$PASSWORD@db:5432/app"),
        ("NODE_VERSION", "22.11.0"),
        ("KEYCLOAK_VERSION", "26.0.5"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("LANG", "C.UTF-8"),
        ("JAVA_OPTS", "-Djavax.net.ssl.trustStorePassword=$PASS -Xmx1g"),
    ] {
        assert_eq!(value(name, held), [""; 0], "{name}");
    }
}

#[test]
fn leaking_variables_hold_one() {
    for (name, held, id) in [
        ("DB_PASSWORD", "hunter2", "value"),
        ("DATABASE_URL", "postgres://app:hunter2@db:5432/app", "address"),
        ("JAVA_OPTS", "-Djavax.net.ssl.keyStorePassword=hunter2 -Xmx1g", "value"),
        ("CONNECTION_STRING", "Server=db;User Id=app;Password=hunter2;", "value"),
        ("DOCKER_AUTH_CONFIG", r#"{"auths":{"r.example":{"auth":"dXNlcjpodW50ZXIy"}}}"#, "value"),
    ] {
        assert_eq!(value(name, held), [id], "{name}");
    }
}

#[test]
fn the_policys_patterns_match_whole_words() {
    let patterns = BTreeMap::from([("acme".to_owned(), Pattern::new("acme_[0-9]{4}").unwrap())]);
    let criteria = Criteria { patterns: Some(&patterns), ..Criteria::default() };
    let found = |text: &str| criteria.in_text(text).iter().map(|secret| secret.range.clone()).collect::<Vec<_>>();
    assert_eq!(found("acme_1234"), vec![0..9]);
    assert_eq!(found("run --key=acme_1234 'acme_5678'"), [10..19, 21..30]);
    assert!(found("xacme_1234 acme_12345").is_empty());
}

#[test]
fn an_option_takes_the_next_word() {
    let words = ["app", "--password", "hunter2", "--token", "--verbose", "-u"].map(str::to_owned);
    let found = Criteria::default().in_words(&words);
    assert_eq!(
        found.iter().map(|(number, secret)| (*number, secret.name)).collect::<Vec<_>>(),
        [(2, Some("password"))]
    );
}
