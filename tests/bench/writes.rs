//! Durable writes: a commit for each request against group commit, both with `synchronous=FULL`
//! behind one writer thread.

use std::{
    future::Future,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use mito_core::Clock;
use mito_database::{
    Database, Error, Migration, Migrations, Options,
    database::{Config, Location},
};
use rusqlite::Connection;
use tokio::{sync::oneshot, task::JoinSet};

use crate::stats::{Sorted, line, millis};

/// Clients that write one row after another.
const CLIENTS: [usize; 4] = [1, 16, 64, 256];
/// How long each setting runs.
const RUN: Duration = Duration::from_secs(3);
/// The size of a row's content, in bytes.
const CONTENT_BYTES: usize = 200;
const TABLE: &str = "CREATE TABLE _mito_bench_rows (id TEXT PRIMARY KEY, content TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO _mito_bench_rows (id, content) VALUES ($1, $2)";
const MIGRATIONS: [Migrations; 1] = [Migrations {
    role: "bench",
    steps: &[Migration {
        version: 1,
        sql: TABLE,
        postgres: None,
    }],
}];

/// Measures and prints a table.
pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    line(
        "| clients | commit per request, writes/s | p50 ms | p99 ms | group commit, writes/s | p50 ms | p99 ms | ratio |",
    )?;
    line("|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for clients in CLIENTS {
        let single = Single::open(&folder.path().join(format!("single-{clients}.db")))?;
        let alone = closed_loop(clients, move |id| single.write(id)).await?;
        let grouped = Grouped::open(&folder.path().join(format!("grouped-{clients}.db"))).await?;
        let database = grouped.0.clone();
        let group = closed_loop(clients, move |id| grouped.write(id)).await?;
        database.close(Duration::from_secs(10)).await;
        line(&format!(
            "| {clients} | {:.0} | {} | {} | {:.0} | {} | {} | {:.1} |",
            per_second(&alone),
            millis(alone.percentile(50)),
            millis(alone.percentile(99)),
            per_second(&group),
            millis(group.percentile(50)),
            millis(group.percentile(99)),
            per_second(&group) / per_second(&alone),
        ))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of seconds of writes")]
fn per_second(writes: &Sorted) -> f64 {
    writes.len() as f64 / RUN.as_secs_f64()
}

/// Each client writes as soon as its last write is acknowledged.
async fn closed_loop<W, R>(clients: usize, write: W) -> anyhow::Result<Sorted>
where
    W: Fn(String) -> R,
    R: Future<Output = anyhow::Result<()>> + Send + 'static,
    W: Clone + Send + 'static,
{
    let until = Instant::now() + RUN;
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let write = write.clone();
        tasks.spawn(async move {
            let mut durations = Vec::new();
            for number in 0_u64.. {
                let started = Instant::now();
                if started >= until {
                    break;
                }
                write(format!("{client:03}-{number:09}")).await?;
                durations.push(started.elapsed());
            }
            anyhow::Ok(durations)
        });
    }
    let mut all = Vec::new();
    while let Some(durations) = tasks.join_next().await {
        all.extend(durations??);
    }
    Ok(Sorted::new(all))
}

/// A writer thread that commits after each request.
#[derive(Clone)]
struct Single(mpsc::Sender<(String, oneshot::Sender<rusqlite::Result<()>>)>);

impl Single {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
        connection.execute_batch(TABLE)?;
        let (sender, requests) = mpsc::channel::<(String, oneshot::Sender<_>)>();
        std::thread::Builder::new()
            .name("single".to_owned())
            .spawn(move || {
                for (id, reply) in requests {
                    // The client may have gone at the end of the run.
                    let _ = reply.send(insert(&connection, &id));
                }
            })?;
        Ok(Self(sender))
    }

    fn write(
        &self,
        id: String,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + 'static + use<> {
        let (reply, answer) = oneshot::channel();
        let sent = self.0.send((id, reply));
        async move {
            sent.ok().context("the writer has ended")?;
            Ok(answer.await??)
        }
    }
}

fn insert(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    connection
        .prepare_cached(INSERT)?
        .execute((id, "x".repeat(CONTENT_BYTES)))?;
    connection.prepare_cached("COMMIT")?.execute(())?;
    Ok(())
}

/// The engine.
#[derive(Clone)]
struct Grouped(Database);

impl Grouped {
    async fn open(path: &Path) -> anyhow::Result<Self> {
        let options = Options {
            location: Location::File(path.to_owned()),
            config: Config::default(),
            clock: Clock::system(),
        };
        Ok(Self(Database::open(options, &MIGRATIONS).await?))
    }

    fn write(
        &self,
        id: String,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + 'static + use<> {
        let database = self.0.clone();
        async move {
            let content = "x".repeat(CONTENT_BYTES);
            let write = database.write(move |tx| tx.execute(INSERT, &[&id, &content]));
            write.await.map(|_| ()).map_err(|error: Error| error.into())
        }
    }
}
