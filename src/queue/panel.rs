//! What the control panel reads and does: jobs by state, one job, retry, cancel, queues.

use axum::Router;

use crate::Queue;

/// Routes relative to `/_mito/api/queue`; the caller has checked that an administrator asks.
pub fn routes(queue: Queue) -> Router {
    let _ = queue;
    todo!("queue helper")
}
