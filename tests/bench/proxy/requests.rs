//! Requests in a closed loop over connections that are kept.

use std::net::SocketAddr;

use super::{Proxy, SIZES, each};
use crate::{
    load,
    stats::{line, millis},
};

/// Measures and prints a table.
pub(super) async fn run(behind: SocketAddr) -> anyhow::Result<()> {
    line("| proxy | bytes | requests/s | p50 ms | p99 ms | requests/CPU s | resident MiB |")?;
    line("|---|---:|---:|---:|---:|---:|---:|")?;
    each(behind, async |proxy, _| {
        for size in SIZES {
            measure(proxy, size).await?;
        }
        Ok(())
    })
    .await
}

async fn measure(proxy: &Proxy, size: usize) -> anyhow::Result<()> {
    let request = load::request("localhost", &format!("/{size}"));
    let figures = load::closed_loop(proxy.web, request, size, &proxy.process).await?;
    line(&format!(
        "| {} | {size} | {:.0} | {} | {} | {:.0} | {:.0} |",
        proxy.name,
        figures.per_second,
        millis(figures.durations.percentile(50)),
        millis(figures.durations.percentile(99)),
        figures.per_cpu_second,
        proxy.process.resident_mib()?
    ))?;
    Ok(())
}
