//! `mito admin`: administrators without a browser, whether mito runs or not.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Subcommand;
use http::Method;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::{EXIT_FAILURE, output};
use crate::{
    app::{App, Environment},
    config::Config,
    control::{self, CallError, NewAdmin, SetupLink},
};

/// What can be done with administrators.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create an administrator; the password is read from standard input or asked for
    Create {
        /// The e-mail address
        #[arg(long)]
        email: String,
    },
    /// Print a new one-time link that creates the first administrator
    Link,
}

pub(super) async fn run(config: Config, command: Command) -> u8 {
    let done = match command {
        Command::Create { email } => match read_password() {
            Ok(password) => create(config, NewAdmin { email, password }).await,
            Err(error) => Err(format!("cannot read the password: {error}")),
        },
        Command::Link => link(&config).await,
    };
    match done {
        Ok(line) => output::text(&format!("{line}\n")),
        Err(message) => {
            output::failure(&message);
            EXIT_FAILURE
        }
    }
}

async fn create(config: Config, admin: NewAdmin) -> Result<String, String> {
    let created = format!("{} is an administrator", admin.email);
    let called =
        control::call::<Option<()>>(&config.data, Method::POST, "/admin", Some(&admin)).await;
    match called {
        Ok(_) => return Ok(created),
        Err(CallError::NotRunning(_)) => {}
        Err(error) => return Err(error.to_string()),
    }
    let app = App::open(config, Environment::default())
        .await
        .map_err(|error| error.to_string())?;
    let password = secrecy::SecretString::from(admin.password);
    let result = app
        .importer()
        .records
        .create_superuser(&admin.email, password)
        .await;
    app.close().await;
    result
        .map(|_| created)
        .map_err(|error| control::describe(&error))
}

async fn link(config: &Config) -> Result<String, String> {
    let link: SetupLink = control::call(&config.data, Method::POST, "/setup-link", None::<&()>)
        .await
        .map_err(|error| error.to_string())?;
    link.url
        .ok_or_else(|| "an administrator exists already; sign in with that account".to_owned())
}

/// Reads one line, without showing it where it is typed.
fn read_password() -> std::io::Result<String> {
    let input = std::io::stdin();
    let hidden = input.is_terminal().then(|| tcgetattr(&input)).transpose()?;
    if let Some(shown) = &hidden {
        let mut silent = shown.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Now, &silent)?;
        let mut prompt = std::io::stderr();
        write!(prompt, "Password: ")?;
        prompt.flush()?;
    }
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    if let Some(shown) = &hidden {
        tcsetattr(&input, OptionalActions::Now, shown)?;
        output::notice("");
    }
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
