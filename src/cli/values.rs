//! How values on the command line are written.

use std::time::Duration;

use jiff::Timestamp;
use ocilint::{Target, policy};

/// `90s`, `10m`, `1h30m`; a plain number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| "write a time such as `90s` or `10m`".to_owned())?;
    Duration::try_from(span).map_err(|_| "a time is not negative".to_owned())
}

/// `30d`, `4w`; a plain number is days.
pub(super) fn days(text: &str) -> Result<u32, String> {
    let (number, of) = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(days), _) => (days, 1),
        (_, Some(weeks)) => (weeks, 7),
        _ => (text, 1),
    };
    let number: Option<u32> = number.parse().ok();
    number.and_then(|number| number.checked_mul(of)).ok_or_else(|| "write a number of days such as `30d`".to_owned())
}

pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let help = "write a day such as `2027-01-31`, or a time such as `2027-01-31T12:00:00Z`";
    policy::moment(text).ok_or_else(|| help.to_owned())
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (registry, host) = text.split_once('=').ok_or_else(|| "write REGISTRY=HOST".to_owned())?;
    Ok((registry.to_owned(), host.to_owned()))
}

pub(super) fn target(text: &str) -> Result<Target, String> {
    Target::parse(text).map_err(|error| format!("{error}: {}", error.help()))
}
