//! Days and moments: days in policies are days in UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The day of a moment.
pub fn day(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// The moment that a text names: a time with its offset (RFC 3339), or a day, which is its first moment.
pub fn moment(text: &str) -> Option<Timestamp> {
    let is_day = text.len() == "2027-01-31".len();
    let written = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    written.parse().ok()
}
