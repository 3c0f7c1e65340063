//! Arguments → configuration → runtime → run → exit code: 0 done, 1 failed, 64 bad usage.

use std::process::ExitCode;

use clap::Parser as _;
use mito::cli::{Arguments, EXIT_USAGE};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // `--help` and `--version` arrive here too and are no misuse.
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            return if error.print().is_ok() {
                ExitCode::from(code)
            } else {
                ExitCode::FAILURE
            };
        }
    };
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
    ExitCode::from(runtime.block_on(mito::cli::run(arguments)))
}
