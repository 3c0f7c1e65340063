//! One HTTP connection: TLS, telling HTTP/1 from HTTP/2 under a time limit of our own (hyper-util
//! has none there), and serving either until it ends or drains.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::BytesMut;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mito_core::Shutdown;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::TcpStream,
};

use super::{
    Limits, SharedLimits,
    activity::Activity,
    caps::Permit,
    gate::{Gate, Verdicts},
    handshake::{self, TlsChoice},
    respond::Responder,
    streams::Streams,
};
use crate::{
    HttpService,
    connection::{Lifetime, TlsInfo},
};

/// What a client that speaks HTTP/2 begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The protocol of connections that validate a name (RFC 8737 §4).
const ACME_TLS: &[u8] = b"acme-tls/1";
/// Streams that an HTTP/2 client may have open at once.
pub const MAX_STREAMS: u32 = 100;
/// The largest header list of HTTP/2, in bytes as RFC 9113 §6.5.2 counts them.
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;
/// What is kept of each answer that an HTTP/2 client has not made room for, in bytes.
const MAX_UNSENT_BYTES: usize = 64 * 1024;
/// Requests that an HTTP/2 client may take back before they were looked at; one more, and the
/// connection ends (CVE-2023-44487).
const MAX_WITHDRAWN_REQUESTS: usize = 20;
/// Streams that an HTTP/2 client may have reset by its own mistakes; one more, and the connection
/// ends (CVE-2025-8671).
const MAX_RESETS: usize = 100;
/// How often a quiet HTTP/2 peer is pinged.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to answer the ping.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// The smallest buffer that hyper takes, in bytes.
const MIN_BUFFER_BYTES: usize = 64 * 1024;

/// What all connections of a listener share.
pub(super) struct Http {
    pub(super) entrypoint: Arc<str>,
    pub(super) service: HttpService,
    pub(super) tls: Option<Arc<dyn TlsChoice>>,
    pub(super) limits: SharedLimits,
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
        // A connection keeps the limits that held when it came.
        let limits = self.limits.now();
        let Some(choice) = &self.tls else {
            return self.serve_stream(stream, peer, None, permit, &limits).await;
        };
        let limit = Duration::from_millis(limits.handshake_timeout_ms);
        let accepting = tokio::time::timeout(limit, handshake::accept(&**choice, stream));
        let (stream, configuration) = tokio::select! {
            () = self.shutdown.begun() => return,
            accepted = accepting => match accepted {
                Ok(Ok(accepted)) => accepted,
                Ok(Err(error)) => {
                    tracing::debug!(peer.address = %peer, %error, "the TLS handshake failed");
                    return;
                }
                Err(_) => return,
            },
        };
        let (_, session) = stream.get_ref();
        // The handshake was all: it showed an authority that the name is ours (RFC 8737 §3).
        if session.alpn_protocol() == Some(ACME_TLS) {
            return;
        }
        let version = session.protocol_version();
        let cipher = session.negotiated_cipher_suite();
        let tls = TlsInfo {
            server_name: session.server_name().map(str::to_owned),
            version: version
                .and_then(|version| version.as_str())
                .unwrap_or("")
                .into(),
            // rustls tells those of TLS 1.3 apart by another beginning.
            cipher: cipher
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or("")
                .replacen("TLS13_", "TLS_", 1)
                .into(),
            configuration,
            client_certificates: session
                .peer_certificates()
                .unwrap_or_default()
                .iter()
                .map(|certificate| certificate.to_vec())
                .collect(),
        };
        self.serve_stream(stream, peer, Some(tls), permit, &limits)
            .await;
    }

    async fn serve_stream<S>(
        &self,
        mut stream: S,
        peer: SocketAddr,
        tls: Option<TlsInfo>,
        permit: Permit,
        limits: &Limits,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (protocol, inbox) = tokio::select! {
            () = self.shutdown.begun() => return,
            recognised = recognise(&mut stream, limits) => match recognised {
                Ok(recognised) => recognised,
                Err(_) => return,
            },
        };
        let activity = Activity::new();
        let (lifetime, living) = Lifetime::begin();
        let responder = Arc::new(Responder {
            service: self.service.clone(),
            entrypoint: self.entrypoint.clone(),
            peer,
            tls: tls.map(Arc::new),
            lifetime,
            activity: activity.clone(),
            body_stall: Duration::from_millis(limits.body_stall_timeout_ms),
        });
        let outcome = match protocol {
            Protocol::Http1 => {
                let verdicts = Verdicts::default();
                let gate = Gate::http1(stream, inbox, verdicts.clone(), activity, limits);
                let gate = gate.holding((permit, living));
                self.serve_http1(gate, responder, verdicts, limits).await
            }
            Protocol::Http2 => {
                let gate = Gate::open(stream, inbox, activity.clone(), limits);
                let gate = gate.holding(permit);
                self.serve_http2(gate, responder, activity, limits).await
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
        limits: &Limits,
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
            .max_buf_size(limits.max_header_bytes.max(MIN_BUFFER_BYTES))
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
        limits: &Limits,
    ) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request| responder.clone().http2(request));
        let patience = Duration::from_millis(limits.write_stall_timeout_ms);
        let connection = hyper::server::conn::http2::Builder::new(Streams::new(patience))
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEADER_LIST_BYTES)
            .max_pending_accept_reset_streams(MAX_WITHDRAWN_REQUESTS)
            .max_local_error_reset_streams(MAX_RESETS)
            .max_send_buf_size(MAX_UNSENT_BYTES)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .serve_connection(TokioIo::new(gate), service);
        tokio::pin!(connection);
        let idle = Duration::from_millis(limits.idle_timeout_ms);
        let is_idle = tokio::select! {
            ended = connection.as_mut() => return ended,
            () = self.shutdown.begun() => false,
            () = activity.idle_for(idle) => true,
        };
        connection.as_mut().graceful_shutdown();
        if !is_idle {
            return connection.await;
        }
        // Nothing is asked any more. A client that takes the end of the last answer has time to.
        let ended = tokio::time::timeout(patience, connection).await;
        ended.unwrap_or(Ok(()))
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
