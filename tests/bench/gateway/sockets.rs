//! The same router bare and behind the gateway, by sockets: requests for each second of a server's
//! processor time, whose larger part is the kernel's.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use anyhow::Context as _;

use super::HOST;
use crate::{load, process::Process, records::servers, stats::line};

/// The measures, twice in turns, since a machine that others share is not the same all the time.
const SERVERS: [&str; 4] = ["bare", "gateway", "bare", "gateway"];

/// Measures and prints a table.
pub(super) async fn run() -> anyhow::Result<()> {
    line("\n| by sockets | requests/s | requests/CPU s |")?;
    line("|---|---:|---:|")?;
    let mut sums = [0.0, 0.0];
    for (turn, name) in SERVERS.into_iter().enumerate() {
        let figures = measure(name).await?;
        sums[turn % 2] += figures.per_cpu_second;
        line(&format!(
            "| {name} | {:.0} | {:.0} |",
            figures.per_second, figures.per_cpu_second
        ))?;
    }
    let [bare, gateway] = sums;
    line(&format!(
        "\nthe gateway does {:.0} % of what the bare router does",
        gateway / bare * 100.0
    ))?;
    Ok(())
}

async fn measure(name: &str) -> anyhow::Result<load::Figures> {
    let folder = tempfile::tempdir()?;
    let program = std::env::current_exe()?;
    let program = program.to_str().context("a path of plain text")?;
    let mut command = servers::on_its_core(program);
    command.args(["serve", name]).arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("its output is piped")?;
    let server = Process::of(child);
    let mut address = String::new();
    BufReader::new(output).read_line(&mut address)?;
    let request = load::request(HOST, "/ping");
    load::closed_loop(address.trim().parse()?, request, "pong".len(), &server).await
}
