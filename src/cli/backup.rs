//! `mito backup` and `mito restore`, whether mito runs or not.

use std::path::{Path, PathBuf};

use http::Method;

use super::{EXIT_FAILURE, output};
use crate::{
    app::{App, Environment, KNOWN},
    config::Config,
    control::{self, Backup, CallError, PATIENT},
    data_folder::DataFolder,
};

/// Makes a backup and says where it is.
pub(super) async fn backup(config: Config, name: String) -> u8 {
    told(make(config, name).await)
}

/// Puts a backup in the place of the data.
pub(super) async fn restore(config: Config, file: &Path) -> u8 {
    told(put_back(&config, file).await)
}

fn told(done: Result<String, String>) -> u8 {
    match done {
        Ok(line) => output::text(&format!("{line}\n")),
        Err(message) => {
            output::failure(&message);
            EXIT_FAILURE
        }
    }
}

async fn make(config: Config, name: String) -> Result<String, String> {
    let asked = Backup {
        name: name.clone(),
        ..Backup::default()
    };
    let call = control::call_within(PATIENT, &config.data, Method::POST, "/backup", Some(&asked));
    match call.await {
        Ok(Backup { path, .. }) => return Ok(path.display().to_string()),
        Err(CallError::NotRunning(_)) => {}
        Err(error) => return Err(error.to_string()),
    }
    let app = App::open(config, Environment::default())
        .await
        .map_err(|error| error.to_string())?;
    let made = app.importer().records.make_backup(&name).await;
    app.close().await;
    made.map(|path| path.display().to_string())
        .map_err(|error| control::describe(&error))
}

async fn put_back(config: &Config, file: &Path) -> Result<String, String> {
    let unreadable = |error| format!("cannot read {}: {error}", file.display());
    let path: PathBuf = file.canonicalize().map_err(unreadable)?;
    let asked = Backup {
        path: path.clone(),
        ..Backup::default()
    };
    let call = control::call_within::<Option<()>>(
        PATIENT,
        &config.data,
        Method::POST,
        "/restore",
        Some(&asked),
    );
    match call.await {
        Ok(_) => return Ok("The backup is checked; mito starts anew with it.".to_owned()),
        Err(CallError::NotRunning(_)) => {}
        Err(error) => return Err(error.to_string()),
    }
    if !config.database.url.is_empty() {
        return Err(
            "the data is in PostgreSQL (database.url): restore it with pg_restore".to_owned(),
        );
    }
    let folder = DataFolder::open(&config.data).map_err(|error| error.to_string())?;
    let data = folder.path().to_owned();
    let work = move || {
        mito_records::backups::stage_restore(&data, &path, KNOWN)
            .map_err(|error| error.to_string())?;
        mito_records::backups::finish_restore(&data).map_err(|error| error.to_string())
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| error.to_string())??;
    Ok(format!(
        "The data in {} is that of the backup.",
        folder.path().display()
    ))
}
