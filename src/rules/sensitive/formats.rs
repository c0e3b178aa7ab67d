//! The forms of known credentials: exact, and with their checksum where they have one.
//!
//! Only forms with a beginning (or middle) of their own are here, so that nothing depends on how random a text looks.

mod table;

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;

use table::FORMATS;

/// The form of one kind of credential.
#[derive(Debug)]
pub(crate) struct Format {
    /// Its name in policies.
    pub(crate) id: &'static str,
    /// What it is, with an article.
    pub(crate) what: &'static str,
    /// Texts of which one stands in each, all in ASCII.
    marks: &'static [&'static str],
    /// How many bytes stand before the mark.
    lead: usize,
    /// The whole of it, as a regular expression.
    shape: &'static str,
    /// What a regular expression cannot tell.
    check: fn(&str) -> bool,
    regex: OnceLock<Regex>,
}

impl Format {
    const fn new(
        id: &'static str,
        what: &'static str,
        marks: &'static [&'static str],
        shape: &'static str,
        check: fn(&str) -> bool,
    ) -> Self {
        Self { id, what, marks, lead: 0, shape, check, regex: OnceLock::new() }
    }

    /// One whose mark stands behind so many bytes of it.
    const fn after(
        lead: usize,
        id: &'static str,
        what: &'static str,
        marks: &'static [&'static str],
        shape: &'static str,
        check: fn(&str) -> bool,
    ) -> Self {
        Self { id, what, marks, lead, shape, check, regex: OnceLock::new() }
    }

    /// Where it ends, if one whose mark stands at `mark` is in the text.
    fn around(&self, text: &str, mark: usize) -> Option<Range<usize>> {
        self.marks.iter().find(|wanted| text[mark..].starts_with(**wanted))?;
        let start = mark.checked_sub(self.lead).filter(|start| text.is_char_boundary(*start))?;
        if text[..start].ends_with(is_word) {
            return None;
        }
        let compiled =
            || Regex::new(&format!("^(?:{})", self.shape)).expect("invariant: the table's expressions are tested");
        let regex = self.regex.get_or_init(compiled);
        let window = text.floor_char_boundary(start + WINDOW);
        let found = regex.find(&text[start..window]).filter(|found| (self.check)(found.as_str()))?;
        let end = start + found.end();
        if end == window && window < text.len() {
            return regex.find(&text[start..]).map(|whole| start..start + whole.end());
        }
        (!text[end..].starts_with(is_word)).then_some(start..end)
    }
}

/// Bytes by which a credential is told from what only begins like one. Of a text that is full of beginnings no more is read for each;
/// what goes on beyond is one, and is taken to its end.
const WINDOW: usize = 4_096;

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Every known credential in a text, in one pass.
pub(super) fn find(text: &str) -> impl Iterator<Item = (&'static Format, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let mark = MARKS.find_at(text, at)?.start();
            // A mark is ASCII, so the next byte begins a character.
            at = mark + 1;
            let found = FORMATS.iter().find_map(|format| Some((format, format.around(text, mark)?)));
            if let Some((format, range)) = found {
                at = range.end.max(at);
                return Some((format, range));
            }
        }
    })
}

/// What stands in every known credential.
pub(super) fn marks() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().flat_map(|format| format.marks).copied()
}

/// The names of all formats.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.id)
}

