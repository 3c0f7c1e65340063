//! The accept loop: one task for each connection, caps, a back-off when the process has no file
//! descriptors left, and the drain at shutdown.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mito_core::{Shutdown, supervisor::record_panic};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinError, JoinSet},
};

use super::{
    Bound,
    caps::{Caps, Permit},
};

/// The pause after a failed accept, doubled while it keeps failing.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause; also how rarely a failure is logged, as accepting may succeed in between.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts until `stop` begins, runs `serve` on each connection (which sees the same signal), then
/// waits until `deadline` for those that are open.
pub(super) async fn run<F, R>(
    bound: Bound,
    caps: Arc<Caps>,
    stop: Shutdown,
    deadline: impl Future<Output = ()>,
    serve: F,
) -> io::Result<()>
where
    F: Fn(TcpStream, SocketAddr, Permit) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let name = bound.name;
    bound.listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(bound.listener)?;
    let mut connections = JoinSet::new();
    let mut pause = FIRST_PAUSE;
    let mut logged: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            () = stop.begun() => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                note_end(&name, ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = FIRST_PAUSE;
                match caps.enter(peer.ip()) {
                    Ok(permit) => {
                        let _ = stream.set_nodelay(true);
                        connections.spawn(serve(stream, peer, permit));
                    }
                    Err(cap) => note_refusal(&name, cap),
                }
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                if logged.is_none_or(|at| at.elapsed() >= LONGEST_PAUSE) {
                    logged = Some(Instant::now());
                    tracing::error!(listener.name = %name, %error, "accepting failed");
                }
                tokio::select! {
                    () = stop.begun() => break,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    drop(listener);
    let all_ended = async {
        while let Some(ended) = connections.join_next().await {
            note_end(&name, ended);
        }
    };
    let cut = tokio::select! {
        () = all_ended => false,
        () = deadline => true,
    };
    if cut {
        let count = connections.len();
        tracing::warn!(listener.name = %name, connections.count = count, "connections were cut");
        connections.shutdown().await;
    }
    Ok(())
}

/// The client went away between the handshake and accept, or the packet was refused by a filter
/// (accept(2) lists these as errors of the new connection).
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::PermissionDenied
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
            | Kind::NetworkDown
    )
}

fn note_refusal(name: &str, cap: &'static str) {
    let labels = [("listener", name.to_owned()), ("cap", cap.to_owned())];
    metrics::counter!("mito_connections_refused_total", &labels).increment(1);
    tracing::debug!(
        listener.name = name,
        cap,
        "a connection was refused: too many are open"
    );
}

fn note_end(name: &str, ended: Result<(), JoinError>) {
    let Err(error) = ended else { return };
    if let Ok(panic) = error.try_into_panic() {
        let error = record_panic(name, panic.as_ref());
        tracing::error!(listener.name = name, %error, "a connection was lost");
    }
}
