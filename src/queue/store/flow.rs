//! Parents that wait for their children. A child counts once: its row forgets what its end means to
//! the parent in the transaction that tells the parent.

use mito_database::Tx;

use super::{
    Result, finish,
    follow::{End, Follow},
};
use crate::{
    JobState,
    flow::{Child, OnChildFailure},
};

/// The most children whose results are read at once.
const MAX_CHILDREN: i64 = 500;

/// Tells the parent that a child has ended.
pub(crate) fn child_ended(
    tx: &mut Tx<'_>,
    id: &str,
    parent: &str,
    policy: Option<&str>,
    end: End<'_>,
    follow: &mut Follow,
) -> Result<()> {
    let Some(policy) = policy.and_then(OnChildFailure::from_name) else {
        return Ok(());
    };
    let reason = match end {
        End::Completed => {
            settle(tx, id)?;
            return count(tx, parent, 1, follow);
        }
        End::Failed(reason) => reason,
    };
    match policy {
        // The child can be made to run again, so it has not counted yet.
        OnChildFailure::Wait => Ok(()),
        OnChildFailure::FailParent => {
            settle(tx, id)?;
            finish::discard_waiting(
                tx,
                parent,
                &format!("its child {id} failed: {reason}"),
                follow,
            )
        }
        OnChildFailure::Ignore => {
            settle(tx, id)?;
            count(tx, parent, 1, follow)
        }
        OnChildFailure::Remove => {
            tx.execute(
                "UPDATE _mito_queue_jobs SET parent = NULL, parent_policy = NULL WHERE id = $1",
                &[&id],
            )?;
            count(tx, parent, 1, follow)
        }
        OnChildFailure::Continue => {
            settle(tx, id)?;
            count(tx, parent, i64::MAX, follow)
        }
    }
}

fn settle(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.execute(
        "UPDATE _mito_queue_jobs SET parent_policy = NULL WHERE id = $1",
        &[&id],
    )?;
    Ok(())
}

/// Takes `children` from those that the parent waits for; with none left it may run.
fn count(tx: &mut Tx<'_>, parent: &str, children: i64, follow: &mut Follow) -> Result<()> {
    let now_ms = tx.now_ms();
    let sql = format!(
        "SELECT queue, children_left, due_ms FROM _mito_queue_jobs \
         WHERE id = $1 AND state = 'scheduled' AND children_left > 0{}",
        super::locked(tx)
    );
    let Some(row) = tx.query_one(&sql, &[&parent])? else {
        return Ok(());
    };
    let left = row.get::<i64>("children_left")?.saturating_sub(children);
    if left > 0 {
        tx.execute(
            "UPDATE _mito_queue_jobs SET children_left = $1 WHERE id = $2",
            &[&left, &parent],
        )?;
        return Ok(());
    }
    let due_ms = row.get::<i64>("due_ms")?.max(now_ms);
    let waits_until_ms = (due_ms > now_ms).then_some(due_ms);
    let state = waits_until_ms.map_or(JobState::Available, |_| JobState::Scheduled);
    tx.execute(
        "UPDATE _mito_queue_jobs SET children_left = 0, state = $1, due_ms = $2, \
             waits_until_ms = $3 WHERE id = $4",
        &[&state.name(), &due_ms, &waits_until_ms, &parent],
    )?;
    follow.queues.push(row.get("queue")?);
    Ok(())
}

/// The children of a job with their results, in the order in which they were enqueued.
pub(crate) fn children(tx: &mut Tx<'_>, parent: &str) -> Result<Vec<Child>> {
    children_with(tx, parent, "result")
}

/// The children of a job as they are shown, without results: those of all may be large.
pub(crate) fn shown_children(tx: &mut Tx<'_>, parent: &str) -> Result<Vec<Child>> {
    children_with(tx, parent, "NULL AS result")
}

fn children_with(tx: &mut Tx<'_>, parent: &str, result: &str) -> Result<Vec<Child>> {
    let sql = format!(
        "SELECT id, kind, state, {result}, error FROM _mito_queue_jobs \
         WHERE parent = $1 ORDER BY sequence LIMIT $2"
    );
    let rows = tx.query(&sql, &[&parent, &MAX_CHILDREN])?;
    rows.iter()
        .map(|row| {
            let result: Option<String> = row.get("result")?;
            Ok(Child {
                id: row.get("id")?,
                kind: row.get("kind")?,
                state: super::view::state(row)?,
                result: super::json(result.as_deref()),
                error: row.get("error")?,
            })
        })
        .collect()
}
