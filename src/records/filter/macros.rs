//! Names that stand for points in time: `@now` and its kin, all in UTC.

use jiff::{Timestamp, ToSpan as _, Zoned, tz::TimeZone};
use mito_database::Value;

use crate::fields::dates;

/// The value of a macro; `None` when the name is not one.
pub(crate) fn resolve(name: &str, now: Timestamp) -> Result<Option<Value>, String> {
    if !name.starts_with('@') {
        return Ok(None);
    }
    let now = now.to_zoned(TimeZone::UTC);
    moment(name, &now).map_err(|error| format!("{name} cannot be told: {error}"))
}

fn moment(name: &str, now: &Zoned) -> Result<Option<Value>, jiff::Error> {
    let text = |at: Timestamp| Value::Text(dates::format(at));
    let number = |part: i32| Value::Real(f64::from(part));
    let day = now.start_of_day()?;
    let month = day.first_of_month()?;
    let year = day.first_of_year()?;
    let before = |next: Zoned| {
        next.checked_sub(1.millisecond())
            .map(|at| text(at.timestamp()))
    };
    Ok(Some(match name {
        "@now" => text(now.timestamp()),
        "@yesterday" => text(now.checked_sub(1.day())?.timestamp()),
        "@tomorrow" => text(now.checked_add(1.day())?.timestamp()),
        "@todayStart" => text(day.timestamp()),
        "@todayEnd" => before(day.checked_add(1.day())?)?,
        "@monthStart" => text(month.timestamp()),
        "@monthEnd" => before(month.checked_add(1.month())?)?,
        "@yearStart" => text(year.timestamp()),
        "@yearEnd" => before(year.checked_add(1.year())?)?,
        "@second" => number(now.second().into()),
        "@minute" => number(now.minute().into()),
        "@hour" => number(now.hour().into()),
        "@weekday" => number(now.weekday().to_sunday_zero_offset().into()),
        "@day" => number(now.day().into()),
        "@month" => number(now.month().into()),
        "@year" => number(now.year().into()),
        _ => return Ok(None),
    }))
}
