//! The grammar of references, by hand: a regular expression for it takes milliseconds to build.

use std::net::Ipv6Addr;

use super::{HUB, HUB_HOST, Reference, ReferenceProblem};

/// The longest repository name that registries take (distribution/reference).
const REPOSITORY_MAX: usize = 255;
/// The longest tag (distribution-spec, "Pulling manifests").
const TAG_MAX: usize = 128;
/// The longest host name (RFC 1035, as text).
const HOST_MAX: usize = 253;

/// A problem at a byte offset.
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) problem: ReferenceProblem,
}

impl Fault {
    fn new(at: usize, problem: ReferenceProblem) -> Self {
        Self { at, problem }
    }

    /// The same fault seen from a text that has `offset` more bytes in front.
    fn after(offset: usize) -> impl FnOnce(Self) -> Self {
        move |fault| Self::new(fault.at.saturating_add(offset), fault.problem)
    }
}

type Parsed<T> = Result<T, Fault>;

pub(super) fn reference(text: &str) -> Parsed<Reference> {
    refuse_other_forms(text)?;
    let (named, digest) = cut(text, '@');
    let (host, rest) = split_host(named);
    let registry = host.map_or_else(|| Ok(HUB.into()), registry)?;
    let rest_at = named.len() - rest.len();
    let (path, tag) = cut(rest, ':');
    let repository = repository(path, registry == HUB).map_err(Fault::after(rest_at))?;
    if let Some(tag) = tag {
        check_tag(tag).map_err(Fault::after(rest_at + path.len() + 1))?;
    }
    let digest = digest.map(|digest| read_digest(digest, named.len() + 1)).transpose()?;
    Ok(Reference { registry, repository, tag: tag.map(Into::into), digest })
}

/// What is in front of the first `separator` and, if there is one, what is behind it.
fn cut(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(front, back)| (front, Some(back)))
}

/// Refuses what people write instead of references, for a message better than the grammar's.
fn refuse_other_forms(text: &str) -> Parsed<()> {
    let is_id = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let problem = match text {
        "" => ReferenceProblem::Empty,
        _ if text.contains("://") => ReferenceProblem::Scheme,
        _ if is_id => ReferenceProblem::ImageId,
        _ => return Ok(()),
    };
    Err(Fault::new(0, problem))
}

/// Cuts off the host as Docker does: what is in front of the first slash, if it has a dot, a colon or an upper-case letter, or is `localhost`.
fn split_host(named: &str) -> (Option<&str>, &str) {
    match named.split_once('/') {
        Some((first, rest))
            if first == "localhost" || first.contains(['.', ':', '[']) || first.contains(char::is_uppercase) =>
        {
            (Some(first), rest)
        }
        _ => (None, named),
    }
}

fn registry(host: &str) -> Parsed<String> {
    let (name, port) = if host.starts_with('[') { split_ipv6(host)? } else { cut(host, ':') };
    if !name.starts_with('[') {
        check_host_name(name)?;
    }
    let port = port.map(|port| read_port(port).map_err(Fault::after(name.len() + 1))).transpose()?;
    let name = name.to_ascii_lowercase();
    let hub = [HUB, "index.docker.io", HUB_HOST, "registry.hub.docker.com"].contains(&name.as_str());
    Ok(match port {
        None | Some(443) if hub => HUB.into(),
        None => name,
        Some(port) => format!("{name}:{port}"),
    })
}

/// Cuts `[address]:port` into `[address]` and the port.
fn split_ipv6(host: &str) -> Parsed<(&str, Option<&str>)> {
    let fault = || Fault::new(0, ReferenceProblem::Ipv6);
    let (before, after) = host.split_once(']').ok_or_else(fault)?;
    let address = before.strip_prefix('[').ok_or_else(fault)?;
    // Neither a zone nor an embedded IPv4 address: the grammar has no `%` and no `.` here.
    let plain = address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    if !plain || address.parse::<Ipv6Addr>().is_err() {
        return Err(fault());
    }
    let port = match after {
        "" => None,
        _ => Some(after.strip_prefix(':').ok_or_else(fault)?),
    };
    Ok((host.strip_suffix(after).unwrap_or(host), port))
}

fn check_host_name(name: &str) -> Parsed<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if let Some((at, c)) = name.char_indices().find(|&(_, c)| !allowed(c)) {
        return Err(Fault::new(at, ReferenceProblem::HostCharacter(c)));
    }
    if name.len() > HOST_MAX {
        return Err(Fault::new(0, ReferenceProblem::HostTooLong));
    }
    for (at, label) in pieces(name, |c| c == '.') {
        if label.is_empty() || label.starts_with('-') || label.ends_with('-') {
            return Err(Fault::new(at, ReferenceProblem::HostLabel));
        }
    }
    Ok(())
}

fn read_port(text: &str) -> Parsed<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(Fault::new(0, ReferenceProblem::Port)),
    }
}

fn repository(path: &str, hub: bool) -> Parsed<String> {
    for (at, component) in pieces(path, |c| c == '/') {
        check_component(component).map_err(Fault::after(at))?;
    }
    let official = hub && !path.contains('/');
    let repository = if official { format!("library/{path}") } else { path.into() };
    if repository.len() > REPOSITORY_MAX {
        return Err(Fault::new(0, ReferenceProblem::RepositoryTooLong));
    }
    Ok(repository)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn check_component(component: &str) -> Parsed<()> {
    if component.is_empty() {
        return Err(Fault::new(0, ReferenceProblem::RepositoryEmpty));
    }
    for (at, c) in component.char_indices() {
        match c {
            'a'..='z' | '0'..='9' | '.' | '_' | '-' => {}
            'A'..='Z' => return Err(Fault::new(at, ReferenceProblem::RepositoryUppercase(c))),
            _ => return Err(Fault::new(at, ReferenceProblem::RepositoryCharacter(c))),
        }
    }
    let end = component.len();
    for (at, run) in pieces(component, |c: char| c.is_ascii_alphanumeric()) {
        let outside = at == 0 || at + run.len() == end;
        let separates = matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-');
        if !run.is_empty() && (outside || !separates) {
            return Err(Fault::new(at, ReferenceProblem::RepositorySeparator));
        }
    }
    Ok(())
}

/// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
fn check_tag(tag: &str) -> Parsed<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if tag.is_empty() {
        return Err(Fault::new(0, ReferenceProblem::TagEmpty));
    }
    if let Some((at, c)) = tag.char_indices().find(|&(_, c)| !allowed(c)) {
        return Err(Fault::new(at, ReferenceProblem::TagCharacter(c)));
    }
    if tag.starts_with(['.', '-']) {
        return Err(Fault::new(0, ReferenceProblem::TagStart));
    }
    if tag.len() > TAG_MAX {
        return Err(Fault::new(TAG_MAX, ReferenceProblem::TagTooLong));
    }
    Ok(())
}

fn read_digest(text: &str, at: usize) -> Parsed<super::Digest> {
    match text.find('@') {
        Some(second) => Err(Fault::new(at + second, ReferenceProblem::SeveralDigests)),
        None => text.parse().map_err(|error| Fault::new(at, ReferenceProblem::Digest(error))),
    }
}

/// The pieces of `text` between separators of one byte, each with its offset.
fn pieces(text: &str, separates: impl Fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    text.split(separates).map(move |piece| {
        let at = next;
        next += piece.len() + 1;
        (at, piece)
    })
}
