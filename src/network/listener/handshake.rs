//! The TLS handshake: with the configuration that goes for the name that the client asks for, and
//! refused with the alert that says why when there is no certificate for it. rustls by itself would
//! answer `access_denied`, which sends people looking for a firewall.

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    server::{Acceptor, ClientHello},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

/// A fatal alert `unrecognized_name` (RFC 6066 §3) in a record of its own. Nothing is encrypted
/// before the server's hello.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Says how TLS is spoken with a client.
pub trait TlsChoice: Send + Sync {
    /// What goes for a client that begins like this; without it the client is refused.
    fn choose(&self, hello: &ClientHello<'_>) -> Option<Chosen>;
}

/// A configuration with its name, which requests see in [`crate::connection::TlsInfo`].
pub struct Chosen {
    /// The configuration.
    pub config: Arc<ServerConfig>,
    /// What it is called.
    pub name: Arc<str>,
}

/// The same configuration for everybody.
pub(super) struct OneConfig(pub(super) Arc<ServerConfig>);

impl TlsChoice for OneConfig {
    fn choose(&self, _: &ClientHello<'_>) -> Option<Chosen> {
        Some(Chosen {
            config: self.0.clone(),
            name: "default".into(),
        })
    }
}

/// Takes a connection through the handshake; the name is that of the configuration.
pub(super) async fn accept(
    choice: &dyn TlsChoice,
    stream: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, Arc<str>)> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let chosen = choice.choose(&start.client_hello()).filter(|chosen| {
        let resolver = &chosen.config.cert_resolver;
        resolver.resolve(start.client_hello()).is_some()
    });
    if let Some(Chosen { config, name }) = chosen {
        return Ok((start.into_stream(config).await?, name));
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
