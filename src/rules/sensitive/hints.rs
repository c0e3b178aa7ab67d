//! What tells at a glance that a text holds no secret, as nearly all texts do.

use std::sync::LazyLock;

use regex::Regex;

use super::formats;

/// What stands in every name that promises a secret, and in every command whose options take one, in whatever case.
const STEMS: &str = "(?i-u:pass|pwd|secret|token|key|cred|auth|bearer|curl|login|mysql|mariadb)";

/// What stands in every address with a password, as an expression.
const ADDRESSES: &str = r#"://[^/?#"'<>`\\ \t\r\n]*@|@tcp\("#;

/// Whether a text may give a value to a name that promises a secret, or is such a name.
pub(super) fn may_promise(text: &str) -> bool {
    static NAMES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(STEMS).expect("invariant: texts side by side are an expression"));
    NAMES.is_match(text)
}

/// Whether a text may hold a secret of any kind but those of the policy's own patterns.
pub(crate) fn may_hold(text: &str) -> bool {
    static SIGNS: LazyLock<Regex> = LazyLock::new(|| {
        let marks = formats::marks().map(regex::escape);
        let signs: Vec<String> = marks.chain([STEMS, ADDRESSES].map(str::to_owned)).collect();
        Regex::new(&signs.join("|")).expect("invariant: expressions side by side are one")
    });
    SIGNS.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_sign_is_passed_over() {
        for text in ["", "User is '65532:65532'", "linux/arm64", "https://slsa.dev/a@b", "NODE_VERSION=22.1"] {
            assert!(!may_hold(text) && !may_promise(text), "{text}");
        }
        for text in ["xPWDx", "https://a:b@c", "a:b@tcp(c)", "ghp_x", "LOGIN -p x"] {
            assert!(may_hold(text), "{text}");
        }
    }
}
