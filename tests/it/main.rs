//! The real platform on free ports, spoken to over its real protocols.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and runs the platform beside itself"
)]

mod access;
mod backups;
mod bad_input;
mod client;
mod command_line;
mod files;
mod front_door;
mod harness;
mod hostile;
mod main_job;
mod mobile;
mod reload;
mod start;
mod storage_full;
mod survival;
mod tidy;
