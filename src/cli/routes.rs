//! `mito routes`: routes of another stack, taken over.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use mito_gateway::{
    compose::{self, Imported},
    routers::platform,
};

use super::{EXIT_FAILURE, output};

/// What can be done with routes.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Turn the Traefik labels of a Docker Compose file into routes
    ///
    /// Variables are those of the environment and of the file .env beside it. The routes are a file in
    /// Traefik's format in the folder gateway of the data folder; a running mito takes them over
    /// within seconds.
    Import(Import),
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The Compose file
    file: PathBuf,
    /// Another file with variables
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Print the routes instead of writing them
    #[arg(long)]
    print: bool,
    /// Replace a file of that name
    #[arg(long)]
    force: bool,
}

pub(super) fn run(data: &Path, command: Command) -> u8 {
    let Command::Import(arguments) = command;
    match import(data, &arguments) {
        Ok(text) => output::text(&text),
        Err(message) => {
            output::failure(&message);
            EXIT_FAILURE
        }
    }
}

fn import(data: &Path, arguments: &Import) -> Result<String, String> {
    let file = &arguments.file;
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let variables = variables(arguments)?;
    let variable = |name: &str| variables.get(name).cloned();
    let is_role = |name: &str| platform::ROLES.contains(&name);
    let imported = compose::import(&text, &variable, &is_role);
    let imported = imported.map_err(|error| format!("{shown}: {error}"))?;
    if arguments.print {
        for note in &imported.notes {
            output::notice(note);
        }
        return Ok(imported.text);
    }
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let name = format!("{}.yml", stem.unwrap_or("docker-compose"));
    let saved = compose::save(data, &name, &imported.text, arguments.force)?;
    Ok(describe(&imported, &saved))
}

fn describe(imported: &Imported, saved: &Path) -> String {
    let mut text = format!("{} routers are in {}\n", imported.routers, saved.display());
    if !imported.notes.is_empty() {
        text += "\nNot as it was, or worth a look:\n";
    }
    for note in &imported.notes {
        let _ = writeln!(text, "- {note}");
    }
    text
}

/// The environment goes before the files, as in Compose.
fn variables(arguments: &Import) -> Result<BTreeMap<String, String>, String> {
    let mut variables = BTreeMap::new();
    let beside = arguments.file.with_file_name(".env");
    let files = match &arguments.env_file {
        Some(named) => vec![named.clone()],
        None if beside.is_file() => vec![beside],
        None => Vec::new(),
    };
    for file in files {
        let wrong = |error: dotenvy::Error| format!("{}: {error}", file.display());
        for pair in dotenvy::from_path_iter(&file).map_err(wrong)? {
            let (name, value) = pair.map_err(wrong)?;
            variables.insert(name, value);
        }
    }
    variables.extend(mito_core::config::environment());
    Ok(variables)
}
