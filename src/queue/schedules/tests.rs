//! Times of schedules, without a database.

use super::*;

const DAY_MS: i64 = 24 * 3_600_000;

#[test]
fn every_counts_from_its_start_and_not_from_its_last_run() {
    let schedule = Schedule {
        starts_ms: Some(1_000),
        ..Schedule::every(std::time::Duration::from_millis(300))
    };
    for (after_ms, expected_ms) in [
        (0, 1_000),
        (999, 1_000),
        (1_000, 1_300),
        (1_299, 1_300),
        (5_000, 5_200),
    ] {
        assert_eq!(schedule.next(after_ms, 0), Some(expected_ms), "{after_ms}");
    }
    assert_eq!(schedule.next(i64::MAX, 0), None);
}

#[test]
fn a_clock_that_jumps_ahead_by_years_is_no_endless_search() {
    for schedule in [
        Schedule::every(std::time::Duration::from_millis(1)),
        Schedule::cron("* * * * *", "Europe/Berlin"),
    ] {
        let schedule = Schedule {
            catch_up: CatchUp::RunAll { most: 3 },
            ..schedule
        };
        let now_ms = 20_000 * DAY_MS;
        let (times, next_ms) = schedule.runs(0, 0, now_ms);
        assert_eq!(times.len(), 3);
        assert!(times.is_sorted() && times[2] <= now_ms);
        assert!(next_ms.unwrap() > now_ms);
    }
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing() {
    let schedule = Schedule::every(std::time::Duration::from_hours(1));
    let (times, next_ms) = schedule.runs(3_600_000, 0, 3_600_000);
    assert_eq!((times, next_ms), (vec![3_600_000], Some(7_200_000)));
    // An hour earlier again: the next time is still the one after the last run.
    assert_eq!(schedule.next(3_600_000, 0), Some(7_200_000));
}
