//! Commands in the request form of the Redis protocol, as they stand in a log. Unlike a server it
//! trusts no length: memory is taken as bytes arrive.

use std::io::{self, BufRead, Read as _};

use bytes::Bytes;

/// The longest argument, in bytes.
const MAX_ARGUMENT_BYTES: u64 = 512 * 1024 * 1024;
/// The most arguments of a command.
const MAX_ARGUMENTS: u64 = 1024 * 1024;
/// The longest line of a length; one that is longer is no length.
const MAX_LINE_BYTES: u64 = 32;
/// The longest remark.
const MAX_REMARK_BYTES: u64 = 1024;
/// What is allocated before the first byte of an argument has been seen.
const FIRST_ALLOCATION_BYTES: usize = 64 * 1024;

/// Why there is no next command.
#[derive(Debug)]
pub(super) enum Fault {
    /// The bytes end within a command.
    Truncated,
    /// What stands before the reader's place means nothing.
    Damaged(&'static str),
    /// The file cannot be read.
    File(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// A reader of commands that knows where it is.
pub(super) struct Commands<R> {
    inner: R,
    offset: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Commands<R> {
    /// Reads on from `inner`, which is at byte `offset`.
    pub(super) fn new(inner: R, offset: u64) -> Self {
        Self {
            inner,
            offset,
            line: Vec::new(),
        }
    }

    /// The place that was reached, in bytes.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// After damage: whether nothing but zero bytes stand there up to the end.
    pub(super) fn ends_in_zeros(mut self) -> io::Result<bool> {
        // A line that did not end has been read already, as far as the reader's place.
        let is_length = |byte: &u8| byte.is_ascii_digit() || b"*$\r".contains(byte);
        let begin = self.line.iter().position(|byte| !is_length(byte));
        let mut buffer = self.line.split_off(begin.unwrap_or(self.line.len()));
        let mut zeros = 0;
        loop {
            if buffer.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            zeros += buffer.len();
            buffer.resize(FIRST_ALLOCATION_BYTES, 0);
            let read = self.inner.read(&mut buffer)?;
            buffer.truncate(read);
            if read == 0 {
                return Ok(zeros > 0);
            }
        }
    }

    /// The next command with its arguments, none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Bytes>>, Fault> {
        loop {
            match self.inner.fill_buf()?.first() {
                None => return Ok(None),
                Some(b'#') => {
                    self.line(MAX_REMARK_BYTES)?;
                    self.line.clear();
                }
                Some(b'*') => break,
                Some(_) => return Err(Fault::Damaged("no command begins here")),
            }
        }
        let count = self.length(b'*')?;
        if !(1..=MAX_ARGUMENTS).contains(&count) {
            return Err(Fault::Damaged("a command of this many arguments"));
        }
        let mut arguments = Vec::new();
        for _ in 0..count {
            arguments.push(self.argument()?);
        }
        Ok(Some(arguments))
    }

    fn argument(&mut self) -> Result<Bytes, Fault> {
        let length = self.length(b'$')?;
        if length > MAX_ARGUMENT_BYTES {
            return Err(Fault::Damaged("an argument of more than 512 MB"));
        }
        let capacity = usize::try_from(length).unwrap_or(FIRST_ALLOCATION_BYTES);
        let mut bytes = Vec::with_capacity(capacity.min(FIRST_ALLOCATION_BYTES));
        let read = self.inner.by_ref().take(length).read_to_end(&mut bytes)? as u64;
        self.offset += read;
        if read < length {
            return Err(Fault::Truncated);
        }
        for expected in *b"\r\n" {
            match self.inner.fill_buf()?.first() {
                None => return Err(Fault::Truncated),
                Some(byte) if *byte == expected => self.inner.consume(1),
                Some(_) => return Err(Fault::Damaged("an argument does not end where it should")),
            }
            self.offset += 1;
        }
        Ok(Bytes::from(bytes))
    }

    /// The number in a line that begins with `mark`.
    fn length(&mut self, mark: u8) -> Result<u64, Fault> {
        match self.inner.fill_buf()?.first() {
            None => return Err(Fault::Truncated),
            Some(byte) if *byte == mark => {}
            Some(_) => return Err(Fault::Damaged("no length where one is expected")),
        }
        let start = self.offset;
        self.line(MAX_LINE_BYTES)?;
        let digits = self
            .line
            .strip_suffix(b"\r\n")
            .and_then(|line| line.get(1..));
        let length = digits
            .filter(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let Some(length) = length else {
            self.offset = start;
            return Err(Fault::Damaged("a length that is not a number"));
        };
        self.line.clear();
        Ok(length)
    }

    /// Reads a line of at most `limit` bytes with its end.
    fn line(&mut self, limit: u64) -> Result<(), Fault> {
        self.line.clear();
        let mut limited = self.inner.by_ref().take(limit);
        let read = limited.read_until(b'\n', &mut self.line)? as u64;
        if self.line.ends_with(b"\n") {
            self.offset += read;
            return Ok(());
        }
        if read == limit {
            return Err(Fault::Damaged("a line without an end"));
        }
        self.offset += read;
        Err(Fault::Truncated)
    }
}
