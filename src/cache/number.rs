//! Numbers as Redis reads and writes them. Both directions are stricter or stranger than Rust's
//! own: no `+1`, no `01`, but hexadecimal floats, and seventeen digits whether needed or not.

use std::fmt::Write as _;

use crate::fault::Fault;

/// An integer in its one canonical spelling: no plus sign, no leading zeros, no `-0`.
pub(crate) fn parse_integer(text: &[u8]) -> Result<i64, Fault> {
    integer(text).ok_or(Fault::NOT_AN_INTEGER)
}

/// A float as C's `strtod` takes it, without white space around it, without `NaN` and within the
/// range of 64 bits.
pub(crate) fn parse_double(text: &[u8]) -> Result<f64, Fault> {
    double(text).ok_or(Fault::NOT_A_FLOAT)
}

/// The end of a range of scores: as [`parse_double`], but white space before it, nothing at all
/// (which is 0) and overflow (which is infinite) are taken.
pub(crate) fn lenient_double(text: &[u8]) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    any_double(text.trim_ascii_start()).filter(|number| !number.is_nan())
}

/// What [`parse_integer`] reads, if it is one.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [first, rest @ ..] => {
            (b'1'..=b'9').contains(first) && rest.len() < 19 && rest.iter().all(u8::is_ascii_digit)
        }
        [] => false,
    };
    if !canonical {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn double(text: &[u8]) -> Option<f64> {
    let number = any_double(text)?;
    let named = text.iter().any(|byte| matches!(byte, b'i' | b'I'));
    let out_of_range = number.is_nan()
        || (number.is_infinite() && !named)
        || (number == 0.0 && has_digits(text) && !is_written_zero(text));
    (!out_of_range).then_some(number)
}

fn any_double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    // Rust would take a second sign here.
    if magnitude.starts_with(['+', '-']) {
        return None;
    }
    let number = match magnitude
        .strip_prefix("0x")
        .or_else(|| magnitude.strip_prefix("0X"))
    {
        Some(digits) => hexadecimal(digits)?,
        None => magnitude.parse().ok()?,
    };
    Some(if negative { -number } else { number })
}

fn has_digits(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// Whether the digits before the exponent are all zero, so that a result of zero is no underflow.
fn is_written_zero(text: &[u8]) -> bool {
    let exponent = if text.iter().any(|byte| matches!(byte, b'x' | b'X')) {
        [b'p', b'P']
    } else {
        [b'e', b'E']
    };
    text.iter()
        .take_while(|byte| !exponent.contains(byte))
        .all(|byte| !matches!(byte, b'1'..=b'9' | b'a'..=b'f' | b'A'..=b'F'))
}

/// `1f.8p-3` without its `0x`. Digits beyond the sixteenth count as if they were zero.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = match text.split_once(['p', 'P']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(number * f64::powi(2.0, exponent.checked_sub(places)?))
}

/// A float in the spelling of Redis 7.0: C's `%.17g`, and `inf` or `-inf`.
pub(crate) fn format_double(number: f64) -> String {
    const DIGITS: i32 = 17;
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number.fract() == 0.0 && number.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 10^15")]
        let whole = number as i64;
        if whole != 0 || number.is_sign_positive() {
            return itoa::Buffer::new().format(whole).to_owned();
        }
    }
    let scientific = format!("{number:.16e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        return without_trailing_zeros(&format!("{number:.decimals$}")).to_owned();
    }
    let mut text = without_trailing_zeros(mantissa).to_owned();
    let sign = if exponent < 0 { '-' } else { '+' };
    // Writing to a string does not fail.
    let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
    text
}

fn without_trailing_zeros(text: &str) -> &str {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.')
}

/// The most digits of a number that is added exactly.
const MAX_DIGITS: usize = 30;
/// The most digits after the point of a sum, as in Redis.
const MAX_SCALE: u32 = 17;

/// Adds two numbers in text form as decimals, so that 0.1 and 0.2 make 0.3; numbers too long for
/// that are added as floating-point numbers. Without an exponent and without trailing zeros.
pub(crate) fn add_decimals(one: &[u8], other: &[u8]) -> Result<String, Fault> {
    let (first, second) = (parse_double(one)?, parse_double(other)?);
    let sum = first + second;
    if !sum.is_finite() {
        return Err(Fault::error("ERR increment would produce NaN or Infinity"));
    }
    let exact = decimal(one).zip(decimal(other)).and_then(|(one, other)| {
        let scale = one.1.max(other.1);
        let scaled =
            |(digits, of): (i128, u32)| digits.checked_mul(10_i128.checked_pow(scale - of)?);
        Some((scaled(one)?.checked_add(scaled(other)?)?, scale))
    });
    Ok(exact.map_or_else(|| sum.to_string(), |(digits, scale)| written(digits, scale)))
}

/// The digits of a plain decimal number and how many stand after the point.
fn decimal(text: &[u8]) -> Option<(i128, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.len() + part.len() > MAX_DIGITS || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scale = u32::try_from(part.len())
        .ok()
        .filter(|scale| *scale <= MAX_SCALE)?;
    format!("{whole}{part}")
        .parse()
        .ok()
        .map(|digits| (digits, scale))
}

fn written(digits: i128, scale: u32) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let digits = digits.unsigned_abs();
    let unit = 10_u128.pow(scale);
    let (whole, part) = (digits / unit, digits % unit);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let width = scale as usize;
    let part = format!("{part:0width$}");
    format!("{sign}{whole}.{}", part.trim_end_matches('0'))
}

#[cfg(test)]
mod tests;
