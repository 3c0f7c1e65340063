//! `INFO`.

use std::{fmt::Write as _, sync::atomic::Ordering};

use bytes::Bytes;

use super::connection::REDIS_VERSION;
use crate::{aof::Log, commands::options::is, engine::Engine, resp::Reply};

/// Writes the lines of a section.
type Section = fn(&Engine, &mut String);

/// The sections, in the order in which they are shown.
const SECTIONS: &[(&str, Section)] = &[
    ("Server", server),
    ("Clients", clients),
    ("Memory", memory),
    ("Persistence", persistence),
    ("Stats", stats),
    ("Replication", replication),
    ("CPU", |_, _| {}),
    ("Cluster", |_, out| out.push_str("cluster_enabled:0\r\n")),
    ("Keyspace", keyspace),
];

/// The named sections, or all of them. `maxmemory_policy` is that of the connection's database.
pub(super) fn info(engine: &Engine, _: usize, arguments: &[Bytes]) -> Reply {
    let wanted = &arguments[1..];
    let all = wanted.is_empty()
        || wanted.iter().any(|word| {
            ["all", "default", "everything"]
                .iter()
                .any(|all| is(word, all))
        });
    let mut text = String::new();
    for (name, write) in SECTIONS {
        if all || wanted.iter().any(|word| is(word, name)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _ = write!(text, "# {name}\r\n");
            write(engine, &mut text);
        }
    }
    Reply::Verbatim(text)
}

macro_rules! line {
    ($out:expr, $name:literal, $value:expr) => {
        let _ = write!($out, "{}:{}\r\n", $name, $value);
    };
}

fn server(engine: &Engine, out: &mut String) {
    let shared = &engine.shared;
    let uptime = shared.started.elapsed().as_secs();
    line!(out, "redis_version", REDIS_VERSION);
    line!(out, "redis_mode", "standalone");
    line!(out, "mito_version", env!("CARGO_PKG_VERSION"));
    line!(out, "os", std::env::consts::OS);
    line!(out, "arch_bits", usize::BITS);
    line!(out, "process_id", std::process::id());
    line!(out, "run_id", shared.run_id);
    line!(
        out,
        "server_time_usec",
        shared.clock.now_ms().saturating_mul(1_000)
    );
    line!(out, "uptime_in_seconds", uptime);
    line!(out, "uptime_in_days", uptime / 86_400);
}

fn clients(engine: &Engine, out: &mut String) {
    line!(out, "connected_clients", engine.shared.clients().len());
    line!(out, "blocked_clients", engine.core.waiting.len());
}

fn memory(engine: &Engine, out: &mut String) {
    let core = &engine.core;
    let used = core.memory_bytes();
    line!(out, "used_memory", used);
    line!(out, "used_memory_human", human(used));
    line!(out, "used_memory_dataset", used);
    line!(out, "maxmemory", core.memory.max_bytes);
    line!(out, "maxmemory_human", human(core.memory.max_bytes));
    line!(out, "maxmemory_policy", core.memory.policy.name());
    line!(out, "mem_allocator", "mimalloc");
}

fn human(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let hundredths = u128::from(bytes) * 100 / u128::from(unit);
            return format!("{}.{:02}{name}", hundredths / 100, hundredths % 100);
        }
    }
    format!("{bytes}B")
}

fn persistence(engine: &Engine, out: &mut String) {
    let journal = &engine.core.journal;
    line!(out, "loading", 0);
    line!(out, "async_loading", 0);
    line!(out, "rdb_bgsave_in_progress", 0);
    line!(out, "rdb_changes_since_last_save", 0);
    line!(out, "rdb_last_bgsave_status", "ok");
    line!(out, "aof_enabled", u8::from(journal.log().is_some()));
    line!(
        out,
        "aof_rewrite_scheduled",
        u8::from(engine.core.wants_rewrite)
    );
    let status = journal.log().map(Log::status).unwrap_or_default();
    let good = |failure: &Option<_>| if failure.is_none() { "ok" } else { "err" };
    line!(
        out,
        "aof_rewrite_in_progress",
        u8::from(status.is_rewriting)
    );
    line!(
        out,
        "aof_last_bgrewrite_status",
        good(&status.rewrite_failure)
    );
    line!(out, "aof_last_write_status", good(&status.failure));
    line!(out, "aof_current_size", status.size_bytes);
    line!(out, "aof_base_size", status.base_bytes);
    line!(out, "aof_buffer_length", status.waiting_bytes);
    line!(out, "aof_delayed_fsync", status.delayed_fsyncs);
    line!(out, "aof_last_fsync_usec", status.last_fsync.as_micros());
}

fn stats(engine: &Engine, out: &mut String) {
    let (shared, counters) = (&engine.shared, &engine.core.counters);
    line!(
        out,
        "total_connections_received",
        shared.connections.load(Ordering::Relaxed)
    );
    line!(
        out,
        "total_commands_processed",
        shared.commands.load(Ordering::Relaxed)
    );
    line!(out, "keyspace_hits", counters.hits);
    line!(out, "keyspace_misses", counters.misses);
    line!(out, "expired_keys", counters.expired);
    line!(out, "evicted_keys", counters.evicted);
    line!(
        out,
        "pubsub_channels",
        shared
            .channels
            .names(crate::pubsub::Kind::Channel, None)
            .len()
    );
    line!(out, "pubsub_patterns", shared.channels.patterns());
}

fn replication(_: &Engine, out: &mut String) {
    line!(out, "role", "master");
    line!(out, "connected_slaves", 0);
    line!(out, "master_repl_offset", 0);
}

fn keyspace(engine: &Engine, out: &mut String) {
    for (number, numbers) in engine.shared.databases.iter().enumerate() {
        let (keys, expires) = if engine.core.is_home_of(number) {
            let database = &engine.core.databases[number];
            (database.len() as u64, database.deadlines() as u64)
        } else {
            let load = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed);
            (load(&numbers.keys), load(&numbers.expires))
        };
        if keys > 0 {
            let _ = write!(
                out,
                "db{number}:keys={keys},expires={expires},avg_ttl=0\r\n"
            );
        }
    }
}
