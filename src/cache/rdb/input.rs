//! The bytes of a database file: whole numbers, lengths and strings, with the checksum of what was
//! read. It takes memory for what has arrived, never for what a header announces.

use std::io::{self, BufRead};

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};

use super::{Error, lzf};

/// The longest string, in bytes: Redis's own limit.
const MAX_STRING_BYTES: u64 = 512 * 1024 * 1024;

/// What is allocated before the first byte of a string has been seen.
const FIRST_ALLOCATION_BYTES: usize = 64 * 1024;

/// What stands where a length is expected.
enum Length {
    Plain(u64),
    /// A string in another form, by its number.
    Special(u8),
}

/// A reader that knows where it is.
pub(super) struct Input<'a, R> {
    inner: &'a mut R,
    /// How many bytes of the inner buffer have been used but neither summed nor given back, so that
    /// the checksum is computed over whole buffers.
    used: usize,
    offset: u64,
    digest: Digest,
}

impl<'a, R: BufRead> Input<'a, R> {
    pub(super) fn new(inner: &'a mut R) -> Self {
        Self {
            inner,
            used: 0,
            offset: 0,
            digest: Digest::new(CrcAlgorithm::Crc64Redis),
        }
    }

    /// How many bytes were read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// An error at this place.
    pub(super) fn damaged(&self, reason: &'static str) -> Error {
        Error::Damaged {
            offset: self.offset,
            reason,
        }
    }

    /// Sums what was used and gives it back to the inner reader.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if self.used > 0 {
            let buffer = fill(self.inner, self.offset)?;
            let used = self.used.min(buffer.len());
            self.digest.update(&buffer[..used]);
            self.inner.consume(used);
            self.used = 0;
        }
        Ok(())
    }

    /// The checksum of everything so far.
    pub(super) fn checksum(&mut self) -> Result<u64, Error> {
        self.settle()?;
        Ok(self.digest.finalize())
    }

    /// Bytes that have arrived, at least one.
    fn window(&mut self) -> Result<&[u8], Error> {
        if fill(self.inner, self.offset)?.len() <= self.used {
            self.settle()?;
        }
        let buffer = fill(self.inner, self.offset)?;
        match buffer.get(self.used..) {
            Some(window) if !window.is_empty() => Ok(window),
            _ => Err(Error::Truncated {
                offset: self.offset,
            }),
        }
    }

    fn advance(&mut self, count: usize) {
        self.used += count;
        self.offset += count as u64;
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let byte = self.window()?[0];
        self.advance(1);
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        let mut filled = 0;
        while filled < N {
            let window = self.window()?;
            let count = window.len().min(N - filled);
            array[filled..filled + count].copy_from_slice(&window[..count]);
            self.advance(count);
            filled += count;
        }
        Ok(array)
    }

    /// `count` bytes as they are.
    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Error> {
        if count > MAX_STRING_BYTES {
            return Err(self.damaged("a string is longer than 512 MB"));
        }
        let mut missing =
            usize::try_from(count).map_err(|_| self.damaged("a string does not fit memory"))?;
        let mut bytes = Vec::with_capacity(missing.min(FIRST_ALLOCATION_BYTES));
        while missing > 0 {
            let window = self.window()?;
            let count = window.len().min(missing);
            bytes.extend_from_slice(&window[..count]);
            self.advance(count);
            missing -= count;
        }
        Ok(bytes)
    }

    fn length(&mut self) -> Result<Length, Error> {
        let first = self.byte()?;
        let low = first & 0x3f;
        Ok(match first >> 6 {
            0 => Length::Plain(u64::from(low)),
            1 => Length::Plain(u64::from(low) << 8 | u64::from(self.byte()?)),
            2 => match first {
                0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
                0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
                _ => return Err(self.damaged("an unknown kind of length")),
            },
            _ => Length::Special(low),
        })
    }

    /// A length or whole number.
    pub(super) fn plain_length(&mut self) -> Result<u64, Error> {
        match self.length()? {
            Length::Plain(length) => Ok(length),
            Length::Special(_) => Err(self.damaged("a string where a length is expected")),
        }
    }

    /// A string, which may have been written as a number or compressed.
    pub(super) fn string(&mut self) -> Result<Bytes, Error> {
        let number: i64 = match self.length()? {
            Length::Plain(length) => return self.bytes(length).map(Bytes::from),
            Length::Special(0) => i8::from_le_bytes(self.array()?).into(),
            Length::Special(1) => i16::from_le_bytes(self.array()?).into(),
            Length::Special(2) => i32::from_le_bytes(self.array()?).into(),
            Length::Special(3) => return self.compressed(),
            Length::Special(_) => return Err(self.damaged("an unknown kind of string")),
        };
        Ok(Bytes::from(number.to_string()))
    }

    fn compressed(&mut self) -> Result<Bytes, Error> {
        let packed_bytes = self.plain_length()?;
        let plain_bytes = self.plain_length()?;
        if plain_bytes > MAX_STRING_BYTES {
            return Err(self.damaged("a compressed string is longer than 512 MB"));
        }
        let packed = self.bytes(packed_bytes)?;
        lzf::decompress(&packed, plain_bytes)
            .map(Bytes::from)
            .map_err(|reason| self.damaged(reason))
    }
}

/// What the reader has in its buffer; more is read only when that is empty.
fn fill<R: BufRead>(inner: &mut R, offset: u64) -> Result<&[u8], Error> {
    // Asked twice, because a borrow that is returned cannot be taken in a loop.
    loop {
        match inner.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::Input { offset, source }),
        }
    }
    inner
        .fill_buf()
        .map_err(|source| Error::Input { offset, source })
}
