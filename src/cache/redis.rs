//! The handle of the Redis role: its databases, for the roles of this process and for programs that
//! speak the Redis protocol.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use mito_core::{Clock, Random, Shutdown};
use mito_network::{
    ConnectionInfo,
    service::{BoxFuture, ConnectionHandler},
};
use secrecy::SecretString;
use tokio::sync::oneshot;

use crate::{
    Keys,
    cache::Config,
    clients::Client,
    core::{Core, DATABASES},
    engine::Engine,
    eviction::{Memory, Policy},
    journal::Journal,
    resp::Reply,
    script::{Limits, Scripts},
    server::{self, Arrival, Executor, Executors, Message},
    shared::Shared,
};

/// The memory that scripts may take.
const SCRIPT_MEMORY_BYTES: usize = 64 * 1024 * 1024;

/// What keeps the databases from opening.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A thread or its scripts could not be started.
    #[error("cannot start the Redis role: {0}")]
    Start(String),
    /// The append-only file cannot be read.
    #[error("{0}")]
    Log(String),
}

/// The Redis role. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Redis(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    executors: Arc<Executors>,
    stop: Shutdown,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the Redis role is opened with.
#[derive(Debug)]
pub struct Options {
    /// `[cache]`.
    pub config: Config,
    /// Where the append-only file lies.
    pub folder: PathBuf,
    /// What clients sign in with.
    pub password: SecretString,
    /// Tells the time.
    pub clock: Clock,
    /// Draws numbers.
    pub random: Random,
}

