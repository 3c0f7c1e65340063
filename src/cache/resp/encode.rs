//! Writes answers in the version of the protocol that the client speaks.

use bytes::Bytes;

use super::Reply;
use crate::number::format_double;

/// Appends `reply` in `protocol` (2 or 3).
pub(crate) fn encode(reply: &Reply, protocol: u8, out: &mut Vec<u8>) {
    match reply {
        Reply::Status(text) => line(out, b'+', text.as_bytes()),
        Reply::Line(text) => line(out, b'+', text.as_bytes()),
        Reply::Error(text) => line(out, b'-', text.as_bytes()),
        Reply::Integer(number) => integer(out, b':', *number),
        Reply::Bulk(bytes) => bulk(out, bytes),
        Reply::Nil | Reply::NilArray if protocol >= 3 => out.extend_from_slice(b"_\r\n"),
        Reply::Nil => out.extend_from_slice(b"$-1\r\n"),
        Reply::NilArray => out.extend_from_slice(b"*-1\r\n"),
        Reply::Array(items) => all(out, b'*', items, protocol),
        Reply::Set(items) => all(
            out,
            if protocol >= 3 { b'~' } else { b'*' },
            items,
            protocol,
        ),
        Reply::Push(items) => all(
            out,
            if protocol >= 3 { b'>' } else { b'*' },
            items,
            protocol,
        ),
        Reply::Map(pairs) => map(out, pairs, protocol),
        Reply::Double(number) => double(out, *number, protocol),
        Reply::Boolean(value) if protocol >= 3 => {
            out.extend_from_slice(if *value { b"#t\r\n" } else { b"#f\r\n" });
        }
        Reply::Boolean(value) => integer(out, b':', i64::from(*value)),
        Reply::Verbatim(text) if protocol >= 3 => {
            integer(out, b'=', count(text.len() + 4));
            out.extend_from_slice(b"txt:");
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        Reply::Verbatim(text) => bulk(out, text.as_bytes()),
    }
}

/// Appends a command as a client, or the append-only file, writes it: an array of strings.
pub(crate) fn command<B: AsRef<[u8]>>(arguments: &[B], out: &mut Vec<u8>) {
    integer(out, b'*', count(arguments.len()));
    for argument in arguments {
        bulk(out, argument.as_ref());
    }
}

/// How many bytes an answer takes at most, to know before it is written.
pub(crate) fn size_bytes(reply: &Reply) -> usize {
    const HEAD: usize = 24;
    match reply {
        Reply::Bulk(bytes) => HEAD + bytes.len(),
        Reply::Verbatim(text) | Reply::Line(text) | Reply::Error(text) => HEAD + text.len(),
        Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
            HEAD + items.iter().map(size_bytes).sum::<usize>()
        }
        Reply::Map(pairs) => {
            let sizes = pairs
                .iter()
                .map(|(key, value)| size_bytes(key) + size_bytes(value));
            HEAD + sizes.sum::<usize>()
        }
        _ => HEAD,
    }
}

fn line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    // A line break would be read as the end of the answer.
    out.extend(text.iter().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        byte => *byte,
    }));
    out.extend_from_slice(b"\r\n");
}

fn integer(out: &mut Vec<u8>, kind: u8, number: i64) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    integer(out, b'$', count(bytes.len()));
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn all(out: &mut Vec<u8>, kind: u8, items: &[Reply], protocol: u8) {
    integer(out, kind, count(items.len()));
    for item in items {
        encode(item, protocol, out);
    }
}

fn map(out: &mut Vec<u8>, pairs: &[(Reply, Reply)], protocol: u8) {
    if protocol >= 3 {
        integer(out, b'%', count(pairs.len()));
    } else {
        integer(out, b'*', count(pairs.len() * 2));
    }
    for (key, value) in pairs {
        encode(key, protocol, out);
        encode(value, protocol, out);
    }
}

fn double(out: &mut Vec<u8>, number: f64, protocol: u8) {
    let text = format_double(number);
    if protocol >= 3 {
        line(out, b',', text.as_bytes());
    } else {
        bulk(out, &Bytes::from(text));
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
