//! The socket by which commands talk to a running mito: HTTP on `DATA/control.sock` (0600). Who may
//! open the socket owns the data folder, so it asks for no further credential.

use std::{
    fs,
    io::{self, ErrorKind},
    os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State as Extracted},
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::future::Either;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use mito_core::Supervisor;
use mito_network::{Network, Problem, registry::ServiceStatus};
use mito_records::Records;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::net::{UnixListener, UnixStream};

/// The largest request or answer on the socket, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// How long a running mito may take to answer a command.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How long one may take that copies all data.
pub const PATIENT: Duration = Duration::from_hours(6);
/// The longest path that a socket address holds, in bytes.
const MAX_SOCKET_PATH_BYTES: usize = 100;

/// What the socket's commands work on.
#[derive(Clone)]
pub struct State {
    /// The roles.
    pub network: Network,
    /// The accounts.
    pub records: Records,
    /// Where the control panel is.
    pub panel_url: String,
}

/// What `mito ps` shows.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Every role.
    pub services: serde_json::Value,
    /// Where the control panel is.
    pub panel_url: String,
}

/// An administrator to create.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAdmin {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// A backup to make or to restore.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// What to call a new one; empty for a name with the time.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// A one-time link, if an administrator may still be created by one.
#[derive(Debug, Serialize, Deserialize)]
pub struct SetupLink {
    /// The link.
    pub url: Option<String>,
}

impl State {
    /// A new one-time link; the one before it ends.
    pub async fn setup_url(&self) -> Result<Option<String>, mito_records::Error> {
        let token = self.records.new_setup_token().await?;
        Ok(token.map(|token| format!("{}/setup#token={}", self.panel_url, token.expose_secret())))
    }
}

/// The bound socket.
pub struct Bound(UnixListener);

/// Binds the socket in `folder`, whose lock the caller holds: a socket that is there was left by a
/// process that is gone.
pub fn bind(folder: &Path) -> io::Result<Bound> {
    let path = folder.join("control.sock");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = with_short_path(&path, |short| UnixListener::bind(short))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(Bound(listener))
}

/// Serves the commands until shutdown.
pub fn serve(bound: Bound, state: State, supervisor: &Supervisor) {
    let router = Router::new()
        .route("/status", get(status))
        .route("/admin", post(create_admin))
        .route("/setup-link", post(setup_link))
        .route("/backup", post(backup))
        .route("/restore", post(restore))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(state);
    let listener = Arc::new(std::sync::Mutex::new(Some(bound.0)));
    supervisor.start("control/socket", move |shutdown| {
        let (listener, router) = (listener.clone(), router.clone());
        async move {
            let listener = listener
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .take();
            let Some(listener) = listener else {
                return Ok(());
            };
            let ended = async move { shutdown.begun().await };
            axum::serve(listener, router)
                .with_graceful_shutdown(ended)
                .await?;
            Ok(())
        }
    });
}

async fn status(Extracted(state): Extracted<State>) -> Result<Json<Status>, Problem> {
    let services: Vec<ServiceStatus> = state.network.statuses();
    let services = serde_json::to_value(services)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(Status {
        services,
        panel_url: state.panel_url,
    }))
}

async fn create_admin(
    Extracted(state): Extracted<State>,
    Json(admin): Json<NewAdmin>,
) -> Result<StatusCode, Problem> {
    let password = SecretString::from(admin.password);
    state
        .records
        .create_superuser(&admin.email, password)
        .await
        .map_err(|error| problem(&error))?;
    Ok(StatusCode::CREATED)
}

async fn setup_link(Extracted(state): Extracted<State>) -> Result<Json<SetupLink>, Problem> {
    let url = state.setup_url().await.map_err(|error| problem(&error))?;
    Ok(Json(SetupLink { url }))
}

