//! Connections to servers of HTTP/1.1, each driven by the request that uses it. In hyper-util's
//! pooled client every connection is a task: a request goes there by a channel, its answer comes
//! back by others, and each crossing is a wake-up, between threads where there are several. Here
//! hyper's protocol state is polled in the task of the request and of its answer's body. What is
//! idle is polled by nobody: whether the server has closed it shows when it is taken.

mod connection;
mod idle;
#[cfg(test)]
mod tests;

use std::{io, sync::Arc, time::Duration};

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header, uri};
use hyper::client::conn::http1;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use mito_core::Supervisor;
use tokio::time::Instant;
use tower::Service as _;

use super::{upload::Progress, upstream::Failure};
use connection::{Connection, Unanswered};
use idle::Idle;

/// A server as it is connected to. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Server {
    is_tls: bool,
    /// Host and port, lower case.
    authority: Arc<str>,
}

/// The connections of one transport. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections(Arc<Inner>);

struct Inner {
    connector: HttpsConnector<HttpConnector>,
    idle: Arc<Idle>,
    supervisor: Supervisor,
}

/// How long a server may take to go on with a request, and what of it it took last.
pub(super) struct Patience<'a> {
    pub(super) limit: Option<Duration>,
    pub(super) progress: &'a Progress,
}

impl Patience<'_> {
    /// When it ends as things are.
    fn until(&self) -> Option<Instant> {
        Some(self.progress.last() + self.limit?)
    }
}

impl Connections {
    /// Connections that are kept for `keep` while they are idle, up to `most` for each server.
    pub(super) fn new(
        connector: HttpsConnector<HttpConnector>,
        keep: Duration,
        most: usize,
        supervisor: Supervisor,
    ) -> Self {
        Self(Arc::new(Inner {
            connector,
            idle: Arc::new(Idle::new(keep, most)),
            supervisor,
        }))
    }

    /// Sends a request, whose target is in origin form, and returns the beginning of its answer.
    pub(super) async fn send(
        &self,
        server: &Server,
        mut request: Request<Body>,
        patience: &Patience<'_>,
    ) -> Result<Response<Body>, Failure> {
        if !request.headers().contains_key(header::HOST) {
            let host = server.host().ok_or(Failure::Unreachable)?;
            request.headers_mut().insert(header::HOST, host);
        }
        loop {
            let kept = self.0.idle.take(server);
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.connect(server, patience).await?,
            };
            match connection.exchange(request, patience).await {
                Ok(response) => return Ok(self.follow(server, connection, response)),
                // The server had closed it before anything was sent, so it knows nothing of it.
                Err(Unanswered::Unsent(unsent)) if is_kept => request = *unsent,
                Err(Unanswered::Failed(error)) => return Err(failure(&error)),
                Err(Unanswered::Unsent(_) | Unanswered::Closed) => {
                    return Err(Failure::Unreachable);
                }
                Err(Unanswered::TimedOut) => return Err(Failure::TimedOut),
            }
        }
    }

    async fn connect(
        &self,
        server: &Server,
        patience: &Patience<'_>,
    ) -> Result<Connection, Failure> {
        let address = server.address().ok_or(Failure::Unreachable)?;
        let connecting = self.0.connector.clone().call(address);
        let stream = match patience.until() {
            Some(until) => tokio::time::timeout_at(until, connecting).await,
            None => Ok(connecting.await),
        };
        let stream = stream.map_err(|_| Failure::TimedOut)?;
        let stream = stream.map_err(|error| match failure(&*error) {
            Failure::TimedOut => Failure::TimedOut,
            _ => Failure::NotConnected,
        })?;
        let made = http1::handshake(stream).await;
        let (sender, protocol) = made.map_err(|error| failure(&error))?;
        Ok(Connection::new(sender, protocol.with_upgrades()))
    }

    /// Lets the body of an answer drive its connection, which is idle after it.
    fn follow(
        &self,
        server: &Server,
        connection: Connection,
        response: Response<hyper::body::Incoming>,
    ) -> Response<Body> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            // Its stream goes to whoever asked for the upgrade as soon as it has been driven to its end.
            let ended = connection.until_end();
            self.0.supervisor.detach("gateway/upgrade", ended);
            return response.map(Body::new);
        }
        response.map(|body| connection::answer(body, connection, self.clone(), server.clone()))
    }

    /// Takes back a connection whose answer has ended.
    fn put(&self, server: Server, mut connection: Connection) {
        if connection.is_ready() {
            self.keep(server, connection);
        } else if !connection.has_ended() {
            // The answer came before the whole request was sent.
            let connections = self.clone();
            self.0.supervisor.detach("gateway/upload", async move {
                connection.until_ready().await;
                if connection.is_ready() {
                    connections.keep(server, connection);
                }
            });
        }
    }

    fn keep(&self, server: Server, connection: Connection) {
        if self.0.idle.put(server, connection) {
            let (idle, shutdown) = (Arc::downgrade(&self.0.idle), self.0.supervisor.shutdown());
            let sweep = async move {
                tokio::select! {
                    () = shutdown.begun() => {}
                    () = Idle::sweep(idle) => {}
                }
            };
            self.0.supervisor.detach("gateway/idle connections", sweep);
        }
    }
}

impl Server {
    pub(super) fn new(is_tls: bool, authority: &uri::Authority) -> Self {
        Self {
            is_tls,
            authority: authority.as_str().to_ascii_lowercase().into(),
        }
    }

    /// Where it is connected to.
    fn address(&self) -> Option<Uri> {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}/", self.authority).parse().ok()
    }

    /// The `Host` of a request that has none: without the port that is meant anyway.
    fn host(&self) -> Option<HeaderValue> {
        let usual = if self.is_tls { ":443" } else { ":80" };
        let host = self.authority.strip_suffix(usual);
        HeaderValue::from_str(host.unwrap_or(&self.authority)).ok()
    }
}

/// What an error says of the server.
fn failure(error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut cause = Some(error);
    while let Some(current) = cause {
        let io = current.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Failure::TimedOut;
        }
        cause = current.source();
    }
    Failure::Unreachable
}