impl Redis {
    /// Opens the databases: reads the append-only file and starts a thread for the durable ones and
    /// one for the others.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let config = &options.config;
        let run_id = options.random.id(40);
        let limit = usize::try_from(config.max_request_bytes).unwrap_or(usize::MAX);
        let shared = Shared::new(options.clock.clone(), options.password, run_id, limit);
        let shared = Arc::new(shared);
        let cache = config.cache_databases();
        let durable = cache.map(|is_cache| !is_cache);
        let ways: Vec<_> = [durable, cache]
            .map(|home| (home, server::channel()))
            .into();
        let way_of = |db: usize| {
            let way = ways.iter().find(|(home, _)| home[db]);
            way.unwrap_or(&ways[0]).1.0.clone()
        };
        let executors = Arc::new(Executors {
            of_database: std::array::from_fn(way_of),
            all: ways.iter().map(|(_, way)| way.0.clone()).collect(),
        });
        let stop = Shutdown::new();
        let mut threads = Vec::new();
        let mut waits = Vec::new();
        for (home, (own, messages)) in ways {
            let start = Start {
                home,
                is_cache: home == cache,
                config: config.clone(),
                folder: options.folder.clone(),
                shared: Arc::clone(&shared),
                random: options.random.clone(),
            };
            let (ready, opened) = oneshot::channel();
            let (executors, stop) = (Arc::clone(&executors), stop.clone());
            let name = if start.is_cache {
                "mito-redis-cache"
            } else {
                "mito-redis"
            };
            let thread = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    start.run(ready, executors, own, messages, stop);
                });
            threads.push(thread.map_err(|error| OpenError::Start(error.to_string()))?);
            waits.push(opened);
        }
        for opened in waits {
            let ended = |_| OpenError::Start("its thread ended".to_owned());
            opened.await.map_err(ended)??;
        }
        Ok(Self(Arc::new(Inner {
            shared,
            executors,
            stop,
            threads: Mutex::new(threads),
        })))
    }

    /// What serves a connection of the Redis protocol.
    pub fn handler(&self) -> Arc<dyn ConnectionHandler> {
        Arc::new(Handler(self.clone()))
    }

    /// The keys of database `db`, for the roles of this process. A number from 16 on is refused by
    /// every call.
    pub fn database(&self, db: usize) -> Keys {
        Keys::new(self.clone(), db)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Whether the databases answer.
    pub async fn ping(&self) -> Result<(), String> {
        for executor in &self.0.executors.all {
            let (answer, answered) = oneshot::channel();
            let look = Message::Look(Box::new(move |_| {
                // Who asked may have gone.
                let _ = answer.send(());
            }));
            let gone = || "an executor of the Redis role has ended".to_owned();
            executor.send(look).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?;
        }
        Ok(())
    }

    /// Ends the connections, writes down what has changed and closes.
    pub async fn close(&self) {
        self.0.stop.begin();
        let threads = {
            let mut threads = self
                .0
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *threads)
        };
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                // A panic has been logged where it was raised.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

/// What an executor's thread begins with.
struct Start {
    home: [bool; DATABASES],
    is_cache: bool,
    config: Config,
    folder: PathBuf,
    shared: Arc<Shared>,
    random: Random,
}

impl Start {
    fn run(
        self,
        ready: oneshot::Sender<Result<(), OpenError>>,
        executors: Arc<Executors>,
        own: Executor,
        messages: tokio::sync::mpsc::Receiver<Message>,
        stop: Shutdown,
    ) {
        let engine = match self.engine() {
            Ok(engine) => engine,
            Err(error) => {
                // Who opens waits for exactly this.
                let _ = ready.send(Err(error));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        match server::run(engine, executors, own, messages, stop) {
            Ok(mut engine) => engine.close(),
            Err(error) => tracing::error!(%error, "an executor of the Redis role ended"),
        }
    }

    fn engine(&self) -> Result<Engine, OpenError> {
        let config = &self.config;
        let memory = if self.is_cache {
            Memory {
                max_bytes: config.max_memory_bytes,
                policy: config.policy,
            }
        } else {
            Memory {
                max_bytes: config.durable_max_memory_bytes,
                policy: Policy::Noeviction,
            }
        };
        let limits = Limits {
            memory_bytes: SCRIPT_MEMORY_BYTES,
            time: Duration::from_millis(config.script_limit_ms),
        };
        let scripts = Scripts::new(limits).map_err(|error| OpenError::Start(error.to_string()))?;
        let journal = if self.is_cache {
            Journal::default()
        } else {
            Journal::loading()
        };
        let core = Core::new(self.home, memory, journal, &self.random);
        let mut engine = Engine {
            core,
            scripts,
            shared: Arc::clone(&self.shared),
        };
        if !self.is_cache {
            engine.load(&self.folder, config)?;
        }
        Ok(engine)
    }
}

struct Handler(Redis);

impl ConnectionHandler for Handler {
    fn serve(
        &self,
        stream: tokio::net::TcpStream,
        info: ConnectionInfo,
        shutdown: Shutdown,
    ) -> BoxFuture<()> {
        let redis = self.0.clone();
        Box::pin(async move { redis.serve(stream, info.peer, shutdown).await })
    }
}

impl Redis {
    async fn serve(&self, stream: tokio::net::TcpStream, peer: SocketAddr, shutdown: Shutdown) {
        let shared = &self.0.shared;
        let local = stream
            .local_addr()
            .map(|address| address.to_string())
            .unwrap_or_default();
        let Ok(stream) = stream.into_std() else {
            return;
        };
        let id = shared.next_client();
        let client = Arc::new(Client::new(
            id,
            peer.to_string(),
            local,
            shared.clock.now_ms(),
        ));
        shared.clients().insert(id, Arc::clone(&client));
        let (done, ended) = oneshot::channel();
        let arrival = Arrival::new(stream, Arc::clone(&client), shared.max_request_bytes, done);
        let message = Message::Connection(Box::new(arrival));
        if self.0.executors.of_database[0].send(message).await.is_ok() {
            tokio::pin!(ended);
            tokio::select! {
                _ = &mut ended => {}
                () = shutdown.begun() => {
                    client.stop.begin();
                    // The sender is dropped when the connection has ended.
                    let _ = ended.await;
                }
            }
        }
        shared.clients().remove(&id);
    }

    /// Runs commands on database `db` as one transaction; the answers come when what they changed
    /// is durable.
    pub(crate) async fn call(&self, db: usize, commands: Vec<Vec<Bytes>>) -> Option<Vec<Reply>> {
        let (answer, answered) = oneshot::channel();
        let executor = self.0.executors.of_database.get(db)?;
        executor
            .send(Message::Call {
                db,
                commands,
                answer,
            })
            .await
            .ok()?;
        answered.await.ok()
    }
}

/// How the databases are kept, by number.
pub(crate) type Kinds = BTreeMap<String, Kind>;

/// How a database is kept.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing goes but what is removed or expires; what changes is written to the append-only file
    /// before it is acknowledged.
    Durable,
    /// Keys go when memory is short.
    Cache,
}
