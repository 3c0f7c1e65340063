//! `POST /import/pocketbase`: the answer is a line of JSON for each step, and one for the end.

use std::{path::PathBuf, task::Poll};

use axum::{Extension, Json, body::Body, extract::State as Extracted, response::Response};
use futures_util::{StreamExt as _, stream};
use mito_core::Shutdown;
use mito_records::pocketbase::{self, Progress, Report};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{State, describe};

/// How many lines may wait for whoever asked; steps that find no room are not told.
const WAITING_LINES: usize = 8;

/// An installation to take over. It holds a key, so it is not for logs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// The whole path of `pb_data`.
    pub folder: PathBuf,
    /// What its settings are encrypted with.
    pub encryption_key: Option<String>,
    /// Writes nothing.
    pub dry_run: bool,
}

/// A line of the answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportLine {
    /// How far it is.
    Progress(Progress),
    /// It has ended.
    Report(Report),
    /// It has failed; the reason.
    Failed(String),
}

impl From<Installation> for pocketbase::Installation {
    fn from(installation: Installation) -> Self {
        Self {
            folder: installation.folder,
            encryption_key: installation.encryption_key.map(Into::into),
            dry_run: installation.dry_run,
        }
    }
}

/// The import goes on as long as somebody reads the answer.
pub(super) async fn pocketbase(
    Extracted(state): Extracted<State>,
    Extension(shutdown): Extension<Shutdown>,
    Json(installation): Json<Installation>,
) -> Response {
    let (sender, mut receiver) = mpsc::channel(WAITING_LINES);
    let steps = stream::poll_fn(move |context| match receiver.poll_recv(context) {
        Poll::Ready(step) => Poll::Ready(step.map(ImportLine::Progress)),
        Poll::Pending => Poll::Pending,
    });
    let end = stream::once(async move {
        let progress = |step: &Progress| {
            // Whoever reads slowly hears of the next one.
            let _ = sender.try_send(step.clone());
        };
        let installation = installation.into();
        let import = state.records.import_pocketbase(&installation, &progress);
        tokio::select! {
            imported = import => match imported {
                Ok(report) => ImportLine::Report(report),
                Err(error) => ImportLine::Failed(describe(&error)),
            },
            () = shutdown.begun() => {
                ImportLine::Failed("mito stops; import again when it runs".to_owned())
            }
        }
    });
    let lines = stream::select(steps, end).map(|line| {
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        Ok::<_, serde_json::Error>(line)
    });
    Response::new(Body::from_stream(lines))
}
