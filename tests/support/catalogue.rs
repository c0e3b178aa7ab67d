//! One fault of every kind, for sweeps over all requests of a good run.

use super::delivery::{Framing, Stop};
use super::fault::Fault;

/// Names and faults. None lasts longer than the client lets it; drips are left out, since they only slow things down.
pub fn catalogue() -> Vec<(&'static str, Fault)> {
    let mut faults = vec![
        ("login page", Fault::html()),
        ("empty 200", Fault::answer(200, &[], "")),
        ("empty object", Fault::answer(200, &[("Content-Type", "application/json")], "{}")),
        ("no content", Fault::answer(204, &[], "")),
        ("401 without challenge", Fault::status(401)),
        ("rate limit", Fault::rate_limit(None)),
        ("redirect without location", Fault::answer(307, &[], "")),
        ("redirect to nothing", Fault::Redirect(307, "http://127.0.0.1:1/".to_owned())),
        ("see other", Fault::Redirect(303, "/".to_owned())),
        ("closed before the head", Fault::Unsaid(Stop::Close)),
        ("reset before the head", Fault::Unsaid(Stop::Reset)),
        ("stalled before the head", Fault::Unsaid(Stop::Stall)),
        ("closed in the body", Fault::Cut(9, Stop::Close)),
        ("reset in the body", Fault::Cut(9, Stop::Reset)),
        ("stalled in the body", Fault::Cut(9, Stop::Stall)),
        ("endless body", Fault::Endless(Framing::Chunked)),
        ("endless headers", Fault::EndlessHeaders),
        ("no HTTP", Fault::Raw("SSH-2.0-OpenSSH_9.7\r\n".into())),
        ("length too great", Fault::Framing(Framing::Declared(1 << 40))),
        ("length too small", Fault::Framing(Framing::Declared(3))),
        ("flipped first byte", Fault::Flip(0)),
        ("flipped later byte", Fault::Flip(40)),
        ("appended white space", Fault::Append("\n".into())),
        ("appended document", Fault::Append("{}".into())),
        ("another body", Fault::Body(r#"{"schemaVersion":2}"#.into())),
        ("another digest", Fault::digest_header(format!("sha256:{:064}", 0))),
        ("no digest", Fault::digest_header("sha256:x")),
        ("another type", Fault::content_type("text/plain")),
        ("no type", Fault::NoHeader("Content-Type")),
        ("compressed", Fault::Gzip),
        ("said to be compressed", Fault::Header("Content-Encoding", "gzip".to_owned())),
        ("next page is this page", Fault::LinkLoop),
        ("next page elsewhere", Fault::Header("Link", "<http://127.0.0.1:1/v2/>; rel=\"next\"".to_owned())),
        ("range ignored", Fault::IgnoreRange),
    ];
    let statuses = [
        ("status 400", 400),
        ("status 403", 403),
        ("status 404", 404),
        ("status 405", 405),
        ("status 406", 406),
        ("status 410", 410),
        ("status 416", 416),
        ("status 418", 418),
        ("status 451", 451),
        ("status 500", 500),
        ("status 502", 502),
        ("status 503", 503),
        ("status 599", 599),
    ];
    faults.extend(statuses.map(|(name, status)| (name, Fault::status(status))));
    faults
}
