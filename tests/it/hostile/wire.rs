//! Bytes to and from a socket.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::harness::PATIENCE;

/// What came back before the connection was closed.
#[derive(Debug)]
pub(super) struct Reply(pub(super) Vec<u8>);

impl Reply {
    /// The status of the first answer, 0 if there is none.
    pub(super) fn status(&self) -> u16 {
        let text = self.text();
        let code = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// How many answers there are.
    pub(super) fn answers(&self) -> usize {
        let text = self.text();
        let after = text.split("HTTP/1.1 ").skip(1);
        after
            .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
            .count()
    }
}

pub(super) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Sends bytes and reads until the other side closes.
pub(super) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let (mut read, mut write) = connect(address).await.into_split();
    // Both at once: who refuses early does not take everything. The side that writes stays open, as
    // a client that waits for an answer keeps it.
    let sending = async {
        let _ = write.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        reply = read_to_end(&mut read) => reply,
        () = sending => unreachable!("it waits"),
    }
}

/// Reads until the other side closes; a reset after the answer counts as closed.
pub(super) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> Reply {
    let mut reply = Vec::new();
    let reading = async { while stream.read_buf(&mut reply).await.is_ok_and(|read| read > 0) {} };
    let ended = tokio::time::timeout(PATIENCE, reading).await;
    let reply = Reply(reply);
    assert!(ended.is_ok(), "it stays open after {:?}", reply.text());
    reply
}

/// Reads until `end` has come.
pub(super) async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut text = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&text).contains(end) {
            let read = stream.read_buf(&mut text).await.unwrap_or(0);
            assert!(
                read > 0,
                "closed after {:?}",
                String::from_utf8_lossy(&text)
            );
        }
    };
    in_time("it comes", reading).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// What `future` gives, which must not take for ever.
pub(super) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(PATIENCE, future).await else {
        panic!("waited {PATIENCE:?} until {what}");
    };
    done
}

/// The limit that a test waits for, short enough to wait and long enough for a busy machine.
pub(super) const SHORT: Duration = Duration::from_millis(700);
