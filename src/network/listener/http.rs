//! One HTTP connection: TLS, telling HTTP/1 from HTTP/2 under a time limit of our own (hyper-util
//! has none there), and serving either until it ends or drains.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::BytesMut;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use mito_core::Shutdown;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Limits,
    activity::Activity,
    caps::Permit,
    gate::{Gate, Verdicts},
    handshake,
    respond::Responder,
};
use crate::{HttpService, connection::TlsInfo};

/// What a client that speaks HTTP/2 begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Streams that an HTTP/2 client may have open at once.
const MAX_STREAMS: u32 = 100;
/// The largest header list of HTTP/2, in bytes as RFC 9113 §6.5.2 counts them.
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;
/// What is kept of each answer that an HTTP/2 client has not made room for, in bytes.
const MAX_UNSENT_BYTES: usize = 64 * 1024;
/// How often a quiet HTTP/2 peer is pinged.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to answer the ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// The smallest buffer that hyper takes, in bytes.
const MIN_BUFFER_BYTES: usize = 64 * 1024;

/// What all connections of a listener share.
pub(super) struct Http {
    pub(super) entrypoint: String,
    pub(super) service: HttpService,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
    pub(super) shutdown: Shutdown,
}

impl Http {
    /// Serves one connection to its end.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        permit: Permit,
    ) {
        let Some(acceptor) = &self.tls else {
            return self.serve_stream(stream, peer, None, permit).await;
        };
        let limit = Duration::from_millis(self.limits.handshake_timeout_ms);
        let accepting = tokio::time::timeout(limit, handshake::accept(acceptor, stream));
        let stream = tokio::select! {
            () = self.shutdown.begun() => return,
            accepted = accepting => match accepted {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    tracing::debug!(peer.address = %peer, %error, "the TLS handshake failed");
                    return;
                }
                Err(_) => return,
            },
        };
        let (_, session) = stream.get_ref();
        let tls = TlsInfo {
            server_name: session.server_name().map(str::to_owned),
            version: session
                .protocol_version()
                .map_or_else(String::new, |version| {
                    version.as_str().unwrap_or("").to_owned()
                }),
        };
        self.serve_stream(stream, peer, Some(tls), permit).await;
    }

    async fn serve_stream<S>(
        &self,
        mut stream: S,
        peer: SocketAddr,
        tls: Option<TlsInfo>,
        permit: Permit,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (protocol, inbox) = tokio::select! {
            () = self.shutdown.begun() => return,
            recognised = recognise(&mut stream, &self.limits) => match recognised {
                Ok(recognised) => recognised,
                Err(_) => return,
            },
        };
        let activity = Activity::new();
        let responder = Arc::new(Responder {
            service: self.service.clone(),
            entrypoint: self.entrypoint.clone(),
            peer,
            tls,
            activity: activity.clone(),
            body_stall: Duration::from_millis(self.limits.body_stall_timeout_ms),
        });
        let outcome = match protocol {
            Protocol::Http1 => {
                let verdicts = Verdicts::default();
                let gate = Gate::http1(stream, inbox, verdicts.clone(), activity, &self.limits);
                let gate = gate.holding(permit);
                self.serve_http1(gate, responder, verdicts).await
            }
            Protocol::Http2 => {
                let gate = Gate::open(stream, inbox, activity.clone(), &self.limits);
                let gate = gate.holding(permit);
                self.serve_http2(gate, responder, activity).await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(peer.address = %peer, %error, "the connection ended early");
        }
    }

    async fn serve_http1<S>(
        &self,
        gate: Gate<S>,
        responder: Arc<Responder>,
        verdicts: Verdicts,
    ) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request| {
            let (verdict, verdicts) = (verdicts.take(), verdicts.clone());
            responder.clone().http1(request, verdict, verdicts)
        });
        // The gate keeps the time, which hyper would only keep for heads.
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_buf_size(self.limits.max_header_bytes.max(MIN_BUFFER_BYTES))
            .serve_connection(TokioIo::new(gate), service)
            .with_upgrades();
        tokio::pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = self.shutdown.begun() => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    }

    async fn serve_http2<S>(
        &self,
        gate: Gate<S>,
        responder: Arc<Responder>,
        activity: Arc<Activity>,
    ) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request| responder.clone().http2(request));
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEADER_LIST_BYTES)
            .max_send_buf_size(MAX_UNSENT_BYTES)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .serve_connection(TokioIo::new(gate), service);
        tokio::pin!(connection);
        let idle = Duration::from_millis(self.limits.idle_timeout_ms);
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = self.shutdown.begun() => {}
            () = activity.idle_for(idle) => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }
}

enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is certain which protocol the client speaks.
async fn recognise<S>(stream: &mut S, limits: &Limits) -> io::Result<(Protocol, BytesMut)>
where
    S: AsyncRead + Unpin,
{
    let mut inbox = BytesMut::with_capacity(PREFACE.len());
    let mut limit = Duration::from_millis(limits.first_byte_timeout_ms);
    let preface_until =
        tokio::time::Instant::now() + Duration::from_millis(limits.header_timeout_ms) + limit;
    loop {
        let read = tokio::time::timeout(limit, stream.read_buf(&mut inbox)).await??;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = inbox.len().min(PREFACE.len());
        if inbox[..length] != PREFACE[..length] {
            return Ok((Protocol::Http1, inbox));
        }
        if length == PREFACE.len() {
            return Ok((Protocol::Http2, inbox));
        }
        limit = Duration::from_millis(limits.header_timeout_ms)
            .min(preface_until.saturating_duration_since(tokio::time::Instant::now()));
    }
}
