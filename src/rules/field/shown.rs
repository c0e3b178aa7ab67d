//! How values of documents are shown: cut, escaped, and not at all where secrets stand.

use serde_json::Value;

use super::super::prelude::*;

/// A value as messages show it, at a place of a document.
pub(super) fn shown(value: &Value, pointer: &str) -> String {
    match value {
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(members) => format!("an object of {}", words::count(members.len(), "member")),
        Value::String(text) if is_hidden(text, pointer) => "a text that is not shown".to_owned(),
        Value::String(text) => format!("'{}'", Untrusted(text)),
        other => other.to_string(),
    }
}

/// Whether a text may hold the value of an environment variable or build argument.
fn is_hidden(text: &str, pointer: &str) -> bool {
    pointer.split('/').skip(1).any(|name| {
        // A build step is written with its arguments and the variables that it sets.
        let step = matches!(name, "created_by" | "OnBuild" | "container_config");
        let arguments = name.starts_with("build-arg:") || matches!(name, "buildArgs" | "args" | "env" | "environment");
        name == "Env" || arguments || (step && text.contains('='))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_hold_a_secret_is_not_shown() {
        for (pointer, text) in [
            ("/config/Env/0", "TOKEN=hunter2"),
            ("/container_config/Env/0", "TOKEN"),
            ("/container_config/Cmd/2", "#(nop)  ENV TOKEN=hunter2"),
            ("/history/3/created_by", "|1 TOKEN=hunter2 /bin/sh -c make"),
            ("/config/OnBuild/0", "ENV TOKEN=hunter2"),
            ("/predicate/invocation/parameters/args/build-arg:TOKEN", "hunter2"),
        ] {
            assert_eq!(shown(&json!(text), pointer), "a text that is not shown", "{pointer}");
        }
        assert_eq!(shown(&json!("/bin/sh -c make"), "/history/3/created_by"), "'/bin/sh -c make'");
        assert_eq!(shown(&json!("a=b"), "/config/User"), "'a=b'");
        assert_eq!(shown(&json!(["TOKEN=hunter2"]), "/config/Env"), "a list of 1");
    }
}
