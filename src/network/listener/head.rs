//! HTTP/1 as it stands on the wire: where a request head ends, whether it is written as RFC 9112
//! demands, and how its body is framed. hyper is more lenient than is safe (bare line feeds,
//! `Content-Length` beside `Transfer-Encoding`, fragments), and does not tell. No I/O.

use http::StatusCode;

use crate::admission::MAX_URI_BYTES;

/// The most header fields of a request.
const MAX_HEADERS: usize = 100;
/// The most bytes of chunk extensions and trailers in one body.
const MAX_CHUNK_EXTRAS_BYTES: usize = 16 * 1024;

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) body: Body,
    /// The client asks for another protocol on this connection.
    pub(super) upgrade: bool,
}

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Fixed(u64),
    Chunked,
}

/// Finds the end of a head in bytes that arrive piece by piece.
#[derive(Debug, Default)]
pub(super) struct HeadFinder {
    /// Where the first unfinished line begins.
    line: usize,
}

impl HeadFinder {
    /// The length of the head, its empty line included. Lines that end without carriage return
    /// count as lines here; [`inspect`] refuses them.
    pub(super) fn end(&mut self, buffer: &[u8]) -> Option<usize> {
        while let Some(length) = buffer[self.line..].iter().position(|byte| *byte == b'\n') {
            let line = &buffer[self.line..self.line + length];
            self.line += length + 1;
            if matches!(line, b"" | b"\r") {
                return Some(self.line);
            }
        }
        None
    }

    /// Whether the request line has ended.
    pub(super) fn has_request_line(&self) -> bool {
        self.line > 0
    }
}

/// Checks a complete head.
pub(super) fn inspect(head: &[u8]) -> Result<Head, StatusCode> {
    let mut lines = head.split_inclusive(|byte| *byte == b'\n').map(content);
    let minor = request_line(lines.next().ok_or(StatusCode::BAD_REQUEST)??)?;
    let (mut length, mut chunked, mut upgrade) = (None, false, false);
    for (number, line) in lines.enumerate() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if number == MAX_HEADERS {
            return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            let parsed = content_length(value).ok_or(StatusCode::BAD_REQUEST)?;
            if length.replace(parsed).is_some() {
                return Err(StatusCode::BAD_REQUEST);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || minor == 0 {
                return Err(StatusCode::BAD_REQUEST);
            }
            transfer_coding(value)?;
            chunked = true;
        }
        upgrade |= name.eq_ignore_ascii_case(b"upgrade");
    }
    let body = match (length, chunked) {
        // RFC 9112 §6.1: a message with both may be an attempt to smuggle a request.
        (Some(_), true) => return Err(StatusCode::BAD_REQUEST),
        (None, true) => Body::Chunked,
        (length, false) => Body::Fixed(length.unwrap_or(0)),
    };
    Ok(Head { body, upgrade })
}

/// A line without its end, which must be CR LF.
fn content(line: &[u8]) -> Result<&[u8], StatusCode> {
    line.strip_suffix(b"\r\n").ok_or(StatusCode::BAD_REQUEST)
}

/// Checks the request line and returns the minor version.
fn request_line(line: &[u8]) -> Result<u8, StatusCode> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(StatusCode::BAD_REQUEST);
    };
    if !is_token(method) || target.is_empty() {
        return Err(StatusCode::BAD_REQUEST);
    }
    if target.len() > MAX_URI_BYTES {
        return Err(StatusCode::URI_TOO_LONG);
    }
    let minor = match version {
        b"HTTP/1.1" => 1,
        b"HTTP/1.0" => 0,
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() && *major != b'1' =>
        {
            return Err(StatusCode::HTTP_VERSION_NOT_SUPPORTED);
        }
        _ => return Err(StatusCode::BAD_REQUEST),
    };
    if method == b"CONNECT" {
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    let plain = |byte: &u8| (0x21..=0x7e).contains(byte) && *byte != b'#';
    let formed =
        target == b"*" || target[0] == b'/' || target.windows(3).any(|window| window == b"://");
    if formed && target.iter().all(plain) {
        Ok(minor)
    } else {
        Err(StatusCode::BAD_REQUEST)
    }
}

fn field(line: &[u8]) -> Result<(&[u8], &[u8]), StatusCode> {
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(StatusCode::BAD_REQUEST)?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    let control = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
    if !is_token(name) || line[colon + 1..].iter().any(control) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok((name, value))
}

