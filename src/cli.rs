//! The command line: raw arguments in, one command out. `mito` alone means `mito up`.

mod admin;
mod backup;
mod import;
pub mod output;
mod ps;
mod routes;
mod scale;
mod settings;
mod trust;
mod up;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The exit code of bad usage, after `sysexits.h`.
const EXIT_USAGE: u8 = 64;
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

#[derive(Args, Debug, Default, PartialEq, Eq)]
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

impl UpArguments {
    /// These and `later`, which come after them.
    fn and(mut self, later: Self) -> Self {
        self.demo |= later.demo;
        self.json |= later.json;
        self.publish.extend(later.publish);
        self.roles.extend(later.roles);
        self.scale.extend(later.scale);
        self
    }
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
    /// Show how many jobs worker roles run at once, or change it; 0 lets their queues wait
    Scale {
        /// The roles to change, such as notifications=3
        #[arg(value_name = "ROLE=N")]
        roles: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Create administrators
    #[command(subcommand)]
    Admin(admin::Command),
    /// Make a backup of everything in the data folder, and print where it is
    Backup {
        /// What to call it, such as before-update.zip [default: a name with the time]
        name: Option<String>,
    },
    /// Put a backup in the place of the data; a running mito starts anew with it
    Restore {
        /// The archive
        file: PathBuf,
    },
    /// Take over an installation of another back end
    #[command(subcommand)]
    Import(import::Command),
    /// Let this machine's browsers and programs trust the local certificate authority
    Trust,
    /// Take that back
    Untrust,
    /// Take over routes of another stack
    #[command(subcommand)]
    Routes(routes::Command),
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
    // Flags of `up` may stand before its name; before another command they would be lost.
    let command = match command {
        None => Command::Up(up),
        Some(Command::Up(named)) => Command::Up(up.and(named)),
        Some(_) if up != UpArguments::default() => {
            output::failed(
                up.json,
                "the flags before the command belong to mito up; mito COMMAND --help shows those \
                 of the command",
            );
            return EXIT_USAGE;
        }
        Some(other) => other,
    };
    let (flags, json) = match &command {
        Command::Up(up) => (settings::flags(&common, Some(up)), up.json),
        Command::Ps { json } | Command::Scale { json, .. } => {
            (settings::flags(&common, None), *json)
        }
        Command::Import(command) => (settings::flags(&common, None), command.wants_json()),
        _ => (settings::flags(&common, None), false),
    };
    let sources = match flags {
        Ok(flags) => settings::sources(&common, flags),
        Err(message) => {
            output::failed(json, &message);
            return EXIT_USAGE;
        }
    };
    if let Command::Config { example: true } = command {
        return output::text(&mito_core::config::example::<crate::config::Config>());
    }
    let loaded = match mito_core::config::load::<crate::config::Config>(&sources) {
        Ok(loaded) => loaded,
        Err(error) => {
            output::failed(json, &error.to_string());
            return EXIT_USAGE;
        }
    };
    match command {
        Command::Up(up) => up::run(loaded, sources, up).await,
        Command::Ps { json } => ps::run(&loaded.value, json).await,
        Command::Scale { roles, json } => scale::run(&loaded.value, &roles, json).await,
        Command::Admin(command) => admin::run(loaded.value, command).await,
        Command::Backup { name } => backup::backup(loaded.value, name.unwrap_or_default()).await,
        Command::Restore { file } => backup::restore(loaded.value, &file).await,
        Command::Import(command) => import::run(loaded.value, command).await,
        Command::Trust => trust::run(&loaded.value, trust::Wish::Trust),
        Command::Untrust => trust::run(&loaded.value, trust::Wish::Untrust),
        Command::Routes(command) => routes::run(&loaded.value.data, command),
        Command::Config { .. } => settings::show(&loaded),
    }
}

/// What to do with arguments that could not be read; returns the exit code. `--help` and
/// `--version` arrive here too and are no misuse.
pub fn misuse(error: &clap::Error) -> u8 {
    if error.print().is_err() {
        return EXIT_FAILURE;
    }
    if !error.use_stderr() {
        return 0;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        output::json_failed(error.to_string().trim_end());
    }
    EXIT_USAGE
}
