//! Names that stand for values: `@request.auth.*`, `@now` and the other dates.

use jiff::{Timestamp, ToSpan as _, Zoned, tz::TimeZone};

use crate::{
    fields::dates,
    filter::{Operand, Scope},
};

/// The value of a name that begins with `@`.
pub(crate) fn resolve(name: &str, scope: Scope<'_>) -> Result<Operand, String> {
    if let Some(path) = name.strip_prefix("@request.") {
        return request(path, scope);
    }
    if name.starts_with("@collection.") {
        return Err(format!("{name} is not supported"));
    }
    let now = scope.now.to_zoned(TimeZone::UTC);
    moment(name, &now)
        .map_err(|error| format!("{name} cannot be told: {error}"))?
        .ok_or_else(|| format!("{name} is not known"))
}

fn request(path: &str, scope: Scope<'_>) -> Result<Operand, String> {
    let identity = scope.info.identity.as_ref();
    let value = match path {
        "auth.id" => identity.map(|identity| identity.id.clone()),
        "auth.collectionName" => identity.map(|identity| identity.collection.clone()),
        "auth.collectionId" => identity.map(|identity| identity.collection_id.clone()),
        "auth.email" => identity.map(|identity| identity.email.clone()),
        _ => return Err(format!("@request.{path} is not supported")),
    };
    Ok(Operand::Text(value.unwrap_or_default()))
}

fn moment(name: &str, now: &Zoned) -> Result<Option<Operand>, jiff::Error> {
    let text = |at: Timestamp| Operand::Text(dates::format(at));
    let number = |part: i32| Operand::Number(f64::from(part));
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
