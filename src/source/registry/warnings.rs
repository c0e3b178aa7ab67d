//! What registries want people to know: the header `Warning` (distribution-spec, "Warnings").

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::header::{HeaderMap, WARNING};
use serde::{Deserialize, Serialize};

use super::echo::Shown;

/// How many different warnings are kept in one run.
const KEPT: usize = 20;
/// How many characters of a warning are kept.
const LENGTH: usize = 300;
/// The code and agent of a warning that is meant for people; the specification knows no others.
const FOR_PEOPLE: &str = "299 - \"";

/// Something that a registry wants people to know. Its text is the registry's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryWarning {
    /// The host that said it, with its port.
    pub host: String,
    /// What it said: at most 300 characters.
    pub text: String,
}

/// The warnings of a run, each kept once.
#[derive(Default)]
pub(super) struct Warnings {
    heard: Mutex<BTreeSet<RegistryWarning>>,
}

impl Warnings {
    /// Keeps what a host says in the headers of an answer; what had not been heard before.
    pub(super) fn hear(&self, host: &str, headers: &HeaderMap, shown: &Shown) -> Vec<RegistryWarning> {
        let mut fresh = Vec::new();
        let hidden = |text: &[u8]| shown.hidden_in(String::from_utf8_lossy(text).into_owned());
        let values = headers.get_all(WARNING).iter().map(|value| hidden(value.as_bytes()));
        for text in values.flat_map(|value| texts(&value)) {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let warning = RegistryWarning { host: host.to_owned(), text };
            if heard.len() < KEPT && heard.insert(warning.clone()) {
                fresh.push(warning);
            }
        }
        fresh
    }

    /// All, sorted.
    pub(super) fn all(&self) -> Vec<RegistryWarning> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// The texts in one header: `299 - "one", 299 - "another"`.
fn texts(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = header.trim_start();
    while let Some(quoted) = rest.strip_prefix(FOR_PEOPLE) {
        let mut text = String::new();
        let mut characters = quoted.chars();
        let closed = loop {
            match characters.next() {
                None => break false,
                Some('"') => break true,
                Some('\\') => text.extend(characters.next()),
                Some(character) => text.push(character),
            }
        };
        if !closed {
            break;
        }
        texts.extend(Some(text.chars().take(LENGTH).collect::<String>()).filter(|text| !text.trim().is_empty()));
        rest = characters.as_str().trim_start().trim_start_matches(',').trim_start();
    }
    texts
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_read_as_the_specification_writes_them() {
        assert_eq!(
            texts(r#"299 - "Your auth token will expire in 30 seconds.""#),
            ["Your auth token will expire in 30 seconds."]
        );
        assert_eq!(texts(r#"299 - "a \"b\", c" , 299 - "d""#), ["a \"b\", c", "d"]);
        for header in ["", "299", "299 - text", "299 - \"open", "299 - \"open\\\"", "299 - \" \"", "110 - \"stale\""] {
            assert_eq!(texts(header), [""; 0], "{header}");
        }
        assert_eq!(texts(&format!("299 - \"{}\"", "x".repeat(4000)))[0].len(), LENGTH);
    }

    #[test]
    fn each_is_heard_once_and_not_too_many() {
        let warnings = Warnings::default();
        let mut headers = HeaderMap::new();
        headers.append(WARNING, HeaderValue::from_static("299 - \"old\""));
        assert_eq!(warnings.hear("reg.test", &headers, &Shown::default()).len(), 1);
        assert_eq!(warnings.hear("reg.test", &headers, &Shown::default()), []);
        assert_eq!(warnings.hear("other.test", &headers, &Shown::default()).len(), 1);
        for number in 0..100 {
            headers.insert(WARNING, HeaderValue::try_from(format!("299 - \"{number}\"")).unwrap());
            warnings.hear("reg.test", &headers, &Shown::default());
        }
        assert_eq!(warnings.all().len(), KEPT);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "(299 - |)[ -~\\t]{0,60}") {
            let _ = texts(&header);
        }
    }
}
