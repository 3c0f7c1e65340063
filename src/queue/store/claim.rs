//! Claims and renewals of leases.

use mito_database::Tx;

use super::{Lease, Result};

/// What a worker asks for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) queue: &'static str,
    /// The kinds that it has handlers for, with the attempts that their policies allow.
    pub(crate) kinds: Vec<(&'static str, u32)>,
    pub(crate) limit: usize,
    /// Drawn for this claim alone.
    pub(crate) token: String,
    pub(crate) boot: String,
    pub(crate) lease_ms: i64,
}

/// A job whose lease the worker now holds.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    pub(crate) kind: &'static str,
    pub(crate) payload: String,
    /// Counts this one, so that an attempt that kills the process is counted.
    pub(crate) attempt: u32,
    pub(crate) request_id: Option<String>,
    pub(crate) due_ms: i64,
    pub(crate) started_ms: i64,
    priority: i64,
    sequence: i64,
}

/// Claims up to `limit` jobs, the lowest priority number first, then the oldest. Kinds are asked
/// for one by one, so that jobs nobody here can run cost nothing.
pub(crate) fn claim(tx: &mut Tx<'_>, request: &Request) -> Result<Vec<Claimed>> {
    let mut found = Vec::new();
    for (kind, max_attempts) in &request.kinds {
        let candidates = candidates(tx, request, kind)?;
        found.extend(
            candidates
                .into_iter()
                .map(|claimed| (claimed, *max_attempts)),
        );
    }
    found.sort_by_key(|(claimed, _)| (claimed.priority, claimed.sequence));
    found.truncate(request.limit);
    for (claimed, max_attempts) in &found {
        tx.execute(
            "UPDATE _mito_queue_jobs SET state = 'running', attempts = $1, max_attempts = $2, \
                 started_ms = $3, lease_token = $4, lease_until_ms = $5, boot = $6 \
             WHERE id = $7",
            &[
                &claimed.attempt,
                max_attempts,
                &claimed.started_ms,
                &request.token,
                &(claimed.started_ms + request.lease_ms),
                &request.boot,
                &claimed.lease.id,
            ],
        )?;
    }
    Ok(found.into_iter().map(|(claimed, _)| claimed).collect())
}

fn candidates(tx: &mut Tx<'_>, request: &Request, kind: &'static str) -> Result<Vec<Claimed>> {
    let sql = format!(
        "SELECT id, sequence, priority, payload, attempts, request_id, due_ms \
         FROM _mito_queue_jobs WHERE state = 'available' AND queue = $1 AND kind = $2 \
         ORDER BY priority, sequence LIMIT $3{}",
        super::skip_locked(tx)
    );
    let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
    let started_ms = tx.now_ms();
    let rows = tx.query(&sql, &[&request.queue, &kind, &limit])?;
    rows.iter()
        .map(|row| {
            Ok(Claimed {
                lease: Lease {
                    id: row.get("id")?,
                    token: request.token.clone(),
                },
                kind,
                payload: row.get("payload")?,
                attempt: row.get::<u32>("attempts")?.saturating_add(1),
                request_id: row.get("request_id")?,
                due_ms: row.get("due_ms")?,
                started_ms,
                priority: row.get("priority")?,
                sequence: row.get("sequence")?,
            })
        })
        .collect()
}

/// Prolongs leases; returns the ids of those that are no longer held.
pub(crate) fn renew(tx: &mut Tx<'_>, leases: &[Lease], lease_ms: i64) -> Result<Vec<String>> {
    let until_ms = tx.now_ms() + lease_ms;
    let mut lost = Vec::new();
    for lease in leases {
        let renewed = tx.execute(
            "UPDATE _mito_queue_jobs SET lease_until_ms = $1 \
             WHERE id = $2 AND state = 'running' AND lease_token = $3",
            &[&until_ms, &lease.id, &lease.token],
        )?;
        if renewed == 0 {
            lost.push(lease.id.clone());
        }
    }
    Ok(lost)
}

/// The kinds of available jobs of a queue, found without reading the jobs.
pub(crate) fn available_kinds(tx: &mut Tx<'_>, queue: &str, limit: usize) -> Result<Vec<String>> {
    let mut kinds = Vec::new();
    let mut after = String::new();
    while kinds.len() < limit {
        let row = tx.query_one(
            "SELECT MIN(kind) AS kind FROM _mito_queue_jobs \
             WHERE state = 'available' AND queue = $1 AND kind > $2",
            &[&queue, &after],
        )?;
        let Some(kind) = row
            .map(|row| row.get::<Option<String>>("kind"))
            .transpose()?
            .flatten()
        else {
            break;
        };
        after.clone_from(&kind);
        kinds.push(kind);
    }
    Ok(kinds)
}
