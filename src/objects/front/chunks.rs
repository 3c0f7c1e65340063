//! Bounds the chunks of `aws-chunked` bodies: s3s keeps a whole chunk in memory, up to 4 GiB.
//!
//! A signed chunk cannot be cut, so a large one is refused. An unsigned one is cut into smaller
//! ones on the way, because SDKs send a whole file as one chunk.

use std::io;

use axum::body::Body;
use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};

/// The largest signed chunk. SDKs send 64 KiB to 1 MiB.
const MAX_SIGNED_BYTES: u64 = 16 * 1024 * 1024;
/// The longest line before a chunk: a size and a signature.
const MAX_LINE_BYTES: usize = 1024;

/// How the chunks are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `size;chunk-signature=…`
    Signed,
    /// `size`
    Unsigned,
}

/// The body with bounded chunks.
pub(crate) fn bounded(body: Body, framing: Framing) -> Body {
    let state = Some((body.into_data_stream(), Scanner::new(framing)));
    let stream = stream::unfold(state, |state| async move {
        let (mut body, mut scanner) = state?;
        match body.next().await? {
            Ok(bytes) => match scanner.push(bytes) {
                Ok(out) => Some((Ok(out), Some((body, scanner)))),
                Err(error) => Some((Err(error), None)),
            },
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    });
    Body::from_stream(stream.filter(|item| {
        let empty = item.as_ref().is_ok_and(Bytes::is_empty);
        std::future::ready(!empty)
    }))
}

struct Scanner {
    framing: Framing,
    state: State,
}

enum State {
    /// In the line before a chunk.
    Line(BytesMut),
    /// In the bytes of a chunk.
    Data(u64),
    /// In the line break after the bytes of a chunk.
    Break(u8),
    /// After the empty chunk: trailers, which s3s bounds itself.
    Trailers,
}

impl Scanner {
    fn new(framing: Framing) -> Self {
        Self {
            framing,
            state: State::Line(BytesMut::new()),
        }
    }

    /// What to pass on for these bytes.
    fn push(&mut self, mut bytes: Bytes) -> io::Result<Bytes> {
        let mut out = BytesMut::with_capacity(bytes.len() + 16);
        while !bytes.is_empty() {
            match &mut self.state {
                State::Line(line) => {
                    let byte = bytes.get_u8();
                    line.extend_from_slice(&[byte]);
                    if line.len() > MAX_LINE_BYTES {
                        return Err(malformed("FormatError: a chunk's line is too long"));
                    }
                    if byte == b'\n' {
                        let line = line.split().freeze();
                        self.state = self.begin(&line, &mut out)?;
                    }
                }
                State::Data(left) => {
                    let take = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    let data = bytes.split_to(take);
                    *left -= take as u64;
                    let complete = *left == 0;
                    self.data(&data, &mut out);
                    if complete {
                        self.state = State::Break(2);
                    }
                }
                State::Break(left) => {
                    let byte = bytes.get_u8();
                    let expected = if *left == 2 { b'\r' } else { b'\n' };
                    if byte != expected {
                        return Err(malformed("FormatError: a chunk is longer than it says"));
                    }
                    *left -= 1;
                    let complete = *left == 0;
                    // A cut chunk has got its line break already.
                    if self.framing == Framing::Signed {
                        out.extend_from_slice(&[byte]);
                    }
                    if complete {
                        self.state = State::Line(BytesMut::new());
                    }
                }
                State::Trailers => {
                    out.extend_from_slice(&bytes);
                    bytes.clear();
                }
            }
        }
        Ok(out.freeze())
    }

    fn begin(&self, line: &[u8], out: &mut BytesMut) -> io::Result<State> {
        let digits: Vec<u8> = line
            .iter()
            .copied()
            .take_while(u8::is_ascii_hexdigit)
            .collect();
        let size = std::str::from_utf8(&digits)
            .ok()
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| malformed("FormatError: a chunk has no size"))?;
        if size == 0 {
            out.extend_from_slice(line);
            return Ok(State::Trailers);
        }
        match self.framing {
            Framing::Signed if size > MAX_SIGNED_BYTES => Err(malformed(
                "FormatError: a signed chunk is larger than 16 MiB",
            )),
            Framing::Signed => {
                out.extend_from_slice(line);
                Ok(State::Data(size))
            }
            Framing::Unsigned => Ok(State::Data(size)),
        }
    }

    fn data(&self, data: &[u8], out: &mut BytesMut) {
        match self.framing {
            Framing::Signed => out.extend_from_slice(data),
            Framing::Unsigned => {
                out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                out.extend_from_slice(data);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

fn malformed(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(framing: Framing, pieces: &[&str]) -> Result<String, String> {
        let mut scanner = Scanner::new(framing);
        let mut out = String::new();
        for piece in pieces {
            let bytes = scanner.push(Bytes::copy_from_slice(piece.as_bytes()));
            let bytes = bytes.map_err(|error| error.to_string())?;
            out.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        Ok(out)
    }

    #[test]
    fn signed_chunks_pass_unchanged_however_they_arrive() {
        let body = "5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\nx:y\r\n\r\n";
        assert_eq!(scan(Framing::Signed, &[body]).unwrap(), body);
        let bytes: Vec<String> = body.chars().map(String::from).collect();
        let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
        assert_eq!(scan(Framing::Signed, &bytes).unwrap(), body);
    }

    #[test]
    fn unsigned_chunks_are_cut_where_they_arrive() {
        assert_eq!(
            scan(
                Framing::Unsigned,
                &["5\r\nhe", "llo\r\n0\r\nx-amz-checksum-crc32:AA==\r\n"]
            )
            .unwrap(),
            "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:AA==\r\n"
        );
    }

    #[test]
    fn what_cannot_be_bounded_is_refused() {
        for (framing, body) in [
            (Framing::Signed, "1000001;chunk-signature=ab\r\n"),
            (Framing::Signed, "ffffffffffffffffff\r\n"),
            (Framing::Unsigned, "zz\r\n"),
            (Framing::Unsigned, "2\r\nhello\r\n0\r\n"),
            (Framing::Unsigned, "2\r\nhe\n\r0\r\n"),
            (Framing::Unsigned, &"a".repeat(2_000)),
        ] {
            assert!(scan(framing, &[body]).is_err(), "{body}");
        }
    }
}
