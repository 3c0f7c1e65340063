//! The socket by which commands talk to a running mito: HTTP on `DATA/control.sock` (0600). Who may
//! open the socket owns the data folder, so it asks for no further credential.
//!
//! | module | what it holds |
//! |---|---|
//! | `client` | how commands ask |
//! | `import` | an import that tells how far it is |

mod client;
mod import;

use std::{
    fs,
    io::{self, ErrorKind},
    os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, State as Extracted},
    routing::{get, post},
};
use http::StatusCode;
use mito_core::Supervisor;
use mito_network::{Network, Problem, registry::ServiceStatus};
use mito_queue::{Queue, replicas::WorkerRole};
use mito_records::Records;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

pub use client::{CallError, call, call_lines, call_within};
pub use import::{ImportLine, Installation};

/// The largest request or answer on the socket, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
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
    /// The workers.
    pub queue: Queue,
}

/// What `mito ps` shows.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Every role.
    pub services: serde_json::Value,
    /// Where the control panel is.
    pub panel_url: String,
}

/// How many jobs a worker role is to run at once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// The role.
    pub role: String,
    /// How many; 0 lets its queue wait.
    pub replicas: usize,
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
        let panel = self.records.platform_url();
        Ok(token.map(|token| format!("{panel}/setup#token={}", token.expose_secret())))
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
        .route("/scale", get(workers).post(scale))
        .route("/admin", post(create_admin))
        .route("/setup-link", post(setup_link))
        .route("/backup", post(backup))
        .route("/restore", post(restore))
        .route("/import/pocketbase", post(import::pocketbase))
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
            let router = router.layer(Extension(shutdown.clone()));
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
    let mut services = serde_json::to_value(services)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let roles = state.queue.roles();
    for service in services.as_array_mut().into_iter().flatten() {
        if let Some(role) = roles.iter().find(|role| service["name"] == role.name) {
            service["replicas"] = role.replicas.into();
            service["busy"] = role.busy.into();
        }
    }
    Ok(Json(Status {
        services,
        panel_url: state.records.platform_url(),
    }))
}

async fn workers(Extracted(state): Extracted<State>) -> Json<Vec<WorkerRole>> {
    Json(state.queue.roles())
}

async fn scale(
    Extracted(state): Extracted<State>,
    Json(wish): Json<Scaling>,
) -> Result<Json<Vec<WorkerRole>>, Problem> {
    state.queue.scale(&wish.role, wish.replicas).await?;
    Ok(Json(state.queue.roles()))
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
