//! A client that costs the load's core little: one HTTP/1.1 connection, requests written as bytes
//! that were prepared before.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The longest answer, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A request as it is sent.
pub(crate) type Prepared = std::sync::Arc<[u8]>;

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, token: &str, body: Option<&Value>) -> Prepared {
    request_to("localhost", method, path, token, body)
}

/// The bytes of a request to a host.
pub(crate) fn request_to(
    host: &str,
    method: &str,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> Prepared {
    let body = body.filter(|body| !body.is_null()).map(Value::to_string);
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    if !token.is_empty() {
        text.extend(["authorization: ", token, "\r\n"]);
    }
    match body {
        Some(body) => {
            let length = body.len();
            let head =
                format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n");
            text.extend([head, body]);
        }
        None => text.push_str("\r\n"),
    }
    text.into_bytes().into()
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a request and reads its answer: status and body.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if let Some(answer) = parse(&self.buffer)? {
                return Ok(answer);
            }
            if self.buffer.len() > MAX_ANSWER {
                bail!("the answer is longer than {MAX_ANSWER} bytes");
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
    }
}

/// The answer, when it is there whole.
fn parse(bytes: &[u8]) -> anyhow::Result<Option<(u16, Vec<u8>)>> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?;
    let status = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .with_context(|| format!("no status in {head:?}"))?;
    let body = &bytes[end + 4..];
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    };
    if let Some(length) = header("content-length") {
        let length: usize = length.parse()?;
        return Ok((body.len() >= length).then(|| (status, body[..length].to_vec())));
    }
    if header("transfer-encoding").is_some() {
        return Ok(unchunk(body)?.map(|body| (status, body)));
    }
    Ok(Some((status, Vec::new())))
}

/// The content of a chunked body (RFC 9112 §7.1), when its last chunk is there.
fn unchunk(mut rest: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    while let Some(end) = find(rest, b"\r\n") {
        let size = std::str::from_utf8(&rest[..end])?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
        let Some(chunk) = rest.get(end + 2..end + 2 + size + 2) else {
            return Ok(None);
        };
        if size == 0 {
            return Ok(Some(content));
        }
        content.extend_from_slice(&chunk[..size]);
        rest = &rest[end + 2 + size + 2..];
    }
    Ok(None)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_when_they_are_whole() {
        let check = |text: &str, expected: Option<(u16, &str)>| {
            let found = parse(text.as_bytes()).unwrap();
            let found = found.map(|(status, body)| (status, String::from_utf8(body).unwrap()));
            assert_eq!(
                found,
                expected.map(|(status, body)| (status, body.to_owned())),
                "{text:?}"
            );
        };
        check("HTTP/1.1 200 OK\r\nContent-Len", None);
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", None);
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            Some((200, "ok")),
        );
        let chunked = "HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n";
        check(&format!("{chunked}2\r\nok\r\n1\r\n"), None);
        check(
            &format!("{chunked}2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"),
            Some((400, "ok!")),
        );
        check("HTTP/1.1 204 No Content\r\n\r\n", Some((204, "")));
    }
}