async fn backup(
    Extracted(state): Extracted<State>,
    Json(Backup { name, .. }): Json<Backup>,
) -> Result<Json<Backup>, Problem> {
    let made = state.records.make_backup(&name).await;
    let path = made.map_err(|error| problem(&error))?;
    Ok(Json(Backup { name, path }))
}

async fn restore(
    Extracted(state): Extracted<State>,
    Json(Backup { path, .. }): Json<Backup>,
) -> Result<StatusCode, Problem> {
    let restored = state.records.restore_backup(&path).await;
    restored.map_err(|error| problem(&error))?;
    Ok(StatusCode::ACCEPTED)
}

fn problem(error: &mito_records::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, describe(error))
}

/// An error of the accounts as one sentence, its fields included.
pub fn describe(error: &mito_records::Error) -> String {
    match error {
        mito_records::Error::Fields(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, field)| format!("{name}: {}", field.message))
                .collect();
            fields.join("; ")
        }
        other => other.to_string(),
    }
}

/// Why a command could not be carried out by the running mito.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No mito runs on the data folder.
    #[error("no mito runs on {}; start it with mito up, or name its data folder with --data", .0.display())]
    NotRunning(PathBuf),
    /// It refused.
    #[error("{0}")]
    Refused(String),
    /// The exchange failed.
    #[error("the exchange with the running mito failed: {0}")]
    Exchange(String),
}

/// Asks the mito that runs on `folder`.
pub async fn call<T: DeserializeOwned>(
    folder: &Path,
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<T, CallError> {
    call_within(ANSWER_LIMIT, folder, method, path, body).await
}

/// [`call`] for what may take longer.
pub async fn call_within<T: DeserializeOwned>(
    limit: Duration,
    folder: &Path,
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<T, CallError> {
    let exchange = |error: &dyn std::fmt::Display| CallError::Exchange(error.to_string());
    let socket = folder.join("control.sock");
    let stream = with_short_path(&socket, std::os::unix::net::UnixStream::connect)
        .and_then(|stream| stream.set_nonblocking(true).map(|()| stream))
        .and_then(UnixStream::from_std)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory => {
                CallError::NotRunning(folder.to_owned())
            }
            _ => exchange(&error),
        })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| exchange(&error))?;
    let body = body
        .map(serde_json::to_vec)
        .transpose()
        .map_err(|error| exchange(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "control")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.unwrap_or_default())))
        .map_err(|error| exchange(&error))?;
    let answer = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| exchange(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_BYTES)
            .collect()
            .await;
        Ok::<_, CallError>((status, body.map_err(|error| exchange(&error))?.to_bytes()))
    };
    // An answer may be there and the connection closed behind it at the same time, as when mito
    // starts anew: then the answer counts.
    let exchanged = async {
        let (answer, connection) = (std::pin::pin!(answer), std::pin::pin!(connection));
        match futures_util::future::select(answer, connection).await {
            Either::Left((answer, _)) => answer,
            Either::Right((Ok(()), answer)) => answer.await,
            Either::Right((Err(error), _)) => Err(exchange(&error)),
        }
    };
    let (status, body) = tokio::time::timeout(limit, exchanged)
        .await
        .map_err(|_| CallError::Exchange(format!("no answer within {} s", limit.as_secs())))??;
    if !status.is_success() {
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = problem["detail"]
            .as_str()
            .unwrap_or("it refused")
            .to_owned();
        return Err(CallError::Refused(detail));
    }
    let body: &[u8] = if body.is_empty() { b"null" } else { &body };
    serde_json::from_slice(body).map_err(|error| exchange(&error))
}

/// Socket addresses hold about 100 bytes of path; a longer one is reached through the descriptor of
/// its folder.
fn with_short_path<T>(path: &Path, work: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= MAX_SOCKET_PATH_BYTES {
        return work(path.to_owned());
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(ErrorKind::InvalidInput.into());
    };
    let folder = fs::File::open(folder)?;
    work(PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
}
