//! `mito import`: installations of other back ends, taken over whether mito runs or not.

use std::{fmt::Write as _, io::IsTerminal as _, path::PathBuf, time::Duration};

use clap::Subcommand;
use mito_records::pocketbase::{Problem, Progress, Report};
use tokio::time::Instant;

use super::{EXIT_FAILURE, output};
use crate::{
    app::{App, Environment},
    config::Config,
    control::{self, CallError, ImportLine, Installation},
};

/// Between two lines of progress that nobody watches on a terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Between two that somebody watches.
const REDRAW_EVERY: Duration = Duration::from_millis(200);
const MIB: u64 = 1024 * 1024;

/// What can be taken over.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take over a PocketBase (0.23 or later): collections, records, accounts, files, settings
    ///
    /// Nothing in its folder is changed, and importing again brings over what has changed since.
    /// Stop PocketBase before the last import.
    Pocketbase(Pocketbase),
}

#[derive(Debug, clap::Args)]
pub(super) struct Pocketbase {
    /// The folder pb_data, or the one that it is in
    folder: PathBuf,
    /// Look at everything, say what would be taken and what would not, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the report as one line of JSON on standard output
    #[arg(long)]
    json: bool,
    /// The environment variable with the key of encrypted settings, as PocketBase was told it
    #[arg(long, value_name = "NAME", alias = "encryptionEnv")]
    encryption_env: Option<String>,
}

impl Command {
    pub(super) fn wants_json(&self) -> bool {
        let Self::Pocketbase(pocketbase) = self;
        pocketbase.json
    }
}

pub(super) async fn run(config: Config, command: Command) -> u8 {
    let Command::Pocketbase(arguments) = command;
    let json = arguments.json;
    let mut shown = Shown::new();
    let imported = pocketbase(config, arguments, &mut shown).await;
    shown.end();
    match imported {
        Ok(report) if json => match serde_json::to_string(&report) {
            Ok(line) => output::text(&format!("{line}\n")),
            Err(error) => {
                output::failed(json, &error.to_string());
                EXIT_FAILURE
            }
        },
        Ok(report) => output::text(&describe(&report)),
        Err(message) => {
            output::failed(json, &message);
            EXIT_FAILURE
        }
    }
}

async fn pocketbase(
    config: Config,
    arguments: Pocketbase,
    shown: &mut Shown,
) -> Result<Report, String> {
    let folder = arguments.folder.canonicalize();
    let folder =
        folder.map_err(|error| format!("cannot read {}: {error}", arguments.folder.display()))?;
    let encryption_key = arguments.encryption_env.map(key).transpose()?;
    let installation = Installation {
        folder,
        encryption_key,
        dry_run: arguments.dry_run,
    };
    let mut end = None;
    let asked = control::call_lines(
        &config.data,
        "/import/pocketbase",
        &installation,
        |line: ImportLine| match line {
            ImportLine::Progress(progress) => shown.show(&progress),
            last => end = Some(last),
        },
    );
    match asked.await {
        Ok(()) => {
            return match end {
                Some(ImportLine::Report(report)) => Ok(report),
                Some(ImportLine::Failed(reason)) => Err(reason),
                _ => Err("mito stopped before the import had ended; import again".to_owned()),
            };
        }
        Err(CallError::NotRunning(_)) => {}
        Err(error) => return Err(error.to_string()),
    }
    let app = App::open(config, Environment::default())
        .await
        .map_err(|error| error.to_string())?;
    let records = app.importer().records;
    let watched = std::sync::Mutex::new(shown);
    let show = |progress: &Progress| {
        if let Ok(mut shown) = watched.lock() {
            shown.show(progress);
        }
    };
    let imported = records.import_pocketbase(&installation.into(), &show).await;
    app.close().await;
    imported.map_err(|error| control::describe(&error))
}

fn key(name: String) -> Result<String, String> {
    let key = mito_core::config::environment().remove(&name);
    key.ok_or_else(|| format!("--encryption-env: there is no variable {name}"))
}

/// Progress on standard error: one line that is written over on a terminal, lines now and then
/// elsewhere.
struct Shown {
    on_terminal: bool,
    last: Option<Instant>,
    collection: String,
}

impl Shown {
    fn new() -> Self {
        Self {
            on_terminal: std::io::stderr().is_terminal(),
            last: None,
            collection: String::new(),
        }
    }

    fn show(&mut self, progress: &Progress) {
        let every = if self.on_terminal {
            REDRAW_EVERY
        } else {
            LINE_EVERY
        };
        let is_due = self.last.is_none_or(|last| last.elapsed() >= every);
        if !is_due && self.collection == progress.collection {
            return;
        }
        self.last = Some(Instant::now());
        self.collection.clone_from(&progress.collection);
        let Progress {
            collection,
            records,
            total,
            file_bytes,
        } = progress;
        let mut line = format!("{collection}: {records} of {total} records");
        if *file_bytes > 0 {
            let _ = write!(line, ", {} MiB of files", file_bytes.div_ceil(MIB));
        }
        if self.on_terminal {
            output::redraw(&line);
        } else {
            output::notice(&line);
        }
    }

    fn end(&self) {
        if self.on_terminal && self.last.is_some() {
            output::redraw("");
        }
    }
}

fn describe(report: &Report) -> String {
    let rows: Vec<[String; 6]> = report
        .collections
        .iter()
        .map(|taken| {
            [
                taken.name.clone(),
                taken.kind.clone(),
                taken.records.to_string(),
                taken.replaced.to_string(),
                taken.refused.to_string(),
                match taken.files {
                    0 => String::new(),
                    files => format!("{files} ({} MiB)", taken.file_bytes.div_ceil(MIB)),
                },
            ]
        })
        .collect();
    let head = [
        "COLLECTION",
        "TYPE",
        "RECORDS",
        "REPLACED",
        "LEFT OUT",
        "FILES",
    ];
    let mut text = output::table(head, &rows) + "\n";
    let _ = writeln!(text, "Settings: {}", report.settings.join(", "));
    if !report.problems.is_empty() {
        text += "\nNot taken, or not as it was:\n";
    }
    for Problem { place, reason } in &report.problems {
        let _ = writeln!(text, "- {place}: {reason}");
    }
    if report.problems_not_listed > 0 {
        let _ = writeln!(text, "- and {} more", report.problems_not_listed);
    }
    text += if report.dry_run {
        "\nThis was a dry run: nothing was written.\n"
    } else {
        "\nEverything else is here. Passwords and unexpired tokens go on working.\n"
    };
    text
}
