//! Numbers out of many durations, and lines of a table.

use std::{
    io::{self, Write as _},
    time::Duration,
};

/// Durations, sorted.
pub(crate) struct Sorted(Vec<Duration>);

impl Sorted {
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The duration that `percent` of them do not exceed; zero when there are none.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let index = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Prints a line.
pub(crate) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// `duration` in milliseconds, for a table.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1_000.0)
}

/// `duration` in microseconds, for a table.
pub(crate) fn micros(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1_000_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_members() {
        let sorted = Sorted::new((1..=10).rev().map(Duration::from_millis).collect());
        for (percent, expected_ms) in [(1, 1), (50, 5), (99, 10), (100, 10)] {
            let expected = Duration::from_millis(expected_ms);
            assert_eq!(sorted.percentile(percent), expected, "{percent} %");
        }
        assert_eq!(Sorted::new(Vec::new()).percentile(50), Duration::ZERO);
    }
}
