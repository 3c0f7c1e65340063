//! `strftime` without a database: times as SQLite reads and writes them. What it does not know it
//! says, so that the database can be asked.

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
};
use mito_database::Value;

/// The parts of a format that can be told.
const PARTS: &str = "deFfgGHIjklmMpPRsSTuUVwWY";

/// A part of a format.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Literal(String),
    /// The letter behind a `%`.
    Part(char),
}

/// What a modifier does to a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shift {
    Seconds(f64),
    Months(i32),
    StartOf(Unit),
    /// To the next day of the week, from Sunday, if it is not that day.
    Weekday(i8),
}

/// What a time can be at the start of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Day,
    Month,
    Year,
}

/// A time, format or modifier that only the database knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// The parts of a format; `None` when there is one that cannot be told.
pub(crate) fn pieces(format: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            literal.push(character);
            continue;
        }
        match characters.next()? {
            '%' => literal.push('%'),
            part if PARTS.contains(part) => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Part(part));
            }
            _ => return None,
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Some(pieces)
}

/// What a modifier does.
pub(crate) fn shift(modifier: &str) -> Result<Shift, Unknown> {
    let modifier = modifier.trim().to_ascii_lowercase();
    match modifier.as_str() {
        "start of day" => return Ok(Shift::StartOf(Unit::Day)),
        "start of month" => return Ok(Shift::StartOf(Unit::Month)),
        "start of year" => return Ok(Shift::StartOf(Unit::Year)),
        _ => {}
    }
    let (amount, unit) = modifier.split_once(' ').ok_or(Unknown)?;
    let unit = unit.trim();
    if amount == "weekday" {
        let day = unit.parse().ok().filter(|day| (0..=6).contains(day));
        return day.map(Shift::Weekday).ok_or(Unknown);
    }
    let digits = amount.strip_prefix(['-', '+']).unwrap_or(amount);
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unknown);
    }
    let whole: i32 = amount.parse().map_err(|_| Unknown)?;
    let seconds = |each: f64| Ok(Shift::Seconds(f64::from(whole) * each));
    match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => seconds(1.0),
        "minute" => seconds(60.0),
        "hour" => seconds(3_600.0),
        "day" => seconds(86_400.0),
        "month" => Ok(Shift::Months(whole)),
        "year" => whole.checked_mul(12).map(Shift::Months).ok_or(Unknown),
        _ => Err(Unknown),
    }
}

/// The time in that format; null when it is no time.
pub(crate) fn strftime(format: &str, at: &Value, modifiers: &[String]) -> Result<Value, Unknown> {
    let pieces = pieces(format).ok_or(Unknown)?;
    let mut moment = match at {
        Value::Null => return Ok(Value::Null),
        Value::Text(text) => match read(text)? {
            Some(moment) => moment,
            None => return Ok(Value::Null),
        },
        _ => return Err(Unknown),
    };
    for modifier in modifiers {
        moment = moved(moment, shift(modifier)?).ok_or(Unknown)?;
    }
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(&literal),
            Piece::Part(part) => text.push_str(&shown(moment, part)),
        }
    }
    Ok(Value::Text(text))
}

/// `YYYY-MM-DD`, perhaps with a time in UTC. Other forms that SQLite knows are unknown.
fn read(text: &str) -> Result<Option<DateTime>, Unknown> {
    let text = text.trim_end_matches(['Z', 'z']).trim_end();
    if text.is_empty() || !text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        let special = ["now", "subsec", "subsecond"].contains(&text.to_ascii_lowercase().as_str());
        return if special { Err(Unknown) } else { Ok(None) };
    }
    let (date, time) = match text.split_at_checked(10) {
        Some((date, time)) => (date, time.trim_start_matches([' ', 'T'])),
        None => return Err(Unknown),
    };
    let shape = |text: &str, form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(found, wanted)| match wanted {
                    b'0' => found.is_ascii_digit(),
                    other => found == other,
                })
    };
    if !shape(date, "0000-00-00") {
        return Err(Unknown);
    }
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let has_clock = shape(clock, "00:00:00") || (shape(clock, "00:00") && fraction.is_empty());
    if !(time.is_empty() || has_clock) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unknown);
    }
    let number = |text: &str| text.parse::<i8>().map_err(|_| Unknown);
    let year = date[..4].parse::<i16>().map_err(|_| Unknown)?;
    let date = Date::new(year, number(&date[5..7])?, number(&date[8..10])?);
    let second = if clock.len() == 8 {
        number(&clock[6..8])?
    } else {
        0
    };
    let (hour, minute) = if clock.is_empty() {
        (0, 0)
    } else {
        (number(&clock[..2])?, number(&clock[3..5])?)
    };
    let nanoseconds = format!("{fraction:0<9.9}").parse().map_err(|_| Unknown)?;
    let time = Time::new(hour, minute, second, nanoseconds);
    match (date, time) {
        (Ok(date), Ok(time)) => Ok(Some(DateTime::from_parts(date, time))),
        // SQLite counts the 31st of a shorter month on into the next one.
        _ => Err(Unknown),
    }
}