/// Chunked alone is understood. RFC 9112 §6.1: it comes once and last, or the message is wrong.
fn transfer_coding(value: &[u8]) -> Result<(), StatusCode> {
    let mut codings = value.rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let ends_chunked = codings.next().is_some_and(is_chunked);
    match (ends_chunked, codings.next()) {
        (true, None) => Ok(()),
        (_, Some(before)) if is_chunked(before) || codings.any(is_chunked) => {
            Err(StatusCode::BAD_REQUEST)
        }
        _ => Err(StatusCode::NOT_IMPLEMENTED),
    }
}

/// Digits alone: Rust's parser would take a sign.
fn content_length(value: &[u8]) -> Option<u64> {
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(word: &[u8]) -> bool {
    let special = |byte: &u8| b"!#$%&'*+-.^_`|~".contains(byte);
    !word.is_empty()
        && word
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || special(byte))
}

/// Follows a chunked body to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    at: At,
    /// Bytes left of the chunk, while its size is read the size so far.
    left: u64,
    /// Extension and trailer bytes so far.
    extras: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    FirstDigit,
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerLine,
    Trailer,
    TrailerLf,
    LastLf,
}

/// How far a body went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All bytes belong to the body and it goes on.
    More,
    /// The body ended after this many bytes.
    Ended(usize),
    /// This is no chunked body; hyper will say so.
    Broken,
}

impl Chunks {
    pub(super) fn new() -> Self {
        Self {
            at: At::FirstDigit,
            left: 0,
            extras: 0,
        }
    }

    /// Takes the next bytes of the body.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Progress {
        let mut position = 0;
        while position < bytes.len() {
            if self.at == At::Data {
                let available = (bytes.len() - position) as u64;
                let taken = self.left.min(available);
                self.left -= taken;
                position += usize::try_from(taken).expect("no more than the slice holds");
                if self.left == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            let ends = self.at == At::LastLf;
            let Some(next) = self.step(bytes[position]) else {
                return Progress::Broken;
            };
            self.at = next;
            position += 1;
            if ends {
                return Progress::Ended(position);
            }
        }
        Progress::More
    }

    fn step(&mut self, byte: u8) -> Option<At> {
        if matches!(self.at, At::Extension | At::Trailer) {
            self.extras += 1;
            if self.extras > MAX_CHUNK_EXTRAS_BYTES {
                return None;
            }
        }
        match (self.at, byte) {
            (At::FirstDigit, _) => {
                self.left = 0;
                self.digit(byte)
            }
            (At::Size, b';' | b' ' | b'\t') => Some(At::Extension),
            (At::Size | At::Extension, b'\r') => Some(At::SizeLf),
            (At::Size, _) => self.digit(byte),
            (At::Extension, _) if byte != b'\n' => Some(At::Extension),
            (At::SizeLf, b'\n') if self.left == 0 => Some(At::TrailerLine),
            (At::SizeLf, b'\n') => Some(At::Data),
            (At::DataCr, b'\r') => Some(At::DataLf),
            (At::DataLf, b'\n') => Some(At::FirstDigit),
            (At::TrailerLine, b'\r') | (At::LastLf, b'\n') => Some(At::LastLf),
            (At::Trailer, b'\r') => Some(At::TrailerLf),
            (At::TrailerLine | At::Trailer, _) if byte != b'\n' => Some(At::Trailer),
            (At::TrailerLf, b'\n') => Some(At::TrailerLine),
            _ => None,
        }
    }

    fn digit(&mut self, byte: u8) -> Option<At> {
        let digit = char::from(byte).to_digit(16)?;
        self.left = self.left.checked_mul(16)?.checked_add(u64::from(digit))?;
        Some(At::Size)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, expected: Result<(Body, bool), u16>) {
        let got = inspect(head.as_bytes());
        let got = got
            .map(|head| (head.body, head.upgrade))
            .map_err(|status| status.as_u16());
        assert_eq!(got, expected, "{head:?}");
    }

    #[test]
    fn well_formed_heads_pass() {
        check(
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            Ok((Body::Fixed(0), false)),
        );
        check(
            "GET http://a/b HTTP/1.0\r\n\r\n",
            Ok((Body::Fixed(0), false)),
        );
        check(
            "OPTIONS * HTTP/1.1\r\nHost:a\r\n\r\n",
            Ok((Body::Fixed(0), false)),
        );
        check(
            "PUT / HTTP/1.1\r\ncontent-LENGTH: 12 \r\n\r\n",
            Ok((Body::Fixed(12), false)),
        );
        check(
            "PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n",
            Ok((Body::Chunked, false)),
        );
        check(
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            Ok((Body::Fixed(0), true)),
        );
        check(
            "GET / HTTP/1.1\r\nX: \t\u{e9}\r\n\r\n",
            Ok((Body::Fixed(0), false)),
        );
    }

