//! Addresses that hold a password.

use std::ops::Range;

use super::Criteria;
use super::names::Promise;
use super::values::{Manner, entropy, is_secret};

/// Bytes of an authority that are looked at.
const AUTHORITY: usize = 1024;
/// Characters from which a user's name alone may be a token.
const TOKEN: usize = 20;

/// The passwords of the addresses in a text: `https://user:password@host/`, `https://token@host/`, `user:password@tcp(host)/`.
pub(super) fn find(text: &str, manner: Manner, criteria: &Criteria<'_>) -> Vec<Range<usize>> {
    if !text.contains('@') {
        return Vec::new();
    }
    let urls = text.match_indices("://").filter_map(|(at, mark)| password(text, at + mark.len(), manner, criteria));
    let sources = text.match_indices("@tcp(").filter_map(|(at, _)| password_before(text, at, manner, criteria));
    urls.chain(sources).collect()
}

/// The password of a data source as Go's drivers write it, whose login ends at `end`.
fn password_before(text: &str, end: usize, manner: Manner, criteria: &Criteria<'_>) -> Option<Range<usize>> {
    let is_part = |byte: &&u8| !b"\"'`=/ \t\r\n".contains(byte);
    let length = text.as_bytes()[..end].iter().rev().take(AUTHORITY).take_while(is_part).count();
    let (user, password) = text.get(end - length..end)?.split_once(':')?;
    let begin = end - length + user.len() + 1;
    is_password(password, manner, criteria).then_some(begin..end)
}

/// Whether the password of an address is a literal one.
fn is_password(password: &str, manner: Manner, criteria: &Criteria<'_>) -> bool {
    let follows = |sign: char, is: fn(char) -> bool| {
        password.match_indices(sign).any(|(at, _)| password[at + 1..].chars().next().is_none_or(is))
    };
    let variable = follows('$', |c| "{(".contains(c))
        || (manner == Manner::Code && follows('$', |c| c.is_ascii_alphanumeric() || c == '_'));
    // `%s` is to be replaced, `%40` a character.
    let directive = follows('%', |c| !c.is_ascii_hexdigit());
    let braces = password.starts_with('{') && password.ends_with('}');
    !variable && !directive && !braces && is_secret(Promise::Password, password, Manner::Plain, criteria)
}

/// The password in the authority that begins at `start`.
fn password(text: &str, start: usize, manner: Manner, criteria: &Criteria<'_>) -> Option<Range<usize>> {
    let scheme = text[..start - 3].ends_with(|c: char| c.is_ascii_alphanumeric());
    let ends = |byte: &u8| b"/?#\"'<>`\\ \t\r\n".contains(byte);
    let length = text.as_bytes()[start..].iter().take(AUTHORITY).take_while(|byte| !ends(byte)).count();
    let authority = text.get(start..start + length).filter(|_| scheme)?;
    let (login, _) = authority.rsplit_once('@')?;
    let end = start + login.len();
    match login.split_once(':') {
        Some((user, password)) => {
            let begin = start + user.len() + 1;
            is_password(password, manner, criteria).then_some(begin..end)
        }
        None => (login.len() >= TOKEN
            && entropy(login) >= criteria.min_entropy
            && login.bytes().any(|b| b.is_ascii_digit())
            && !login.contains(['$', '{', '<']))
        .then_some(start..end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text, Manner::Code, &Criteria::default()).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn passwords_in_addresses_are_found() {
        assert_eq!(found("postgres://app:hunter2@db:5432/app"), ["hunter2"]);
        assert_eq!(found("git clone https://x:s3cr3t@github.com/a https://y:p4ss@b"), ["s3cr3t", "p4ss"]);
        assert_eq!(found("redis://:hunter2@cache/0"), ["hunter2"]);
        assert_eq!(
            found("https://0123456789abcdef0123456789abcdef01234567@github.com/a/b"),
            ["0123456789abcdef0123456789abcdef01234567"]
        );
        assert_eq!(found("amqp://user:p@ss@word@host"), ["p@ss@word"]);
        assert_eq!(found("postgres://app:p%40ss(*w0rd@db/app"), ["p%40ss(*w0rd"]);
        assert_eq!(found("dsn=app:hunter2@tcp(db:3306)/app"), ["hunter2"]);
        let plain = find("postgres://app:pa$$w0rd@db/", Manner::Plain, &Criteria::default());
        assert!(
            matches!(plain.as_slice(), [Range { start: 15, end: 23 }]),
            "what a document gives to a name is expanded no more"
        );
    }

    #[test]
    fn other_addresses_are_none() {
        for text in [
            "https://example.org/a:b@c",
            "ssh://git@github.com/acme/app",
            "https://$USER:$PASSWORD@host",
            "https://user:${PASSWORD}@host",
            "https://user:<password>@host",
            "https://user:@host",
            "https://%s:%s@host",
            "https://{user}:{password}@host",
            "https://user:x$PASSWORD@host",
            "https://user:%PASSWORD%@host",
            "$USER:$PASSWORD@tcp(db:3306)/",
            "app@tcp(db:3306)/",
            "://a:hunter2@b",
            "mailto:a@b",
            "https://example.org/?a=://",
            "http://[::1]:8080/@x",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
