//! Writing the append-only file afresh when it has grown: a copy of the state is made piece by piece
//! between commands, and a thread of the log writes it.

use crate::{
    aof::{Log, Rewrite},
    copying::Copying,
};

use super::Home;

/// A file is written afresh when it has doubled since the last time, and is at least so large.
const MIN_BYTES: u64 = 64 * 1024 * 1024;
/// How much is copied before other commands are run.
const STEP_BYTES: usize = 256 * 1024;
/// How long to wait when the disk is slower than the copying.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// Begins a rewrite if it is time.
pub(super) fn look(home: &Home) {
    let mut engine = home.engine.borrow_mut();
    let core = &mut engine.core;
    let Some(log) = core.journal.log().cloned() else {
        return;
    };
    if core.copying.is_some() || log.status().is_rewriting {
        return;
    }
    if !std::mem::take(&mut core.wants_rewrite) && !has_grown(&log) {
        return;
    }
    // What has been run up to now belongs to the files before.
    if core.journal.hand_on().is_err() || log.has_failed() {
        return;
    }
    match log.begin_rewrite() {
        Err(error) => tracing::warn!(%error, "the append-only file is not rewritten now"),
        Ok(rewrite) => {
            core.journal.new_file();
            core.copies += 1;
            core.copying = Some(Copying::new(core.copies));
            let copy = core.copies;
            tokio::task::spawn_local(run(home.clone(), rewrite, copy));
        }
    }
}

fn has_grown(log: &Log) -> bool {
    let size_bytes = log.size_bytes();
    size_bytes >= MIN_BYTES && size_bytes >= log.base_bytes().saturating_mul(2)
}

async fn run(home: Home, mut rewrite: Rewrite, copy: u32) {
    loop {
        while !rewrite.has_room() {
            tokio::time::sleep(PAUSE).await;
        }
        let Some((bytes, whole)) = step(&home, copy) else {
            tracing::info!("a rewrite was given up, as everything has changed");
            rewrite.abort();
            return;
        };
        if rewrite.write(bytes).is_err() || whole {
            break;
        }
        tokio::task::yield_now().await;
    }
    give_up(&home, copy);
    match rewrite.finish().await {
        Ok(done) => tracing::info!(
            size_bytes = done.base_bytes,
            took_ms = u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX),
            "the append-only file was written afresh"
        ),
        Err(error) => tracing::warn!(%error, "rewriting the append-only file failed"),
    }
}

/// A copy that was not finished is not made any more.
fn give_up(home: &Home, copy: u32) {
    let core = &mut home.engine.borrow_mut().core;
    if core
        .copying
        .as_ref()
        .is_some_and(|copying| copying.number() == copy)
    {
        core.copying = None;
    }
}

/// Copies a piece; what it is, and whether it is the last. `None` when the copy is of no use any
/// more.
fn step(home: &Home, copy: u32) -> Option<(Vec<u8>, bool)> {
    let mut engine = home.engine.borrow_mut();
    let core = &mut engine.core;
    let copying = core
        .copying
        .as_mut()
        .filter(|copying| copying.number() == copy)?;
    let whole = copying.step(&mut core.databases, STEP_BYTES);
    let bytes = std::mem::take(&mut copying.out);
    if whole {
        core.copying = None;
    }
    Some((bytes, whole))
}
