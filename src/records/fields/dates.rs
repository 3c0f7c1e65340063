//! Dates as PocketBase writes them: `YYYY-MM-DD HH:MM:SS.mmmZ`, which sorts as text. They are read
//! in more forms than that: ISO 8601 and what Go and JavaScript print.

use jiff::{Span, Timestamp, civil, civil::DateTime, fmt::strtime, tz::Offset};

/// The longest text that is looked at, in bytes.
const MAX_LENGTH: usize = 64;

/// Forms with names of days and months. An abbreviated zone says nothing certain and is taken for
/// UTC, so it is cut off before.
const ENGLISH: &[&str] = &[
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S",
    "%d %b %y %H:%M %z",
    "%d %b %y %H:%M",
    "%A, %d-%b-%y %H:%M:%S",
    "%a %b %e %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%d %b %Y",
];

/// The text of a point in time.
pub(crate) fn format(at: Timestamp) -> String {
    format_utc(Offset::UTC.to_datetime(at))
}

/// The text of a date and time in UTC.
pub(crate) fn format_utc(time: DateTime) -> String {
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// The text of milliseconds since the Unix epoch.
pub(crate) fn format_ms(at_ms: i64) -> String {
    format(Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A date as sentences of errors say it: `2024-01-02 03:04:05 +0000 UTC`.
pub(crate) fn spelled_out(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

/// Reads a date with or without a time, with or without an offset (UTC without one), as date and
/// time in UTC: timestamps end a day before the last date that people write for "never". The first
/// instant of year 1 means no date, since that is what Go's empty date is.
pub(crate) fn parse(text: &str) -> Option<DateTime> {
    if text.len() > MAX_LENGTH || text.is_empty() {
        return None;
    }
    let at = iso(text).or_else(|| english(text))?;
    (at != civil::date(1, 1, 1).at(0, 0, 0, 0)).then_some(at)
}

/// `2024-01-02`, `2024-01-02T03:04:05.678Z`, `2024-01-02 03:04:05 +0200 CEST` and between.
fn iso(text: &str) -> Option<DateTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let date = civil::Date::new(digits(year, 4)?, small(month, 2)?, small(day, 2)?).ok()?;
    if rest.is_empty() {
        return Some(date.to_datetime(civil::Time::midnight()));
    }
    let has_t = rest.starts_with('T');
    let rest = rest.strip_prefix(['T', ' '])?;
    let end = rest
        .find(|character: char| !matches!(character, '0'..='9' | ':' | '.' | ','))
        .unwrap_or(rest.len());
    let time = time_of(&rest[..end])?;
    let offset = offset_of(&rest[end..], has_t)?;
    in_utc(date.to_datetime(time), offset)
}

fn in_utc(time: DateTime, offset: Offset) -> Option<DateTime> {
    if offset == Offset::UTC {
        return Some(time);
    }
    time.checked_sub(Span::new().seconds(offset.seconds())).ok()
}

/// `03:04:05`, with a fraction of a second or without.
fn time_of(text: &str) -> Option<civil::Time> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut parts = whole.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let hour = small(hour, 2).or_else(|| small(hour, 1))?;
    let nanoseconds = match fraction {
        None => 0,
        Some(fraction) => {
            let is_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
            if fraction.is_empty() || !is_digits {
                return None;
            }
            let padded: String = fraction
                .chars()
                .chain("000000000".chars())
                .take(9)
                .collect();
            padded.parse().ok()?
        }
    };
    civil::Time::new(hour, small(minute, 2)?, small(second, 2)?, nanoseconds).ok()
}

/// `Z`, `+02:00`, `+0200`; after a space also with a name: ` +0200 CEST`.
fn offset_of(text: &str, has_t: bool) -> Option<Offset> {
    if matches!(text, "" | "Z") {
        return Some(Offset::UTC);
    }
    let text = match text.strip_prefix(' ') {
        Some(_) if has_t => return None,
        Some(rest) => match rest.split_once(' ') {
            Some((offset, name)) if is_zone_name(name) => offset,
            Some(_) => return None,
            None => rest,
        },
        None => text,
    };
    let negative = match text.as_bytes().first()? {
        b'+' => false,
        b'-' => true,
        _ => return None,
    };
    let numbers = &text[1..];
    let (hours, minutes) = match numbers.split_once(':') {
        Some(parts) => parts,
        None => numbers.split_at_checked(2)?,
    };
    let seconds = i32::from(small(hours, 2)?) * 3_600 + i32::from(small(minutes, 2)?).min(59) * 60;
    Offset::from_seconds(if negative { -seconds } else { seconds }).ok()
}

fn english(text: &str) -> Option<DateTime> {
    let bare;
    let text = match without_zone_name(text) {
        Some(cut) => {
            bare = cut;
            bare.as_str()
        }
        None => text,
    };
    let two_digits = text.bytes().take(2).all(|byte| byte.is_ascii_digit());
    ENGLISH.iter().find_map(|form| {
        if form.starts_with("%d") && !two_digits {
            return None;
        }
        let parsed = strtime::parse(form, text).ok()?;
        let date = parsed.to_date().ok()?;
        let time = parsed.to_time().ok().unwrap_or(civil::Time::midnight());
        in_utc(
            date.to_datetime(time),
            parsed.offset().unwrap_or(Offset::UTC),
        )
    })
}

/// Without `GMT` at the end, or before the year at the end.
fn without_zone_name(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let at = words.iter().rposition(|word| is_zone_name(word))?;
    if at + 2 < words.len() || at == 0 {
        return None;
    }
    let kept: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(position, _)| *position != at)
        .map(|(_, word)| *word)
        .collect();
    Some(kept.join(" "))
}

fn is_zone_name(word: &str) -> bool {
    (3..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn digits(text: &str, length: usize) -> Option<i16> {
    let is_digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

fn small(text: &str, length: usize) -> Option<i8> {
    digits(text, length).and_then(|number| i8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_forms_that_the_peer_reads() {
        let mut wrong = Vec::new();
        for (text, expected) in [
            ("2024-01-02", "2024-01-02 00:00:00.000Z"),
            ("2024-01-02 03:04:05", "2024-01-02 03:04:05.000Z"),
            ("2024-01-02 3:04:05", "2024-01-02 03:04:05.000Z"),
            ("2024-01-02 03:04:05.6", "2024-01-02 03:04:05.600Z"),
            ("2024-01-02 03:04:05,5", "2024-01-02 03:04:05.500Z"),
            ("2024-01-02 03:04:05.678999Z", "2024-01-02 03:04:05.678Z"),
            ("2024-01-02T03:04:05", "2024-01-02 03:04:05.000Z"),
            ("2024-01-02T03:04:05+02:00", "2024-01-02 01:04:05.000Z"),
            ("2024-01-02T03:04:05-0700", "2024-01-02 10:04:05.000Z"),
            ("2024-01-02 03:04:05+02:00", "2024-01-02 01:04:05.000Z"),
            ("2024-01-02 03:04:05 +0200", "2024-01-02 01:04:05.000Z"),
            ("2024-01-02 03:04:05 +02:00", "2024-01-02 01:04:05.000Z"),
            ("2024-01-02 03:04:05 +0200 CEST", "2024-01-02 01:04:05.000Z"),
            ("Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02 03:04:05.000Z"),
            (
                "Tue, 02 Jan 2024 03:04:05 +0200",
                "2024-01-02 01:04:05.000Z",
            ),
            ("Tue Jan  2 03:04:05 2024", "2024-01-02 03:04:05.000Z"),
            ("Tue Jan  2 03:04:05 UTC 2024", "2024-01-02 03:04:05.000Z"),
            ("Tue Jan 02 03:04:05 +0200 2024", "2024-01-02 01:04:05.000Z"),
            (
                "Tuesday, 02-Jan-24 03:04:05 UTC",
                "2024-01-02 03:04:05.000Z",
            ),
            ("02 Jan 24 03:04 UTC", "2024-01-02 03:04:00.000Z"),
            ("02 Jan 24 03:04 +0200", "2024-01-02 01:04:00.000Z"),
            ("02 Jan 2006", "2006-01-02 00:00:00.000Z"),
            ("9999-12-31", "9999-12-31 00:00:00.000Z"),
            ("0000-01-01 00:00:00.000Z", "0000-01-01 00:00:00.000Z"),
            ("0001-01-01 00:00:00.000Z", ""),
            ("2024-01-02 03:04", ""),
            ("2024-01-02 03:04:05 UTC", ""),
            ("2024-01-02 03:04:05 Z", ""),
            ("2024-01-02T03:04:05.5Z07:00", ""),
            ("2024-01-02t03:04:05z", ""),
            ("2024-01-02T24:00:00Z", ""),
            ("2024-06-30T23:59:60Z", ""),
            (" 2024-01-02 ", ""),
            ("2024-02-30", ""),
            ("2024-1-2", ""),
            ("2 Jan 2024", ""),
            ("20240102", ""),
            ("10000-01-01", ""),
            ("yesterday", ""),
            ("1704164645", ""),
            ("2024-01-0é", ""),
            ("", ""),
        ] {
            let read = parse(text).map(format_utc).unwrap_or_default();
            if read != expected {
                wrong.push(format!("{text}: {read} instead of {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn limits_are_spelled_out() {
        let at = parse("2024-01-01 00:00:00.500Z").unwrap();
        assert_eq!(spelled_out(at), "2024-01-01 00:00:00.5 +0000 UTC");
        assert_eq!(at.to_string(), "2024-01-01T00:00:00.5");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_at(text in "(?s)[0-9TZ:+. éJan,-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
