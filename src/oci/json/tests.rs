use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn parse(text: &str, shape: Shape) -> Result<Json<'_>, JsonError> {
    Json::parse(text.as_bytes(), shape)
}

fn problems(text: &str, shape: Shape) -> Vec<(String, AmbiguityKind)> {
    let json = parse(text, shape).unwrap();
    let pairs = json.problems().iter();
    pairs.map(|problem| (problem.pointer.clone(), problem.kind.clone())).collect()
}

fn duplicate(name: &str) -> AmbiguityKind {
    AmbiguityKind::Duplicate { name: name.to_owned() }
}

fn fold(name: &str, known: &'static str) -> AmbiguityKind {
    AmbiguityKind::Fold { name: name.to_owned(), known }
}

fn error(bytes: &[u8]) -> JsonError {
    Json::parse(bytes, Shape::Any).unwrap_err()
}

#[test]
fn duplicate_names_are_found_after_unescaping_and_in_maps() {
    let text = r#"{"config":{"Labels":{"a/b":"good","\u0061\/b":"bad"}}}"#;
    let expected = vec![("/config/Labels/a~1b".to_owned(), duplicate("a/b"))];
    assert_eq!(problems(text, Shape::Config), expected);
    assert_eq!(problems(text, Shape::Any), expected);
    assert_eq!(problems(text, Shape::Lenient), []);
}