static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    let marks: Vec<String> = marks().map(regex::escape).collect();
    Regex::new(&marks.join("|")).expect("invariant: escaped texts are an expression")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&'static str> {
        find(text).map(|(format, _)| format.id).collect()
    }

    #[test]
    fn what_only_begins_like_a_credential_is_none_however_often() {
        for beginning in ["LS0tLS1CRUdJTiB", "-eyJ", "-ya29.", "/ops_eyJ", "-----BEGIN "] {
            assert_eq!(found(&beginning.repeat((1 << 15) / beginning.len())), Vec::<&str>::new(), "{beginning}");
        }
    }

    #[test]
    fn a_long_credential_is_one_to_its_end() {
        let line = "MIIJKAIBAAKCAgEAq8Zb3kQ9vXr7TnL2mW0pYc5dHs1fGjKx4uVtOaBnEiRwPzQy\n";
        let key = joined(&["-----BEGIN RSA ", "PRIVATE KEY-----\n", &line.repeat(90)]);
        let text = format!("{key}_");
        assert!(key.len() > WINDOW);
        assert!(find(&text).map(|(_, range)| range).eq(std::iter::once(0..key.len())));
    }

    /// Pieces are put together here, so that no scanner takes this file for a leak.
    fn joined(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn every_expression_is_one_and_has_its_mark() {
        for format in &FORMATS {
            assert!(Regex::new(&format!("^(?:{})", format.shape)).is_ok(), "{}", format.id);
            assert!(!format.marks.is_empty() && format.marks.iter().all(|mark| mark.is_ascii() && !mark.is_empty()));
        }
        let names: std::collections::BTreeSet<_> = ids().collect();
        assert_eq!(names.len(), FORMATS.len(), "each has a name of its own");
    }

    #[test]
    fn a_checksum_tells_a_token_from_its_likeness() {
        // Of GitHub's own announcement of the format; long revoked.
        let token = joined(&["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"]);
        assert_eq!(found(&token), ["github-token"]);
        assert_eq!(found(&token.replace('z', "y")), [""; 0]);
        assert_eq!(found(&format!("x{token}")), [""; 0], "it stands alone");
        assert_eq!(found(&format!("{token}x")), [""; 0], "it is not longer");
        assert_eq!(found(&format!("https://{token}@github.com \"{token}\"")), ["github-token"; 2]);
    }

    #[test]
    fn examples_and_likenesses_are_none() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAXXXXXXXXXXXXXXX",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "npm_config_registry",
            "sk-some-kind-of-a-name",
            "SKIP_THE_0123456789abcdef0123456789abcdef",
            "glpat-xxxxxxxxxxxxxxxxxxxx",
            "hf_hub_enable_hf_transfer",
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0123456789",
            "-----BEGIN PRIVATE KEY-----",
            "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=",
            "eyJhbGciOiJIUzI1NiJ9",
            "pk_live_0123456789abcdefghijklmn",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn known_forms_are_found_wherever_they_stand() {
        let hex = "0123456789abcdef0123456789abcdef";
        let letters = "Zb3kQ9vXr7TnL2mWc8YpHs5dFg1JhA4uE6";
        for (id, parts) in [
            ("aws-access-key-id", vec!["AKIA", "Y3FDNCWV2KZ7TQXJ"]),
            ("gitlab-token", vec!["glpat-", &letters[..20]]),
            ("slack-token", vec!["xoxb-", "1234567890-1234567890123-", &letters[..24]]),
            ("stripe-key", vec!["sk_live_", &letters[..24]]),
            ("google-api-key", vec!["AIza", letters, "x"]),
            ("npm-token", vec!["npm_", letters, "x1"]),
            ("sendgrid-key", vec!["SG.", &letters[..22], ".", letters, &letters[..9]]),
            ("twilio-key", vec!["SK", hex]),
            ("hugging-face-token", vec!["hf_", letters]),
            ("anthropic-key", vec!["sk-ant-", "api03-", letters, letters, letters]),
            ("openai-key", vec!["sk-proj-", letters, "T3BlbkFJ", letters]),
            ("azure-storage-key", vec!["AccountKey=", letters, letters, &letters[..18], "=="]),
            ("gitlab-registration-token", vec!["GR1348941", &letters[..20]]),
            ("openrouter-key", vec!["sk-or-v1-", hex, hex]),
            ("sonarqube-token", vec!["sqp_", hex, &hex[..8]]),
            ("square-token", vec!["sq0atp-", &letters[..22]]),
            ("discord-webhook", vec!["discord.com/api/webhooks/", &hex[..10], "12345678", "/", letters, letters]),
            ("langsmith-key", vec!["lsv2_pt_", hex, "_", &hex[..10]]),
            ("azure-registry-password", vec![letters, &letters[..8], "+ACR", &letters[..6]]),
            ("private-key-base64", vec!["LS0tLS1CRUdJTi", "BSU0EgUFJJVkFURSBLRVktLS0tLQ", letters, letters]),
            ("azure-client-secret", vec!["abc8Q~", letters]),
            ("private-key", vec!["-----BEGIN RSA ", "PRIVATE KEY-----\\n", letters, letters]),
            ("jwt", vec!["eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTY3ODkwIn0.", letters]),
        ] {
            let secret = joined(&parts);
            assert_eq!(found(&format!("é{secret}")), [id], "{id}");
            assert_eq!(found(&format!("run --key '{secret}' -v")), [id], "{id}");
        }
    }

    #[test]
    fn floods_of_beginnings_cost_one_pass() {
        for flood in ["SK", "eyJ.", "eyJaaaaaaaaaaaa.", "-----BEGIN ", "sk-ant-", "ghp_", "AccountKey=", "://"] {
            let text = flood.repeat((1 << 16) / flood.len());
            assert_eq!(found(&text), [""; 0], "{flood}");
        }
    }
}
