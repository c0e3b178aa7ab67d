//! What a registry asks for with a 401 (RFC 9110, distribution's token specification).

use http::header::{HeaderMap, WWW_AUTHENTICATE};
use http_auth::{ChallengeParser, ChallengeRef};

/// The way in that a 401 names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token that the server at `realm` gives out.
    Bearer {
        realm: String,
        service: Option<String>,
        /// One or more scopes, with spaces between them.
        scope: Option<String>,
    },
    /// A name and a password.
    Basic,
}

impl Challenge {
    /// The first way in that is understood; tokens come before passwords. Whatever is no challenge is passed over.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let mut challenges: Vec<Self> =
            values.flat_map(ChallengeParser::new).filter_map(|it| Self::read(&it.ok()?)).collect();
        challenges.sort_by_key(|challenge| *challenge == Self::Basic);
        challenges.into_iter().next()
    }

    fn read(challenge: &ChallengeRef<'_>) -> Option<Self> {
        let parameter = |name: &str| {
            let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped()).filter(|text| !text.is_empty())
        };
        match challenge.scheme {
            scheme if scheme.eq_ignore_ascii_case("bearer") => Some(Self::Bearer {
                realm: parameter("realm")?,
                service: parameter("service"),
                scope: parameter("scope"),
            }),
            scheme if scheme.eq_ignore_ascii_case("basic") => Some(Self::Basic),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(values: &[&[u8]]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(value).unwrap());
        }
        Challenge::from_headers(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(Into::into), scope: scope.map(Into::into) }
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let hub = br#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull""#;
        let wanted =
            bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:library/alpine:pull"));
        assert_eq!(read(&[hub]), Some(wanted.clone()));
        assert_eq!(read(&[b"Basic realm=\"x\"", hub]), Some(wanted), "tokens come first");
        assert_eq!(
            read(&[b"bEARER Realm=\"https://r\" , SCOPE=\"a b\""]),
            Some(bearer("https://r", None, Some("a b")))
        );
        assert_eq!(read(&[b"Basic realm=\"x\", Bearer realm=\"https://r\""]), Some(bearer("https://r", None, None)));
        assert_eq!(read(&[b"Basic"]), Some(Challenge::Basic));
        assert_eq!(read(&[br#"Bearer realm="https://r/\"q\"""#]), Some(bearer("https://r/\"q\"", None, None)));
    }

    #[test]
    fn what_is_no_challenge_is_passed_over() {
        for value in [
            &b""[..],
            b"Bearer",
            b"Bearer realm=\"\"",
            b"Negotiate",
            b"\xff\xfe",
            b"Bearer realm=\"https://r",
            b"=,,\"",
            b"Bearer ,",
        ] {
            assert_eq!(read(&[value]), None, "{:?}", String::from_utf8_lossy(value));
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[b"\xff", b"Basic realm=\"x\""]), Some(Challenge::Basic));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in "(Bearer |Basic |)[ -~\\t]{0,60}") {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                let mut headers = HeaderMap::new();
                headers.append(WWW_AUTHENTICATE, value);
                let _ = Challenge::from_headers(&headers);
            }
        }
    }
}
