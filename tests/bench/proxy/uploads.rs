//! A large body through the proxy into a sink.

use std::{net::SocketAddr, time::Instant};

use anyhow::ensure;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Identity, Proxy, each};
use crate::stats::line;

/// The body.
const BODY_MIB: u32 = 1_024;
const MIB: usize = 1 << 20;

/// Measures and prints a table.
pub(super) async fn run(behind: SocketAddr) -> anyhow::Result<()> {
    line("\n| proxy | MiB | MiB/s | MiB/CPU s | MiB before | MiB at the peak |")?;
    line("|---|---:|---:|---:|---:|---:|")?;
    each(behind, measure).await
}

async fn measure(proxy: &Proxy, _: &Identity) -> anyhow::Result<()> {
    let before = proxy.process.resident_mib()?;
    let (cpu, started) = (proxy.process.cpu_seconds()?, Instant::now());
    let mut stream = TcpStream::connect(proxy.web).await?;
    let length = MIB * usize::try_from(BODY_MIB)?;
    let head = format!(
        "POST /sink HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let piece = vec![b'x'; MIB];
    for _ in 0..BODY_MIB {
        stream.write_all(&piece).await?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let whole = format!("\r\n{length}");
    ensure!(
        answer.starts_with("HTTP/1.1 200") && answer.contains(&whole),
        "{answer}"
    );
    let (took, used) = (started.elapsed(), proxy.process.cpu_seconds()? - cpu);
    line(&format!(
        "| {} | {BODY_MIB} | {:.0} | {:.0} | {before:.0} | {:.0} |",
        proxy.name,
        f64::from(BODY_MIB) / took.as_secs_f64(),
        f64::from(BODY_MIB) / used.max(0.001),
        proxy.process.peak_mib()?
    ))?;
    Ok(())
}
