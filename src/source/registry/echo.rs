//! Servers that repeat what they were shown: in their words it stays hidden.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::form_urlencoded;

use super::secret::Secret;
use super::wire::Outgoing;

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// The secrets that a request showed to a server.
#[derive(Debug, Default)]
pub(super) struct Shown(Vec<Secret>);

impl Shown {
    /// Those of a request: of its `Authorization` as it is and decoded, and of a form that holds a token.
    pub(super) fn by(out: &Outgoing<'_>) -> Self {
        let mut texts = Vec::new();
        let header = out.authorization.and_then(|value| value.to_str().ok());
        if let Some((_, shown)) = header.and_then(|header| header.split_once(' ')) {
            texts.push(shown.to_owned());
            let pair = BASE64_STANDARD.decode(shown).ok().and_then(|pair| String::from_utf8(pair).ok());
            texts
                .extend(pair.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, password)| password.to_owned()));
        }
        let fields = form_urlencoded::parse(out.form.unwrap_or_default().as_bytes());
        texts.extend(fields.filter(|(name, _)| name == "refresh_token").map(|(_, token)| token.into_owned()));
        texts.retain(|text| !text.is_empty());
        // The longest first: one may hold another.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(texts.into_iter().map(Secret::new).collect())
    }

    /// A text of the server's without them.
    pub(super) fn hidden_in(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| text.replace(secret.expose(), HIDDEN))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use reqwest::Url;

    use super::super::wire::Take;
    use super::*;

    fn hidden(authorization: Option<&str>, form: Option<&str>, text: &str) -> String {
        let url = Url::parse("https://reg.test/").unwrap();
        let authorization = authorization.map(|text| HeaderValue::from_str(text).unwrap());
        let take = Take::Whole { cap: 0 };
        let out = Outgoing { url: &url, accept: None, range: None, authorization: authorization.as_ref(), form, take };
        Shown::by(&out).hidden_in(text.to_owned())
    }

    #[test]
    fn what_a_server_repeats_is_hidden() {
        assert_eq!(hidden(Some("Bearer abc.def"), None, "token 'abc.def' expired"), "token '(hidden)' expired");
        let basic = format!("Basic {}", BASE64_STANDARD.encode("me:pass:word"));
        assert_eq!(hidden(Some(&basic), None, "me with pass:word"), "me with (hidden)");
        assert_eq!(hidden(Some(&basic), None, &basic), "Basic (hidden)");
        assert_eq!(hidden(None, Some("a=b&refresh_token=x%2By"), "x+y for b"), "(hidden) for b");
        assert_eq!(hidden(None, None, "as it is"), "as it is");
        assert_eq!(hidden(Some("Basic Og=="), None, "nothing"), "nothing");
    }
}
