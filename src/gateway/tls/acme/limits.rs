//! What Let's Encrypt writes into its refusals for too many orders. There is no other place where it
//! says which of its limits it means.

use jiff::{civil, tz::TimeZone};

/// Whether a limit of Let's Encrypt is one of a host or a domain rather than of the account.
pub(super) fn concerns_one_host(reason: &str) -> bool {
    reason.contains("failed authorizations") || reason.contains("already issued")
}

/// The time that Let's Encrypt writes into its refusals: `retry after 2026-01-02 03:04:05 UTC`.
pub(super) fn said_until_ms(reason: &str) -> Option<i64> {
    let (_, said) = reason.split_once("retry after ")?;
    let (time, _) = said.split_once(" UTC")?;
    let time: civil::DateTime = time.parse().ok()?;
    let zoned = time.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_they_are_about_and_until_when() {
        let host = "too many failed authorizations (5) for \"a.example\" in the last 1h0m0s, retry \
                    after 1970-01-01 00:00:05 UTC: see the documentation";
        let account = "too many new orders (300) from this account in the last 3h0m0s";
        let domain = "too many certificates (50) already issued for \"b.example\"";
        assert!(concerns_one_host(host) && concerns_one_host(domain));
        assert!(!concerns_one_host(account));
        assert_eq!(said_until_ms(host), Some(5_000));
        assert_eq!(said_until_ms(account), None);
        assert_eq!(said_until_ms("retry after tomorrow UTC"), None);
    }
}