#[test]
fn the_last_of_equal_names_counts_as_in_go() {
    let json = parse(r#"{"a":1,"a":{"b":2}}"#, Shape::Any).unwrap();
    assert_eq!(json.value(), &Tree::from(&serde_json::json!({"a": {"b": 2}})));
}

#[test]
fn names_that_go_takes_for_known_ones_are_found_at_every_place() {
    for (text, pointer, name, known) in [
        (r#"{"MediaType":""}"#, "/MediaType", "MediaType", "mediaType"),
        (r#"{"layers":[{},{"SIZE":1}]}"#, "/layers/1/SIZE", "SIZE", "size"),
        (r#"{"manifests":[{"platform":{"oſ":""}}]}"#, "/manifests/0/platform/oſ", "oſ", "os"),
        (r#"{"subject":{"Digest":""}}"#, "/subject/Digest", "Digest", "digest"),
        (r#"{"FSLayers":[]}"#, "/FSLayers", "FSLayers", "fsLayers"),
    ] {
        assert_eq!(problems(text, Shape::Manifest), [(pointer.to_owned(), fold(name, known))]);
        assert_eq!(problems(text, Shape::Any), []);
    }
    for (text, pointer, name, known) in [
        (r#"{"CONFIG":{}}"#, "/CONFIG", "CONFIG", "config"),
        (r#"{"config":{"Healthchec\u212a":{}}}"#, "/config/Healthchec\u{212a}", "Healthchec\u{212a}", "Healthcheck"),
        (r#"{"config":{"Healthcheck":{"test":[]}}}"#, "/config/Healthcheck/test", "test", "Test"),
        (r#"{"container_config":{"user":""}}"#, "/container_config/user", "user", "User"),
        (r#"{"rootfs":{"Type":""}}"#, "/rootfs/Type", "Type", "type"),
        (r#"{"history":[{"Empty_Layer":true}]}"#, "/history/0/Empty_Layer", "Empty_Layer", "empty_layer"),
        (r#"{"OS.Version":""}"#, "/OS.Version", "OS.Version", "os.version"),
    ] {
        assert_eq!(problems(text, Shape::Config), [(pointer.to_owned(), fold(name, known))]);
    }
}

#[test]
fn what_stands_below_a_folded_name_is_checked_as_well() {
    let found = problems(r#"{"CONFIG":{"user":"0"}}"#, Shape::Config);
    let expected = [("/CONFIG", fold("CONFIG", "config")), ("/CONFIG/user", fold("user", "User"))];
    assert_eq!(found, expected.map(|(pointer, kind)| (pointer.to_owned(), kind)));
}

#[test]
fn names_in_maps_and_unknown_objects_are_taken_as_they_are() {
    let config = r#"{"config":{"Labels":{"os":"","OS":"","Labels":""},"Volumes":{"/a":{},"/A":{"User":0,"user":0}},
        "ExposedPorts":{"80/tcp":{},"80/TCP":{}}},"x":{"OS":1,"os":2}}"#;
    assert_eq!(problems(config, Shape::Config), []);
    let manifest = r#"{"annotations":{"size":"","Size":""},"layers":[{"annotations":{"Digest":""}}],"x":[{"SIZE":1}]}"#;
    assert_eq!(problems(manifest, Shape::Manifest), []);
    // Go decodes neither a list into a struct nor the other way round.
    assert_eq!(problems(r#"{"config":[{"SIZE":1}],"layers":{"SIZE":1}}"#, Shape::Manifest), []);
}

#[test]
fn a_flood_of_ambiguities_is_cut() {
    let text = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(10_000));
    let found = problems(&text, Shape::Any);
    assert!(!found.is_empty() && found.len() < 100, "{}", found.len());
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH), Shape::Any).is_ok());
    for shape in [Shape::Manifest, Shape::Config, Shape::Any, Shape::Lenient] {
        let error = parse(&nested(MAX_DEPTH + 1), shape).unwrap_err();
        // Just behind the bracket that is one too many.
        assert_eq!((error.problem, error.offset), (JsonProblem::TooDeep, MAX_DEPTH + 1));
        for deep in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
            assert_eq!(parse(&deep, shape).unwrap_err().problem, JsonProblem::TooDeep);
        }
    }
}

#[test]
fn the_number_of_values_is_limited() {
    let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
    assert!(parse(&list(MAX_VALUES), Shape::Any).is_ok());
    assert_eq!(parse(&list(MAX_VALUES + 1), Shape::Any).unwrap_err().problem, JsonProblem::TooMany);
    assert!(parse(&list(MAX_VALUES + 1), Shape::Lenient).is_ok());
}

#[test]
fn white_space_may_surround_the_value() {
    assert!(parse(" \t\r\n{}\n \r\n", Shape::Any).is_ok());
}

#[test]
fn what_is_no_json_text_is_said_with_its_place() {
    for (bytes, problem, offset) in [
        (b"".as_slice(), JsonProblem::Empty, 0),
        (b" \n", JsonProblem::Empty, 0),
        (b"\xef\xbb\xbf{}", JsonProblem::Bom, 0),
        (b"{\"a\":\"\xff\"}", JsonProblem::NotUtf8, 6),
        (b"\xff\xfe{\0}\0", JsonProblem::NotUtf8, 0),
        (b"{} x", JsonProblem::Trailing, 3),
        (b"{}\n{}", JsonProblem::Trailing, 3),
        (b"{\"a\":01}", JsonProblem::Syntax, 6),
        (b"{\"a\":1,}", JsonProblem::Syntax, 7),
        (b"{'a':1}", JsonProblem::Syntax, 1),
        (b"{\n\"a\":\n  nul}", JsonProblem::Syntax, 12),
        (b"[\"\\ud800\"]", JsonProblem::Syntax, 8),
        (b"[\"\x01\"]", JsonProblem::Syntax, 2),
        (b"[NaN]", JsonProblem::Syntax, 1),
        (b"[1e400]", JsonProblem::Syntax, 5),
        (b"<html>", JsonProblem::Syntax, 0),
    ] {
        let error = error(bytes);
        let text = bytes.escape_ascii();
        assert_eq!((error.problem, error.offset), (problem, offset), "{text}: {error}");
    }
    let error = error(b"{\n  \"a\": x}");
    assert_eq!((error.line, error.column), (2, 8));
    assert_eq!(error.to_string(), "expected value (line 2, column 8)");
}

#[test]
fn messages_quote_foreign_names_escaped_and_short() {
    let name = format!("a\u{1b}{}", "x".repeat(1000));
    let text = serde_json::json!({ "k": 0 }).to_string().replace("\"k\":0", &format!("{0}:1,{0}:2", Value::from(name)));
    let message = parse(&text, Shape::Any).unwrap().problems()[0].to_string();
    assert!(message.contains("\\u{1b}") && message.len() < 200, "{message}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for shape in [Shape::Manifest, Shape::Config, Shape::Any, Shape::Lenient] {
            let _ = Json::parse(&bytes, shape);
        }
    }

    #[test]
    fn texts_like_json_are_read_as_serde_json_reads_them(text in r#"[\[\]{},:"a0\\u \n-]{0,24}"#) {
        match (parse(&text, Shape::Any), serde_json::from_str::<Value>(&text)) {
            (Ok(json), Ok(value)) => prop_assert_eq!(json.value(), &Tree::from(&value)),
            (Err(error), Err(_)) => prop_assert!(error.offset <= text.len()),
            (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs),
        }
    }
}
