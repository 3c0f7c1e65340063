//! Conditional requests and ranges of files (RFC 9110 §13 and §14).

use std::ops::Range;

use http::{HeaderMap, HeaderName, header};
use jiff::{
    Timestamp,
    fmt::rfc2822::{DateTimeParser, DateTimePrinter},
};
use mito_records::files::Object;

use crate::caller::text_of;

const SECOND_MS: i64 = 1_000;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// 304: the client has it.
    Unchanged,
    /// 412: it is not what the client means.
    Unmet,
    /// 416: it has no such bytes.
    OutOfRange,
}

/// The entity tag, in quotes.
pub(super) fn etag(object: &Object) -> String {
    format!("\"{}\"", object.etag)
}

/// The time of the last change as HTTP writes it.
pub(super) fn last_modified(object: &Object) -> String {
    let seconds = Timestamp::from_second(object.modified_ms.div_euclid(SECOND_MS));
    let printed = DateTimePrinter::new().timestamp_to_rfc9110_string(&seconds.unwrap_or_default());
    printed.unwrap_or_default()
}

/// What the request's headers make of the object, in the order of RFC 9110 §13.2.2.
pub(super) fn judge(headers: &HeaderMap, object: &Object) -> Verdict {
    let given = |name: HeaderName| {
        let text = text_of(headers, name.as_str());
        (!text.is_empty()).then_some(text)
    };
    let is_unmet = match (given(header::IF_MATCH), given(header::IF_UNMODIFIED_SINCE)) {
        (Some(tags), _) => !names(tags, object),
        (None, Some(date)) => is_later(object, date) == Some(true),
        (None, None) => false,
    };
    if is_unmet {
        return Verdict::Unmet;
    }
    let is_unchanged = match (
        given(header::IF_NONE_MATCH),
        given(header::IF_MODIFIED_SINCE),
    ) {
        (Some(tags), _) => names(tags, object),
        (None, Some(date)) => is_later(object, date) == Some(false),
        (None, None) => false,
    };
    if is_unchanged {
        return Verdict::Unchanged;
    }
    let Some(range) = given(header::RANGE) else {
        return Verdict::Whole;
    };
    let is_stale = given(header::IF_RANGE).is_some_and(|validator| {
        let is_tag = validator.starts_with('"') || validator.starts_with("W/");
        if is_tag {
            validator != etag(object)
        } else {
            validator != last_modified(object)
        }
    });
    if is_stale {
        return Verdict::Whole;
    }
    part(range, object.size)
}

/// Whether one of the tags is the object's; a weak one names it as well, as nothing here is weak.
fn names(tags: &str, object: &Object) -> bool {
    let own = etag(object);
    tags.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag == own
    })
}

/// Whether the object changed after the date; nothing if it is none.
fn is_later(object: &Object, date: &str) -> Option<bool> {
    let date = DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(object.modified_ms.div_euclid(SECOND_MS) > date.as_second())
}

/// The bytes that a `Range` asks for. Of several parts the whole is sent, as RFC 9110 §14.2 allows.
fn part(range: &str, size: u64) -> Verdict {
    let Some(specified) = range.trim().strip_prefix("bytes=") else {
        return Verdict::OutOfRange;
    };
    if specified.contains(',') || specified.trim().is_empty() {
        return Verdict::Whole;
    }
    let Some((first, last)) = specified.trim().split_once('-') else {
        return Verdict::OutOfRange;
    };
    match (Position::parse(first), Position::parse(last)) {
        (Position::At(first), Position::Absent) if first < size => Verdict::Part(first..size),
        (Position::At(first), Position::At(last)) if first <= last && first < size => {
            Verdict::Part(first..last.saturating_add(1).min(size))
        }
        (Position::Absent, Position::At(length)) if length > 0 && size > 0 => {
            Verdict::Part(size.saturating_sub(length)..size)
        }
        _ => Verdict::OutOfRange,
    }
}

/// One end of a range.
enum Position {
    Absent,
    At(u64),
    Malformed,
}

impl Position {
    fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Absent;
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::Malformed;
        }
        // Larger numbers than there are lie behind every end.
        Self::At(text.parse().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests;
