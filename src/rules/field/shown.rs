//! How values of documents are shown: cut, escaped, and not at all where secrets stand.

use serde_json::Value;

use super::super::prelude::*;
use super::super::sensitive;
use crate::oci::pointer_unescape;

/// A value as messages show it, at a place of a document; `beside` is the list or object that holds it.
pub(super) fn shown(value: &Value, pointer: &str, beside: Option<&Value>) -> String {
    let hidden = is_hidden(pointer);
    let in_list = beside.is_some_and(Value::is_array);
    match value {
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(members) => format!("an object of {}", words::count(members.len(), "member")),
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::String(entry) if hidden && in_list => format!("'{}'", ImageText(&sensitive::veiled_entry(entry))),
        _ if hidden => "a value that is not shown".to_owned(),
        Value::String(text) => format!("'{}'", ImageText(&plain(text, pointer, beside))),
        Value::Number(number) => plain(&number.to_string(), pointer, beside),
    }
}

/// How much of a text is looked through for secrets, in bytes; far less of it is shown.
const LOOKED_THROUGH: usize = 4_096;

/// The segments of a pointer, as names.
fn names(pointer: &str) -> Vec<String> {
    pointer.split('/').map(|segment| pointer_unescape(segment).into_owned()).collect()
}

/// Whether the value of an environment variable or build argument stands at a place.
fn is_hidden(pointer: &str) -> bool {
    names(pointer).windows(2).any(|pair| sensitive::holds_values(Some(&pair[0]), &pair[1]))
}

/// A text without what looks like a secret where it stands.
fn plain(text: &str, pointer: &str, beside: Option<&Value>) -> String {
    let text = &text[..text.floor_char_boundary(LOOKED_THROUGH)];
    let names = names(pointer);
    let (last, outer) = (names.last().map_or("", String::as_str), names.iter().rev().nth(1));
    let Some(elements) = beside.and_then(Value::as_array) else {
        return sensitive::veiled_text(Some(last), text).into_owned();
    };
    let of_list = sensitive::shown(outer.map_or("", String::as_str), text);
    if of_list != text {
        return of_list.into_owned();
    }
    let words: Vec<String> = elements.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect();
    let word = last.parse().ok().and_then(|number: usize| sensitive::veiled_words(&words).into_iter().nth(number));
    word.filter(|word| !word.is_empty()).unwrap_or_else(|| sensitive::veiled_text(None, text).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Value, pointer: &str, beside: Option<&Value>) -> String {
        ImageText::plain(&super::shown(value, pointer, beside)).into_owned()
    }

    #[test]
    fn what_may_hold_a_secret_is_not_shown() {
        for (pointer, value) in [
            ("/config/Env", json!("TOKEN=hunter2")),
            ("/config/env/TOKEN", json!(1234)),
            ("/predicate/invocation/parameters/args/build-arg:TOKEN", json!("hunter2")),
        ] {
            assert_eq!(shown(&value, pointer, None), "a value that is not shown", "{pointer}");
        }
        assert_eq!(shown(&json!(["TOKEN=hunter2"]), "/config/Env", None), "a list of 1");
        assert!(shown(&json!("é".repeat(3_000)), "/config/Labels/long", None).ends_with("…'"));
        for (pointer, value, wanted) in [
            ("/history/3/created_by", json!("/bin/sh -c make"), "'/bin/sh -c make'"),
            ("/history/3/created_by", json!("/bin/sh -c #(nop) ENV A hunter2"), "'/bin/sh -c #(nop) ENV A …'"),
            ("/history/3/comment", json!("A=hunter2"), "'A=…'"),
            ("/config/User", json!("a=b"), "'a=b'"),
            ("/config/Labels/db.password", json!("hunter2"), "'…'"),
            ("/config/Labels/pin.password", json!(1234), "…"),
            ("/config/Labels/environment", json!("production"), "'production'"),
        ] {
            assert_eq!(shown(&value, pointer, None), wanted, "{pointer}");
        }
    }

    #[test]
    fn an_element_is_judged_in_its_list() {
        let of = |pointer: &str, list: serde_json::Value, number: usize| shown(&list[number], pointer, Some(&list));
        for (entry, wanted) in [("TOKEN=hunter2", "'TOKEN=…'"), ("MY hunter2=hunter2", "'…'"), ("hunter2", "'…'")]
        {
            assert_eq!(of("/config/Env/0", json!([entry]), 0), wanted);
        }
        assert_eq!(of("/container_config/Cmd/2", json!(["sh", "-c", "#(nop)  ENV A=hunter2"]), 2), "'#(nop)  ENV A=…'");
        assert_eq!(of("/config/Cmd/2", json!(["app", "--password", "hunter2"]), 2), "'…'");
        assert_eq!(of("/config/Cmd/2", json!(["curl", "-u", "app:hunter2"]), 2), "'app:…'");
        assert_eq!(of("/config/OnBuild/0", json!(["ENV TOKEN hunter2"]), 0), "'ENV TOKEN …'");
        assert_eq!(of("/config/Labels/password/0", json!(["hunter2"]), 0), "'…'");
        assert_eq!(of("/config/Cmd/1", json!(["app", "serve"]), 1), "'serve'");
    }
}
