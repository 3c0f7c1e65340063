//! Reading the words of a command.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    fault::Fault,
    number::{parse_double, parse_integer},
};

/// Whether `word` is `name`, in whatever case.
pub(crate) fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// The next word, which an option cannot do without.
pub(crate) fn value<'a>(words: &mut impl Iterator<Item = &'a Bytes>) -> Result<&'a Bytes, Fault> {
    words.next().ok_or(Fault::SYNTAX)
}

/// The next word as an integer.
pub(crate) fn integer<'a>(words: &mut impl Iterator<Item = &'a Bytes>) -> Result<i64, Fault> {
    parse_integer(value(words)?)
}

/// How long a blocking command waits: seconds, 0 is for ever.
pub(crate) fn timeout(word: &[u8]) -> Result<Option<Duration>, Fault> {
    const MAX_SECONDS: f64 = 9_223_372_036.0;
    let seconds = parse_double(word)
        .map_err(|_| Fault::error("ERR timeout is not a float or out of range"))?;
    if seconds < 0.0 {
        return Err(Fault::error("ERR timeout is negative"));
    }
    if seconds > MAX_SECONDS {
        return Err(Fault::error("ERR timeout is out of range"));
    }
    if seconds == 0.0 {
        return Ok(None);
    }
    // Less than a millisecond would otherwise be for ever.
    Ok(Some(
        Duration::from_secs_f64(seconds).max(Duration::from_millis(1)),
    ))
}
