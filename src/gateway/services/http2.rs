//! Connections of HTTP/2 to servers: one for each, which all requests share. hyper's pool keys its
//! connections by the authority of a request, which in HTTP/2 is also what the server takes for the
//! host; here a server stays the same whichever host its requests are for.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use hyper::{
    client::conn::{TrySendError, http2},
    rt::Executor as _,
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::{legacy::connect::HttpConnector, pool::singleton::Singleton},
    rt::{TokioExecutor, TokioTimer},
};
use tower::{Service, service_fn, util::BoxCloneSyncService};

use super::room::holding;

/// Servers that may be connected to at once. Those whose connection has ended make room.
const MAX_SERVERS: usize = 4_096;
/// How often a request goes to another connection because the one it was meant for had ended.
const MAX_CONNECTIONS: usize = 3;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Connector = BoxCloneSyncService<Uri, Connection, Error>;
/// The answer, or the request where it could not be sent.
type Sent = Result<Response<Body>, TrySendError<Request<Body>>>;

/// The connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Http2 {
    connector: Connector,
    /// By scheme and authority.
    servers: Arc<Mutex<HashMap<Uri, Singleton<Connector, Uri>>>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// There is no connection, so nobody knows of the request.
    NotConnected(Error),
    /// It ended before the answer.
    Broken(hyper::Error),
}

/// A connection. Clones share it.
#[derive(Clone)]
struct Connection {
    sender: http2::SendRequest<Body>,
    usage: Usage,
}

/// Whether a connection is in use.
#[derive(Clone, Default)]
struct Usage(Arc<Counts>);

#[derive(Default)]
struct Counts {
    /// Requests that have not ended.
    open: AtomicUsize,
    /// Whether there was one since the last look.
    used: AtomicBool,
}

/// A request that has not ended, until it is dropped.
struct Open(Usage);

impl Http2 {
    /// Connections that end after they have been of no use for that long.
    pub(super) fn new(connector: HttpsConnector<HttpConnector>, idle: Duration) -> Self {
        let connect = move |server: Uri| {
            let mut connector = connector.clone();
            async move {
                poll_fn(|context| connector.poll_ready(context)).await?;
                let stream = connector.call(server).await?;
                let handshake = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .handshake(stream);
                let (sender, connection) = handshake.await?;
                let usage = Usage::default();
                let kept = usage.clone();
                TokioExecutor::new().execute(async move {
                    tokio::select! {
                        // Requests have heard of its end.
                        _ended = connection => {}
                        () = kept.nobody_for(idle) => {}
                    }
                });
                Ok::<_, Error>(Connection { sender, usage })
            }
        };
        Self {
            connector: BoxCloneSyncService::new(service_fn(connect)),
            servers: Arc::default(),
        }
    }

    /// Sends a request to `server`, which has a scheme and an authority. Whatever the request says,
    /// it goes there.
    pub(super) async fn request(
        &self,
        server: &Uri,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Unanswered> {
        let mut turns = 0;
        loop {
            turns += 1;
            let connecting = self.server(server).call(server.clone());
            let mut connection = connecting
                .await
                .map_err(|error| Unanswered::NotConnected(error.into()))?;
            // One that has ended is forgotten with this.
            if let Err(error) = poll_fn(|context| connection.poll_ready(context)).await {
                if turns < MAX_CONNECTIONS {
                    continue;
                }
                return Err(Unanswered::Broken(error));
            }
            let sent = connection.call(request).await;
            let mut error = match sent.map_err(Unanswered::Broken)? {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            match error.take_message() {
                Some(unsent) if turns < MAX_CONNECTIONS => request = unsent,
                _ => return Err(Unanswered::Broken(error.into_error())),
            }
        }
    }

    /// What makes the connection to `server`, or has it.
    fn server(&self, server: &Uri) -> Singleton<Connector, Uri> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if servers.len() >= MAX_SERVERS {
            servers.retain(|_, it| {
                it.retain(|connection| !connection.sender.is_closed());
                !it.is_empty()
            });
        }
        let known = servers.entry(server.clone());
        known
            .or_insert_with(|| Singleton::new(self.connector.clone()))
            .clone()
    }
}

impl Service<Request<Body>> for Connection {
    type Response = Sent;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, Result<Sent, hyper::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let open = self.usage.enter();
        let sending = self.sender.try_send_request(request);
        Box::pin(async move {
            let sent = sending.await;
            Ok(sent.map(|response| response.map(|body| holding(Body::new(body), open))))
        })
    }
}

impl Usage {
    fn enter(&self) -> Open {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.used.store(true, Ordering::Relaxed);
        Open(self.clone())
    }

    /// Returns when there was no request for that long.
    async fn nobody_for(&self, idle: Duration) {
        loop {
            tokio::time::sleep(idle).await;
            let used = self.0.used.swap(false, Ordering::Relaxed);
            if !used && self.0.open.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.0.used.store(true, Ordering::Relaxed);
    }
}
