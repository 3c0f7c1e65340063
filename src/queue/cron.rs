//! Cron expressions as PocketBase reads them: five segments of numbers, or a macro, to the minute.
//! A day must fit both the day of the month and that of the week. The crates for this read
//! other dialects (seconds, names, either day), so expressions would mean something else here.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// The longest expression, in bytes.
const MAX_EXPRESSION: usize = 500;
/// How many days ahead a time is looked for: a 29th of February on a given weekday comes within 40
/// years.
const HORIZON_DAYS: u32 = 40 * 366;

/// The hours of an expression that names none.
const EVERY_HOUR: u64 = (1 << 24) - 1;

/// The smallest and largest number of each segment.
const MINUTES: (u8, u8) = (0, 59);
const HOURS: (u8, u8) = (0, 23);
const DAYS: (u8, u8) = (1, 31);
const MONTHS: (u8, u8) = (1, 12);
const WEEKDAYS: (u8, u8) = (0, 6);

/// A cron expression that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

impl Cron {
    /// Reads an expression; the error is the reason in a sentence.
    pub fn parse(expression: &str) -> Result<Self, String> {
        let expression = match expression {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let segments: Vec<&str> = expression.split(' ').collect();
        let [minutes, hours, days, months, weekdays] = segments[..] else {
            return Err(
                "Invalid cron expression - must be a valid macro or to have exactly 5 space \
                 separated segments."
                    .to_owned(),
            );
        };
        if expression.len() > MAX_EXPRESSION {
            return Err(format!(
                "Invalid cron expression - must have no more than {MAX_EXPRESSION} characters."
            ));
        }
        Ok(Self {
            minutes: segment(minutes, MINUTES)?,
            hours: segment(hours, HOURS)?,
            days: segment(days, DAYS)?,
            months: segment(months, MONTHS)?,
            weekdays: segment(weekdays, WEEKDAYS)?,
        })
    }

    /// The first minute after `after_ms` that is one of those in UTC; none within forty years.
    pub fn next(&self, after_ms: i64) -> Option<i64> {
        self.next_in(after_ms, &TimeZone::UTC)
    }

    /// [`Cron::next`] by the clocks of a time zone. What falls into the hour that is skipped in
    /// spring is due an hour later; what falls into the hour that autumn repeats is due the first
    /// time. An expression for every hour follows the hours that really pass.
    pub fn next_in(&self, after_ms: i64, zone: &TimeZone) -> Option<i64> {
        let minute_ms = 60_000;
        let next_ms = after_ms.div_euclid(minute_ms) + 1;
        let next_ms = next_ms.checked_mul(minute_ms)?;
        let from = Timestamp::from_millisecond(next_ms).ok()?;
        if self.hours == EVERY_HOUR
            && let Some(at_ms) = self.within_the_hour(from, zone)
        {
            return Some(at_ms);
        }
        let from = from.to_zoned(zone.clone()).datetime();
        let mut date = from.date();
        for day in 0..=HORIZON_DAYS {
            if self.fits_day(date.at(0, 0, 0, 0)) {
                let (hour, minute) = if day == 0 {
                    (from.hour(), from.minute())
                } else {
                    (0, 0)
                };
                if let Some(at_ms) = self.in_day(date, (hour, minute), after_ms, zone)? {
                    return Some(at_ms);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The first fitting minute of the next hour, as it passes.
    fn within_the_hour(&self, from: Timestamp, zone: &TimeZone) -> Option<i64> {
        (0..60).find_map(|minute: i64| {
            let at = from.checked_add(SignedDuration::from_mins(minute)).ok()?;
            let civil = at.to_zoned(zone.clone()).datetime();
            let fits = has(self.minutes, civil.minute()) && self.fits_day(civil);
            fits.then(|| at.as_millisecond())
        })
    }

    /// The first fitting time of a day that comes after `after_ms`: one that a clock set back
    /// shows again has been.
    #[expect(clippy::option_option, reason = "the outer one ends the search")]
    fn in_day(
        &self,
        date: Date,
        (mut hour, mut minute): (i8, i8),
        after_ms: i64,
        zone: &TimeZone,
    ) -> Option<Option<i64>> {
        while let Some(found) = self.time_from(hour, minute) {
            let at = date
                .at(found.0, found.1, 0, 0)
                .to_zoned(zone.clone())
                .ok()?;
            let at_ms = at.timestamp().as_millisecond();
            if at_ms > after_ms {
                return Some(Some(at_ms));
            }
            (hour, minute) = match found {
                (hour, 59) => (hour + 1, 0),
                (hour, minute) => (hour, minute + 1),
            };
        }
        Some(None)
    }

    fn fits_day(&self, at: DateTime) -> bool {
        has(self.days, at.day())
            && has(self.months, at.month())
            && has(self.weekdays, at.weekday().to_sunday_zero_offset())
    }

    /// The first time of a day that is not before the given one.
    fn time_from(&self, hour: i8, minute: i8) -> Option<(i8, i8)> {
        let at = (hour..24).find(|at| {
            let from = if *at == hour { minute } else { 0 };
            has(self.hours, *at) && (from..60).any(|minute| has(self.minutes, minute))
        })?;
        let from = if at == hour { minute } else { 0 };
        let minute = (from..60).find(|minute| has(self.minutes, *minute))?;
        Some((at, minute))
    }
}

fn has(set: u64, number: i8) -> bool {
    u32::try_from(number).is_ok_and(|number| set & (1 << number) != 0)
}

/// The numbers of a segment, such as `*/5`, `1-30/2` or `1,2,10-12`, as a set of bits.
fn segment(segment: &str, (min, max): (u8, u8)) -> Result<u64, String> {
    let mut set = 0;
    for part in segment.split(',') {
        let pieces: Vec<&str> = part.split('/').collect();
        let (range, step) = match pieces[..] {
            [range] => (range, 1),
            [range, step] => {
                let step = number(step)?;
                if step < 1 || step > i64::from(max) {
                    return Err(format!(
                        "Invalid segment step boundary - the step must be between 1 and the {max}."
                    ));
                }
                (range, step)
            }
            _ => {
                return Err(
                    "Invalid segment step format - must be in the format */n or 1-30/n.".to_owned(),
                );
            }
        };
        let (from, to) = bounds(range, step, (min, max))?;
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        for number in (from..=to).step_by(step) {
            set |= 1_u64 << number;
        }
    }
    Ok(set)
}

fn bounds(range: &str, step: i64, (min, max): (u8, u8)) -> Result<(u8, u8), String> {
    if range == "*" {
        return Ok((min, max));
    }
    let within = |number: i64, least: u8| {
        let number = u8::try_from(number).ok()?;
        (least..=max).contains(&number).then_some(number)
    };
    match range.split('-').collect::<Vec<_>>()[..] {
        [single] => {
            if step != 1 {
                return Err(
                    "Invalid segment step - step > 1 could be used only with the wildcard or \
                     range format."
                        .to_owned(),
                );
            }
            let number = within(number(single)?, min)
                .ok_or("Invalid segment value - must be between the min and max of the segment.")?;
            Ok((number, number))
        }
        [from, to] => {
            let from = within(number(from)?, min).ok_or_else(|| {
                format!("Invalid segment range minimum - must be between {min} and {max}.")
            })?;
            let to = within(number(to)?, from).ok_or_else(|| {
                format!("Invalid segment range maximum - must be between {from} and {max}.")
            })?;
            Ok((from, to))
        }
        _ => Err("Invalid segment range format - the range must have 1 or 2 parts.".to_owned()),
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("Invalid segment value - {text:?} is not a number."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn the_next_time_is_found() {
        let check = |expression: &str, after: &str, expected: &str| {
            let schedule = Cron::parse(expression).unwrap();
            let next = schedule.next(at(after));
            assert_eq!(next, Some(at(expected)), "{expression} after {after}");
        };
        check("* * * * *", "2026-11-23T03:41:12Z", "2026-11-23T03:42:00Z");
        check("* * * * *", "2026-11-23T03:41:00Z", "2026-11-23T03:42:00Z");
        check(
            "*/5 * * * *",
            "2026-11-23T03:41:00Z",
            "2026-11-23T03:45:00Z",
        );
        check("@daily", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z");
        check("@weekly", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z");
        check(
            "0 */6 * * *",
            "2026-11-23T18:00:00Z",
            "2026-11-24T00:00:00Z",
        );
        check(
            "59 23 29 2 *",
            "2026-01-01T00:00:00Z",
            "2028-02-29T23:59:00Z",
        );
        check(
            "30 4 13 * 5",
            "2026-01-01T00:00:00Z",
            "2026-02-13T04:30:00Z",
        );
        check(
            "1-10/4,58 3 * * *",
            "2026-11-23T03:05:00Z",
            "2026-11-23T03:09:00Z",
        );
        check(
            "1-10/4,58 3 * * *",
            "2026-11-23T03:09:00Z",
            "2026-11-23T03:58:00Z",
        );
        check(
            "0 0 * 1-3/2 *",
            "2026-03-31T00:00:00Z",
            "2027-01-01T00:00:00Z",
        );
    }

    #[test]
    fn clocks_that_change_neither_skip_nor_double() {
        let check = |expression: &str, zone: &str, after: &str, expected: &[&str]| {
            let (cron, zone) = (
                Cron::parse(expression).unwrap(),
                TimeZone::get(zone).unwrap(),
            );
            let mut at_ms = at(after);
            for expected in expected {
                at_ms = cron.next_in(at_ms, &zone).unwrap();
                assert_eq!(at_ms, at(expected), "{expression}: {expected}");
            }
        };
        let berlin = "Europe/Berlin";
        // 02:30 does not exist on the 29th of March and is there twice on the 25th of October.
        check(
            "30 2 * * *",
            berlin,
            "2026-03-28T00:00:00Z",
            &[
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:30:00Z",
                "2026-03-30T00:30:00Z",
            ],
        );
        check(
            "30 2 * * *",
            berlin,
            "2026-10-24T12:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
        check(
            "30 2,3 * * *",
            berlin,
            "2026-03-29T00:00:00Z",
            &["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"],
        );
        check(
            "*/30 * * * *",
            berlin,
            "2026-10-25T00:00:00Z",
            &[
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z",
            ],
        );
        check(
            "0 9 * * 1",
            "America/New_York",
            "2026-11-01T00:00:00Z",
            &["2026-11-02T14:00:00Z"],
        );
        check(
            "*/5 * * * *",
            "Asia/Kathmandu",
            "2026-11-01T00:01:00Z",
            &["2026-11-01T00:05:00Z"],
        );
    }

    #[test]
    fn what_never_comes_is_no_endless_search() {
        let never = Cron::parse("0 0 30 2 *").unwrap();
        assert_eq!(never.next(at("2026-01-01T00:00:00Z")), None);
        assert_eq!(never.next(i64::MAX), None);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let check = |expression: &str, expected: &str| {
            let reason = Cron::parse(expression).expect_err(expression);
            assert!(reason.contains(expected), "{expression:?}: {reason}");
        };
        for five in [
            "",
            " ",
            "bad",
            "* * * *",
            "*  * * * *",
            " @daily",
            "@DAILY",
            "@reboot",
        ] {
            check(five, "exactly 5 space separated segments");
        }
        check("60 * * * *", "Invalid segment value - must be between");
        check("* * 0 * *", "Invalid segment value - must be between");
        check("* * * 13 *", "Invalid segment value - must be between");
        check("* * * * 7", "Invalid segment value - must be between");
        check("*/0 * * * *", "the step must be between 1 and the 59");
        check("* */24 * * *", "the step must be between 1 and the 23");
        check("1-60 * * * *", "range maximum - must be between 1 and 59");
        check("5-1 * * * *", "range maximum - must be between 5 and 59");
        check("70-80 * * * *", "range minimum - must be between 0 and 59");
        check("1/2 * * * *", "step > 1 could be used only");
        check("1/2/3 * * * *", "must be in the format */n or 1-30/n");
        check("1-2-3 * * * *", "the range must have 1 or 2 parts");
        check("a * * * *", "is not a number");
        check("1,,2 * * * *", "is not a number");
        check("* * * JAN *", "is not a number");
        check(
            &format!("0{} * * * *", ",0".repeat(300)),
            "no more than 500",
        );
    }
}
