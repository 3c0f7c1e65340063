//! Frames of HTTP/2 (RFC 9113 §4.1) as bytes, right and wrong ones, and what comes back.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::wire::in_time;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// RFC 9113 §7.
pub(super) const PROTOCOL_ERROR: u32 = 1;
pub(super) const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A literal field that is not kept (RFC 7541 §6.2.2).
pub(super) fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0], &text(name)[..], &text(value)[..]].concat()
}

/// A literal field that is kept (RFC 7541 §6.2.1).
pub(super) fn kept_field(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0x40], &text(name)[..], &text(value)[..]].concat()
}

/// A string without Huffman's code (RFC 7541 §5.2).
fn text(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    if bytes.len() < 127 {
        text.push(u8::try_from(bytes.len()).unwrap());
    } else {
        text.push(127);
        let mut rest = bytes.len() - 127;
        while rest >= 128 {
            text.push(u8::try_from(rest % 128).unwrap() | 128);
            rest /= 128;
        }
        text.push(u8::try_from(rest).unwrap());
    }
    text.extend(bytes);
    text
}

/// The fields of an ordinary GET.
pub(super) fn get(authority: &str, path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    block.extend(field(b":path", path.as_bytes()));
    block.extend(field(b":authority", authority.as_bytes()));
    block
}

/// A setting.
pub(super) fn setting(id: u16, value: u32) -> Vec<u8> {
    let payload = [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(SETTINGS, 0, 0, &payload)
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Whether the status is 200.
    Answer {
        stream: u32,
        is_good: bool,
    },
    Data {
        stream: u32,
        bytes: usize,
        is_last: bool,
    },
    Reset {
        stream: u32,
        code: u32,
    },
    GoAway {
        code: u32,
    },
    Pong,
    Other(u8),
    Closed,
}

/// A client that has said hello.
pub(super) struct Connection {
    read: OwnedReadHalf,
    pub(super) write: OwnedWriteHalf,
}

impl Connection {
    /// Sends the preface and these settings.
    pub(super) async fn open(address: SocketAddr, settings: &[u8]) -> Self {
        let (read, write) = TcpStream::connect(address).await.unwrap().into_split();
        let mut connection = Self { read, write };
        connection.send(&[PREFACE, settings].concat()).await;
        connection
    }

    /// Sends bytes; an end on the other side shows in what comes back.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = in_time("it is taken", self.write.write_all(bytes)).await;
    }

    /// Sends bytes while everything is read that comes back: up to the first event that `is_wanted`,
    /// or to the end of the connection.
    pub(super) async fn exchange(
        self,
        bytes: Vec<u8>,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Vec<Event> {
        let Self { read, mut write } = self;
        let sending = async {
            // Whoever is turned away cannot send the rest.
            let _ = write.write_all(&bytes).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            events = until(read, is_wanted) => events,
            () = sending => unreachable!("it waits"),
        }
    }

    /// The first event that `is_wanted`, and all that came before it. The end of the connection ends
    /// the wait too.
    pub(super) async fn until(&mut self, is_wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        until(&mut self.read, is_wanted).await
    }
}

async fn until(mut read: impl AsyncRead + Unpin, is_wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = in_time("something comes", next(&mut read)).await;
        let event = event.unwrap_or(Event::Closed);
        let ends = is_wanted(&event) || event == Event::Closed;
        events.push(event);
        if ends {
            return events;
        }
    }
}

async fn next(read: &mut (impl AsyncRead + Unpin)) -> Option<Event> {
    let mut head = [0; 9];
    read.read_exact(&mut head).await.ok()?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let mut payload = vec![0; length];
    read.read_exact(&mut payload).await.ok()?;
    let number = |at: usize| {
        let bytes = payload.get(at..at + 4).and_then(|it| it.try_into().ok());
        u32::from_be_bytes(bytes.unwrap_or_default())
    };
    let stream = u32::from_be_bytes(head[5..].try_into().unwrap()) & 0x7fff_ffff;
    Some(match head[3] {
        // 200 is the eighth of the static table (RFC 7541 appendix A).
        HEADERS => Event::Answer {
            stream,
            is_good: payload.first() == Some(&0x88),
        },
        DATA => Event::Data {
            stream,
            bytes: length,
            is_last: head[4] & END_STREAM != 0,
        },
        RST_STREAM => Event::Reset {
            stream,
            code: number(0),
        },
        GOAWAY => Event::GoAway { code: number(4) },
        PING if head[4] & 1 != 0 => Event::Pong,
        kind => Event::Other(kind),
    })
}
