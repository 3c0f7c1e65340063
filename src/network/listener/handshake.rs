//! The TLS handshake, refused with the alert that says why when there is no certificate for the
//! name. rustls by itself would answer `access_denied`, which sends people looking for a firewall.

use std::io;

use rustls::server::Acceptor;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, server::TlsStream};

/// A fatal alert `unrecognized_name` (RFC 6066 §3) in a record of its own. Nothing is encrypted
/// before the server's hello.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Takes a connection through the handshake.
pub(super) async fn accept(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    if acceptor
        .config()
        .cert_resolver
        .resolve(start.client_hello())
        .is_some()
    {
        return start.into_stream(acceptor.config().clone()).await;
    }
    let name = start
        .client_hello()
        .server_name()
        .unwrap_or("none")
        .to_owned();
    refuse(start.io).await?;
    Err(io::Error::other(format!(
        "there is no certificate for the server name {name:?}"
    )))
}

async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(&UNRECOGNIZED_NAME).await?;
    stream.shutdown().await
}
