//! What the control panel reads: runs and pipelines.

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use http::StatusCode;
use mito_database::{Database, Error};
use mito_network::Problem;
use mito_queue::{Error as QueueError, JobState, Queue, panel::types::JobSummary};
use serde::{Deserialize, Serialize};

use crate::store::{self, PipelineRow, Run, RunState};

/// How many rows a page has unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// The most rows of a page.
const MAX_LIMIT: u32 = 500;

#[derive(Debug, Deserialize)]
struct PageQuery {
    limit: Option<u32>,
    before: Option<String>,
}

#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// What the routes read.
#[derive(Clone)]
struct Reader {
    database: Database,
    queue: Queue,
}

pub(crate) fn routes(database: Database, queue: Queue) -> Router {
    Router::new()
        .route("/runs", get(runs))
        .route("/pipelines", get(pipelines))
        .with_state(Reader { database, queue })
}

async fn runs(
    State(reader): State<Reader>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Run>>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let before = query.before.as_deref().map(place).transpose()?;
    let items = store::runs(&reader.database, before, limit).await;
    let mut items = items.map_err(problem)?;
    for run in items.iter_mut().filter(|run| run.finished_ms.is_none()) {
        follow_job(&reader.queue, run).await?;
    }
    let is_full = items.len() >= limit as usize;
    let next = items
        .last()
        .filter(|_| is_full)
        .map(|run| format!("{}-{}", run.created_ms, run.id));
    Ok(Json(Page { items, next }))
}

/// Tells of a run that has not ended what its job knows better: that it is worked on, was stopped,
/// or has used up its attempts without coming back (each of them killed the process).
async fn follow_job(queue: &Queue, run: &mut Run) -> Result<(), Problem> {
    let job = match queue.job(&run.id).await {
        Ok(job) => job.summary,
        Err(QueueError::Database(error)) => return Err(problem(error)),
        // A job that is gone has nothing to add.
        Err(_) => return Ok(()),
    };
    tell(run, job);
    Ok(())
}

fn tell(run: &mut Run, job: JobSummary) {
    run.state = match job.state {
        JobState::Running => RunState::Running,
        JobState::Retryable => RunState::Retrying,
        JobState::Discarded => RunState::Failed,
        JobState::Cancelled => RunState::Cancelled,
        JobState::Scheduled | JobState::Available | JobState::Completed => return,
    };
    run.finished_ms = job.finished_ms;
    if run.note.is_empty() {
        run.note = job.error.unwrap_or_default();
    }
}

/// Reads what a page gave as `next`.
fn place(before: &str) -> Result<(i64, String), Problem> {
    let parts = before.split_once('-');
    parts
        .and_then(|(at_ms, id)| Some((at_ms.parse().ok()?, id.to_owned())))
        .ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "before must be the next of another page",
            )
            .field("before")
        })
}

async fn pipelines(State(reader): State<Reader>) -> Result<Json<Page<PipelineRow>>, Problem> {
    let items = store::pipelines(&reader.database).await.map_err(problem)?;
    Ok(Json(Page { items, next: None }))
}

fn problem(error: Error) -> Problem {
    if error.is_transient() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(1);
    }
    tracing::error!(%error, "could not read pipelines for the panel");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the database failed; the log has the cause",
    )
}

#[cfg(test)]
mod tests {
    use mito_queue::{JobState, panel::types::JobSummary};

    use super::tell;
    use crate::store::{Run, RunState};

    fn check(state: JobState, expected: RunState, note: &str) {
        let mut run = Run {
            id: String::new(),
            pipeline: String::new(),
            bucket: String::new(),
            key: String::new(),
            etag: String::new(),
            state: RunState::Queued,
            note: String::new(),
            steps: Vec::new(),
            collection: String::new(),
            record: String::new(),
            created_ms: 1,
            finished_ms: None,
        };
        let ended = matches!(state, JobState::Discarded | JobState::Cancelled);
        let job = JobSummary {
            id: String::new(),
            queue: String::new(),
            kind: String::new(),
            state,
            priority: 0,
            attempts: 1,
            max_attempts: None,
            created_ms: 1,
            due_ms: 1,
            started_ms: None,
            finished_ms: ended.then_some(2),
            error: (!note.is_empty()).then(|| note.to_owned()),
            request_id: None,
        };
        tell(&mut run, job);
        assert_eq!(run.state, expected, "{state:?}");
        assert_eq!(run.note, note, "{state:?}");
        assert_eq!(run.finished_ms.is_some(), ended, "{state:?}");
    }

    #[test]
    fn a_run_is_where_its_job_is() {
        check(JobState::Available, RunState::Queued, "");
        check(JobState::Scheduled, RunState::Queued, "");
        check(JobState::Running, RunState::Running, "");
        check(JobState::Retryable, RunState::Retrying, "took too long");
        check(JobState::Discarded, RunState::Failed, "the process died");
        check(JobState::Cancelled, RunState::Cancelled, "");
        check(JobState::Completed, RunState::Queued, "");
    }
}
