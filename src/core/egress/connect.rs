//! Resolving and connecting: only to addresses that were checked, never to a name again.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::either::Either;

use super::{Error, addresses::Allowed};

/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;

/// Opens connections to checked addresses. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) allowed: Arc<Allowed>,
    pub(super) timeout: Duration,
    pub(super) tls: Arc<ClientConfig>,
}

impl Connector {
    /// The addresses of `host` that may be reached.
    pub(super) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self.look_up(bare, port).await?,
        };
        let named = self.allowed.host(bare);
        let reachable = |address: &SocketAddr| named || self.allowed.address(address.ip());
        let (reachable, refused): (Vec<_>, Vec<_>) = found.into_iter().partition(reachable);
        match (reachable.is_empty(), refused.first()) {
            (false, _) => Ok(reachable.into_iter().take(MAX_ADDRESSES).collect()),
            (true, Some(refused)) => Err(Error::Forbidden {
                host: host.to_owned(),
                address: refused.ip().to_string(),
            }),
            (true, None) => Err(Error::Resolve {
                host: host.to_owned(),
                source: io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
            }),
        }
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let looking = tokio::net::lookup_host((host, port));
        let found = tokio::time::timeout(self.timeout, looking)
            .await
            .map_err(|_| self.timed_out(host))?
            .map_err(|source| Error::Resolve {
                host: host.to_owned(),
                source,
            })?;
        Ok(found.collect())
    }

    fn timed_out(&self, host: &str) -> Error {
        Error::Timeout {
            host: host.to_owned(),
            limit: self.timeout,
        }
    }

    async fn connect(self, uri: Uri) -> Result<Stream, Error> {
        let host = uri.host().unwrap_or_default().to_owned();
        let encrypted = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let connecting = async {
            let stream = self.connect_tcp(&host, port).await?;
            if !encrypted {
                return Ok(Stream::new(Either::Left(stream)));
            }
            let failed = |reason: String| Error::Exchange {
                host: host.clone(),
                reason,
            };
            let bare = host.trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(bare).map_err(|error| failed(error.to_string()))?;
            let connector = TlsConnector::from(self.tls.clone());
            let stream = connector.connect(name, stream).await;
            let stream = stream.map_err(|error| failed(format!("TLS: {error}")))?;
            Ok(Stream::new(Either::Right(stream)))
        };
        let connected = tokio::time::timeout(self.timeout, connecting).await;
        connected.unwrap_or_else(|_| Err(self.timed_out(&host)))
    }

    async fn connect_tcp(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let mut last = None;
        for address in self.resolve(host, port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = Some(format!("connecting to {address}: {error}")),
            }
        }
        let reason = last.unwrap_or_else(|| "it has no address".to_owned());
        Err(Error::Exchange {
            host: host.to_owned(),
            reason,
        })
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Stream;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection, encrypted or not.
pub(super) struct Stream(TokioIo<Either<TcpStream, TlsStream<TcpStream>>>);

impl Stream {
    fn new(stream: Either<TcpStream, TlsStream<TcpStream>>) -> Self {
        Self(TokioIo::new(stream))
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
