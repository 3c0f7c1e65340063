//! The ends of a range: ranks, scores, or members as bytes.
//!
//! A range of members means something only where all scores are the same, as in Redis.

use std::ops::Range;

use bytes::Bytes;

use crate::{
    data::SortedSet,
    fault::Fault,
    number::{lenient_double, parse_integer},
};

/// What the ends of a range are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Member,
}

/// A range with both ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bounds {
    /// First and last; negative ones count from the end.
    Ranks(i64, i64),
    Scores(Edge<f64>, Edge<f64>),
    Members(Edge<Bytes>, Edge<Bytes>),
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edge<T> {
    /// Below everything.
    Lowest,
    /// Above everything.
    Highest,
    Including(T),
    Excluding(T),
}

impl<T> Edge<T> {
    /// Whether something lies before a range that begins here. `order` compares it with the edge.
    fn begins_after(&self, order: impl Fn(&T) -> std::cmp::Ordering) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::Including(edge) => order(edge).is_lt(),
            Self::Excluding(edge) => order(edge).is_le(),
        }
    }

    /// Whether something does not lie behind a range that ends here.
    fn ends_after(&self, order: impl Fn(&T) -> std::cmp::Ordering) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::Including(edge) => order(edge).is_le(),
            Self::Excluding(edge) => order(edge).is_lt(),
        }
    }
}

impl Bounds {
    pub(super) fn parse(by: By, first: &[u8], last: &[u8]) -> Result<Self, Fault> {
        Ok(match by {
            By::Rank => Self::Ranks(parse_integer(first)?, parse_integer(last)?),
            By::Score => Self::Scores(score(first)?, score(last)?),
            By::Member => Self::Members(member(first)?, member(last)?),
        })
    }

    /// The ranks that they stand for; with `reverse`, ranks were given from the high end.
    pub(super) fn ranks(&self, set: &SortedSet, reverse: bool) -> Range<usize> {
        let range = match self {
            Self::Ranks(first, last) => return ranks(*first, *last, set.len(), reverse),
            Self::Scores(min, max) => {
                let order = |score: f64| move |edge: &f64| score.total_cmp(&(edge + 0.0));
                let start = set.count_while(|score, _| min.begins_after(order(score + 0.0)));
                start..set.count_while(|score, _| max.ends_after(order(score + 0.0)))
            }
            Self::Members(min, max) => {
                let start = set.count_while(|_, of| min.begins_after(|edge| of.cmp(&edge[..])));
                start..set.count_while(|_, of| max.ends_after(|edge| of.cmp(&edge[..])))
            }
        };
        range.start..range.end.max(range.start)
    }
}

fn ranks(first: i64, last: i64, length: usize, reverse: bool) -> Range<usize> {
    let count = i64::try_from(length).unwrap_or(i64::MAX);
    let from_start = |rank: i64| if rank < 0 { rank + count } else { rank };
    let (first, last) = (from_start(first).max(0), from_start(last).min(count - 1));
    if first > last {
        return 0..0;
    }
    let start = usize::try_from(first).unwrap_or(length);
    let end = usize::try_from(last + 1).unwrap_or(length);
    if reverse {
        length - end..length - start
    } else {
        start..end
    }
}

fn score(word: &[u8]) -> Result<Edge<f64>, Fault> {
    let number =
        |text| lenient_double(text).ok_or_else(|| Fault::error("ERR min or max is not a float"));
    Ok(match word.strip_prefix(b"(") {
        Some(text) => Edge::Excluding(number(text)?),
        None => Edge::Including(number(word)?),
    })
}

fn member(word: &[u8]) -> Result<Edge<Bytes>, Fault> {
    Ok(match word {
        b"-" => Edge::Lowest,
        b"+" => Edge::Highest,
        [b'[', member @ ..] => Edge::Including(Bytes::copy_from_slice(member)),
        [b'(', member @ ..] => Edge::Excluding(Bytes::copy_from_slice(member)),
        _ => {
            return Err(Fault::error("ERR min or max not valid string range item"));
        }
    })
}
