use std::fmt::Write;

use proptest::prelude::*;

use super::*;

const CONFIG: &str =
    r#"{"architecture":"amd64","config":{"Env":["PATH=/usr/bin","A=b"],"User":"0","Labels":{}},"os":"linux"}"#;

/// The excerpt as text: number, text, and a line that underlines the mark.
fn shown(document: &str, pointer: &str) -> String {
    let excerpt = Excerpt::of(document.as_bytes(), pointer).unwrap();
    let mut out = String::new();
    for line in excerpt.lines {
        writeln!(out, "{:>2} {}", line.number, line.text).unwrap();
        if let Some([start, end]) = line.mark {
            let before = line.text[..start].chars().count();
            writeln!(out, "   {}{}", " ".repeat(before), "^".repeat(line.text[start..end].chars().count())).unwrap();
        }
    }
    out
}

#[test]
fn a_scalar_is_marked_between_its_neighbours() {
    insta::assert_snapshot!(shown(CONFIG, "/config/User"), @r#"
     6       "A=…"
     7     ],
     8     "User": "0",
                   ^^^
     9     "Labels": {}
    10   },
    "#);
}

#[test]
fn of_an_object_the_key_is_marked_and_content_follows() {
    insta::assert_snapshot!(shown(CONFIG, "/config"), @r#"
     1 {
     2   "architecture": "amd64",
     3   "config": {
         ^^^^^^^^
     4     "Env": [
     5       "PATH=…",
     6       "A=…"
     7     ],
    "#);
}

#[test]
fn the_whole_document_and_elements_have_no_key() {
    insta::assert_snapshot!(shown(r#"[{"a":1},{"b":[]}]"#, ""), @r#"
     1 [
       ^
     2   {
     3     "a": 1
     4   },
     5   {
    "#);
    insta::assert_snapshot!(shown(r#"[{"a":1},{"b":[]}]"#, "/1"), @r#"
     3     "a": 1
     4   },
     5   {
         ^
     6     "b": []
     7   }
     8 ]
    "#);
    assert_eq!(shown("true", ""), " 1 true\n   ^^^^\n");
}

#[test]
fn space_in_the_document_changes_nothing() {
    let spaced = CONFIG.replace(',', " ,\r\n\t").replace(':', " : ");
    // The space inside of strings is theirs.
    let spaced = spaced.replace("PATH =", "PATH=");
    for pointer in ["", "/config", "/config/User", "/config/Labels", "/os"] {
        assert_eq!(shown(&spaced, pointer), shown(CONFIG, pointer), "{pointer}");
    }
}

#[test]
fn text_is_escaped_and_cut() {
    let document = format!(r#"{{"a":"\u001b[31m{}{}"}}"#, '\u{202e}', "x".repeat(4000));
    let excerpt = Excerpt::of(document.as_bytes(), "/a").unwrap();
    let line = &excerpt.lines[1];
    assert!(line.text.starts_with(r#"  "a": "\u001b[31m\u{202e}xxx"#), "{}", line.text);
    assert!(line.text.ends_with(r#"x…""#));
    assert!(line.text.chars().count() <= LINE);
    let [start, end] = line.mark.unwrap();
    assert!(line.text[start..end].starts_with('"') && line.text[start..end].ends_with('"'));
}

#[test]
fn variables_are_hidden_however_they_are_written() {
    for env in [
        r#"["hunter2"]"#,
        r#"["-DB=hunter2","DÉ=hunter2"]"#,
        r#""DB=hunter2""#,
        r#"{"DB":"hunter2"}"#,
        r#"{"DB":{"a":["hunter2"]},"PIN":4711}"#,
        r#"[["DB=hunter2"],4711,"a hunter2"]"#,
    ] {
        for name in ["Env", "env", r"\u0045nv"] {
            let document = format!(r#"{{"config":{{"{name}":{env},"User":"0"}}}}"#);
            for pointer in ["", "/config", "/config/User"] {
                let shown = shown(&document, pointer);
                assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
            }
        }
    }
    assert!(shown(r#"{"config":{"Labels":{"env":"production"}}}"#, "/config/Labels").contains("production"));
}

#[test]
fn a_secret_is_hidden_where_only_what_stands_around_it_tells() {
    for document in [
        r#"{"config":{"Cmd":["app","--verbose","serve","--password","hunter2"],"User":"0"}}"#,
        r#"{"config":{"Healthcheck":{"Test":["CMD","curl","-u","app:hunter2"]},"User":"0"}}"#,
        r#"{"config":{"Labels":{"db.password":["hunter2"]},"User":"0"}}"#,
        r#"{"config":{"Labels":{"db.password":4711},"User":"0"}}"#,
        r#"{"config":{"Labels":{"postgres://app:hunter2@db/":""},"User":"0"}}"#,
    ] {
        let shown = shown(document, "/config/User");
        assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
    }
    assert!(shown(r#"{"config":{"Cmd":["app","serve"],"User":"0"}}"#, "/config/User").contains("serve"));
}

#[test]
fn what_is_not_there_has_no_excerpt() {
    assert_eq!(Excerpt::of(CONFIG.as_bytes(), "/config/Absent"), None);
    assert_eq!(Excerpt::of(b"not json", ""), None);
    assert_eq!(Excerpt::of(b"\xff", ""), None);
    assert_eq!(Excerpt::of(b"", ""), None);
}

#[test]
fn a_large_document_costs_one_scan() {
    let layers = vec![r#"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":1}"#; 64_000].join(",");
    let document = format!(r#"{{"layers":[{layers}],"annotations":{{"a":"b"}}}}"#);
    assert!(document.len() > 4 << 20);
    let excerpt = Excerpt::of(document.as_bytes(), "/annotations/a").unwrap();
    assert_eq!(excerpt.lines[2].number, 2 + 4 * 64_000 + 3);
    assert_eq!(excerpt.lines[2].text, r#"    "a": "b""#);
}

proptest! {
    #[test]
    fn windows_agree_with_the_indented_document(value in json()) {
        let document = value.to_string();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let pretty: Vec<&str> = pretty.lines().collect();
        let excerpt = Excerpt::of(document.as_bytes(), "").unwrap();
        prop_assert!(excerpt.lines.len() <= 12);
        for line in &excerpt.lines {
            prop_assert_eq!(Some(&line.text.as_str()), pretty.get(line.number - 1));
        }
    }

    #[test]
    fn marks_never_split_a_character(text in ".{0,300}", name in ".{0,80}") {
        let value = serde_json::json!({ &name: [&text] });
        let pointer = format!("/{}/0", name.replace('~', "~0").replace('/', "~1"));
        let excerpt = Excerpt::of(value.to_string().as_bytes(), &pointer).unwrap();
        let marks: Vec<_> = excerpt.lines.iter().filter_map(|line| line.mark.map(|[start, end]| line.text.get(start..end))).collect();
        prop_assert_eq!(marks.len(), 1);
        prop_assert!(marks[0].is_some());
        for line in excerpt.lines {
            prop_assert!(!line.text.chars().any(crate::oci::is_unsafe));
            prop_assert!(line.text.chars().count() <= LINE + 2);
        }
    }
}

/// Small documents of short ASCII strings, which an excerpt shows whole.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[a-z\"{}:,]{0,8}".prop_map(Into::into)
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}