fn moved(moment: DateTime, shift: Shift) -> Option<DateTime> {
    let midnight = Time::midnight();
    match shift {
        Shift::Seconds(seconds) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole seconds of at most nine digits times a day"
            )]
            let seconds = seconds as i64;
            moment.checked_add(seconds.seconds()).ok()
        }
        Shift::Months(months) => {
            let first = moment.date().first_of_month();
            let first = first.checked_add(months.months()).ok()?;
            let days = i32::from(moment.day()) - 1;
            let date = first.checked_add(days.days()).ok()?;
            Some(DateTime::from_parts(date, moment.time()))
        }
        Shift::StartOf(Unit::Day) => Some(DateTime::from_parts(moment.date(), midnight)),
        Shift::StartOf(Unit::Month) => {
            let date = moment.date().first_of_month();
            Some(DateTime::from_parts(date, midnight))
        }
        Shift::StartOf(Unit::Year) => {
            let date = moment.date().first_of_year();
            Some(DateTime::from_parts(date, midnight))
        }
        Shift::Weekday(day) => {
            let today = moment.date().weekday().to_sunday_zero_offset();
            let days = i32::from((day - today).rem_euclid(7));
            moment.checked_add(days.days()).ok()
        }
    }
}

fn shown(moment: DateTime, part: char) -> String {
    let date = moment.date();
    let weekday = date.weekday();
    let hour = moment.hour();
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let week = |offset: i8| {
        let from_first = i16::from(offset);
        (date.day_of_year() - 1 + 7 - from_first) / 7
    };
    let iso = date.iso_week_date();
    match part {
        'd' => format!("{:02}", date.day()),
        'e' => format!("{:2}", date.day()),
        'F' => format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
        'f' => format!("{:02}.{:03}", moment.second(), moment.millisecond()),
        'G' => format!("{:04}", iso.year()),
        'g' => format!("{:02}", iso.year() % 100),
        'H' => format!("{hour:02}"),
        'I' => format!("{twelve:02}"),
        'j' => format!("{:03}", date.day_of_year()),
        'k' => format!("{hour:2}"),
        'l' => format!("{twelve:2}"),
        'm' => format!("{:02}", date.month()),
        'M' => format!("{:02}", moment.minute()),
        'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'P' => if hour < 12 { "am" } else { "pm" }.to_owned(),
        'R' => format!("{hour:02}:{:02}", moment.minute()),
        's' => {
            let days = (date - Date::constant(1970, 1, 1)).get_days();
            let time = i64::from(hour) * 3_600
                + i64::from(moment.minute()) * 60
                + i64::from(moment.second());
            (i64::from(days) * 86_400 + time).to_string()
        }
        'S' => format!("{:02}", moment.second()),
        'T' => format!("{hour:02}:{:02}:{:02}", moment.minute(), moment.second()),
        'u' => weekday.to_monday_one_offset().to_string(),
        'U' => format!("{:02}", week(weekday.to_sunday_zero_offset())),
        'V' => format!("{:02}", iso.week()),
        'w' => weekday.to_sunday_zero_offset().to_string(),
        'W' => format!("{:02}", week(weekday.since(Weekday::Monday))),
        _ => format!("{:04}", date.year()),
    }
}
