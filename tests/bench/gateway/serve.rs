//! The servers that the measure by sockets compares, each in a process of its own: an axum router
//! served bare, and the same router behind the gateway.

use std::{net::Ipv4Addr, path::Path, time::Duration};

use anyhow::bail;
use axum::{Router, routing::get};
use mito_core::{Clock, Shutdown, Supervisor};
use mito_network::{Network, start::Options};

use super::{gateway, role};
use crate::stats::line;

/// Serves what the command line names until the process is ended; prints the address.
pub(crate) async fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let router = Router::new().route("/ping", get(|| async { "pong" }));
    match &arguments[..] {
        [what, _] if what == "bare" => bare(router).await,
        [what, data] if what == "gateway" => behind_gateway(router, Path::new(data)).await,
        _ => bail!("serve (bare | gateway) FOLDER"),
    }
}

async fn bare(router: Router) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    line(&listener.local_addr()?.to_string())?;
    Ok(axum::serve(listener, router).await?)
}

async fn behind_gateway(router: Router, data: &Path) -> anyhow::Result<()> {
    let shutdown = Shutdown::new();
    let supervisor = Supervisor::new(shutdown.clone());
    let network = Network::new(Clock::system());
    network.register(role(router))?;
    network.start(&supervisor, Options::default())?;
    network.all_healthy().await;
    let gateway = gateway(network, supervisor.clone(), data)?;
    let entrypoints = gateway.bind()?;
    line(&entrypoints[0].address.to_string())?;
    gateway.serve(shutdown).await;
    supervisor.shut_down(Duration::from_secs(1)).await;
    Ok(())
}
