//! Durations as Traefik writes them: `1m30s`, `100ms`, or a number of seconds.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// What Go's 64 bits of nanoseconds hold: 292 years.
const MAX_NANOS: u128 = i64::MAX as u128;

/// The units of Go, the longer spelling first where one begins with another.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
];

/// A duration that is read and printed as Go does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GoDuration(pub(crate) Duration);

impl GoDuration {
    /// Reads `1m30s` or a number of seconds.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a duration such as 10s, 1m30s or 100ms");
        if text.starts_with('-') {
            return Err(format!("{text:?}: a duration may not be negative"));
        }
        let digits = text.strip_prefix('+').unwrap_or(text);
        if let Ok(seconds) = digits.parse::<u64>() {
            return Self::of_nanos(u128::from(seconds).saturating_mul(NANOS_PER_SECOND))
                .ok_or_else(wrong);
        }
        nanos(digits).and_then(Self::of_nanos).ok_or_else(wrong)
    }

    fn of_nanos(nanos: u128) -> Option<Self> {
        let nanos = (nanos <= MAX_NANOS).then_some(nanos)?;
        u64::try_from(nanos)
            .ok()
            .map(Duration::from_nanos)
            .map(Self)
    }
}

/// The sum of `1m30s`.
fn nanos(text: &str) -> Option<u128> {
    let mut rest = text;
    let mut sum: u128 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|it: char| !is_of_number(it))?);
        let (_, unit) = UNITS
            .iter()
            .filter(|(name, _)| after.starts_with(name))
            .max_by_key(|(name, _)| name.len())
            .map(|(name, unit)| {
                rest = &after[name.len()..];
                (name, unit)
            })?;
        sum = sum.checked_add(scaled(number, *unit)?)?;
    }
    (!text.is_empty()).then_some(sum)
}

fn is_of_number(letter: char) -> bool {
    letter.is_ascii_digit() || letter == '.'
}

/// `1.5` of a unit, in nanoseconds, what is smaller than one left out.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    /// More decimals than a nanosecond of an hour has change nothing.
    const MAX_DECIMALS: usize = 18;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let value = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<u128>().ok(),
    };
    let fraction = &fraction[..fraction.len().min(MAX_DECIMALS)];
    let decimals = u32::try_from(fraction.len()).ok()?;
    let part = value(fraction)?.checked_mul(unit)? / 10_u128.pow(decimals);
    value(whole)?.checked_mul(unit)?.checked_add(part)
}

impl fmt::Display for GoDuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let small = [("ns", 1), ("µs", 1_000), ("ms", 1_000_000)];
        if nanos == 0 {
            return out.write_str("0s");
        }
        if nanos < NANOS_PER_SECOND {
            let fits = |(_, unit): &&(&str, u128)| nanos >= *unit;
            let (name, unit) = small.iter().rev().find(fits).unwrap_or(&small[0]);
            return write!(out, "{}{name}", decimal(nanos, *unit));
        }
        let minute = 60 * NANOS_PER_SECOND;
        let (hours, minutes) = (nanos / (60 * minute), nanos / minute % 60);
        if hours > 0 {
            write!(out, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(out, "{minutes}m")?;
        }
        write!(out, "{}s", decimal(nanos % minute, NANOS_PER_SECOND))
    }
}

/// `nanos` in a unit, with the decimals that it takes.
fn decimal(nanos: u128, unit: u128) -> String {
    let (whole, rest) = (nanos / unit, nanos % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = GoDuration;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a duration such as 1m30s, or a number of seconds")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GoDuration, E> {
                GoDuration::parse(text).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<GoDuration, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<GoDuration, E> {
                self.visit_str(&seconds.to_string())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, nanos: u64, printed: &str) {
        let duration = GoDuration::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(duration.0, Duration::from_nanos(nanos), "{text}");
        assert_eq!(duration.to_string(), printed, "{text}");
    }

    #[test]
    fn durations_are_those_of_go() {
        check("0", 0, "0s");
        check("10", 10_000_000_000, "10s");
        check("1m30s", 90_000_000_000, "1m30s");
        check("1h", 3_600_000_000_000, "1h0m0s");
        check("100ms", 100_000_000, "100ms");
        check("1.5s", 1_500_000_000, "1.5s");
        check(".5s", 500_000_000, "500ms");
        check("+1.s", 1_000_000_000, "1s");
        check("1500us", 1_500_000, "1.5ms");
        check("9.87ms", 9_870_000, "9.87ms");
        check("3µs", 3_000, "3µs");
        check("3μs7ns", 3_007, "3.007µs");
        check("7ns", 7, "7ns");
        check("90m0.25s", 5_400_250_000_000, "1h30m0.25s");
        for wrong in [
            "",
            "s",
            "-1s",
            "1x",
            "1s2",
            "1..5s",
            ".s",
            "1 s",
            "ü",
            "9999999999h",
        ] {
            let parsed = GoDuration::parse(wrong);
            assert!(parsed.is_err(), "{wrong}: {parsed:?}");
        }
    }

    #[test]
    fn numbers_are_seconds() {
        let read = |json: &str| serde_json::from_str::<GoDuration>(json);
        assert_eq!(read("10").ok(), GoDuration::parse("10s").ok());
        assert_eq!(read("\"10\"").ok(), GoDuration::parse("10s").ok());
        let error = read("-1").expect_err("a negative number").to_string();
        assert!(error.contains("negative"), "{error}");
        assert!(read("1.5").is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(nanos in 0..=i64::MAX.unsigned_abs()) {
            let duration = GoDuration(Duration::from_nanos(nanos));
            prop_assert_eq!(GoDuration::parse(&duration.to_string()), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.a-zµ+-]{0,40}") {
            if let Ok(duration) = GoDuration::parse(&text) {
                prop_assert_eq!(GoDuration::parse(&duration.to_string()), Ok(duration));
            }
        }
    }
}
