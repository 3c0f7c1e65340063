//! Side-by-side measurements, each pair in the same run on the same machine.

mod gateway;
mod load;
mod process;
mod proxy;
mod realtime;
mod records;
mod start;
mod stats;
mod writes;

use std::process::ExitCode;

/// As in mito, so that what is measured in this process is what runs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The core of the load; servers have the one before.
const LOAD_CORE: usize = 1;
/// The exit code of a wrong command line (`sysexits.h`).
const USAGE: u8 = 64;

fn main() -> anyhow::Result<ExitCode> {
    let measure = std::env::args().nth(1).unwrap_or_default();
    // Before there is another thread, which would have all cores.
    if matches!(measure.as_str(), "gateway" | "proxy") {
        records::servers::stay_on(LOAD_CORE)?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    match measure.as_str() {
        "writes" => runtime.block_on(writes::run())?,
        "gateway" => runtime.block_on(gateway::run())?,
        "serve" => runtime.block_on(gateway::serve::run())?,
        "records" => runtime.block_on(records::run())?,
        "proxy" => runtime.block_on(proxy::run())?,
        "realtime" => runtime.block_on(realtime::run())?,
        "start" => runtime.block_on(start::run())?,
        _ => {
            stats::line("usage: mito-bench writes | gateway | proxy | start | records | realtime")?;
            return Ok(ExitCode::from(USAGE));
        }
    }
    Ok(ExitCode::SUCCESS)
}
