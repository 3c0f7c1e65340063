//! The thread that removes keys whose time has come, so that what nobody asks for again gives its
//! memory back. Reads do not depend on it: an expired key is never returned.

use std::{sync::Arc, thread::JoinHandle, time::Duration};

use mito_core::Clock;
use tokio::sync::watch;

use crate::cache::Shared;

/// How often it looks.
const TICK: Duration = Duration::from_millis(100);

/// How many keys one look removes at most; the lock is free in between.
const MAX_KEYS_PER_TICK: usize = 2_000;

/// Starts the thread; it ends when `closing` does.
pub(crate) fn start(
    keyspace: Arc<Shared>,
    clock: Clock,
    mut closing: watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    crate::spill::thread("mito-cache-sweep", async move {
        loop {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => return,
                () = clock.sleep(TICK) => {}
            }
            let now_ms = clock.now_ms();
            let stats = {
                let mut keyspace = keyspace.lock();
                keyspace.sweep(now_ms, MAX_KEYS_PER_TICK);
                keyspace.stats()
            };
            publish(&stats);
        }
    })
}

/// Numbers that Prometheus reads; taken here so that a read of the cache touches no metric.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; 2^53 bytes are enough"
)]
fn publish(stats: &crate::Stats) {
    metrics::gauge!("mito_cache_keys").set(stats.keys as f64);
    metrics::gauge!("mito_cache_memory_bytes").set(stats.memory_bytes as f64);
    metrics::counter!("mito_cache_hits_total").absolute(stats.hits);
    metrics::counter!("mito_cache_misses_total").absolute(stats.misses);
    metrics::counter!("mito_cache_evictions_total").absolute(stats.evictions);
    metrics::counter!("mito_cache_expirations_total").absolute(stats.expirations);
    metrics::counter!("mito_cache_spill_drops_total").absolute(stats.spill_drops);
}
