//! When to order: after a failure, and before a certificate runs out. Pure functions of times in
//! milliseconds since the Unix epoch.

use std::time::Duration;

/// How long to wait after the first failure in a row, the second and so on. Let's Encrypt counts five
/// failed validations of a host an hour; these are four in the first hour and two a day in the end.
const PAUSES: [Duration; 8] = [
    Duration::from_mins(1),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(1),
    Duration::from_hours(2),
    Duration::from_hours(4),
    Duration::from_hours(6),
    Duration::from_hours(12),
];
/// The longest wait that an authority may ask for. Let's Encrypt's longest window is a week.
const LONGEST_PAUSE: Duration = Duration::from_hours(7 * 24);
/// When an authority that says nothing about renewals is asked again.
pub(super) const ASK_AGAIN: Duration = Duration::from_hours(24);

/// A draw between 0 and 1 in steps of 1/256, which keeps certificates of one day from being renewed in
/// one minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw(pub(super) u8);

impl Draw {
    fn of(self, milliseconds: i64) -> i64 {
        milliseconds / 256 * i64::from(self.0)
    }
}

/// How long to wait after `failures` in a row, of which the last may have come with a wish.
pub(super) fn pause(failures: u32, wish: Option<Duration>, draw: Draw) -> Duration {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let usual = PAUSES[index.min(PAUSES.len() - 1)];
    let least = wish.unwrap_or_default().min(LONGEST_PAUSE).max(usual);
    // Up to a fifth more.
    least + least / 1_280 * u32::from(draw.0)
}

/// When to renew a certificate by its lifetime: after two thirds, or up to a twentieth earlier.
pub(super) fn renewal(not_before_ms: i64, not_after_ms: i64, draw: Draw) -> i64 {
    let lifetime = not_after_ms.saturating_sub(not_before_ms).max(0);
    not_before_ms + lifetime / 3 * 2 - draw.of(lifetime / 20)
}

/// When to renew a certificate by the window that the authority suggests (RFC 9773 §4.2).
pub(super) fn within(start_ms: i64, end_ms: i64, draw: Draw) -> i64 {
    start_ms + draw.of(end_ms.saturating_sub(start_ms).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn failures_stay_below_what_authorities_count() {
        let mut passed = Duration::ZERO;
        let mut in_first_hour = 1;
        for failures in 1..=20 {
            passed += pause(failures, None, Draw(0));
            if passed < Duration::from_hours(1) {
                in_first_hour += 1;
            }
        }
        assert!(in_first_hour < 5, "{in_first_hour}");
        assert_eq!(pause(u32::MAX, None, Draw(0)), Duration::from_hours(12));
        let longest = pause(20, None, Draw(255));
        assert!(longest > Duration::from_hours(14) && longest < Duration::from_hours(15));
    }

    #[test]
    fn a_wish_of_the_authority_is_the_least_and_has_a_bound() {
        let wish = |hours| pause(1, Some(Duration::from_hours(hours)), Draw(0));
        assert_eq!(wish(3), Duration::from_hours(3));
        assert_eq!(wish(0), Duration::from_mins(1));
        assert_eq!(wish(10_000), LONGEST_PAUSE);
    }

    #[test]
    fn renewal_comes_in_the_last_third_or_the_suggested_window() {
        let days = |days: i64| days * 24 * HOUR_MS;
        assert_eq!(renewal(0, days(90), Draw(0)), days(60));
        let early = renewal(0, days(90), Draw(255));
        assert!(early > days(55) && early < days(56), "{early}");
        assert_eq!(within(days(1), days(2), Draw(0)), days(1));
        assert!(within(days(1), days(2), Draw(255)) < days(2));
        assert_eq!(within(days(2), days(1), Draw(255)), days(2));
    }
}
