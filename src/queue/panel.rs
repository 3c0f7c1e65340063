//! What the control panel reads and does: jobs by state, one job, retry, cancel; queues, schedules and
//! worker roles.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{delete, get, post, put},
};
use mito_network::Problem;
use serde::{Deserialize, Serialize};

use crate::{
    Error, JobState, Limits, Queue, Replay, replicas::WorkerRole, schedules::ScheduleSummary,
    store::view::Filter,
};

pub mod types;

use types::{JobDetail, JobSummary, QueueSummary, Replayed, Scale};

/// How many jobs a page has unless it says so.
const DEFAULT_LIMIT: usize = 50;
/// The most jobs of a page.
const MAX_LIMIT: usize = 500;
/// The longest text that is searched for, in bytes.
const MAX_SEARCH_BYTES: usize = 200;

/// Routes relative to `/_mito/api/queue`; the caller has checked that an administrator asks.
pub fn routes(queue: Queue) -> Router {
    Router::new()
        .route("/queues", get(queues))
        .route("/queues/{name}/pause", post(pause))
        .route("/queues/{name}/resume", post(resume))
        .route("/queues/{name}/limits", put(limit))
        .route("/queues/{name}/replay", post(replay))
        .route("/schedules", get(schedules))
        .route("/schedules/{name}", delete(unschedule))
        .route("/schedules/{name}/run", post(run_schedule))
        .route("/workers", get(workers))
        .route("/workers/{name}/scale", post(scale))
        .route("/jobs", get(jobs))
        .route("/jobs/{id}", get(job))
        .route("/jobs/{id}/retry", post(retry))
        .route("/jobs/{id}/cancel", post(cancel))
        .with_state(queue)
}

/// A page of a list, and what to ask for to get the next one.
#[derive(Debug, Serialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct JobsQuery {
    state: Option<String>,
    queue: Option<String>,
    limit: Option<usize>,
    before: Option<String>,
    search: Option<String>,
}

impl JobsQuery {
    /// An empty value means that the filter is not used, as a form sends it.
    fn filter(self) -> Result<Filter, Problem> {
        let refused = |field: &str, detail: String| {
            Problem::new(StatusCode::BAD_REQUEST, detail).field(field)
        };
        let state = self.state.filter(|name| !name.is_empty()).map(|name| {
            JobState::from_name(&name)
                .ok_or_else(|| refused("state", format!("there is no state {name:?}")))
        });
        let before = self.before.filter(|text| !text.is_empty()).map(|text| {
            let sequence = text.parse::<i64>();
            sequence.map_err(|_| refused("before", format!("{text:?} is not from a list")))
        });
        let search = self.search.filter(|text| !text.is_empty()).map(|text| {
            let fits = text.len() <= MAX_SEARCH_BYTES;
            fits.then_some(text)
                .ok_or_else(|| refused("search", format!("at most {MAX_SEARCH_BYTES} bytes")))
        });
        Ok(Filter {
            state: state.transpose()?,
            queue: self.queue.filter(|name| !name.is_empty()),
            before: before.transpose()?,
            search: search.transpose()?,
            limit: self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
        })
    }
}

async fn queues(State(queue): State<Queue>) -> Result<Json<Page<QueueSummary>>, Problem> {
    Ok(Json(Page {
        items: queue.queues().await?,
        next: None,
    }))
}

async fn jobs(
    State(queue): State<Queue>,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Page<JobSummary>>, Problem> {
    let filter = query.filter()?;
    let found = queue.jobs(filter).await?;
    Ok(Json(Page {
        items: found.jobs,
        next: found.next.map(|at| at.to_string()),
    }))
}

async fn job(
    State(queue): State<Queue>,
    Path(id): Path<String>,
) -> Result<Json<JobDetail>, Problem> {
    Ok(Json(queue.job(&id).await?))
}

async fn retry(
    State(queue): State<Queue>,
    Path(id): Path<String>,
) -> Result<Json<JobDetail>, Problem> {
    queue.run_now(&id).await?;
    Ok(Json(queue.job(&id).await?))
}

async fn cancel(
    State(queue): State<Queue>,
    Path(id): Path<String>,
) -> Result<Json<JobDetail>, Problem> {
    queue.cancel(&id).await?;
    Ok(Json(queue.job(&id).await?))
}

async fn pause(
    State(queue): State<Queue>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    queue.pause(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn resume(
    State(queue): State<Queue>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    queue.resume(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn limit(
    State(queue): State<Queue>,
    Path(name): Path<String>,
    Json(limits): Json<Limits>,
) -> Result<StatusCode, Problem> {
    queue.limit(&name, limits).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
struct ReplayQuery {
    kind: Option<String>,
}

async fn replay(
    State(queue): State<Queue>,
    Path(name): Path<String>,
    Query(query): Query<ReplayQuery>,
) -> Result<Json<Replayed>, Problem> {
    let which = Replay {
        queue: name,
        kind: query.kind.filter(|kind| !kind.is_empty()),
    };
    let jobs = queue.replay(&which).await?;
    Ok(Json(Replayed { jobs }))
}

async fn schedules(State(queue): State<Queue>) -> Result<Json<Page<ScheduleSummary>>, Problem> {
    Ok(Json(Page {
        items: queue.schedules().await?,
        next: None,
    }))
}

async fn unschedule(
    State(queue): State<Queue>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    queue.unschedule(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn run_schedule(
    State(queue): State<Queue>,
    Path(name): Path<String>,
) -> Result<Json<JobDetail>, Problem> {
    let id = queue.run_schedule(&name).await?;
    Ok(Json(queue.job(&id).await?))
}

async fn workers(State(queue): State<Queue>) -> Json<Page<WorkerRole>> {
    Json(Page {
        items: queue.roles(),
        next: None,
    })
}

async fn scale(
    State(queue): State<Queue>,
    Path(name): Path<String>,
    Json(scale): Json<Scale>,
) -> Result<Json<Page<WorkerRole>>, Problem> {
    queue.scale(&name, scale.replicas).await?;
    Ok(workers(State(queue)).await)
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound(_) | Error::Unknown { .. } => Self::new(StatusCode::NOT_FOUND, detail),
            Error::Invalid(_) => Self::new(StatusCode::BAD_REQUEST, detail),
            Error::State { .. } | Error::LeaseLost(_) => Self::new(StatusCode::CONFLICT, detail),
            Error::Payload { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            Error::Database(mito_database::Error::Full) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, detail)
            }
            Error::Database(cause) if cause.is_transient() => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1)
            }
            Error::Database(_) | Error::Panicked(_) => {
                tracing::error!(error = detail, "the panel could not use the queue");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the queue could not be read",
                )
            }
        }
    }
}
