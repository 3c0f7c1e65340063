//! Ranges of statuses, as options list them: `404`, `500-599`.

use std::ops::RangeInclusive;

use http::StatusCode;

/// Some statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// Reads `404` or `500-599`, also several of them behind commas.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last) = (status(first)?, status(last)?);
            (first <= last).then_some(first..=last)
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges
            .map(Self)
            .ok_or_else(|| format!("{text:?} is neither a status such as 404 nor 500-599"))
    }

    /// Reads a list; `option` is its name in the error.
    pub(super) fn read_all(option: &str, texts: &[String]) -> Result<Self, String> {
        let mut all = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let read = Self::parse(text).map_err(|error| format!("{option}[{at}]: {error}"))?;
            all.extend(read.0);
        }
        Ok(Self(all))
    }

    /// Whether `status` is one of them.
    pub(super) fn hold(&self, status: StatusCode) -> bool {
        self.0.iter().any(|range| range.contains(&status.as_u16()))
    }
}

fn status(text: &str) -> Option<u16> {
    let status = text.trim().parse().ok()?;
    (100..=599).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_single_ones_and_ranges() {
        let texts = ["404".to_owned(), "500-502, 418".to_owned()];
        let statuses = Statuses::read_all("status", &texts).expect("statuses");
        for (status, held) in [
            (404, true),
            (403, false),
            (500, true),
            (502, true),
            (503, false),
            (418, true),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(statuses.hold(status), held, "{status}");
        }
        for wrong in ["", "4xx", "600", "99", "599-500", "500-", "-500", "1-2-3"] {
            assert!(Statuses::parse(wrong).is_err(), "{wrong}");
        }
    }
}
