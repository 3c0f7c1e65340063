//! The threads that run commands, and the connections that live on them.
//!
//! There is one executor for the durable databases and one for the cache databases. A connection is
//! a task on the thread of the executor that keeps its selected database; `SELECT` may move it.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    task::LocalSet,
};

use crate::{core::DATABASES, engine::Engine, resp::Reply, shared::Shared};

mod connection;
mod rewriting;

pub(crate) use connection::Arrival;

/// How many messages wait for an executor before those who send have to wait too.
const MAX_MESSAGES: usize = 4_096;
/// How often an executor looks after what nobody asks for.
const TICK: Duration = Duration::from_millis(100);
/// How many keys one look removes at most, because their time has come.
const SWEPT_AT_ONCE: usize = 2_000;

/// What an executor is asked for.
pub(crate) enum Message {
    /// A connection goes on here.
    Connection(Box<Arrival>),
    /// Commands of this process, as one transaction on a database; the answers come when what they
    /// changed is durable.
    Call {
        db: usize,
        commands: Vec<Vec<Bytes>>,
        answer: oneshot::Sender<Vec<Reply>>,
    },
    /// A look at the state.
    Look(Box<dyn FnOnce(&mut Engine) + Send>),
    /// All databases are emptied.
    Clear(oneshot::Sender<()>),
}

/// The way to an executor.
pub(crate) type Executor = mpsc::Sender<Message>;

/// The executors, by database.
#[derive(Debug)]
pub(crate) struct Executors {
    pub(crate) of_database: [Executor; DATABASES],
    pub(crate) all: Vec<Executor>,
}

impl Executors {
    /// Empties the databases of all executors but `own`.
    async fn clear_others(&self, own: &Executor) {
        for other in &self.all {
            if other.same_channel(own) {
                continue;
            }
            let (answer, answered) = oneshot::channel();
            if other.send(Message::Clear(answer)).await.is_ok() {
                // One that has stopped has nothing left to empty.
                let _ = answered.await;
            }
        }
    }
}

/// The two ends of an executor's way in.
pub(crate) fn channel() -> (Executor, mpsc::Receiver<Message>) {
    mpsc::channel(MAX_MESSAGES)
}

/// What the tasks on an executor's thread share.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) engine: Rc<RefCell<Engine>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) executors: Arc<Executors>,
    pub(crate) own: Executor,
}

/// Runs an executor on this thread until its way in is closed or `stop` begins; what it changed is
/// on disk afterwards.
pub(crate) fn run(
    engine: Engine,
    executors: Arc<Executors>,
    own: Executor,
    mut messages: mpsc::Receiver<Message>,
    stop: mito_core::Shutdown,
) -> std::io::Result<Engine> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let shared = Arc::clone(&engine.shared);
    let engine = Rc::new(RefCell::new(engine));
    let home = Home {
        engine: Rc::clone(&engine),
        shared,
        executors,
        own,
    };
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        tokio::task::spawn_local(look_after(home.clone()));
        loop {
            let message = tokio::select! {
                () = stop.begun() => break,
                message = messages.recv() => message,
            };
            match message {
                Some(message) => take(&home, message),
                None => break,
            }
        }
    });
    drop(home);
    // The tasks hold the engine; they end with their set.
    drop(tasks);
    drop(runtime);
    Rc::try_unwrap(engine)
        .map(RefCell::into_inner)
        .map_err(|_| std::io::Error::other("a task outlived its executor"))
}

fn take(home: &Home, message: Message) {
    match message {
        Message::Connection(arrival) => {
            tokio::task::spawn_local(connection::serve(home.clone(), *arrival));
        }
        Message::Call {
            db,
            commands,
            answer,
        } => {
            tokio::task::spawn_local(call(home.clone(), db, commands, answer));
        }
        Message::Look(look) => look(&mut home.engine.borrow_mut()),
        Message::Clear(answer) => {
            let mut engine = home.engine.borrow_mut();
            engine.begin_unit();
            engine.core.clear_all();
            engine.core.end_unit();
            // Who asked may have gone.
            let _ = answer.send(());
        }
    }
}

async fn call(
    home: Home,
    db: usize,
    commands: Vec<Vec<Bytes>>,
    answer: oneshot::Sender<Vec<Reply>>,
) {
    let (replies, waits) = {
        let mut engine = home.engine.borrow_mut();
        let dirty = engine.core.dirty;
        let replies = engine.run_all(db, &commands);
        (replies, engine.core.dirty != dirty)
    };
    let durable = if waits { durable(&home).await } else { Ok(()) };
    let replies = match durable {
        Ok(()) => replies,
        Err(error) => vec![misconf(&error)],
    };
    // Who asked may have gone.
    let _ = answer.send(replies);
}

/// Hands what has changed on to the log, and waits until it is as durable as the log promises.
pub(crate) async fn durable(home: &Home) -> std::io::Result<()> {
    let wait = {
        let mut engine = home.engine.borrow_mut();
        let position = engine.core.journal.hand_on()?;
        engine.core.journal.log().map(|log| log.durable(position))
    };
    match wait {
        None => Ok(()),
        Some(wait) => wait.await.map_err(std::io::Error::other),
    }
}

/// What a client is told whose change could not be written down.
pub(crate) fn misconf(error: &std::io::Error) -> Reply {
    Reply::Error(format!(
        "MISCONF Errors writing to the append-only file: {error}. What was changed is not durable."
    ))
}

async fn look_after(home: Home) {
    loop {
        home.shared.clock.sleep(TICK).await;
        {
            let mut engine = home.engine.borrow_mut();
            engine.begin_unit();
            engine.core.sweep(SWEPT_AT_ONCE);
            engine.core.end_unit();
            publish(&engine);
            if let Err(error) = engine.core.journal.hand_on() {
                tracing::debug!(%error, "what expired waits to be written down");
            }
        }
        rewriting::look(&home);
    }
}

/// Numbers that other threads and Prometheus read.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; 2^53 bytes are enough"
)]
fn publish(engine: &Engine) {
    let core = &engine.core;
    for (number, numbers) in engine.shared.databases.iter().enumerate() {
        if core.is_home_of(number) {
            let database = &core.databases[number];
            numbers.keys.store(database.len() as u64, Ordering::Relaxed);
            numbers
                .expires
                .store(database.deadlines() as u64, Ordering::Relaxed);
        }
    }
    let kind = if core.journal.log().is_some() {
        "durable"
    } else {
        "cache"
    };
    let labels = [("executor", kind)];
    let keys: usize = core
        .databases
        .iter()
        .map(crate::database::Database::len)
        .sum();
    metrics::gauge!("mito_redis_keys", &labels).set(keys as f64);
    metrics::gauge!("mito_redis_memory_bytes", &labels).set(core.memory_bytes() as f64);
    metrics::counter!("mito_redis_commands_total", &labels).absolute(core.counters.commands);
    metrics::counter!("mito_redis_evictions_total", &labels).absolute(core.counters.evicted);
    metrics::counter!("mito_redis_expirations_total", &labels).absolute(core.counters.expired);
}
