//! Which requests get a line: those that any of the filters asks for, and all where there is none.

use std::{ops::RangeInclusive, time::Duration};

use crate::config::AccessLogFilters;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    statuses: Vec<RangeInclusive<u16>>,
    min_duration: Option<Duration>,
}

impl Filter {
    /// Reads `404` and `500-599`; the error says which is wrong.
    pub(crate) fn new(options: &AccessLogFilters) -> Result<Self, String> {
        let range = |text: &String| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            match (first.trim().parse(), last.trim().parse()) {
                (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
                _ => Err(format!(
                    "gateway.access_log_filters.status_codes: {text:?} is neither a status such as \
                     404 nor a range such as 500-599"
                )),
            }
        };
        Ok(Self {
            statuses: options
                .status_codes
                .iter()
                .map(range)
                .collect::<Result<_, _>>()?,
            min_duration: (options.min_duration_ms > 0)
                .then(|| Duration::from_millis(options.min_duration_ms)),
        })
    }

    /// Whether a request gets a line.
    pub(crate) fn keeps(&self, status: u16, duration: Duration) -> bool {
        let no_filter = self.statuses.is_empty() && self.min_duration.is_none();
        no_filter
            || self.statuses.iter().any(|range| range.contains(&status))
            || self.min_duration.is_some_and(|least| duration >= least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_filter_is_enough() {
        let filter = |codes: &[&str], min_duration_ms| {
            let status_codes = codes.iter().map(|code| (*code).to_owned()).collect();
            Filter::new(&AccessLogFilters {
                status_codes,
                min_duration_ms,
            })
        };
        let check = |filter: &Filter, status, milliseconds, expected| {
            let duration = Duration::from_millis(milliseconds);
            assert_eq!(
                filter.keeps(status, duration),
                expected,
                "{filter:?} {status}"
            );
        };
        check(&filter(&[], 0).unwrap(), 200, 0, true);
        let errors = filter(&["404", "500-599"], 0).unwrap();
        check(&errors, 404, 0, true);
        check(&errors, 503, 0, true);
        check(&errors, 200, 9_000, false);
        let slow = filter(&["500-599"], 100).unwrap();
        check(&slow, 200, 100, true);
        check(&slow, 200, 99, false);
        for wrong in ["x", "5xx", "599-500", "", "-1"] {
            assert!(filter(&[wrong], 0).is_err(), "{wrong}");
        }
    }
}
