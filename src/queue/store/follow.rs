//! What follows when a job stops running or ends, in the same transaction: the next one of its
//! group, the one that waits behind its key, its parent. A process that dies in between has done
//! all of it or nothing.

use mito_database::{Row, Tx};

use super::{Result, flow, unique};

/// What the row must tell for [`left`] and [`ended`].
pub(crate) const COLUMNS: &str = "id, queue, kind, group_key, dedup_key, parent, parent_policy, \
     sensitive";

/// Whom to tell after the commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Follow {
    /// Queues that have a job to claim.
    pub(crate) queues: Vec<String>,
    /// Jobs that have ended.
    pub(crate) ended: Vec<String>,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End<'a> {
    /// Its effect has been committed.
    Completed,
    /// It was discarded or cancelled, for this reason.
    Failed(&'a str),
}

/// The job does not run any more: the next held one of its group may.
pub(crate) fn left(tx: &mut Tx<'_>, row: &Row, follow: &mut Follow) -> Result<()> {
    let Some(group_key) = row.get::<Option<String>>("group_key")? else {
        return Ok(());
    };
    let queue: String = row.get("queue")?;
    if release_held(tx, &queue, &group_key, 1)? > 0 {
        follow.queues.push(queue);
    }
    Ok(())
}

/// Lets up to `count` held jobs of a group be claimed; the claim holds them again if they must not.
pub(crate) fn release_held(
    tx: &mut Tx<'_>,
    queue: &str,
    group_key: &str,
    count: u32,
) -> Result<usize> {
    tx.execute(
        "UPDATE _mito_queue_jobs SET held = 0 WHERE id IN ( \
             SELECT id FROM _mito_queue_jobs WHERE held = 1 AND queue = $1 AND group_key = $2 \
             ORDER BY priority, sequence LIMIT $3)",
        &[&queue, &group_key, &count],
    )
}

/// The job has ended for good.
pub(crate) fn ended(tx: &mut Tx<'_>, row: &Row, end: End<'_>, follow: &mut Follow) -> Result<()> {
    let id: String = row.get("id")?;
    if let Some(key) = row.get::<Option<String>>("dedup_key")?
        && unique::release(tx, &id, &row.get::<String>("kind")?, &key)?
    {
        follow.queues.push(row.get("queue")?);
    }
    if let Some(parent) = row.get::<Option<String>>("parent")? {
        let policy: Option<String> = row.get("parent_policy")?;
        flow::child_ended(tx, &id, &parent, policy.as_deref(), end, follow)?;
    }
    if row.get("sensitive")? {
        // Such a job never runs again, because its payload is erased.
        tx.execute("DELETE FROM _mito_queue_steps WHERE job = $1", &[&id])?;
    }
    follow.ended.push(id);
    Ok(())
}
