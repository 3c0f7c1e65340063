//! Which members a range takes: by rank, by score or by bytes. Each is turned into ranks.

use std::ops::Range;

use bytes::Bytes;

use crate::{
    commands::lists::places,
    data::SortedSet,
    fault::Fault,
    number::{lenient_double, parse_integer},
};

/// What a range goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Rank,
    Score,
    Lex,
}

#[derive(Clone, Debug)]
struct Score {
    number: f64,
    exclusive: bool,
}

#[derive(Clone, Debug)]
enum Lex {
    First,
    Last,
    Including(Bytes),
    Excluding(Bytes),
}

/// The two ends of a range, the lower one first.
#[derive(Clone, Debug)]
pub(crate) struct Bounds(Ends);

#[derive(Clone, Debug)]
enum Ends {
    Rank {
        start: i64,
        end: i64,
        backwards: bool,
    },
    Score(Score, Score),
    Lex(Lex, Lex),
}

impl Bounds {
    /// Reads the two ends in the order in which they were given; `backwards` ranges by score or
    /// bytes name the upper end first, ranks count from the upper end.
    pub(crate) fn read(by: By, [start, end]: [&Bytes; 2], backwards: bool) -> Result<Self, Fault> {
        let (low, high) = if backwards {
            (end, start)
        } else {
            (start, end)
        };
        Ok(Self(match by {
            By::Rank => {
                let (start, end) = (parse_integer(start)?, parse_integer(end)?);
                Ends::Rank {
                    start,
                    end,
                    backwards,
                }
            }
            By::Score => Ends::Score(score(low)?, score(high)?),
            By::Lex => Ends::Lex(lex(low)?, lex(high)?),
        }))
    }

    /// The ranks of the members that it takes.
    pub(crate) fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let (start, end) = match &self.0 {
            Ends::Rank {
                start,
                end,
                backwards,
            } => {
                let range = places(*start, *end, set.len());
                if *backwards && !range.is_empty() {
                    return set.len() - range.end..set.len() - range.start;
                }
                return range;
            }
            Ends::Score(low, high) => (
                set.rank_of_first_not(|pair| {
                    pair.0 < low.number || (low.exclusive && pair.0 <= low.number)
                }),
                set.rank_of_first_not(|pair| {
                    pair.0 < high.number || (!high.exclusive && pair.0 <= high.number)
                }),
            ),
            Ends::Lex(low, high) => (
                set.rank_of_first_not(|pair| low.is_above(&pair.1, false)),
                set.rank_of_first_not(|pair| high.is_above(&pair.1, true)),
            ),
        };
        start..end.max(start)
    }
}

impl Lex {
    /// Whether `member` is below this end; the end itself counts as below an upper end.
    fn is_above(&self, member: &[u8], upper: bool) -> bool {
        match self {
            Self::First => false,
            Self::Last => true,
            Self::Including(end) if upper => member <= end,
            Self::Including(end) => member < end,
            Self::Excluding(end) if upper => member < end,
            Self::Excluding(end) => member <= end,
        }
    }
}

fn score(word: &[u8]) -> Result<Score, Fault> {
    let (exclusive, text) = match word {
        [b'(', text @ ..] => (true, text),
        text => (false, text),
    };
    let number =
        lenient_double(text).ok_or_else(|| Fault::error("ERR min or max is not a float"))?;
    Ok(Score { number, exclusive })
}

fn lex(word: &Bytes) -> Result<Lex, Fault> {
    match word[..] {
        [b'-'] => Ok(Lex::First),
        [b'+'] => Ok(Lex::Last),
        [b'[', ..] => Ok(Lex::Including(word.slice(1..))),
        [b'(', ..] => Ok(Lex::Excluding(word.slice(1..))),
        _ => Err(Fault::error("ERR min or max not valid string range item")),
    }
}
