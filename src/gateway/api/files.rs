//! The files of the dynamic configuration, for the panel: listed, read, checked, written and removed.
//! What is written is in place when the answer comes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State as Extracted},
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use mito_network::Problem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use crate::{
    dynamic::folder::{Listed, MAX_BYTES, Refused},
    state::State,
};

/// A file of the dynamic configuration.
#[derive(Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "GatewayFile")]
struct FileView {
    name: String,
    /// `yaml` or `toml`.
    format: String,
    #[ts(type = "number")]
    size_bytes: u64,
    /// RFC 3339; absent where the file system does not say.
    modified: Option<String>,
    error: Option<FileError>,
}

/// What is wrong with a file, which says what it said before until it is right.
#[derive(Debug, Serialize, TS)]
#[ts(export, rename = "GatewayFileError")]
struct FileError {
    message: String,
    /// From 1.
    line: Option<usize>,
}

/// The text of a file.
#[derive(Debug, Serialize, TS)]
#[ts(export, rename = "GatewayFileText")]
struct FileText {
    name: String,
    text: String,
    /// Changes with the text.
    version: String,
}

/// A text for a file.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export, rename = "GatewayNewText")]
struct NewText {
    text: String,
    /// The version that it replaces; without one it replaces any.
    #[ts(optional)]
    version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Options {
    dry_run: Option<String>,
}

/// The routes.
pub(super) fn router() -> Router<Arc<State>> {
    // JSON writes some characters longer than they are.
    let most = usize::try_from(MAX_BYTES)
        .unwrap_or(usize::MAX)
        .saturating_mul(2);
    Router::new()
        .route("/files", get(list))
        .route("/files/{name}", get(read).put(write).delete(remove))
        .layer(DefaultBodyLimit::max(most))
}

async fn list(Extracted(state): Extracted<Arc<State>>) -> Response {
    let looked = on_disk(state, |state| {
        if state.files.refresh() {
            state.rebuild();
        }
        Ok(state.files.list())
    });
    match looked.await {
        Ok(files) => {
            let files: Vec<FileView> = files.into_iter().map(FileView::from).collect();
            Json(json!({ "files": files })).into_response()
        }
        Err(refused) => refused,
    }
}

async fn read(Extracted(state): Extracted<Arc<State>>, Path(name): Path<String>) -> Response {
    let read = on_disk(state, move |state| {
        let (text, version) = state.files.text(&name)?;
        Ok(FileText {
            name,
            text,
            version,
        })
    });
    read.await
        .map_or_else(|refused| refused, |file| Json(file).into_response())
}

async fn write(
    Extracted(state): Extracted<Arc<State>>,
    Path(name): Path<String>,
    Query(options): Query<Options>,
    Json(new): Json<NewText>,
) -> Response {
    let checks_alone = options
        .dry_run
        .is_some_and(|given| given != "0" && given != "false");
    let written = on_disk(state, move |state| {
        // Whoever writes here is told at once; a file that is put in its place takes what it can.
        state.check(&name, &new.text)?;
        let version = if checks_alone {
            new.version.unwrap_or_default()
        } else {
            let version = state
                .files
                .write(&name, &new.text, new.version.as_deref())?;
            state.files.refresh();
            state.rebuild();
            version
        };
        Ok(FileText {
            name,
            text: new.text,
            version,
        })
    });
    written
        .await
        .map_or_else(|refused| refused, |file| Json(file).into_response())
}

async fn remove(Extracted(state): Extracted<Arc<State>>, Path(name): Path<String>) -> Response {
    let removed = on_disk(state, move |state| {
        state.files.remove(&name)?;
        state.files.refresh();
        state.rebuild();
        Ok(StatusCode::NO_CONTENT)
    });
    removed
        .await
        .map_or_else(|refused| refused, IntoResponse::into_response)
}

/// Runs what touches the disk beside the async threads.
async fn on_disk<T: Send + 'static>(
    state: Arc<State>,
    work: impl FnOnce(&State) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Response> {
    match tokio::task::spawn_blocking(move || work(&state)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(refused)) => Err(answer(&refused)),
        Err(error) => {
            tracing::error!(%error, "a configuration file cannot be handled");
            let detail = "The file cannot be handled. The log says why.";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response())
        }
    }
}

fn answer(refused: &Refused) -> Response {
    let status = match refused {
        Refused::Name(_) | Refused::Wrong(_) | Refused::TooLarge | Refused::TooMany => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Refused::Missing(_) => StatusCode::NOT_FOUND,
        Refused::Changed => StatusCode::CONFLICT,
        Refused::Io(error) => {
            tracing::error!(%error, "a configuration file cannot be read or written");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let problem = match refused {
        Refused::Wrong(wrong) => {
            let problem = Problem::new(status, wrong.message.clone());
            match wrong.line {
                Some(line) => problem.line(line),
                None => problem,
            }
        }
        other => Problem::new(status, other.to_string()),
    };
    problem.into_response()
}

impl From<Listed> for FileView {
    fn from(file: Listed) -> Self {
        Self {
            name: file.name,
            format: file.format.name().to_owned(),
            size_bytes: file.bytes,
            modified: file.modified.map(|at| at.to_string()),
            error: file.wrong.map(|wrong| FileError {
                message: wrong.message,
                line: wrong.line,
            }),
        }
    }
}
