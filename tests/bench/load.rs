//! The load on a server of HTTP: clients in a closed loop, each over a connection of its own.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::{
    process::Process,
    records::client::{self, Client, Prepared},
    stats::Sorted,
};

/// Clients in a closed loop.
const CLIENTS: usize = 64;
/// How long each measure takes, and how long the clients run before it.
const MEASURE: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);

/// What was measured of one server.
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    /// Requests for each second of its processor time.
    pub(crate) per_cpu_second: f64,
    pub(crate) durations: Sorted,
}

/// What the clients ask for.
pub(crate) fn request(host: &str, path: &str) -> Prepared {
    client::request_to(host, "GET", path, "", None)
}

/// Has all clients ask for the same, whose answer has that many bytes.
pub(crate) async fn closed_loop(
    address: SocketAddr,
    request: Prepared,
    size: usize,
    server: &Process,
) -> anyhow::Result<Figures> {
    let begins = Instant::now() + WARM_UP;
    let ends = begins + MEASURE;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let request = request.clone();
        clients.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut durations = Vec::new();
            while Instant::now() < ends {
                let sent = Instant::now();
                let (status, body) = client.send(&request).await?;
                ensure!(
                    (status, body.len()) == (200, size),
                    "it answered {status} and {} bytes",
                    body.len()
                );
                if sent >= begins {
                    durations.push(sent.elapsed());
                }
            }
            Ok(durations)
        });
    }
    tokio::time::sleep_until(begins.into()).await;
    let before = server.cpu_seconds()?;
    let mut durations = Vec::new();
    while let Some(ended) = clients.join_next().await {
        durations.extend(ended??);
    }
    let used = server.cpu_seconds()? - before;
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
    let count = durations.len() as f64;
    Ok(Figures {
        per_second: count / MEASURE.as_secs_f64(),
        per_cpu_second: count / used.max(0.001),
        durations: Sorted::new(durations),
    })
}
