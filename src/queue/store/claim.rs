//! Claims and renewals of leases.

use std::time::Duration;

use mito_database::Tx;

use super::{
    Lease, Result, finish,
    follow::Follow,
    limits::{self, Gate, Turn},
};
use crate::job::Overrides;

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
    /// How many there may be.
    pub(crate) max_attempts: u32,
    pub(crate) overrides: Overrides,
    pub(crate) request_id: Option<String>,
    pub(crate) due_ms: i64,
    pub(crate) started_ms: i64,
    expires_ms: Option<i64>,
    group_key: Option<String>,
    priority: i64,
    sequence: i64,
}

/// What a claim brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    pub(crate) jobs: Vec<Claimed>,
    /// There may be more to claim at once.
    pub(crate) more: bool,
    /// The queue's limits allowed fewer than were asked for.
    pub(crate) is_capped: bool,
    /// When a limit of the queue allows more.
    pub(crate) again_ms: Option<i64>,
    /// When the first job is due again that its group's limit put off.
    pub(crate) put_off_ms: Option<i64>,
    /// Whom to tell of jobs that had waited too long.
    pub(crate) follow: Follow,
}

/// The jobs that a claim looks at: index ranges alone, whatever else the table holds.
pub(crate) const CANDIDATES: &str = "SELECT id, sequence, priority, payload, attempts, request_id, \
         due_ms, expires_ms, group_key, options \
     FROM _mito_queue_jobs WHERE state = 'available' AND held = 0 AND queue = $1 AND kind = $2 \
     ORDER BY priority, sequence LIMIT $3";

/// Claims up to `limit` jobs, the lowest priority number first, then the oldest. Kinds are asked
/// for one by one, so that jobs nobody here can run cost nothing.
pub(crate) fn claim(tx: &mut Tx<'_>, request: &Request) -> Result<Claims> {
    let gate = limits::gate(tx, request.queue, request.limit)?;
    let mut claims = Claims {
        is_capped: gate.allowed < request.limit,
        again_ms: gate.again_ms,
        ..Claims::default()
    };
    if gate.allowed == 0 {
        return Ok(claims);
    }
    let mut found = Vec::new();
    for (kind, max_attempts) in &request.kinds {
        found.extend(candidates(tx, request, gate.allowed, kind, *max_attempts)?);
    }
    found.sort_by_key(|claimed| (claimed.priority, claimed.sequence));
    found.truncate(gate.allowed);
    let examined = found.len();
    for claimed in found {
        if take(tx, request, &gate, &claimed, &mut claims)? {
            claims.jobs.push(claimed);
        }
    }
    limits::spend(tx, request.queue, &gate, claims.jobs.len())?;
    claims.more = examined == request.limit || claims.jobs.len() < examined;
    Ok(claims)
}

/// Claims one job, unless it has waited too long or its group's limits forbid it.
fn take(
    tx: &mut Tx<'_>,
    request: &Request,
    gate: &Gate,
    claimed: &Claimed,
    claims: &mut Claims,
) -> Result<bool> {
    let id = &claimed.lease.id;
    if let Some(expires_ms) = claimed.expires_ms
        && expires_ms <= claimed.started_ms
    {
        let reason = waited_too_long(expires_ms - claimed.due_ms);
        finish::discard_waiting(tx, id, &reason, &mut claims.follow)?;
        return Ok(false);
    }
    if let Some(group_key) = &claimed.group_key {
        match limits::group_turn(tx, request.queue, group_key, &gate.limits)? {
            Turn::Now => {}
            Turn::Behind => {
                tx.execute("UPDATE _mito_queue_jobs SET held = 1 WHERE id = $1", &[id])?;
                return Ok(false);
            }
            Turn::NotBefore(at_ms) => {
                tx.execute(
                    "UPDATE _mito_queue_jobs SET state = 'scheduled', waits_until_ms = $1 \
                     WHERE id = $2",
                    &[&at_ms, id],
                )?;
                let earlier = claims.put_off_ms.map_or(at_ms, |other| other.min(at_ms));
                claims.put_off_ms = Some(earlier);
                return Ok(false);
            }
        }
    }
    tx.execute(
        "UPDATE _mito_queue_jobs SET state = 'running', attempts = $1, max_attempts = $2, \
             started_ms = $3, lease_token = $4, lease_until_ms = $5, boot = $6, \
             expires_ms = NULL, progress = NULL \
         WHERE id = $7",
        &[
            &claimed.attempt,
            &claimed.max_attempts,
            &claimed.started_ms,
            &request.token,
            &(claimed.started_ms + request.lease_ms),
            &request.boot,
            id,
        ],
    )?;
    Ok(true)
}

/// Why a job was discarded that nobody has started.
pub(crate) fn waited_too_long(limit_ms: i64) -> String {
    let limit = Duration::from_millis(u64::try_from(limit_ms).unwrap_or(0));
    format!("it waited longer than {limit:?}")
}

fn candidates(
    tx: &mut Tx<'_>,
    request: &Request,
    limit: usize,
    kind: &'static str,
    max_attempts: u32,
) -> Result<Vec<Claimed>> {
    let sql = format!("{CANDIDATES}{}", super::skip_locked(tx));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let started_ms = tx.now_ms();
    let rows = tx.query(&sql, &[&request.queue, &kind, &limit])?;
    rows.iter()
        .map(|row| {
            let overrides = Overrides::from_text(row.get::<Option<String>>("options")?.as_deref());
            Ok(Claimed {
                lease: Lease {
                    id: row.get("id")?,
                    token: request.token.clone(),
                },
                kind,
                payload: row.get("payload")?,
                attempt: row.get::<u32>("attempts")?.saturating_add(1),
                max_attempts: overrides.attempts.unwrap_or(max_attempts),
                overrides,
                request_id: row.get("request_id")?,
                due_ms: row.get("due_ms")?,
                started_ms,
                expires_ms: row.get("expires_ms")?,
                group_key: row.get("group_key")?,
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
             WHERE state = 'available' AND held = 0 AND queue = $1 AND kind > $2",
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
