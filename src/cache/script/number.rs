//! Numbers as C's `printf` writes them and `lrand48` draws them; parses nothing.

/// `%.<precision>g`.
pub(super) fn general(number: f64, precision: usize) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() {
            "-nan"
        } else {
            "nan"
        }
        .to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let precision = precision.max(1);
    let scientific = format!("{number:.*e}", precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = i32::try_from(precision).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= digits {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(digits - 1 - exponent).unwrap_or(0);
    trimmed(&format!("{number:.decimals$}")).to_owned()
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// A whole number as C converts it: what does not fit is the smallest.
pub(super) fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "truncation is what Redis does"
        )]
        return number as i64;
    }
    i64::MIN
}

/// The 48-bit state after `srand48(seed)`.
pub(super) fn seeded(seed: i64) -> u64 {
    (u64::from_ne_bytes(seed.to_ne_bytes()) & 0xffff_ffff) << 16 | 0x330e
}

/// The next state and a fraction from 0 to below 1, as Redis's `math.random` makes it.
pub(super) fn drawn(state: u64) -> (u64, f64) {
    const MAXIMUM: u32 = i32::MAX.unsigned_abs();
    let state = state.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & 0xffff_ffff_ffff;
    let whole = u32::try_from(state >> 17).unwrap_or(0);
    (state, f64::from(whole % MAXIMUM) / f64::from(MAXIMUM))
}
