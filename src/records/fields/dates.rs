//! Dates as PocketBase writes them: `YYYY-MM-DD HH:MM:SS.mmmZ`, which sorts as text.

use jiff::{Timestamp, civil, tz::TimeZone};

/// The text of a point in time.
pub(crate) fn format(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S.%3fZ").to_string()
}

/// The text of milliseconds since the Unix epoch.
pub(crate) fn format_ms(at_ms: i64) -> String {
    format(Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Reads a date with or without a time, with or without an offset (UTC without one).
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let utc = |date: civil::DateTime| date.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    if let Ok(date) = text.parse::<civil::DateTime>() {
        return utc(date);
    }
    text.parse::<civil::Date>()
        .ok()
        .and_then(|date| utc(date.to_datetime(civil::Time::midnight())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_usual_forms() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(parse(text).map(format).as_deref(), expected, "{text}");
        };
        check("2024-01-02", Some("2024-01-02 00:00:00.000Z"));
        check("2024-01-02 03:04:05", Some("2024-01-02 03:04:05.000Z"));
        check("2024-01-02 03:04:05.678Z", Some("2024-01-02 03:04:05.678Z"));
        check(
            "2024-01-02T03:04:05+02:00",
            Some("2024-01-02 01:04:05.000Z"),
        );
        check("2024-02-30", None);
        check("yesterday", None);
        check("", None);
    }
}
