//! Whole TLS 1.3 handshakes, one connection after the other for each client: no session is resumed.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::TlsConnector;

use super::{Identity, Proxy, each};
use crate::stats::line;

/// Clients in a closed loop.
const CLIENTS: usize = 32;
/// How long each measure takes.
const MEASURE: Duration = Duration::from_secs(5);

/// Measures and prints a table.
pub(super) async fn run(behind: SocketAddr) -> anyhow::Result<()> {
    line("\n| proxy | handshakes/s | handshakes/CPU s |")?;
    line("|---|---:|---:|")?;
    each(behind, measure).await
}

async fn measure(proxy: &Proxy, identity: &Identity) -> anyhow::Result<()> {
    let connector = TlsConnector::from(identity.client()?);
    let ends = Instant::now() + MEASURE;
    let before = proxy.process.cpu_seconds()?;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (connector, address) = (connector.clone(), proxy.websecure);
        clients.spawn(async move {
            let mut count = 0_u32;
            while Instant::now() < ends {
                let stream = TcpStream::connect(address).await?;
                let mut stream = connector.connect("localhost".try_into()?, stream).await?;
                stream.shutdown().await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(ended) = clients.join_next().await {
        count += ended??;
    }
    let used = proxy.process.cpu_seconds()? - before;
    line(&format!(
        "| {} | {:.0} | {:.0} |",
        proxy.name,
        f64::from(count) / MEASURE.as_secs_f64(),
        f64::from(count) / used.max(0.001)
    ))?;
    Ok(())
}
