//! How values of documents are shown: cut, escaped, and not at all where secrets stand.

use serde_json::Value;

use super::super::prelude::*;
use super::super::sensitive::veiled_text;

/// A value as messages show it, at a place of a document.
pub(super) fn shown(value: &Value, pointer: &str) -> String {
    match value {
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(members) => format!("an object of {}", words::count(members.len(), "member")),
        Value::String(text) if is_argument(pointer) => {
            format!("a text of {}, not shown", words::count(text.chars().count(), "character"))
        }
        Value::String(text) => format!("'{}'", Untrusted(&veiled(text, pointer))),
        other => other.to_string(),
    }
}

/// How much of a text is looked through for secrets, in bytes; far less of it is shown.
const LOOKED_THROUGH: usize = 4_096;

/// A text without the secrets in it, and without the values of variables.
fn veiled(text: &str, pointer: &str) -> String {
    if let Some((variable, _)) = text.split_once('=').filter(|_| pointer.split('/').any(|name| name == "Env")) {
        return format!("{variable}=…");
    }
    let name = pointer.rsplit('/').next().filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()));
    veiled_text(name, &text[..text.floor_char_boundary(LOOKED_THROUGH)]).into_owned()
}

/// Whether a build argument stands there.
fn is_argument(pointer: &str) -> bool {
    let mut names = pointer.split('/');
    names.any(|name| name.starts_with("build-arg:") || matches!(name, "buildArgs" | "args" | "environment"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_hold_a_secret_is_not_shown() {
        for (pointer, text) in [
            ("/config/Env/0", "TOKEN=hunter2"),
            ("/config/Env/0", "MY TOKEN=hunter2"),
            ("/container_config/Env/0", "TOKEN=hunter2"),
            ("/container_config/Cmd/2", "#(nop)  ENV TOKEN=hunter2"),
            ("/history/3/created_by", "|1 TOKEN=hunter2 /bin/sh -c make"),
            ("/config/OnBuild/0", "ENV TOKEN=hunter2"),
            ("/config/Labels/db-password", "hunter2"),
            ("/predicate/invocation/parameters/args/build-arg:TOKEN", "hunter2"),
        ] {
            let shown = shown(&json!(text), pointer);
            assert!(!shown.contains("hunter2"), "{pointer}: {shown}");
        }
        assert_eq!(shown(&json!("TOKEN=hunter2"), "/config/Env/0"), "'TOKEN=…'");
        assert_eq!(shown(&json!("/bin/sh -c make"), "/history/3/created_by"), "'/bin/sh -c make'");
        assert_eq!(shown(&json!("a=b"), "/config/User"), "'a=b'");
        assert_eq!(shown(&json!(["TOKEN=hunter2"]), "/config/Env"), "a list of 1");
        assert!(shown(&json!("é".repeat(3_000)), "/config/Labels/long").ends_with("…'"));
    }
}
