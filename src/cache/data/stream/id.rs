//! Names of entries: milliseconds and a number within the millisecond.

use std::fmt;

use crate::fault::Fault;

/// The name of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId {
    pub(crate) ms: u64,
    pub(crate) sequence: u64,
}

impl StreamId {
    pub(crate) const MIN: Self = Self { ms: 0, sequence: 0 };
    pub(crate) const MAX: Self = Self {
        ms: u64::MAX,
        sequence: u64::MAX,
    };

    /// The next name, unless this is the last.
    pub(crate) fn next(self) -> Option<Self> {
        match self.sequence.checked_add(1) {
            Some(sequence) => Some(Self { sequence, ..self }),
            None => Some(Self {
                ms: self.ms.checked_add(1)?,
                sequence: 0,
            }),
        }
    }

    /// The name before, unless this is the first.
    pub(crate) fn previous(self) -> Option<Self> {
        match self.sequence.checked_sub(1) {
            Some(sequence) => Some(Self { sequence, ..self }),
            None => Some(Self {
                ms: self.ms.checked_sub(1)?,
                sequence: u64::MAX,
            }),
        }
    }

    /// `ms` or `ms-sequence`; what stands for a missing sequence is `missing`.
    pub(crate) fn parse(text: &[u8], missing: u64) -> Result<Self, Fault> {
        let mut parts = text.splitn(2, |byte| *byte == b'-');
        let ms = part(parts.next().unwrap_or_default())?;
        let sequence = parts.next().map_or(Ok(missing), part)?;
        Ok(Self { ms, sequence })
    }

    /// The end of a range: `-` and `+` are the first and the last name.
    pub(crate) fn parse_end(text: &[u8], missing: u64) -> Result<Self, Fault> {
        match text {
            b"-" => Ok(Self::MIN),
            b"+" => Ok(Self::MAX),
            _ => Self::parse(text, missing),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.sequence)
    }
}

/// What a client is told of a name that is none.
pub(crate) const INVALID: &str = "ERR Invalid stream ID specified as stream command argument";

/// One of the two numbers, written without leading zeros.
pub(crate) fn part(text: &[u8]) -> Result<u64, Fault> {
    let canonical = match text {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let text = std::str::from_utf8(text).ok().filter(|_| canonical);
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Fault::error(INVALID))
}
