//! Faults by their names in the data.

use std::time::Duration;

use crate::support::{Fault, Framing, Stop, catalogue};

/// Reads a fault: a name of the catalogue, or one of the forms below.
pub(crate) fn read(text: &str) -> Fault {
    if let Some((_, known)) = catalogue().into_iter().find(|(name, _)| *name == text) {
        return known;
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (first, last) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "status" => Fault::status(number(rest)),
        "retry-after" => Fault::rate_limit(Some(rest)),
        "challenge" => {
            Fault::answer(401, &[("WWW-Authenticate", &format!("Bearer realm=\"{rest}\",service=\"x\""))], "")
        }
        "redirect" => Fault::Redirect(number(first), last.to_owned()),
        "redirect-below" => Fault::RedirectBelow(number(first), last.to_owned()),
        "body" => Fault::Body(rest.to_owned().into()),
        "append" => Fault::Append(rest.to_owned().into()),
        "answer" => {
            let (media_type, body) = last.split_once(' ').unwrap_or((last, ""));
            Fault::answer(number(first), &[("Content-Type", media_type)], body.to_owned())
        }
        "header" => {
            let (name, value) = rest.split_once(": ").expect("`header NAME: VALUE`");
            Fault::Header(Box::leak(name.to_owned().into_boxed_str()), value.to_owned())
        }
        "cut" => Fault::Cut(number(first), stop(last)),
        "unsaid" => Fault::Unsaid(stop(rest)),
        "declared" => Fault::Framing(Framing::Declared(number(rest))),
        "drip" => Fault::Drip(number(first), Duration::from_millis(number(last))),
        _ => panic!("`{text}` is no fault"),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

fn stop(text: &str) -> Stop {
    match text {
        "close" => Stop::Close,
        "reset" => Stop::Reset,
        "stall" => Stop::Stall,
        other => panic!("an answer does not end by `{other}`"),
    }
}