    #[test]
    fn malformed_request_lines_are_refused() {
        let line = |line: &str, status| check(&format!("{line}\r\nHost: a\r\n\r\n"), Err(status));
        line("GET /", 400);
        line("GET  / HTTP/1.1", 400);
        line("GET / HTTP/1.1 ", 400);
        line("G\u{a5}T / HTTP/1.1", 400);
        line("GET /#x HTTP/1.1", 400);
        line("GET /\u{e9} HTTP/1.1", 400);
        line("GET a HTTP/1.1", 400);
        line("GET / HTTP/1.2", 400);
        line("GET / http/1.1", 400);
        line("GET / HTTP/3.7", 505);
        line("PRI * HTTP/2.0", 505);
        line("CONNECT a:443 HTTP/1.1", 501);
        line(&format!("GET /{} HTTP/1.1", "x".repeat(MAX_URI_BYTES)), 414);
    }

    #[test]
    fn malformed_fields_are_refused() {
        let field = |field: &str, status| {
            check(
                &format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"),
                Err(status),
            );
        };
        for bad in [
            "X",
            ": x",
            "X : x",
            " X: x",
            "X: a\r\n b",
            "X: a\rb",
            "X: a\0b",
            "X\u{0}: a",
        ] {
            field(bad, 400);
        }
        field("X: a\nY: b", 400);
        for bad in [
            "3, 3",
            "+3",
            "-1",
            "0x3",
            "18446744073709551616",
            "3\r\nContent-Length: 3",
        ] {
            field(&format!("Content-Length: {bad}"), 400);
        }
        field("Content-Length: 3\r\nTransfer-Encoding: chunked", 400);
        field("Transfer-Encoding: chunked\r\nContent-Length: 3", 400);
        field("Transfer-Encoding : chunked", 400);
        field("Transfer-Encoding: \u{b}chunked", 400);
        field(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            400,
        );
        field("Transfer-Encoding: xchunked", 501);
        field("Transfer-Encoding: gzip, chunked", 501);
        field("Transfer-Encoding: chunked, identity", 400);
        field("Transfer-Encoding: chunked, gzip, chunked", 400);
        field("Transfer-Encoding: chunked,", 400);
        field(&"X: y\r\n".repeat(MAX_HEADERS), 431);
        check(
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            Err(400),
        );
        check("GET / HTTP/1.1\nHost: a\r\n\r\n", Err(400));
        check("GET / HTTP/1.1\r\nHost: a\r\n\n", Err(400));
    }

    #[test]
    fn the_end_of_a_head_is_found_however_it_is_cut() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        for cut in 0..head.len() {
            let mut finder = HeadFinder::default();
            let early = finder.end(&head[..cut]);
            assert_eq!(
                early.or_else(|| finder.end(head)),
                Some(head.len() - 4),
                "cut at {cut}"
            );
        }
        assert_eq!(
            HeadFinder::default().end(b"GET / HTTP/1.1\n\nrest"),
            Some(16)
        );
    }

    #[test]
    fn chunked_bodies_are_followed_however_they_are_cut() {
        let check = |body: &[u8], expected: Progress| {
            for cut in 0..body.len() {
                let mut chunks = Chunks::new();
                let got = match chunks.advance(&body[..cut]) {
                    Progress::More => match chunks.advance(&body[cut..]) {
                        Progress::Ended(length) => Progress::Ended(cut + length),
                        other => other,
                    },
                    other => other,
                };
                assert_eq!(got, expected, "{body:?} cut at {cut}");
            }
        };
        check(b"0\r\n\r\nGET", Progress::Ended(5));
        check(b"3\r\nabc\r\n0\r\n\r\n", Progress::Ended(13));
        check(
            b"A;x=\"y\"\r\n0123456789\r\n00\r\nT: u\r\n\r\nnext",
            Progress::Ended(33),
        );
        check(b"3\r\nab", Progress::More);
        check(b"3\nabc", Progress::Broken);
        check(b"3\r\nabcd\r\n", Progress::Broken);
        check(b"x\r\n", Progress::Broken);
        check(b"10000000000000000\r\n", Progress::Broken);
        check(b"0\r\n\n", Progress::Broken);
        let mut chunks = Chunks::new();
        let extension = [b"1;".to_vec(), vec![b'x'; MAX_CHUNK_EXTRAS_BYTES + 1]].concat();
        assert_eq!(chunks.advance(&extension), Progress::Broken);
    }
}
