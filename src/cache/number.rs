//! Numbers as Redis reads and writes them.

use crate::fault::Fault;

/// Reads a 64-bit integer as strictly as Redis does: an optional minus sign and digits without
/// leading zeros, nothing else.
pub(crate) fn parse_integer(text: &[u8]) -> Result<i64, Fault> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical {
        return Err(Fault::NOT_AN_INTEGER);
    }
    let text = std::str::from_utf8(text).map_err(|_| Fault::NOT_AN_INTEGER)?;
    text.parse().map_err(|_| Fault::NOT_AN_INTEGER)
}

/// Reads a floating-point number; not NaN, no blanks.
pub(crate) fn parse_double(text: &[u8]) -> Result<f64, Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::NOT_A_FLOAT)?;
    let number: f64 = text.parse().map_err(|_| Fault::NOT_A_FLOAT)?;
    if number.is_nan() {
        return Err(Fault::NOT_A_FLOAT);
    }
    Ok(number)
}

/// The shortest text that reads back as the same number.
pub(crate) fn format_double(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number.is_nan() {
        return "nan".to_owned();
    }
    number.to_string()
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
