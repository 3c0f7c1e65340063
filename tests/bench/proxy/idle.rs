//! Memory of connections on which one request was answered and nothing is asked any more.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::ensure;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpSocket,
};
use tokio_rustls::TlsConnector;

use super::{Identity, Proxy, each};
use crate::stats::line;

/// Connections.
const CONNECTIONS: u16 = 10_000;
/// How many of them come from one address.
const PER_ADDRESS: u16 = 2_500;
/// How many are opened at once.
const AT_ONCE: u16 = 50;
/// How long a proxy has to free what it only needed for the requests.
const SETTLE: Duration = Duration::from_secs(5);
const REQUEST: &[u8] = b"GET /64 HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Measures and prints a table.
pub(super) async fn run(behind: SocketAddr) -> anyhow::Result<()> {
    line("\n| proxy | connections | MiB before | MiB with them | KiB each |")?;
    line("|---|---|---:|---:|---:|")?;
    each(behind, async |proxy, _| measure(proxy, None).await).await?;
    each(behind, async |proxy, identity| {
        measure(proxy, Some(identity)).await
    })
    .await
}

async fn measure(proxy: &Proxy, identity: Option<&Identity>) -> anyhow::Result<()> {
    let connector = identity.map(Identity::client).transpose()?;
    let connector = connector.map(TlsConnector::from);
    let before = proxy.process.resident_mib()?;
    let mut open: Vec<Box<dyn Connection>> = Vec::with_capacity(CONNECTIONS.into());
    for first in (0..CONNECTIONS).step_by(AT_ONCE.into()) {
        let some = (first..first + AT_ONCE).map(|number| connect(proxy, number, connector.clone()));
        open.extend(futures_util::future::try_join_all(some).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let with = proxy.process.resident_mib()?;
    // One that was closed meanwhile would have cost nothing.
    for stream in &mut open {
        stream.write_all(REQUEST).await?;
        answer(stream).await?;
    }
    line(&format!(
        "| {} | {CONNECTIONS} {} | {before:.0} | {with:.0} | {:.1} |",
        proxy.name,
        if identity.is_some() { "TLS" } else { "plain" },
        (with - before) * 1_024.0 / f64::from(CONNECTIONS)
    ))?;
    Ok(())
}

trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// A connection on which one request has been answered.
async fn connect(
    proxy: &Proxy,
    number: u16,
    connector: Option<TlsConnector>,
) -> anyhow::Result<Box<dyn Connection>> {
    let [_, last_octet] = (2 + number / PER_ADDRESS).to_be_bytes();
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, last_octet), 0).into())?;
    let mut stream: Box<dyn Connection> = match connector {
        None => Box::new(socket.connect(proxy.web).await?),
        Some(connector) => {
            let stream = socket.connect(proxy.websecure).await?;
            let name = ServerName::try_from("localhost")?;
            Box::new(connector.connect(name, stream).await?)
        }
    };
    stream.write_all(REQUEST).await?;
    answer(&mut stream).await?;
    Ok(stream)
}

/// Reads an answer, whose body is 64 times the same letter.
async fn answer(stream: &mut Box<dyn Connection>) -> anyhow::Result<()> {
    let mut text = Vec::with_capacity(512);
    while !text.ends_with(&[b'x'; 64]) {
        let read = stream.read_buf(&mut text).await?;
        ensure!(read > 0, "the connection was closed");
    }
    Ok(())
}
