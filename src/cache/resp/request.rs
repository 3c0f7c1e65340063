//! Reads commands as they arrive: arrays of strings, or lines as a person types them.
//!
//! Memory is taken as data arrives, never by what a header announces.

use bytes::{Buf as _, Bytes, BytesMut};
use memchr::memchr;

/// The most arguments of one command, as in Redis.
const MAX_ARGUMENTS: i64 = 1024 * 1024;
/// The longest line: a header, or a command typed as a line.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// What a client that has not signed in may send: enough for `HELLO 3 AUTH`.
const MAX_ARGUMENTS_UNAUTHENTICATED: i64 = 10;
const MAX_BULK_BYTES_UNAUTHENTICATED: i64 = 16 * 1024;

/// What is wrong with the bytes; the connection ends after it is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ERR Protocol error: {0}")]
pub(crate) struct ProtocolError(pub(crate) String);

/// A command that is being read.
#[derive(Debug)]
pub(crate) struct Decoder {
    arguments: Vec<Bytes>,
    /// How many arguments are still to come.
    missing: usize,
    /// The announced length of the argument that is being read.
    bulk: Option<usize>,
    /// The bytes of the arguments that are there.
    held_bytes: usize,
    max_request_bytes: usize,
    /// Whether the client has signed in.
    pub(crate) authenticated: bool,
}

impl Decoder {
    /// A decoder of commands of up to `max_request_bytes`.
    pub(crate) fn new(max_request_bytes: usize) -> Self {
        Self {
            arguments: Vec::new(),
            missing: 0,
            bulk: None,
            held_bytes: 0,
            max_request_bytes,
            authenticated: false,
        }
    }

    /// The next whole command in `input`, which is consumed; `None` when more is needed.
    pub(crate) fn next(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        while self.missing == 0 {
            match input.first() {
                None => return Ok(None),
                Some(b'*') => {
                    let Some(line) = take_line(input, "too big mbulk count string")? else {
                        return Ok(None);
                    };
                    self.begin(&line)?;
                }
                Some(_) => {
                    let Some(line) = take_line(input, "too big inline request")? else {
                        return Ok(None);
                    };
                    let arguments = split_line(&line)?;
                    if !arguments.is_empty() {
                        return Ok(Some(arguments));
                    }
                }
            }
        }
        while self.missing > 0 {
            let Some(length) = self.bulk_length(input)? else {
                return Ok(None);
            };
            if input.len() < length + 2 {
                return Ok(None);
            }
            let argument = input.split_to(length).freeze();
            input.advance(2);
            self.held_bytes += length;
            self.arguments.push(argument);
            self.bulk = None;
            self.missing -= 1;
        }
        self.held_bytes = 0;
        Ok(Some(std::mem::take(&mut self.arguments)))
    }

    /// How many bytes the argument that is being read still lacks, as far as it is sensible to make
    /// room for them.
    pub(crate) fn wanted_bytes(&self, input: &BytesMut) -> usize {
        const MOST: usize = 1024 * 1024;
        let whole = self.bulk.map_or(0, |length| length + 2);
        whole.saturating_sub(input.len()).min(MOST)
    }

    fn begin(&mut self, line: &[u8]) -> Result<(), ProtocolError> {
        let count = number(&line[1..])
            .filter(|count| *count <= MAX_ARGUMENTS)
            .ok_or_else(|| ProtocolError("invalid multibulk length".to_owned()))?;
        if !self.authenticated && count > MAX_ARGUMENTS_UNAUTHENTICATED {
            return Err(ProtocolError("unauthenticated multibulk length".to_owned()));
        }
        // An empty array is no command and has no answer.
        self.missing = usize::try_from(count).unwrap_or(0);
        self.arguments = Vec::with_capacity(self.missing.min(64));
        Ok(())
    }

    fn bulk_length(&mut self, input: &mut BytesMut) -> Result<Option<usize>, ProtocolError> {
        if let Some(length) = self.bulk {
            return Ok(Some(length));
        }
        match input.first() {
            None => return Ok(None),
            Some(b'$') => {}
            Some(other) => {
                let shown = char::from(*other);
                return Err(ProtocolError(format!("expected '$', got '{shown}'")));
            }
        }
        let Some(line) = take_line(input, "too big bulk count string")? else {
            return Ok(None);
        };
        let invalid = || ProtocolError("invalid bulk length".to_owned());
        let length = number(&line[1..]).ok_or_else(invalid)?;
        if !self.authenticated && length > MAX_BULK_BYTES_UNAUTHENTICATED {
            return Err(ProtocolError("unauthenticated bulk length".to_owned()));
        }
        let length = usize::try_from(length).map_err(|_| invalid())?;
        if self.held_bytes.saturating_add(length) > self.max_request_bytes {
            return Err(invalid());
        }
        self.bulk = Some(length);
        Ok(Some(length))
    }
}

/// Takes a line off `input`, without its end.
fn take_line(input: &mut BytesMut, too_long: &str) -> Result<Option<Bytes>, ProtocolError> {
    let Some(end) = memchr(b'\n', input) else {
        if input.len() > MAX_LINE_BYTES {
            return Err(ProtocolError(too_long.to_owned()));
        }
        return Ok(None);
    };
    if end > MAX_LINE_BYTES {
        return Err(ProtocolError(too_long.to_owned()));
    }
    let mut line = input.split_to(end + 1).freeze();
    line.truncate(end);
    if line.last() == Some(&b'\r') {
        line.truncate(end - 1);
    }
    Ok(Some(line))
}

fn number(text: &[u8]) -> Option<i64> {
    crate::number::parse_integer(text).ok()
}

/// Splits a typed line at spaces; quotes hold an argument together, and `\x41` or `\n` inside
/// double quotes stand for bytes.
fn split_line(line: &[u8]) -> Result<Vec<Bytes>, ProtocolError> {
    let unbalanced = || ProtocolError("unbalanced quotes in request".to_owned());
    let mut arguments = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Ok(arguments);
        }
        let mut argument = Vec::new();
        while let Some((&byte, after)) = rest.split_first() {
            match byte {
                b'"' | b'\'' => {
                    rest = quoted(byte, after, &mut argument).ok_or_else(unbalanced)?;
                    if rest.first().is_some_and(|next| !next.is_ascii_whitespace()) {
                        return Err(unbalanced());
                    }
                    break;
                }
                byte if byte.is_ascii_whitespace() => break,
                byte => {
                    argument.push(byte);
                    rest = after;
                }
            }
        }
        arguments.push(Bytes::from(argument));
    }
}

/// Reads up to the closing `quote`; what follows it.
fn quoted<'a>(quote: u8, mut rest: &'a [u8], argument: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match (quote, rest) {
            (_, [byte, after @ ..]) if *byte == quote => return Some(after),
            (b'"', [b'\\', b'x', high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: u8| {
                    char::from(byte)
                        .to_digit(16)
                        .and_then(|d| u8::try_from(d).ok())
                };
                argument.push(digit(*high)? * 16 + digit(*low)?);
                rest = after;
            }
            (b'"', [b'\\', escaped, after @ ..]) => {
                argument.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                rest = after;
            }
            (b'\'', [b'\\', b'\'', after @ ..]) => {
                argument.push(b'\'');
                rest = after;
            }
            (_, [byte, after @ ..]) => {
                argument.push(*byte);
                rest = after;
            }
            (_, []) => return None,
        }
    }
}
