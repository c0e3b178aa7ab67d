//! Days of the calendar.

use jiff::civil::Date;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::mistake::{Mistake, Mistakes};
use super::tree::kind;

/// Takes the day of a key out of a table; `meaning` says which day it is. Anything but a day that exists is a mistake.
pub(super) fn take_date(table: &mut DeTable<'_>, key: &str, meaning: &str, mistakes: &mut Mistakes) -> Option<Date> {
    let value = table.remove(key)?;
    let mistake = |found: &str, help: String| {
        let message = format!("`{key}`: expected a date such as 2027-01-31, found {found}");
        Mistake::at(value.span(), message).help(help)
    };
    let mistake = match value.get_ref() {
        DeValue::Datetime(Datetime { date: Some(date), time: None, offset: None }) => match day(*date) {
            Some(date) => return Some(date),
            None => mistake("a day that does not exist", "write a day of the calendar".to_owned()),
        },
        DeValue::Datetime(_) => mistake("a time", format!("write {meaning}, without a time (days are in UTC)")),
        DeValue::String(_) => mistake("a string", "write the date without quotes".to_owned()),
        other => mistake(kind(other), format!("write {meaning}: `{key} = 2027-01-31`")),
    };
    mistakes.add(mistake);
    None
}

fn day(date: toml::value::Date) -> Option<Date> {
    let (year, month, day) = (date.year.try_into().ok()?, date.month.try_into().ok()?, date.day.try_into().ok()?);
    Date::new(year, month, day).ok()
}
