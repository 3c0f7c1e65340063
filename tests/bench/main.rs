//! Side-by-side measurements, each pair in the same run on the same machine.

mod gateway;
mod realtime;
mod records;
mod start;
mod stats;
mod writes;

use std::process::ExitCode;

/// The exit code of a wrong command line (`sysexits.h`).
const USAGE: u8 = 64;

fn main() -> anyhow::Result<ExitCode> {
    let measure = std::env::args().nth(1).unwrap_or_default();
    let runtime = tokio::runtime::Runtime::new()?;
    match measure.as_str() {
        "writes" => runtime.block_on(writes::run())?,
        "gateway" => runtime.block_on(gateway::run())?,
        "records" => runtime.block_on(records::run())?,
        "realtime" => runtime.block_on(realtime::run())?,
        "start" => runtime.block_on(start::run())?,
        _ => {
            stats::line("usage: mito-bench writes | gateway | start | records | realtime")?;
            return Ok(ExitCode::from(USAGE));
        }
    }
    Ok(ExitCode::SUCCESS)
}
