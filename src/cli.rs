//! The command line: raw arguments in, one command out. `mito` alone means `mito up`.

mod admin;
pub mod output;
mod ps;
mod settings;
mod up;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The exit code of bad usage, after `sysexits.h`.
pub const EXIT_USAGE: u8 = 64;
/// The exit code of everything else that went wrong.
const EXIT_FAILURE: u8 = 1;

/// The whole platform in one process.
#[derive(Debug, Parser)]
#[command(name = "mito", version, about, args_conflicts_with_subcommands = false)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    up: UpArguments,
}

/// Where the configuration comes from; the same for every command.
#[derive(Args, Debug)]
struct Common {
    /// The data folder [default: ./mito-data]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// The configuration file [default: ./mito.toml, if it exists]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Set any option, such as gateway.entrypoints.web.address=127.0.0.1:8000
    #[arg(long, value_name = "PATH=VALUE", global = true)]
    set: Vec<String>,
    /// The domain whose subdomains are served [default: localhost]
    #[arg(long, global = true)]
    domain: Option<String>,
}

#[derive(Args, Debug, Default)]
struct UpArguments {
    /// Import the content starter with its sample texts
    #[arg(long)]
    demo: bool,
    /// Print one JSON line when all is healthy, and nothing else, on standard output
    #[arg(long)]
    json: bool,
    /// Publish services on loopback: NAME or NAME=ADDRESS:PORT, separated by commas
    #[arg(long, value_name = "SERVICES", value_delimiter = ',')]
    publish: Vec<String>,
    /// Run these roles alone, separated by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Vec<String>,
    /// Run this many workers of a role at once, such as notifications=8
    #[arg(long, value_name = "ROLE=N", value_delimiter = ',')]
    scale: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the platform (what mito does without a command)
    Up(UpArguments),
    /// Show the roles of the running mito
    Ps {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Create administrators
    #[command(subcommand)]
    Admin(admin::Command),
    /// Show the configuration and where every value comes from
    Config {
        /// Print an example mito.toml with every option instead
        #[arg(long)]
        example: bool,
    },
}

/// Carries out a command; returns the exit code.
pub async fn run(arguments: Arguments) -> u8 {
    // What mito and its libraries create is for its user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let Arguments {
        command,
        common,
        up,
    } = arguments;
    let flags = match &command {
        None => settings::flags(&common, Some(&up)),
        Some(Command::Up(up)) => settings::flags(&common, Some(up)),
        Some(_) => settings::flags(&common, None),
    };
    let sources = match flags {
        Ok(flags) => settings::sources(&common, flags),
        Err(message) => {
            output::failure(&message);
            return EXIT_USAGE;
        }
    };
    if let Some(Command::Config { example: true }) = command {
        return output::text(&mito_core::config::example::<crate::config::Config>());
    }
    let json = match &command {
        None => up.json,
        Some(Command::Up(up)) => up.json,
        Some(_) => false,
    };
    let loaded = match mito_core::config::load::<crate::config::Config>(&sources) {
        Ok(loaded) => loaded,
        Err(error) => {
            output::failed(json, &error.to_string());
            return EXIT_USAGE;
        }
    };
    match command {
        None => up::run(loaded, &sources, up).await,
        Some(Command::Up(up)) => up::run(loaded, &sources, up).await,
        Some(Command::Ps { json }) => ps::run(&loaded.value, json).await,
        Some(Command::Admin(command)) => admin::run(loaded.value, command).await,
        Some(Command::Config { .. }) => settings::show(&loaded),
    }
}
