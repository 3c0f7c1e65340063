//! Arguments → configuration → runtime → run → exit code: 0 done, 1 failed, 64 bad usage.

use std::process::ExitCode;

use clap::Parser as _;
use mito::cli::Arguments;

/// A request is hundreds of small allocations, freed on another thread than they were made on: on one
/// core the same reads came half as often again as with glibc's allocator. It costs some 25 MiB at
/// rest; under inserts it kept less than glibc's arenas did. Without huge pages, which would cost a
/// small server as much again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(mito::cli::misuse(&error)),
    };
    mito_core::scheduling::prefer_throughput();
    mito_core::descriptors::raise();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            mito::cli::output::failure(&format!("cannot start the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(mito::cli::run(arguments));
    // What matters is closed by now; a thread that waits for a dead server must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}
