//! The queue as roles use it: real files, real threads, a clock that the tests move. A killed
//! process is one whose tasks and handles are dropped without a word.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use mito_core::{Clock, Random, Shutdown};
use mito_database::{
    Database, Migration, Migrations, Options, Tx,
    database::{Config as DatabaseConfig, Location},
};
use mito_network::Task;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::{
    Completed, Enqueue, Error, Failure, Job, JobState, Policy, Queue, Running,
    panel::types::JobDetail, queue::Config,
};

mod failing;
mod flows;
mod killed;
mod leases;
mod limits;
mod panel;
mod postgres;
mod processes;
mod relays;
mod replay;
mod results;
mod running;
mod scale;
mod schedules;
mod steps;
mod uniqueness;
mod waiting;
mod waits;

/// A Tuesday in November 2023, milliseconds since the Unix epoch.
const START_MS: i64 = 1_700_000_000_000;

/// What handlers of these tests write.
const EFFECTS: Migrations = Migrations {
    role: "effects",
    steps: &[Migration {
        version: 1,
        sql: "CREATE TABLE effects (number BIGINT NOT NULL, text TEXT NOT NULL)",
        postgres: None,
    }],
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Job for Note {
    const KIND: &'static str = "test.note";
    const QUEUE: &'static str = "test";
}

/// Another kind in the same queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Other {}

impl Job for Other {
    const KIND: &'static str = "test.other";
    const QUEUE: &'static str = "test";
}

/// A folder and a clock that outlive processes.
struct Stage {
    folder: tempfile::TempDir,
    clock: Clock,
    /// Where `mito.db` is instead, if not in the folder.
    server: Option<String>,
}

impl Stage {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Clock::manual(START_MS),
            server: None,
        }
    }

    /// Opens a file of the folder; one that was just let go of may be locked for a moment.
    async fn database(&self, name: &str) -> Database {
        self.database_in(self.folder.path(), name).await
    }

    async fn database_in(&self, folder: &std::path::Path, name: &str) -> Database {
        let path = folder.join(name);
        let server = self.server.clone().filter(|_| name == "mito.db");
        let options = Options {
            location: server.map_or(Location::File(path), Location::Postgres),
            config: DatabaseConfig::default(),
            clock: self.clock.clone(),
        };
        let opened = async {
            loop {
                match Database::open(options.clone(), &[crate::MIGRATIONS, EFFECTS]).await {
                    Ok(database) => return database,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let opened = tokio::time::timeout(Duration::from_secs(10), opened).await;
        opened.expect("the database opens")
    }

    async fn process(&self) -> Process {
        self.process_in(self.folder.path()).await
    }

    /// A process on the database of another folder.
    async fn process_in(&self, folder: &std::path::Path) -> Process {
        let database = self.database_in(folder, "mito.db").await;
        let random = Random::system();
        let queue = Queue::new(
            database.clone(),
            self.clock.clone(),
            random,
            Config::default(),
        );
        Process {
            database,
            queue,
            clock: self.clock.clone(),
            tasks: JoinSet::new(),
            shutdown: Shutdown::new(),
        }
    }
}

/// What dies together.
struct Process {
    database: Database,
    queue: Queue,
    clock: Clock,
    tasks: JoinSet<()>,
    shutdown: Shutdown,
}

impl Process {
    fn start(&mut self, task: Task) {
        let run = (task.run)(self.shutdown.clone());
        self.tasks.spawn(async move { run.await.unwrap() });
    }

    /// Handles notes and starts a worker for them.
    fn work<F, R>(&mut self, policy: Policy, handler: F)
    where
        F: Fn(Running<Note>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Completed, Failure>> + Send + 'static,
    {
        self.queue.handle(policy, handler);
        self.start(self.queue.worker("test", 4));
    }

    /// A worker that writes each note down.
    fn write_notes_down(&mut self) {
        self.work(Policy::default(), write_down);
    }

    async fn enqueue(&self, text: &str) -> String {
        self.enqueue_with(text, Enqueue::default()).await.unwrap()
    }

    async fn enqueue_with(&self, text: &str, options: Enqueue) -> Result<String, Error> {
        let (queue, note) = (
            self.queue.clone(),
            Note {
                text: text.to_owned(),
            },
        );
        self.database
            .write(move |tx| queue.enqueue(tx, &note, &options))
            .await
    }

    /// What handlers have written, in order.
    async fn effects(&self) -> Vec<String> {
        let read = |tx: &mut Tx<'_>| -> Result<Vec<String>, mito_database::Error> {
            let rows = tx.query("SELECT text FROM effects ORDER BY number", &[])?;
            rows.iter().map(|row| row.get("text")).collect()
        };
        self.database.read(read).await.unwrap()
    }

    async fn job(&self, id: &str) -> JobDetail {
        self.queue.job(id).await.unwrap()
    }

    async fn reaches(&self, id: &str, state: JobState) -> JobDetail {
        until(&format!("the job is {state}"), async || {
            self.job(id).await.summary.state == state
        })
        .await;
        self.job(id).await
    }

    /// Moves the clock step by step until the job is in that state, as time would pass.
    async fn reaches_in_time(&self, id: &str, state: JobState, step: Duration) -> JobDetail {
        until(&format!("the job is {state} some time"), async || {
            self.clock.advance(step);
            self.job(id).await.summary.state == state
        })
        .await;
        self.job(id).await
    }

    /// Runs SQL that no role would.
    async fn tamper(&self, sql: &'static str) {
        let run = move |tx: &mut Tx<'_>| tx.execute(sql, &[]);
        let changed: Result<usize, mito_database::Error> = self.database.write(run).await;
        assert!(changed.unwrap() > 0, "{sql}");
    }

    /// Ends as by SIGKILL: nothing is told, nothing is finished.
    async fn kill(mut self) {
        self.tasks.shutdown().await;
    }

    /// Ends as by Ctrl-C; the clock is moved past every limit.
    async fn stop(mut self) {
        self.shutdown.begin();
        until("the tasks have ended", async || {
            self.clock.advance(Duration::from_secs(1));
            while self.tasks.try_join_next().is_some() {}
            self.tasks.is_empty()
        })
        .await;
    }
}

/// Completes a note by writing its text.
async fn write_down(running: Running<Note>) -> Result<Completed, Failure> {
    let text = running.payload.text.clone();
    running
        .complete(move |tx| effect(tx, &text))
        .await
        .map_err(|error: Error| error.into())
}

fn effect(tx: &mut Tx<'_>, text: &str) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO effects (number, text) \
         VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM effects), $1)",
        &[&text],
    )?;
    Ok(())
}

/// Lets the tasks run until `condition` holds; fails after ten seconds.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(10), wait).await;
    assert!(ended.is_ok(), "never: {what}");
}

/// Values that handlers leave for the test.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, text: impl Into<String>) -> usize {
        let mut seen = self.0.lock().unwrap();
        seen.push(text.into());
        seen.len()
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    async fn reaches(&self, count: usize) {
        until(&format!("{count} were seen"), async || {
            self.all().len() >= count
        })
        .await;
    }
}
