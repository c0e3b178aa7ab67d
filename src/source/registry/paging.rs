//! Lists that come in pages (distribution-spec, "Listing Tags", "Listing Referrers"; RFC 8288).

use std::collections::HashSet;

use http::header::LINK;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::answer::Answer;
use super::wire::origin;
use crate::graph::Cause;

/// The most pages of one list that are read.
const PAGES: usize = 100;

/// The way through the pages of one list.
pub(super) struct Pages {
    seen: HashSet<String>,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self { seen: HashSet::new() }
    }

    /// The URL of the page after the one at `url`, if there is one. `grew` says whether the page held anything new.
    ///
    /// The registry alone serves its list: a link to another host or path is an error, and so is a list that does not
    /// get longer. Only the link's query is taken over, for behind a redirect the same path starts at the registry again.
    pub(super) fn next(&mut self, url: &Url, answer: &Answer, grew: bool) -> Result<Option<Url>, Cause> {
        let failed = |detail: String| Err(Cause::Paging { detail });
        self.seen.insert(url.query().unwrap_or_default().to_owned());
        let Some(target) = next_link(answer) else { return Ok(None) };
        let Ok(linked) = answer.url.join(&target) else { return failed(format!("the next page is '{target}'")) };
        if origin(&linked) != origin(&answer.url) || path(&linked) != path(&answer.url) {
            return failed(format!("the next page would be elsewhere: '{target}'"));
        }
        if !grew {
            return failed("a page brought nothing new and names a next one".into());
        }
        if self.seen.len() >= PAGES {
            return failed(format!("more than {PAGES} pages"));
        }
        if self.seen.contains(linked.query().unwrap_or_default()) {
            return failed("they lead in a circle".into());
        }
        let mut next = url.clone();
        next.set_query(linked.query());
        Ok(Some(next))
    }
}

fn path(url: &Url) -> Vec<u8> {
    percent_decode_str(url.path()).collect()
}

/// The target of the first link whose relation is `next`.
fn next_link(answer: &Answer) -> Option<String> {
    let values = answer.headers.get_all(LINK).iter();
    values.filter_map(|value| value.to_str().ok()).find_map(next_of)
}

/// The same in one `Link` header: `<target>; parameter=value, <target>; …`.
fn next_of(mut header: &str) -> Option<String> {
    while let Some((_, rest)) = header.split_once('<') {
        let (target, rest) = rest.split_once('>')?;
        let (mut parameters, following) = cut(rest, ',');
        while !parameters.is_empty() {
            let (parameter, more) = cut(parameters, ';');
            if is_next(parameter) {
                return Some(target.trim().to_owned());
            }
            parameters = more;
        }
        header = following;
    }
    None
}

/// What stands before and behind the first separator that is not in quotes.
fn cut(text: &str, separator: char) -> (&str, &str) {
    let mut quoted = false;
    let at = text.find(|c| {
        quoted ^= c == '"';
        c == separator && !quoted
    });
    let (before, behind) = text.split_at(at.unwrap_or(text.len()));
    (before, behind.strip_prefix(separator).unwrap_or(behind))
}

/// Whether a parameter is `rel` with `next` among its values.
fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::super::echo::Shown;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = "https://reg.test/v2/acme/app/referrers/sha256:ab";

    fn page(url: &str, link: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_str(link).unwrap());
        Answer {
            status: StatusCode::OK,
            headers,
            url: Url::parse(url).unwrap(),
            body: Bytes::new(),
            shown: Shown::default(),
        }
    }

    fn next(link: &str) -> Result<Option<String>, Cause> {
        let url = Url::parse(LIST).unwrap();
        Pages::new().next(&url, &page(LIST, link), true).map(|next| next.map(String::from))
    }

    #[test]
    fn the_next_page_is_found_in_any_spelling() {
        let wanted = Ok(Some(format!("{LIST}?page=2")));
        for link in [
            "</v2/acme/app/referrers/sha256:ab?page=2>; rel=\"next\"",
            "<?page=2>;rel=next",
            "<https://reg.test:443/v2/acme/app/referrers/sha256%3Aab?page=2>; REL=\"last Next\"",
            "</x>; rel=\"prev\"; title=\"a, <b>; rel=next\", <?page=2>; foo; rel=\"next\"",
        ] {
            assert_eq!(next(link), wanted, "{link}");
        }
        for link in ["", "<", "<a", "</x>; rel=\"prev\"", "</x>", "rel=next", "</x>; rel"] {
            assert_eq!(next(link), Ok(None), "{link}");
        }
    }

    #[test]
    fn a_list_stays_where_it_is() {
        for link in [
            "<https://evil.test/v2/acme/app/referrers/sha256:ab?page=2>; rel=next",
            "<http://reg.test/v2/acme/app/referrers/sha256:ab?page=2>; rel=next",
            "<https://reg.test:8443/v2/acme/app/referrers/sha256:ab?page=2>; rel=next",
            "</v2/acme/other/referrers/sha256:ab?page=2>; rel=next",
            "<../sha256:cd>; rel=next",
            "<https://>; rel=next",
        ] {
            assert!(matches!(next(link), Err(Cause::Paging { .. })), "{link}");
        }
    }

    #[test]
    fn a_list_ends() {
        let mut pages = Pages::new();
        let mut url = Url::parse(LIST).unwrap();
        for at in 1..PAGES {
            url = pages.next(&url, &page(LIST, &format!("<?page={at}>; rel=next")), true).unwrap().unwrap();
        }
        assert!(pages.next(&url, &page(LIST, "<?page=x>; rel=next"), true).is_err());

        let url = Url::parse(LIST).unwrap();
        assert!(Pages::new().next(&url, &page(LIST, &format!("<{LIST}>; rel=next")), true).is_err(), "a circle");
        assert!(Pages::new().next(&url, &page(LIST, "<?page=2>; rel=next"), false).is_err(), "nothing new");
    }

    #[test]
    fn behind_a_redirect_only_the_query_is_taken() {
        let elsewhere = "https://mirror.test/v2/other/referrers/sha256:ab";
        let next = Pages::new().next(&Url::parse(LIST).unwrap(), &page(elsewhere, "<?page=2>; rel=next"), true);
        assert_eq!(next, Ok(Some(Url::parse(&format!("{LIST}?page=2")).unwrap())));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(link in "[<>;,=\"a-z ?é]{0,40}") {
            let _ = next_of(&link);
        }
    }
}
